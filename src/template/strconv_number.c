/* Numbers from text: ParseInt, ParseUint, ParseFloat. */
#include "strconv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* As letters and digits are told apart all over strconv: other bytes become other bytes that are no letters either. */
static char lower(char c) { return (char) (c | ('x' - 'X')); }

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

const char *gt_num_error_text(enum gt_num_error e)
{
    switch (e) {
    case GT_NUM_SYNTAX: return "invalid syntax";
    case GT_NUM_RANGE: return "value out of range";
    default: return NULL;
    }
}

/*
 * Whether the underscores of a number that is fine otherwise are at places where Go's literals may have them: between
 * digits, or between a base prefix and a digit.
 */
static bool underscores_ok(dsp_str s)
{
    enum { START, DIGIT, UNDERSCORE, OTHER } last = START;
    size_t i = 0;
    bool   hex = false;

    if (s.len > 0 && (s.data[0] == '-' || s.data[0] == '+')) {
        s = dsp_str_sub(s, 1, s.len);
    }
    if (s.len >= 2 && s.data[0] == '0') {
        char c = lower(s.data[1]);

        if (c == 'b' || c == 'o' || c == 'x') {
            i = 2;
            last = DIGIT;
            hex = c == 'x';
        }
    }
    for (; i < s.len; i++) {
        char c = s.data[i];

        if (is_digit(c) || (hex && lower(c) >= 'a' && lower(c) <= 'f')) {
            last = DIGIT;
        } else if (c == '_') {
            if (last != DIGIT) {
                return false;
            }
            last = UNDERSCORE;
        } else {
            if (last == UNDERSCORE) {
                return false;
            }
            last = OTHER;
        }
    }
    return last != UNDERSCORE;
}

/* Finds the base of a number with a prefix and takes the prefix off. "0x" alone is an octal number with a bad digit. */
static unsigned base_of(dsp_str *s)
{
    if (s->data[0] != '0') {
        return 10;
    }
    if (s->len >= 3) {
        char     c = lower(s->data[1]);
        unsigned base = c == 'b' ? 2 : c == 'o' ? 8 : c == 'x' ? 16 : 0;

        if (base != 0) {
            *s = dsp_str_sub(*s, 2, s->len);
            return base;
        }
    }
    *s = dsp_str_sub(*s, 1, s->len);
    return 8;
}

enum gt_num_error gt_parse_uint(dsp_str s, unsigned base, uint64_t *out)
{
    dsp_str  whole = s;
    bool     any_base = base == 0, underscores = false;
    uint64_t n = 0;

    *out = 0;
    if (s.len == 0) {
        return GT_NUM_SYNTAX;
    }
    if (any_base) {
        base = base_of(&s);
    }
    for (size_t i = 0; i < s.len; i++) {
        char     c = s.data[i];
        unsigned digit;

        if (c == '_' && any_base) {
            underscores = true;
            continue;
        }
        if (is_digit(c)) {
            digit = (unsigned) (c - '0');
        } else if (lower(c) >= 'a' && lower(c) <= 'z') {
            digit = (unsigned) (lower(c) - 'a') + 10;
        } else {
            return GT_NUM_SYNTAX;
        }
        if (digit >= base) {
            return GT_NUM_SYNTAX;
        }
        /* Go looks no further than the digit that is too much: "99999999999999999999x" is out of range, not bad. */
        if (__builtin_mul_overflow(n, (uint64_t) base, &n) || __builtin_add_overflow(n, (uint64_t) digit, &n)) {
            *out = UINT64_MAX;
            return GT_NUM_RANGE;
        }
    }
    if (underscores && !underscores_ok(whole)) {
        return GT_NUM_SYNTAX;
    }
    *out = n;
    return GT_NUM_OK;
}

enum gt_num_error gt_parse_int(dsp_str s, unsigned base, int64_t *out)
{
    bool              negative = false;
    uint64_t          n;
    enum gt_num_error error;

    *out = 0;
    if (s.len > 0 && (s.data[0] == '+' || s.data[0] == '-')) {
        negative = s.data[0] == '-';
        s = dsp_str_sub(s, 1, s.len);
    }
    error = gt_parse_uint(s, base, &n);
    if (error == GT_NUM_SYNTAX) {
        return error;
    }
    if (!negative && n > INT64_MAX) {
        *out = INT64_MAX;
        return GT_NUM_RANGE;
    }
    if (negative && n > (uint64_t) INT64_MAX + 1) {
        *out = INT64_MIN;
        return GT_NUM_RANGE;
    }
    *out = negative ? (int64_t) (0 - n) : (int64_t) n;
    return GT_NUM_OK;
}

/* --- floats ------------------------------------------------------------------------------------------------------- */

/* Significant digits that are kept; whether more follow that are not all zero is all that can still matter. */
#define MAX_DIGITS 800

/* A number that was read: 0.digits × base^point, base 10, or 2^point over hexadecimal digits. */
struct number {
    char   digits[MAX_DIGITS + 2];
    size_t n;     /* digits kept, leading zeros left out */
    int    point; /* in digits before the exponent is added */
    int    exponent;
    bool   negative, hex, underscores, inexact;
};

/* inf, infinity with a sign, nan without. */
static bool parse_special(dsp_str s, double *out)
{
    bool negative = false;

    if (s.len == 3 && strncasecmp(s.data, "nan", 3) == 0) {
        *out = (double) NAN;
        return true;
    }
    if (s.len > 0 && (s.data[0] == '+' || s.data[0] == '-')) {
        negative = s.data[0] == '-';
        s = dsp_str_sub(s, 1, s.len);
    }
    if ((s.len == 3 && strncasecmp(s.data, "inf", 3) == 0) || (s.len == 8 && strncasecmp(s.data, "infinity", 8) == 0)) {
        *out = negative ? -(double) INFINITY : (double) INFINITY;
        return true;
    }
    return false;
}

/* Reads the digits and the point from s at *i. false: no digit. */
static bool scan_digits(dsp_str s, size_t *i, struct number *number)
{
    bool saw_point = false, saw_digit = false;
    int  before = 0;

    for (; *i < s.len; (*i)++) {
        char c = s.data[*i];

        if (c == '_') {
            number->underscores = true;
        } else if (c == '.' && !saw_point) {
            saw_point = true;
            number->point = before;
        } else if (is_digit(c) || (number->hex && lower(c) >= 'a' && lower(c) <= 'f')) {
            saw_digit = true;
            if (c == '0' && before == 0) {
                number->point--; /* leading zeros count only behind the point, which sets `point` before */
                continue;
            }
            before++;
            if (number->n < MAX_DIGITS) {
                number->digits[number->n++] = c;
            } else if (c != '0') {
                number->inexact = true;
            }
        } else {
            break;
        }
    }
    if (!saw_point) {
        number->point = before;
    }
    return saw_digit;
}

/* Reads e+05 or p-3. As in Go a huge exponent is cut: it is over any float's range all the same. */
static bool scan_exponent(dsp_str s, size_t *i, struct number *number)
{
    int  exponent = 0;
    bool negative = false;

    (*i)++;
    if (*i < s.len && (s.data[*i] == '+' || s.data[*i] == '-')) {
        negative = s.data[*i] == '-';
        (*i)++;
    }
    if (*i >= s.len || !is_digit(s.data[*i])) {
        return false;
    }
    for (; *i < s.len && (is_digit(s.data[*i]) || s.data[*i] == '_'); (*i)++) {
        if (s.data[*i] == '_') {
            number->underscores = true;
        } else if (exponent < 10000) {
            exponent = exponent * 10 + (s.data[*i] - '0');
        }
    }
    number->exponent = negative ? -exponent : exponent;
    return true;
}

static bool scan_number(dsp_str s, struct number *number)
{
    size_t i = 0;

    if (s.len > (size_t) 1 << 28) {
        return false; /* so that counts of digits fit an int, and four times as many bits */
    }
    if (s.len > 0 && (s.data[0] == '+' || s.data[0] == '-')) {
        number->negative = s.data[0] == '-';
        i = 1;
    }
    if (i + 2 < s.len && s.data[i] == '0' && lower(s.data[i + 1]) == 'x') {
        number->hex = true;
        i += 2;
    }
    if (!scan_digits(s, &i, number)) {
        return false;
    }
    if (i < s.len && lower(s.data[i]) == (number->hex ? 'p' : 'e')) {
        if (!scan_exponent(s, &i, number)) {
            return false;
        }
    } else if (number->hex) {
        return false;
    }
    return i == s.len && (!number->underscores || underscores_ok(s));
}

/* Few digits and a small power of ten: both are exact in a double, and so one operation rounds correctly. */
static bool exact_float(const struct number *number, double *out)
{
    static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    int64_t             mantissa = 0;
    int                 exponent = number->point + number->exponent - (int) number->n;

    if (number->hex || number->n > 15 || exponent < -22 || exponent > 22) {
        return false;
    }
    for (size_t i = 0; i < number->n; i++) {
        mantissa = mantissa * 10 + (number->digits[i] - '0');
    }
    *out = exponent < 0 ? (double) mantissa / powers[-exponent] : (double) mantissa * powers[exponent];
    return true;
}

/* libc's strtod rounds correctly; it is given digits and exponent without a point, so the locale does not matter. */
static double convert(struct number *number)
{
    char text[MAX_DIGITS + 40];
    int  exponent;

    if (number->n == 0) {
        return 0;
    }
    if (number->inexact) {
        number->digits[number->n++] = '1'; /* any digit but 0: it only says on which side of a tie the number is */
    }
    exponent = number->point - (int) number->n;
    exponent = (number->hex ? exponent * 4 : exponent) + number->exponent;
    snprintf(text, sizeof(text), "%s%.*s%c%d", number->hex ? "0x" : "", (int) number->n, number->digits,
             number->hex ? 'p' : 'e', exponent);
    return strtod(text, NULL);
}

enum gt_num_error gt_parse_float(dsp_str s, double *out)
{
    struct number number;
    double        f;

    number.n = 0;
    number.point = number.exponent = 0;
    number.negative = number.hex = number.underscores = number.inexact = false;
    *out = 0;
    if (s.len == 0) {
        return GT_NUM_SYNTAX;
    }
    if (parse_special(s, out)) {
        return GT_NUM_OK;
    }
    if (!scan_number(s, &number)) {
        return GT_NUM_SYNTAX;
    }
    if (!exact_float(&number, &f)) {
        f = convert(&number);
    }
    *out = number.negative ? -f : f;
    return isinf(f) ? GT_NUM_RANGE : GT_NUM_OK;
}
