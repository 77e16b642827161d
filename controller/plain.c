#include "plain.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool one_of(dsp_str s, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (dsp_str_is(s, words[i])) {
            return true;
        }
    }
    return false;
}

bool dsp_plain_is_null(dsp_str s)
{
    static const char *const words[] = { "", "~", "null", "Null", "NULL", NULL };

    return one_of(s, words);
}

bool dsp_plain_is_bool(dsp_str s, bool *value)
{
    static const char *const yes[] = { "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", NULL };
    static const char *const no[] = {
        "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", NULL
    };

    *value = one_of(s, yes);
    return *value || one_of(s, no);
}

/* Of 0o17 and 0b101, which strtoll(3) does not know; 0: it does. */
static int base_of(const char *digits)
{
    int letter = digits[0] == '0' ? tolower((unsigned char) digits[1]) : 0;

    return letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
}

bool dsp_plain_number(dsp_str s, dsp_buf *out)
{
    char     text[64];
    size_t   len = 0;
    dsp_json value;
    char    *end;

    if (s.len >= sizeof(text) || s.len == 0 ||
        (!isdigit((unsigned char) s.data[0]) && strchr("+-.", s.data[0]) == NULL)) {
        return false;
    }
    if (dsp_json_parse(s, &value, NULL) && dsp_json_kind(value) == DSP_JSON_NUMBER) {
        return dsp_buf_adds(out, s);
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] != '_') {
            text[len++] = s.data[i];
        }
    }
    text[len] = '\0';
    const char *digits = text[0] == '+' || text[0] == '-' ? text + 1 : text;
    int         base = base_of(digits);
    if (digits[0] == '\0' || (base != 0 && digits[2] == '\0') ||
        strspn(digits, "0123456789abcdefABCDEFxXoO.+-_") != strlen(digits)) {
        return false;
    }
    errno = 0;
    long long whole = base != 0 ? strtoll(digits + 2, &end, base) * (text[0] == '-' ? -1 : 1) : strtoll(text, &end, 0);
    if (*end == '\0' && errno == 0) {
        return dsp_buf_addf(out, "%lld", whole);
    }
    double d = strtod(text, &end);
    if (*end != '\0' || !isfinite(d) || strspn(digits, "0123456789.eE+-") != strlen(digits)) {
        return false;
    }
    return dsp_buf_addf(out, "%.17g", d);
}

/* What other readers of YAML 1.1 know besides: times, numbers to the base of 60, infinities, what is no number. */
static bool others_see_a_number(dsp_str s)
{
    static const char *const words[] = { ".inf", ".nan" };
    size_t                   sign = s.len > 0 && (s.data[0] == '+' || s.data[0] == '-'), n = sign;

    for (size_t i = 0; i < 2; i++) {
        if (s.len == sign + 4 && strncasecmp(s.data + sign, words[i], 4) == 0) {
            return true;
        }
    }
    while (n < s.len && s.data[n] != '\0' && strchr("0123456789:.-+TtZz ", s.data[n]) != NULL) {
        n++;
    }
    return n == s.len && n > sign && isdigit((unsigned char) s.data[sign]);
}

bool dsp_plain_is_string(dsp_str s)
{
    dsp_buf number;
    bool    value;

    dsp_buf_init(&number, 128);
    bool other = dsp_plain_is_null(s) || dsp_plain_is_bool(s, &value) || dsp_plain_number(s, &number) ||
                 dsp_str_is(s, "<<") || dsp_str_is(s, "=") || others_see_a_number(s);
    dsp_buf_free(&number);
    return !other;
}
