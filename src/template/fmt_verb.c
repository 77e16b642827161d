/*
 * One basic value or pointer under any verb: which verb means what to which kind, and what it says where it means
 * nothing. How a value looks under the flags is in fmt_format.c.
 */
#include <string.h>

#include "base/utf8.h"
#include "capacity.h"
#include "fmt_print.h"
#include "tzif.h"

/*
 * A nested pointer prints as an address. Ours are nobody's business, and Go's are different every time, but for those of
 * static variables (here as in a program of Go 1.26.8): the two zones that every program has, and what all slices
 * without room point to.
 */
#define SOME_POINTER  UINT64_C(0xc000010000)
#define LOCAL_POINTER UINT64_C(0xaaeba0)
#define UTC_POINTER   UINT64_C(0xaa7b60)
#define EMPTY_POINTER UINT64_C(0xacf540)

static void add_rune(dsp_buf *b, uint32_t r)
{
    char utf8[DSP_UTF8_MAX];

    dsp_buf_add(b, utf8, dsp_utf8_encode(r, utf8));
}

const char *gt_printed_type(const gt_printer *p, gt_value v)
{
    return p->field_type != NULL ? p->field_type : gt_type_name((enum gt_type) v.type);
}

bool gt_bad_verb(gt_printer *p, gt_value v, uint32_t verb)
{
    bool erroring = p->erroring;
    bool ok = true;

    p->erroring = true;
    dsp_buf_addz(p->out, "%!");
    add_rune(p->out, verb);
    dsp_buf_addc(p->out, '(');
    if (gt_is_nil(v)) {
        dsp_buf_addz(p->out, "<nil>");
    } else {
        dsp_buf_addz(p->out, gt_printed_type(p, v));
        dsp_buf_addc(p->out, '=');
        ok = gt_print_arg(p, v, 'v');
    }
    dsp_buf_addc(p->out, ')');
    p->erroring = erroring;
    return ok;
}

static void hex_with_prefix(gt_printer *p, uint64_t u, bool prefix)
{
    bool sharp = p->sharp;

    p->sharp = prefix;
    gt_format_int(p, u, 16, false, 'v', false);
    p->sharp = sharp;
}

bool gt_print_int(gt_printer *p, gt_value v, uint64_t u, bool is_signed, uint32_t verb)
{
    switch (verb) {
    case 'v':
        if (p->sharp_v && !is_signed) {
            hex_with_prefix(p, u, true);
            return true;
        }
        gt_format_int(p, u, 10, is_signed, verb, false);
        return true;
    case 'd':
        gt_format_int(p, u, 10, is_signed, verb, false);
        return true;
    case 'b':
        gt_format_int(p, u, 2, is_signed, verb, false);
        return true;
    case 'o':
    case 'O':
        gt_format_int(p, u, 8, is_signed, verb, false);
        return true;
    case 'x':
    case 'X':
        gt_format_int(p, u, 16, is_signed, verb, verb == 'X');
        return true;
    case 'c':
        gt_format_char(p, u);
        return true;
    case 'q':
        gt_format_quoted_char(p, u);
        return true;
    case 'U':
        gt_format_unicode(p, u);
        return true;
    default:
        return gt_bad_verb(p, v, verb);
    }
}

static bool is_float_verb(uint32_t verb)
{
    return verb < 0x80 && verb != 0 && strchr("vbgGxXfFeE", (int) verb) != NULL;
}

static bool print_float(gt_printer *p, double f, uint32_t verb)
{
    switch (verb) {
    case 'v':
        return gt_format_number(p, f, 'g', -1);
    case 'F':
        return gt_format_number(p, f, 'f', 6);
    case 'f':
    case 'e':
    case 'E':
        return gt_format_number(p, f, (char) verb, 6);
    default:
        return gt_format_number(p, f, (char) verb, -1);
    }
}

bool gt_print_float(gt_printer *p, gt_value v, uint32_t verb)
{
    return is_float_verb(verb) ? print_float(p, v.f, verb) : gt_bad_verb(p, v, verb);
}

bool gt_print_complex(gt_printer *p, gt_value v, uint32_t verb)
{
    bool plus = p->plus;
    bool ok;

    if (!is_float_verb(verb)) {
        return gt_bad_verb(p, v, verb);
    }
    dsp_buf_addc(p->out, '(');
    ok = print_float(p, v.c.re, verb);
    p->plus = true;
    ok = ok && print_float(p, v.c.im, verb);
    dsp_buf_addz(p->out, "i)");
    p->plus = plus;
    return ok;
}

bool gt_print_string(gt_printer *p, gt_value v, dsp_str s, uint32_t verb)
{
    switch (verb) {
    case 'v':
        if (p->sharp_v) {
            return gt_format_quoted(p, s);
        }
        gt_format_string(p, s);
        return true;
    case 's':
        gt_format_string(p, s);
        return true;
    case 'x':
    case 'X':
        gt_format_hex(p, s, verb == 'X');
        return true;
    case 'q':
        return gt_format_quoted(p, s);
    default:
        return gt_bad_verb(p, v, verb);
    }
}

static uint64_t address(gt_value v)
{
    if (v.list == NULL) {
        return 0;
    }
    if (v.type == GT_LOCATION) {
        return v.location == &gt_utc ? UTC_POINTER : LOCAL_POINTER;
    }
    return gt_is_list(v) && gt_list_capacity(v.list) == 0 ? EMPTY_POINTER : SOME_POINTER;
}

bool gt_print_pointer(gt_printer *p, gt_value v, uint32_t verb)
{
    enum gt_kind kind = gt_kind_of(v);
    uint64_t     u = address(v);

    if (kind != GT_KIND_MAP && kind != GT_KIND_PTR && kind != GT_KIND_SLICE) {
        return gt_bad_verb(p, v, verb);
    }
    switch (verb) {
    case 'v':
        if (p->sharp_v) {
            dsp_buf_addf(p->out, "(%s)(", gt_printed_type(p, v));
            if (u == 0) {
                dsp_buf_addz(p->out, "nil");
            } else {
                hex_with_prefix(p, u, true);
            }
            dsp_buf_addc(p->out, ')');
        } else if (u == 0) {
            gt_format_padded(p, DSP_STR("<nil>"));
        } else {
            hex_with_prefix(p, u, !p->sharp);
        }
        return true;
    case 'p':
        hex_with_prefix(p, u, !p->sharp);
        return true;
    case 'b':
    case 'o':
    case 'd':
    case 'x':
    case 'X':
        return gt_print_int(p, v, u, false, verb);
    default:
        return gt_bad_verb(p, v, verb);
    }
}
