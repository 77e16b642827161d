/*
 * Printing without a format: %v of one value or of many. Strings and numbers, which most are, take a short way.
 */
#include "fmt.h"

#include "fmt_print.h"
#include "strconv.h"

bool gt_fmt_verb(gt_ctx *c, dsp_buf *out, char verb, gt_value v)
{
    gt_printer p = { .c = c, .out = out };

    return gt_print_arg(&p, v, (unsigned char) verb);
}

static void add_int(dsp_buf *out, int64_t i)
{
    char     digits[24];
    size_t   n = sizeof(digits);
    uint64_t u = i < 0 ? -(uint64_t) i : (uint64_t) i;

    do {
        digits[--n] = (char) ('0' + u % 10);
        u /= 10;
    } while (u != 0);
    if (i < 0) {
        digits[--n] = '-';
    }
    dsp_buf_add(out, digits + n, sizeof(digits) - n);
}

bool gt_fmt_value(gt_ctx *c, dsp_buf *out, gt_value v)
{
    char text[GT_FLOAT_MAX];

    switch (v.type) {
    case GT_STRING:
        dsp_buf_adds(out, v.s);
        return true;
    case GT_INT:
    case GT_INT64:
        add_int(out, v.i);
        return true;
    case GT_FLOAT64:
        dsp_buf_add(out, text, gt_float_text(v.f, text));
        return true;
    default:
        return gt_fmt_verb(c, out, 'v', v);
    }
}

bool gt_fmt_action(gt_ctx *c, dsp_buf *out, gt_value v)
{
    gt_printer p = { .c = c, .out = out };

    if (gt_is_nil(v)) {
        dsp_buf_addz(out, "<no value>");
        return true;
    }
    if (v.type == GT_ENV && v.env != NULL) {
        return gt_print_struct(&p, v, 'v', 0);
    }
    return gt_fmt_value(c, out, v);
}

bool gt_fmt_sprint(gt_ctx *c, dsp_buf *out, const gt_value *args, size_t n)
{
    bool was_string = false;

    for (size_t i = 0; i < n; i++) {
        bool is_string = args[i].type == GT_STRING;
        if (i > 0 && !is_string && !was_string) {
            dsp_buf_addc(out, ' ');
        }
        if (!gt_fmt_value(c, out, args[i])) {
            return false;
        }
        was_string = is_string;
    }
    return true;
}

bool gt_fmt_sprintln(gt_ctx *c, dsp_buf *out, const gt_value *args, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0) {
            dsp_buf_addc(out, ' ');
        }
        if (!gt_fmt_value(c, out, args[i])) {
            return false;
        }
    }
    dsp_buf_addc(out, '\n');
    return true;
}
