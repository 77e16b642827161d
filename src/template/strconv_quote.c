/* Quoting and unquoting of Go's string and rune literals. */
#include "strconv.h"

#include <string.h>

#include "base/utf8.h"
#include "unicode.h"

static bool is_rune(uint32_t r) { return r < 0xD800 || (r > 0xDFFF && r <= 0x10FFFF); }

static bool add_rune(dsp_buf *out, uint32_t r)
{
    char bytes[DSP_UTF8_MAX];

    return dsp_buf_add(out, bytes, dsp_utf8_encode(r, bytes));
}

/* The letter behind the backslash for the control characters that have one, else 0. */
static char short_escape(uint32_t r)
{
    static const char letters[] = "abtnvfr"; /* U+0007 … U+000D */

    return r >= 7 && r <= 13 ? letters[r - 7] : '\0';
}

/* \x, \u or \U and so many hexadecimal digits. */
static bool add_hex(dsp_buf *out, char letter, uint32_t value, unsigned digits)
{
    char text[10] = { '\\', letter };

    for (unsigned i = 0; i < digits; i++) {
        text[2 + i] = "0123456789abcdef"[value >> 4 * (digits - 1 - i) & 15];
    }
    return dsp_buf_add(out, text, 2 + digits);
}

static bool add_escaped(dsp_buf *out, uint32_t r, char quote, unsigned flags)
{
    if (r == (unsigned char) quote || r == '\\') {
        dsp_buf_addc(out, '\\');
        return dsp_buf_addc(out, (char) r);
    }
    if (gt_rune_is(r, GT_UNI_PRINT) && (r < 0x80 || (flags & GT_QUOTE_ASCII) == 0)) {
        return add_rune(out, r);
    }
    if (short_escape(r) != '\0') {
        dsp_buf_addc(out, '\\');
        return dsp_buf_addc(out, short_escape(r));
    }
    if (r < ' ' || r == 0x7f) {
        return add_hex(out, 'x', r, 2);
    }
    return r < 0x10000 ? add_hex(out, 'u', r, 4) : add_hex(out, 'U', r, 8);
}

bool gt_quote(dsp_buf *out, dsp_str s, unsigned flags)
{
    dsp_buf_addc(out, '"');
    while (s.len > 0 && !out->failed) {
        uint32_t r;
        size_t   plain = 0, width;

        while (plain < s.len && s.data[plain] >= ' ' && s.data[plain] < 0x7f && s.data[plain] != '"' &&
               s.data[plain] != '\\') {
            plain++;
        }
        if (plain > 0) {
            dsp_buf_add(out, s.data, plain);
            s = dsp_str_sub(s, plain, s.len);
            continue;
        }
        width = dsp_utf8_decode(s, &r);
        if (width == 1 && r == DSP_RUNE_ERROR) {
            add_hex(out, 'x', (unsigned char) s.data[0], 2);
        } else {
            add_escaped(out, r, '"', flags);
        }
        s = dsp_str_sub(s, width, s.len);
    }
    return dsp_buf_addc(out, '"');
}

bool gt_quote_rune(dsp_buf *out, uint32_t rune, unsigned flags)
{
    dsp_buf_addc(out, '\'');
    add_escaped(out, is_rune(rune) ? rune : DSP_RUNE_ERROR, '\'', flags);
    return dsp_buf_addc(out, '\'');
}

bool gt_can_backquote(dsp_str s)
{
    while (s.len > 0) {
        uint32_t r;
        size_t   width = dsp_utf8_decode(s, &r);

        if (width > 1 ? r == 0xFEFF : (r == DSP_RUNE_ERROR || (r < ' ' && r != '\t') || r == '`' || r == 0x7f)) {
            return false;
        }
        s = dsp_str_sub(s, width, s.len);
    }
    return true;
}

/* The value of n hexadecimal digits at the front of s; false: there are not so many. */
static bool hex_value(dsp_str s, size_t n, uint32_t *value)
{
    if (s.len < n) {
        return false;
    }
    *value = 0;
    for (size_t i = 0; i < n; i++) {
        char     c = s.data[i];
        uint32_t digit;

        if (c >= '0' && c <= '9') {
            digit = (uint32_t) (c - '0');
        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            digit = (uint32_t) ((c | 0x20) - 'a') + 10;
        } else {
            return false;
        }
        *value = *value << 4 | digit;
    }
    return true;
}

/* \ooo: the first digit was read; two more, and no more than a byte. */
static bool octal_value(char first, dsp_str s, uint32_t *value)
{
    if (s.len < 2 || s.data[0] < '0' || s.data[0] > '7' || s.data[1] < '0' || s.data[1] > '7') {
        return false;
    }
    *value = (uint32_t) (first - '0') << 6 | (uint32_t) (s.data[0] - '0') << 3 | (uint32_t) (s.data[1] - '0');
    return *value <= 255;
}

/* The escape sequence in *s, whose backslash is read: takes it off and gives its value. */
static bool unescape(dsp_str *s, char quote, uint32_t *rune, bool *multibyte)
{
    static const char letters[] = "abtnvfr";
    char              c = s->data[0];
    const char       *letter = c == '\0' ? NULL : strchr(letters, c);
    size_t            digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    dsp_str           rest = dsp_str_sub(*s, 1, s->len);
    size_t            width = 0;

    if (letter != NULL) {
        *rune = 7 + (uint32_t) (letter - letters);
    } else if (digits > 0) {
        if (!hex_value(rest, digits, rune) || (c != 'x' && !is_rune(*rune))) {
            return false;
        }
        *multibyte = c != 'x';
        width = digits;
    } else if (c >= '0' && c <= '7') {
        if (!octal_value(c, rest, rune)) {
            return false;
        }
        width = 2;
    } else if (c == '\\' || ((c == '\'' || c == '"') && c == quote)) {
        *rune = (unsigned char) c;
    } else {
        return false;
    }
    *s = dsp_str_sub(rest, width, rest.len);
    return true;
}

bool gt_unquote_char(dsp_str *s, char quote, uint32_t *rune, bool *multibyte)
{
    bool    ignored;
    dsp_str rest;

    multibyte = multibyte == NULL ? &ignored : multibyte;
    *multibyte = false;
    if (s->len == 0 || (s->data[0] == quote && (quote == '\'' || quote == '"'))) {
        return false;
    }
    if ((unsigned char) s->data[0] >= 0x80) {
        *multibyte = true;
        *s = dsp_str_sub(*s, dsp_utf8_decode(*s, rune), s->len);
        return true;
    }
    rest = dsp_str_sub(*s, 1, s->len);
    if (s->data[0] != '\\') {
        *rune = (unsigned char) s->data[0];
    } else if (rest.len == 0 || !unescape(&rest, quote, rune, multibyte)) {
        return false;
    }
    *s = rest;
    return true;
}

/* `…`: nothing is escaped, carriage returns are left out, and no ` may be inside. */
static bool unquote_raw(dsp_buf *out, dsp_str s)
{
    if (dsp_str_find(s, '`') != s.len) {
        return false;
    }
    while (s.len > 0) {
        size_t n = dsp_str_find(s, '\r');

        if (!dsp_buf_add(out, s.data, n)) {
            return false;
        }
        s = dsp_str_sub(s, n + 1, s.len);
    }
    return !out->failed;
}

bool gt_unquote(dsp_buf *out, dsp_str s)
{
    char   quote;
    size_t characters = 0;

    if (s.len < 2 || s.data[0] != s.data[s.len - 1]) {
        return false;
    }
    quote = s.data[0];
    s = dsp_str_sub(s, 1, s.len - 1);
    if (quote == '`') {
        return unquote_raw(out, s);
    }
    if (quote != '"' && quote != '\'') {
        return false;
    }
    for (; s.len > 0; characters++) {
        uint32_t r;
        bool     multibyte;
        char     byte;

        if (s.data[0] == '\n' || !gt_unquote_char(&s, quote, &r, &multibyte)) {
            return false;
        }
        byte = (char) r;
        if (!(multibyte ? add_rune(out, r) : dsp_buf_add(out, &byte, 1))) {
            return false;
        }
    }
    return (quote == '"' || characters == 1) && !out->failed;
}
