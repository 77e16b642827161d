/*
 * What the files of fmt share: one print job with the flags of the verb under way.
 */
#ifndef DSP_TEMPLATE_FMT_PRINT_H
#define DSP_TEMPLATE_FMT_PRINT_H

#include "fmt.h"

typedef struct gt_printer {
    gt_ctx  *c;
    dsp_buf *out;

    bool has_width, has_precision;
    bool minus, plus, sharp, space, zero;
    bool plus_v, sharp_v; /* of %+v and %#v, for which plus and sharp are then off */
    int  width, precision;

    bool        erroring;   /* inside %!d(…): String methods do not count */
    const char *field_type; /* of the struct's field that is being printed, where Go has a type that we have not; or NULL */
} gt_printer;

/* --- fmt_format.c: one basic value under the flags; the verb is one that fits ---------------------------------------- */

void gt_format_padded(gt_printer *p, dsp_str s);
void gt_format_bool(gt_printer *p, bool v);
/* base 2, 8, 10 or 16; upper: hexadecimal digits in capitals; verb: 'O' gives the prefix 0o. */
void gt_format_int(gt_printer *p, uint64_t u, unsigned base, bool is_signed, uint32_t verb, bool upper);
void gt_format_unicode(gt_printer *p, uint64_t u);
void gt_format_char(gt_printer *p, uint64_t u);
void gt_format_quoted_char(gt_printer *p, uint64_t u);
void gt_format_string(gt_printer *p, dsp_str s);
bool gt_format_quoted(gt_printer *p, dsp_str s);
void gt_format_hex(gt_printer *p, dsp_str s, bool upper);
/* verb: of strconv; precision: where none is given. */
bool gt_format_number(gt_printer *p, double f, char verb, int precision);

/* --- fmt_verb.c: one basic value or pointer under any verb -------------------------------------------------------- */

/* The type's name in Go, which for a struct's own fields may be one that we have not. */
const char *gt_printed_type(const gt_printer *p, gt_value v);

/* %!verb(type=value) */
bool gt_bad_verb(gt_printer *p, gt_value v, uint32_t verb);

/* u: the bits of v, a signed or an unsigned integer, or of what stands for an address. */
bool gt_print_int(gt_printer *p, gt_value v, uint64_t u, bool is_signed, uint32_t verb);
bool gt_print_float(gt_printer *p, gt_value v, uint32_t verb);
bool gt_print_complex(gt_printer *p, gt_value v, uint32_t verb);
/* s: the text of v. */
bool gt_print_string(gt_printer *p, gt_value v, dsp_str s, uint32_t verb);
bool gt_print_pointer(gt_printer *p, gt_value v, uint32_t verb);

/* --- fmt_print.c: any value under any verb ------------------------------------------------------------------------ */

/* printArg of Go: any value under any verb. */
bool gt_print_arg(gt_printer *p, gt_value v, uint32_t verb);

/* {…}: a struct, or what a pointer to one points to; depth: how many values are around it. */
bool gt_print_struct(gt_printer *p, gt_value v, uint32_t verb, unsigned depth);

#endif
