#include <math.h>
#include <string.h>

#include "parse.h"
#include "strconv.h"

/* Which of the types can hold the float, as Go finds out by converting it there and back. */
static bool fits_int(double f)
{
    return f >= -0x1p63 && f < 0x1p63 && trunc(f) == f;
}

static bool fits_uint(double f)
{
    return f >= 0 && f < 0x1p64 && trunc(f) == f;
}

static bool char_constant(gt_ctx *c, dsp_str text, gt_number *n)
{
    dsp_str  rest = dsp_str_sub(text, 1, text.len);
    uint32_t rune;

    if (!gt_unquote_char(&rest, text.data[0], &rune, NULL)) {
        return gt_fail(c, "invalid syntax");
    }
    if (!dsp_str_is(rest, "'")) {
        dsp_buf *b = gt_fail_text(c);
        dsp_buf_addz(b, "malformed character constant: ");
        dsp_buf_adds(b, text);
        return gt_failed(c);
    }
    n->is_int = n->is_uint = n->is_float = true;
    n->i = (int64_t) (int32_t) rune;
    n->u = (uint64_t) n->i;
    n->f = (double) n->i;
    return true;
}

/* A complex number without imaginary part is any of the other types that can hold it. */
static void simplify_complex(gt_number *n)
{
    n->is_complex = true;
    n->is_float = n->im == 0;
    if (!n->is_float) {
        return;
    }
    n->f = n->re;
    n->is_int = fits_int(n->f);
    n->i = n->is_int ? (int64_t) n->f : 0;
    n->is_uint = fits_uint(n->f);
    n->u = n->is_uint ? (uint64_t) n->f : 0;
}

static bool take_one(dsp_str *s, const char *set)
{
    if (s->len == 0 || s->data[0] == '\0' || strchr(set, s->data[0]) == NULL) {
        return false;
    }
    *s = dsp_str_sub(*s, 1, s->len);
    return true;
}

static void take_all(dsp_str *s, const char *set)
{
    while (take_one(s, set)) {
    }
}

/* Takes what fmt.Sscan takes for a float from the front of *s. */
static dsp_str take_float(dsp_str *s)
{
    const char *start = s->data;
    const char *digits = "0123456789_";
    const char *exponent = "eEp";

    take_one(s, "+-");
    take_one(s, "iI"); /* it might have been an Inf */
    if (take_one(s, "0") && take_one(s, "xX")) {
        digits = "0123456789aAbBcCdDeEfF_";
        exponent = "pP";
    }
    take_all(s, digits);
    if (take_one(s, ".")) {
        take_all(s, digits);
    }
    if (take_one(s, exponent)) {
        take_one(s, "+-");
        take_all(s, "0123456789_");
    }
    return (dsp_str){ start, (size_t) (s->data - start) };
}

static bool convert_float(gt_ctx *c, dsp_str text, double *out)
{
    enum gt_num_error e = gt_parse_float(text, out);

    if (e == GT_NUM_OK) {
        return true;
    }
    dsp_buf *b = gt_fail_text(c);
    dsp_buf_addz(b, "strconv.ParseFloat: parsing ");
    gt_quote(b, text, 0);
    dsp_buf_addf(b, ": %s", gt_num_error_text(e));
    return gt_failed(c);
}

/* As fmt.Sscan reads a complex number. */
static bool complex_constant(gt_ctx *c, dsp_str text, gt_number *n)
{
    dsp_str s = text;
    dsp_str re = take_float(&s);
    dsp_str im = s;

    if (!take_one(&s, "+-")) {
        return gt_fail(c, "syntax error scanning complex number");
    }
    take_float(&s);
    im.len = (size_t) (s.data - im.data);
    if (!take_one(&s, "i")) {
        return gt_fail(c, "syntax error scanning complex number");
    }
    if (!convert_float(c, re, &n->re) || !convert_float(c, im, &n->im)) {
        return false;
    }
    simplify_complex(n);
    return true;
}

/* A text that is no integer: a float, and the integers that it equals. */
static bool float_constant(gt_ctx *c, dsp_str text, gt_number *n)
{
    double f;

    if (gt_parse_float(text, &f) != GT_NUM_OK) {
        return true;
    }
    bool marked = false;
    for (size_t i = 0; i < text.len; i++) {
        marked = marked || (text.data[i] != '\0' && strchr(".eEpP", text.data[i]) != NULL);
    }
    if (!marked) {
        dsp_buf *b = gt_fail_text(c);
        dsp_buf_addz(b, "integer overflow: ");
        gt_quote(b, text, 0);
        return gt_failed(c);
    }
    n->is_float = true;
    n->f = f;
    if (fits_int(f)) {
        n->is_int = true;
        n->i = (int64_t) f;
    }
    if (fits_uint(f)) {
        n->is_uint = true;
        n->u = (uint64_t) f;
    }
    return true;
}

bool gt_number_parse(gt_ctx *c, dsp_str text, enum gt_token_type type, gt_number *n)
{
    uint64_t u = 0;

    *n = (gt_number){ .text = text };
    if (type == GT_T_CHAR_CONSTANT) {
        return char_constant(c, text, n);
    }
    if (type == GT_T_COMPLEX) {
        return complex_constant(c, text, n);
    }
    if (text.len > 0 && text.data[text.len - 1] == 'i' &&
        gt_parse_float(dsp_str_sub(text, 0, text.len - 1), &n->im) == GT_NUM_OK) {
        simplify_complex(n);
        return true;
    }
    if (gt_parse_uint(text, 0, &u) == GT_NUM_OK) {
        n->is_uint = true;
        n->u = u;
    }
    if (gt_parse_int(text, 0, &n->i) == GT_NUM_OK) {
        n->is_int = true;
        if (n->i == 0) {
            n->is_uint = true; /* -0 */
            n->u = 0;
        }
    }
    if (n->is_int || n->is_uint) {
        n->is_float = true;
        n->f = n->is_int ? (double) n->i : (double) n->u;
    } else if (!float_constant(c, text, n)) {
        return false;
    }
    if (!n->is_int && !n->is_uint && !n->is_float) {
        dsp_buf *b = gt_fail_text(c);
        dsp_buf_addz(b, "illegal number syntax: ");
        gt_quote(b, text, 0);
        return gt_failed(c);
    }
    return true;
}
