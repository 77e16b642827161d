#include <string.h>

#include "base/utf8.h"
#include "fmt_print.h"
#include "strconv.h"
#include "unicode.h"

enum { MAX_RUNE = 0x10FFFF };

static void padding(gt_printer *p, int n)
{
    char *room = n > 0 ? dsp_buf_room(p->out, (size_t) n) : NULL;

    if (room == NULL) {
        return;
    }
    memset(room, p->zero && !p->minus ? '0' : ' ', (size_t) n);
    p->out->len += (size_t) n;
    p->out->data[p->out->len] = '\0';
}

static int count_runes(dsp_str s, int enough)
{
    size_t   i = 0;
    int      n = 0;
    uint32_t r;

    while (i < s.len && n < enough) {
        i += dsp_utf8_decode(dsp_str_sub(s, i, s.len), &r);
        n++;
    }
    return n;
}

void gt_format_padded(gt_printer *p, dsp_str s)
{
    int n;

    if (!p->has_width || p->width == 0) {
        dsp_buf_adds(p->out, s);
        return;
    }
    n = p->width - count_runes(s, p->width);
    if (!p->minus) {
        padding(p, n);
    }
    dsp_buf_adds(p->out, s);
    if (p->minus) {
        padding(p, n);
    }
}

static void padded_without_zeros(gt_printer *p, dsp_str s)
{
    bool zero = p->zero;

    p->zero = false;
    gt_format_padded(p, s);
    p->zero = zero;
}

void gt_format_bool(gt_printer *p, bool v)
{
    gt_format_padded(p, v ? DSP_STR("true") : DSP_STR("false"));
}

/* --- integers ----------------------------------------------------------------------------------------------------- */

/* Sign and prefix, zeros, digits and (of %#U) a tail, in the width. */
static void number_parts(gt_printer *p, dsp_str prefix, int zeros, dsp_str digits, dsp_str tail)
{
    int   n = p->has_width ? p->width - (int) prefix.len - zeros - (int) digits.len - count_runes(tail, 16) : 0;
    bool  zero = p->zero;
    char *room;

    p->zero = false;
    if (!p->minus) {
        padding(p, n);
    }
    dsp_buf_adds(p->out, prefix);
    room = zeros > 0 ? dsp_buf_room(p->out, (size_t) zeros) : NULL;
    if (room != NULL) {
        memset(room, '0', (size_t) zeros);
        p->out->len += (size_t) zeros;
    }
    dsp_buf_adds(p->out, digits);
    dsp_buf_adds(p->out, tail);
    if (p->minus) {
        padding(p, n);
    }
    p->zero = zero;
}

/* The digits of u, written to the end of buf (64 bytes). */
static dsp_str digits_of(uint64_t u, unsigned base, bool upper, char buf[64])
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    size_t      i = 64;

    do {
        buf[--i] = digits[u % base];
        u /= base;
    } while (u != 0);
    return (dsp_str){ buf + i, 64 - i };
}

void gt_format_int(gt_printer *p, uint64_t u, unsigned base, bool is_signed, uint32_t verb, bool upper)
{
    bool    negative = is_signed && (int64_t) u < 0;
    char    buf[64];
    char    prefix[8];
    size_t  n = 0;
    int     want = 0;
    dsp_str digits;

    if (negative) {
        u = -u;
    }
    if (p->has_precision) {
        want = p->precision;
        if (want == 0 && u == 0) {
            bool zero = p->zero;
            p->zero = false;
            padding(p, p->has_width ? p->width : 0);
            p->zero = zero;
            return;
        }
    } else if (p->zero && !p->minus && p->has_width) {
        want = p->width - (negative || p->plus || p->space ? 1 : 0);
    }
    digits = digits_of(u, base, upper, buf);
    int zeros = want > (int) digits.len ? want - (int) digits.len : 0;
    if (negative || p->plus || p->space) {
        prefix[n++] = negative ? '-' : p->plus ? '+' : ' ';
    }
    if (verb == 'O') {
        prefix[n++] = '0';
        prefix[n++] = 'o';
    }
    if (p->sharp && (base == 2 || base == 16)) {
        prefix[n++] = '0';
        prefix[n++] = base == 2 ? 'b' : upper ? 'X' : 'x';
    } else if (p->sharp && base == 8 && zeros == 0 && digits.data[0] != '0') {
        prefix[n++] = '0';
    }
    number_parts(p, (dsp_str){ prefix, n }, zeros, digits, DSP_STR(""));
}

void gt_format_unicode(gt_printer *p, uint64_t u)
{
    int     want = p->has_precision && p->precision > 4 ? p->precision : 4;
    char    buf[64];
    char    tail[16];
    size_t  n = 0;
    dsp_str digits = digits_of(u, 16, true, buf);

    if (p->sharp && u <= MAX_RUNE && gt_rune_is((uint32_t) u, GT_UNI_PRINT)) {
        tail[n++] = ' ';
        tail[n++] = '\'';
        n += dsp_utf8_encode((uint32_t) u, tail + n);
        tail[n++] = '\'';
    }
    number_parts(p, DSP_STR("U+"), want > (int) digits.len ? want - (int) digits.len : 0, digits,
                           (dsp_str){ tail, n });
}

static uint32_t rune_of(uint64_t u)
{
    return u > MAX_RUNE ? DSP_RUNE_ERROR : (uint32_t) u;
}

void gt_format_char(gt_printer *p, uint64_t u)
{
    char   utf8[DSP_UTF8_MAX];
    size_t n = dsp_utf8_encode(rune_of(u), utf8);

    gt_format_padded(p, (dsp_str){ utf8, n });
}

void gt_format_quoted_char(gt_printer *p, uint64_t u)
{
    dsp_buf *b = gt_text_begin(p->c);

    if (b != NULL) {
        gt_quote_rune(b, rune_of(u), p->plus ? GT_QUOTE_ASCII : 0);
        gt_format_padded(p, dsp_buf_str(b));
        p->c->n_texts--;
    }
}

/* --- strings ------------------------------------------------------------------------------------------------------ */

static dsp_str truncated(const gt_printer *p, dsp_str s)
{
    size_t   i = 0;
    uint32_t r;

    if (!p->has_precision) {
        return s;
    }
    for (int n = p->precision; n > 0 && i < s.len; n--) {
        i += dsp_utf8_decode(dsp_str_sub(s, i, s.len), &r);
    }
    return dsp_str_sub(s, 0, i);
}

void gt_format_string(gt_printer *p, dsp_str s)
{
    gt_format_padded(p, truncated(p, s));
}

bool gt_format_quoted(gt_printer *p, dsp_str s)
{
    dsp_buf *b = gt_text_begin(p->c);

    if (b == NULL) {
        return false;
    }
    s = truncated(p, s);
    if (p->sharp && gt_can_backquote(s)) {
        dsp_buf_addc(b, '`');
        dsp_buf_adds(b, s);
        dsp_buf_addc(b, '`');
    } else {
        gt_quote(b, s, p->plus ? GT_QUOTE_ASCII : 0);
    }
    if (!gt_text_ok(p->c, b)) {
        return false;
    }
    gt_format_padded(p, dsp_buf_str(b));
    p->c->n_texts--;
    return true;
}

void gt_format_hex(gt_printer *p, dsp_str s, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    size_t      n = p->has_precision && (size_t) p->precision < s.len ? (size_t) p->precision : s.len;
    size_t      width = 2 * n;

    if (n == 0) {
        padding(p, p->has_width ? p->width : 0);
        return;
    }
    if (p->space) {
        width = (p->sharp ? width * 2 : width) + n - 1;
    } else if (p->sharp) {
        width += 2;
    }
    int pad = p->has_width && (size_t) p->width > width ? p->width - (int) width : 0;
    if (!p->minus) {
        padding(p, pad);
    }
    for (size_t i = 0; i < n && !p->out->failed; i++) {
        if (p->space && i > 0) {
            dsp_buf_addc(p->out, ' ');
        }
        if (p->sharp && (i == 0 || p->space)) {
            dsp_buf_addz(p->out, upper ? "0X" : "0x");
        }
        dsp_buf_addc(p->out, digits[(unsigned char) s.data[i] >> 4]);
        dsp_buf_addc(p->out, digits[(unsigned char) s.data[i] & 15]);
    }
    if (p->minus) {
        padding(p, pad);
    }
}

/* --- floats ------------------------------------------------------------------------------------------------------- */

/* The flag #: always a decimal point, and the trailing zeros that the shortest form leaves out. num has a sign. */
static void sharpen(dsp_buf *num, char verb, int precision)
{
    int    digits = 0;
    bool   point = false;
    bool   nonzero = false;
    char   tail[16];
    size_t n_tail = 0;

    if (verb == 'g' || verb == 'G' || verb == 'x') {
        digits = precision == -1 ? 6 : precision;
    }
    for (size_t i = 1; i < num->len; i++) {
        char ch = num->data[i];
        bool exponent = ch == 'p' || ch == 'P' || ((ch == 'e' || ch == 'E') && verb != 'x' && verb != 'X');
        if (ch == '.') {
            point = true;
        } else if (exponent) {
            n_tail = num->len - i < sizeof(tail) ? num->len - i : sizeof(tail);
            memcpy(tail, num->data + i, n_tail);
            num->len = i;
        } else {
            nonzero = nonzero || ch != '0';
            digits -= nonzero;
        }
    }
    if (!point) {
        if (num->len == 2 && num->data[1] == '0') {
            digits--;
        }
        dsp_buf_addc(num, '.');
    }
    for (; digits > 0 && !num->failed; digits--) {
        dsp_buf_addc(num, '0');
    }
    dsp_buf_add(num, tail, n_tail);
}

/* num has a sign in front. */
static void signed_number(gt_printer *p, dsp_str num)
{
    if (!p->plus && num.data[0] == '+') {
        gt_format_padded(p, dsp_str_sub(num, 1, num.len));
        return;
    }
    if (p->zero && !p->minus && p->has_width && p->width > (int) num.len) {
        dsp_buf_addc(p->out, num.data[0]);
        padding(p, p->width - (int) num.len);
        dsp_buf_adds(p->out, dsp_str_sub(num, 1, num.len));
        return;
    }
    gt_format_padded(p, num);
}

bool gt_format_number(gt_printer *p, double f, char verb, int precision)
{
    dsp_buf *b = gt_text_begin(p->c);
    dsp_str  num;

    if (b == NULL) {
        return false;
    }
    if (p->has_precision) {
        precision = p->precision;
    }
    dsp_buf_addc(b, '+');
    gt_format_float(b, f, verb, precision);
    if (!gt_text_ok(p->c, b)) {
        return false;
    }
    if (b->data[1] == '-' || b->data[1] == '+') {
        dsp_buf_drop(b, 1);
    }
    if (p->space && b->data[0] == '+' && !p->plus) {
        b->data[0] = ' ';
    }
    if (b->data[1] == 'I' || b->data[1] == 'N') {
        num = dsp_buf_str(b);
        if (b->data[1] == 'N' && !p->space && !p->plus) {
            num = dsp_str_sub(num, 1, num.len);
        }
        padded_without_zeros(p, num);
    } else {
        if (p->sharp && verb != 'b') {
            sharpen(b, verb, precision);
        }
        signed_number(p, dsp_buf_str(b));
    }
    p->c->n_texts--;
    return gt_text_ok(p->c, b);
}
