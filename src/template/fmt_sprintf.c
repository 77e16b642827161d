#include "base/utf8.h"
#include "fmt_print.h"

/* A format string on its way. */
typedef struct format {
    gt_printer      p;
    dsp_str         text;
    size_t          i; /* the next byte */
    const gt_value *args;
    size_t          n;
    size_t          arg; /* the next argument */
    bool            reordered; /* [n] was used: nobody counts what is left over */
    bool            good_index;
} format;

enum { LARGEST = 1000000 }; /* of a width or precision */

static bool at(const format *f, char c)
{
    return f->i < f->text.len && f->text.data[f->i] == c;
}

/* A decimal number before end; false: none. One that is too large eats all up to end. */
static bool parse_number(format *f, size_t end, int *num)
{
    bool some = false;

    *num = 0;
    while (f->i < end && f->text.data[f->i] >= '0' && f->text.data[f->i] <= '9') {
        if (*num > LARGEST) {
            *num = 0;
            f->i = end;
            return false;
        }
        *num = *num * 10 + (f->text.data[f->i] - '0');
        some = true;
        f->i++;
    }
    return some;
}

/* [n] if there is one: the next argument is the n-th. true: there was a well-formed one. */
static bool parse_index(format *f)
{
    size_t start = f->i;
    size_t close;
    int    num;
    bool   ok;

    if (!at(f, '[')) {
        return false;
    }
    f->reordered = true;
    close = start + dsp_str_find(dsp_str_sub(f->text, start, f->text.len), ']');
    if (f->text.len - start < 3 || close >= f->text.len) {
        f->good_index = false;
        f->i = start + 1;
        return false;
    }
    f->i = start + 1;
    ok = parse_number(f, close, &num) && f->i == close;
    f->i = close + 1;
    if (ok && num >= 1 && (size_t) num <= f->n) {
        f->arg = (size_t) num - 1;
        return true;
    }
    f->good_index = false;
    return ok;
}

/* The integer argument of a `*`. */
static bool star(format *f, int *num)
{
    const gt_value *v = f->arg < f->n ? &f->args[f->arg] : NULL;
    int64_t         i = 0;
    bool            ok = false;

    *num = 0;
    if (v == NULL) {
        return false;
    }
    f->arg++;
    if (gt_is_signed(*v)) {
        i = v->i;
        ok = true;
    } else if (gt_is_unsigned(*v) && v->u <= INT64_MAX) {
        i = (int64_t) v->u;
        ok = true;
    }
    if (!ok || i > LARGEST || i < -LARGEST) {
        return false;
    }
    *num = (int) i;
    return true;
}

static void parse_flags(format *f)
{
    gt_printer *p = &f->p;

    for (; f->i < f->text.len; f->i++) {
        switch (f->text.data[f->i]) {
        case '#':
            p->sharp = true;
            break;
        case '0':
            p->zero = true;
            break;
        case '+':
            p->plus = true;
            break;
        case '-':
            p->minus = true;
            break;
        case ' ':
            p->space = true;
            break;
        default:
            return;
        }
    }
}

static bool parse_width(format *f, bool after_index)
{
    gt_printer *p = &f->p;

    if (at(f, '*')) {
        f->i++;
        p->has_width = star(f, &p->width);
        if (!p->has_width) {
            dsp_buf_addz(p->out, "%!(BADWIDTH)");
        }
        if (p->width < 0) {
            p->width = -p->width;
            p->minus = true;
            p->zero = false;
        }
        return false;
    }
    p->has_width = parse_number(f, f->text.len, &p->width);
    if (after_index && p->has_width) {
        f->good_index = false; /* %[3]2d */
    }
    return after_index;
}

static bool parse_precision(format *f, bool after_index)
{
    gt_printer *p = &f->p;

    if (f->i + 1 >= f->text.len || f->text.data[f->i] != '.') {
        return after_index;
    }
    f->i++;
    if (after_index) {
        f->good_index = false; /* %[3].2d */
    }
    after_index = parse_index(f);
    if (at(f, '*')) {
        f->i++;
        p->has_precision = star(f, &p->precision);
        if (p->precision < 0) {
            p->precision = 0;
            p->has_precision = false;
        }
        if (!p->has_precision) {
            dsp_buf_addz(p->out, "%!(BADPREC)");
        }
        return false;
    }
    if (!parse_number(f, f->text.len, &p->precision)) {
        p->precision = 0;
    }
    p->has_precision = true;
    return after_index;
}

static void complain(format *f, uint32_t verb, const char *what)
{
    char utf8[DSP_UTF8_MAX];

    dsp_buf_addz(f->p.out, "%!");
    dsp_buf_add(f->p.out, utf8, dsp_utf8_encode(verb, utf8));
    dsp_buf_addz(f->p.out, what);
}

static bool print_verb(format *f, uint32_t verb)
{
    gt_printer *p = &f->p;

    if (verb == '%') {
        dsp_buf_addc(p->out, '%');
        return true;
    }
    if (!f->good_index) {
        complain(f, verb, "(BADINDEX)");
        return true;
    }
    if (f->arg >= f->n) {
        complain(f, verb, "(MISSING)");
        return true;
    }
    if (verb == 'v' || verb == 'w') {
        p->sharp_v = p->sharp;
        p->sharp = false;
        p->plus_v = p->plus;
        p->plus = false;
    }
    return gt_print_arg(p, f->args[f->arg++], verb);
}

/* f->i is behind the percent sign. */
static bool directive(format *f)
{
    bool     after_index;
    uint32_t verb;

    f->good_index = true;
    parse_flags(f);
    after_index = parse_index(f);
    after_index = parse_width(f, after_index);
    after_index = parse_precision(f, after_index);
    if (!after_index) {
        parse_index(f);
    }
    if (f->i >= f->text.len) {
        dsp_buf_addz(f->p.out, "%!(NOVERB)");
        return true;
    }
    f->i += dsp_utf8_decode(dsp_str_sub(f->text, f->i, f->text.len), &verb);
    return print_verb(f, verb);
}

static bool print_extra(format *f)
{
    dsp_buf *out = f->p.out;

    dsp_buf_addz(out, "%!(EXTRA ");
    for (size_t i = f->arg; i < f->n; i++) {
        gt_printer p = { .c = f->p.c, .out = out };

        if (i > f->arg) {
            dsp_buf_addz(out, ", ");
        }
        dsp_buf_addz(out, gt_type_name((enum gt_type) f->args[i].type));
        if (gt_is_nil(f->args[i])) {
            continue;
        }
        dsp_buf_addc(out, '=');
        if (!gt_print_arg(&p, f->args[i], 'v')) {
            return false;
        }
    }
    dsp_buf_addc(out, ')');
    return true;
}

bool gt_fmt_sprintf(gt_ctx *c, dsp_buf *out, dsp_str text, const gt_value *args, size_t n)
{
    format f = { .p = { .c = c, .out = out }, .text = text, .args = args, .n = n };

    while (f.i < text.len && !out->failed) {
        size_t from = f.i;
        size_t len = dsp_str_find(dsp_str_sub(text, from, text.len), '%');

        dsp_buf_adds(out, dsp_str_sub(text, from, from + len));
        f.i += len;
        if (f.i >= text.len) {
            break;
        }
        f.i++;
        f.p = (gt_printer){ .c = c, .out = out };
        if (!gt_charge(c, 1) || !directive(&f)) {
            return false;
        }
    }
    return f.reordered || f.arg >= n || print_extra(&f);
}
