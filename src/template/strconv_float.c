/* Floats to text: FormatFloat. */
#include "strconv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A double has at most 767 significant decimal digits and 1074 behind the point: what is asked beyond is zeros. */
#define MAX_DIGITS   767
#define MAX_FRACTION 1074

/* digits × 10^(point - n); digits beyond n are zeros. */
struct decimal {
    char digits[1 + 309 + MAX_FRACTION + 8];
    int  n;
    int  point;
};

/* --- digits ------------------------------------------------------------------------------------------------------- */

/* Takes the digits and the exponent out of what printf's %e wrote, whatever the locale's point is. */
static void read_e(const char *text, struct decimal *d)
{
    d->n = 0;
    for (; *text != 'e'; text++) {
        if (*text >= '0' && *text <= '9') {
            d->digits[d->n++] = *text;
        }
    }
    d->point = atoi(text + 1) + 1;
}

/* Rounds f > 0 to n significant digits, half to even over the exact value (as libc and Go both do). */
static void round_significant(double f, int n, struct decimal *d)
{
    char text[MAX_DIGITS + 16];

    if (n > MAX_DIGITS) {
        n = MAX_DIGITS;
    }
    snprintf(text, sizeof(text), "%.*e", n - 1, f);
    read_e(text, d);
}

/* Rounds f > 0 to n digits behind the point. */
static void round_fraction(double f, int n, struct decimal *d)
{
    char        text[1 + 309 + MAX_FRACTION + 8];
    const char *in = text;
    bool        fraction = false;

    if (n > MAX_FRACTION) {
        n = MAX_FRACTION;
    }
    snprintf(text, sizeof(text), "%.*f", n, f);
    d->n = d->point = 0;
    for (; *in != '\0'; in++) {
        if (*in < '0' || *in > '9') {
            fraction = true;
        } else if (*in == '0' && d->n == 0) {
            d->point -= fraction; /* leading zeros are no digits */
        } else {
            d->digits[d->n++] = *in;
            d->point += !fraction;
        }
    }
}

static bool reads_back(const struct decimal *d, double f)
{
    char text[40];

    snprintf(text, sizeof(text), "%.*se%d", d->n, d->digits, d->point - d->n);
    return strtod(text, NULL) == f;
}

/* One more in the last place. */
static void step_up(struct decimal *d)
{
    int i = d->n - 1;

    while (i >= 0 && d->digits[i] == '9') {
        d->digits[i--] = '0';
    }
    if (i >= 0) {
        d->digits[i]++;
    } else {
        d->digits[0] = '1'; /* 99 → 100: the zeros behind it go with the others */
        d->point++;
    }
}

static void drop_zeros(struct decimal *d)
{
    while (d->n > 0 && d->digits[d->n - 1] == '0') {
        d->n--;
    }
}

static void write_whole(uint64_t u, struct decimal *d)
{
    char  text[20];
    char *p = text + sizeof(text);

    do {
        *--p = (char) ('0' + u % 10);
        u /= 10;
    } while (u != 0);
    d->n = (int) (text + sizeof(text) - p);
    memcpy(d->digits, p, (size_t) d->n);
}

/*
 * Numbers like 12.5 or 0.001, up to 15 digits: for the fewest places, f × 10^places as a whole number. A whole number
 * and a power of ten that are both exact in a double have a correctly rounded quotient, so if that is f the digits read
 * back as f; and no two numbers of 15 digits are the same double, so there are no others to choose from.
 */
static bool short_digits(double f, struct decimal *d)
{
    double power = 1;

    for (int places = 0; places <= 22; places++, power *= 10) {
        double whole = nearbyint(f * power);

        if (whole >= 1e15) {
            return false;
        }
        if (whole / power == f) {
            write_whole((uint64_t) whole, d);
            d->point = d->n - places;
            drop_zeros(d);
            return true;
        }
    }
    return false;
}

/*
 * The fewest digits that read back as f > 0, and of those the ones nearest to f.
 *
 * Any 15 digits survive the way through a normal double, so a number that has a text of 15 digits or less is found by
 * rounding to 15. Otherwise 16 and 17 are tried. Below a power of two the next double is only half as far away as
 * above it: there the nearest digits may be too low while the next higher ones are not. Numbers below the normal range
 * have less than 15 digits to give, so the search starts at one.
 */
static void shortest(double f, struct decimal *d)
{
    int  binary;
    bool power_of_two = frexp(f, &binary) == 0.5;

    if (short_digits(f, d)) {
        return;
    }
    for (int n = f < 2.2250738585072014e-308 ? 1 : 15; n <= 17; n++) {
        round_significant(f, n, d);
        if (reads_back(d, f)) {
            break;
        }
        if (power_of_two) {
            step_up(d);
            if (reads_back(d, f)) {
                break;
            }
        }
    }
    drop_zeros(d);
}

size_t gt_float_digits(double f, char digits[17], int *point)
{
    struct decimal d;

    *point = 0;
    if (f == 0) {
        return 0;
    }
    shortest(fabs(f), &d);
    *point = d.point;
    memcpy(digits, d.digits, (size_t) d.n);
    return (size_t) d.n;
}

/* --- layouts ------------------------------------------------------------------------------------------------------ */

static bool add_zeros(dsp_buf *out, int n)
{
    char *room;

    if (n <= 0) {
        return !out->failed;
    }
    room = dsp_buf_room(out, (size_t) n);
    if (room == NULL) {
        return false;
    }
    memset(room, '0', (size_t) n);
    out->len += (size_t) n;
    out->data[out->len] = '\0';
    return true;
}

/* -d.ddde±dd with `precision` digits behind the point. */
static bool layout_e(dsp_buf *out, const struct decimal *d, int precision, char e)
{
    int exponent = d->n == 0 ? 0 : d->point - 1;
    int behind = d->n - 1 < precision ? d->n - 1 : precision;

    dsp_buf_addc(out, d->n == 0 ? '0' : d->digits[0]);
    if (precision > 0) {
        dsp_buf_addc(out, '.');
        if (behind > 0) {
            dsp_buf_add(out, d->digits + 1, (size_t) behind);
        }
        add_zeros(out, precision - (behind > 0 ? behind : 0));
    }
    return dsp_buf_addf(out, "%c%c%02d", e, exponent < 0 ? '-' : '+', abs(exponent));
}

/* -ddd.ddd with `precision` digits behind the point. */
static bool layout_f(dsp_buf *out, const struct decimal *d, int precision)
{
    int whole = d->point > 0 ? d->point : 0;
    int given = d->n < whole ? d->n : whole;
    int zeros = d->point < 0 ? -d->point : 0; /* between the point and the first digit */
    int rest = d->n - given;

    if (whole == 0) {
        dsp_buf_addc(out, '0');
    } else {
        dsp_buf_add(out, d->digits, (size_t) given);
        add_zeros(out, whole - given);
    }
    if (precision <= 0) {
        return !out->failed;
    }
    dsp_buf_addc(out, '.');
    zeros = zeros < precision ? zeros : precision;
    add_zeros(out, zeros);
    rest = rest < precision - zeros ? rest : precision - zeros;
    dsp_buf_add(out, d->digits + given, (size_t) rest);
    return add_zeros(out, precision - zeros - rest);
}

/* %e for large and small exponents, %f otherwise; zeros at the end of the fraction are not written. */
static bool layout_g(dsp_buf *out, const struct decimal *d, int precision, bool is_shortest, char e)
{
    int limit = precision;

    if (limit > d->n && d->n >= d->point) {
        limit = d->n;
    }
    if (is_shortest) {
        limit = 6;
    }
    if (d->point - 1 < -4 || d->point - 1 >= limit) {
        return layout_e(out, d, (precision > d->n ? d->n : precision) - 1, e);
    }
    if (precision > d->point) {
        precision = d->n;
    }
    return layout_f(out, d, precision - d->point);
}

static bool format_decimal(dsp_buf *out, double f, char format, int precision)
{
    struct decimal d;
    bool           is_shortest = precision < 0;

    d.n = d.point = 0;
    if (is_shortest) {
        if (f != 0) {
            shortest(f, &d);
        }
        precision = format == 'e' || format == 'E' ? d.n - 1 : format == 'f' ? d.n - d.point : d.n;
        precision = precision < 0 ? 0 : precision;
    } else {
        if ((format == 'g' || format == 'G') && precision == 0) {
            precision = 1;
        }
        if (f != 0 && format == 'f') {
            round_fraction(f, precision, &d);
        } else if (f != 0) {
            bool first_is_extra = precision < MAX_DIGITS && format != 'g' && format != 'G';

            round_significant(f, first_is_extra ? precision + 1 : precision, &d);
        }
        if (format == 'g' || format == 'G') {
            drop_zeros(&d); /* Go's decimals carry none, and %g looks at their number */
        }
    }
    switch (format) {
    case 'e':
    case 'E': return layout_e(out, &d, precision, format);
    case 'f': return layout_f(out, &d, precision);
    default: return layout_g(out, &d, precision, is_shortest, format == 'g' ? 'e' : 'E');
    }
}

/* The 53 bits of a number and their exponent: f = mantissa × 2^exponent. */
static uint64_t split(double f, int *exponent)
{
    uint64_t bits, mantissa;
    int      biased;

    memcpy(&bits, &f, sizeof(bits));
    biased = (int) (bits >> 52 & 0x7ff);
    mantissa = bits & 0xfffffffffffffULL;
    if (biased == 0) {
        biased = 1;
    } else {
        mantissa |= 1ULL << 52;
    }
    *exponent = biased - 1023 - 52;
    return mantissa;
}

/* -0x1.yyyyyyp±dd; the first digit is 1 for all numbers but 0. */
static bool format_hex(dsp_buf *out, double f, char x, int precision)
{
    const char *hex = x == 'x' ? "0123456789abcdef" : "0123456789ABCDEF";
    int         exponent;
    uint64_t    mantissa = split(f, &exponent) << 8; /* the leading 1 at bit 60 */

    exponent = mantissa == 0 ? 0 : exponent + 52;
    while (mantissa != 0 && (mantissa & 1ULL << 60) == 0) {
        mantissa <<= 1;
        exponent--;
    }
    if (precision >= 0 && precision < 15) {
        unsigned shift = (unsigned) precision * 4;
        uint64_t extra = (mantissa << shift) & ((1ULL << 60) - 1);

        mantissa >>= 60 - shift;
        if ((extra | (mantissa & 1)) > 1ULL << 59) {
            mantissa++; /* over half, or half and odd */
        }
        mantissa <<= 60 - shift;
        if ((mantissa & 1ULL << 61) != 0) {
            mantissa >>= 1;
            exponent++;
        }
    }
    dsp_buf_addc(out, '0');
    dsp_buf_addc(out, x);
    dsp_buf_addc(out, (mantissa & 1ULL << 60) != 0 ? '1' : '0');
    mantissa <<= 4;
    if (precision > 0 || (precision < 0 && mantissa != 0)) {
        dsp_buf_addc(out, '.');
        for (int i = 0; (precision < 0 ? mantissa != 0 : i < precision) && !out->failed; i++) {
            if (i == 16) {
                add_zeros(out, precision - i);
                break;
            }
            dsp_buf_addc(out, hex[mantissa >> 60 & 15]);
            mantissa <<= 4;
        }
    }
    return dsp_buf_addf(out, "%c%c%02d", x == 'x' ? 'p' : 'P', exponent < 0 ? '-' : '+', abs(exponent));
}

bool gt_format_float(dsp_buf *out, double f, char format, int precision)
{
    int exponent;

    if (isnan(f)) {
        return dsp_buf_addz(out, "NaN");
    }
    if (isinf(f)) {
        return dsp_buf_addz(out, f < 0 ? "-Inf" : "+Inf");
    }
    if (signbit(f)) {
        dsp_buf_addc(out, '-');
        f = -f;
    }
    switch (format) {
    case 'b': {
        uint64_t mantissa = split(f, &exponent);

        return dsp_buf_addf(out, "%llup%+d", (unsigned long long) mantissa, exponent);
    }
    case 'x':
    case 'X': return format_hex(out, f, format, precision);
    default: return format_decimal(out, f, format, precision);
    }
}

/* e+05, e-324 */
static char *write_exponent(char *p, int exponent)
{
    unsigned e = (unsigned) abs(exponent);

    *p++ = 'e';
    *p++ = exponent < 0 ? '-' : '+';
    if (e >= 100) {
        *p++ = (char) ('0' + e / 100);
    }
    *p++ = (char) ('0' + e / 10 % 10);
    *p++ = (char) ('0' + e % 10);
    return p;
}

/* Without a buffer: the text that %v prints is written right into out. */
size_t gt_float_text(double f, char out[GT_FLOAT_MAX])
{
    char  digits[17];
    char *p = out;
    int   point, n;

    if (isnan(f)) {
        memcpy(out, "NaN", 3);
        return 3;
    }
    if (isinf(f)) {
        memcpy(out, f < 0 ? "-Inf" : "+Inf", 4);
        return 4;
    }
    if (signbit(f)) {
        *p++ = '-';
    }
    n = (int) gt_float_digits(f, digits, &point);
    if (n == 0) {
        *p++ = '0';
    } else if (point - 1 < -4 || point - 1 >= 6) {
        *p++ = digits[0];
        if (n > 1) {
            *p++ = '.';
            memcpy(p, digits + 1, (size_t) n - 1);
            p += n - 1;
        }
        p = write_exponent(p, point - 1);
    } else {
        if (point <= 0) {
            *p++ = '0';
            *p++ = '.';
        }
        for (int i = point; i < 0; i++) {
            *p++ = '0';
        }
        for (int i = 0; i < n || i < point; i++) {
            if (i == point && i > 0) {
                *p++ = '.';
            }
            *p++ = i < n ? digits[i] : '0';
        }
    }
    return (size_t) (p - out);
}
