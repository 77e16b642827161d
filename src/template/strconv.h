/*
 * Numbers and quoted strings to text and back, as Go's package strconv (1.26).
 *
 * Nothing here allocates but into the caller's dsp_buf, and no answer depends on the locale.
 */
#ifndef DSP_TEMPLATE_STRCONV_H
#define DSP_TEMPLATE_STRCONV_H

#include "base/buf.h"
#include "base/str.h"

/* --- numbers from text -------------------------------------------------------------------------------------------- */

enum gt_num_error {
    GT_NUM_OK = 0,
    GT_NUM_SYNTAX, /* "invalid syntax"; the result is 0 */
    GT_NUM_RANGE   /* "value out of range"; the result is the nearest value, ±Inf for floats */
};

/* Go's sentence for it: "invalid syntax", "value out of range"; NULL for GT_NUM_OK. */
const char *gt_num_error_text(enum gt_num_error e);

/*
 * ParseInt and ParseUint for 64 bits. base is 2..36, or 0: then a prefix 0b, 0o, 0x or a leading 0 (octal) says it, and
 * underscores may separate digits. ParseInt takes one sign, ParseUint none. Atoi is base 10.
 */
enum gt_num_error gt_parse_int(dsp_str s, unsigned base, int64_t *out);
enum gt_num_error gt_parse_uint(dsp_str s, unsigned base, uint64_t *out);

/*
 * ParseFloat for 64 bits: decimal and hexadecimal (with p exponent) notation, underscores where Go's syntax for
 * literals has them, inf, infinity and nan in any case. Correctly rounded for any number of digits.
 */
enum gt_num_error gt_parse_float(dsp_str s, double *out);

/* --- floats to text ----------------------------------------------------------------------------------------------- */

/*
 * FormatFloat(f, format, precision, 64). format is one of e E f g G b x X; precision -1 is the shortest text that reads
 * back as the same number. NaN, +Inf and -Inf are written so. false: out has failed.
 * The text is as long as the precision says, so a caller with a precision from outside looks at it first.
 */
bool gt_format_float(dsp_buf *out, double f, char format, int precision);

/* FormatFloat(f, 'g', -1, 64), what %v prints, into a caller's array; gives the length (no NUL is written). */
#define GT_FLOAT_MAX 32
size_t gt_float_text(double f, char out[GT_FLOAT_MAX]);

/*
 * The shortest decimal digits that read back as f (finite, sign ignored): digits d1…dn without trailing zeros and point
 * so that |f| = 0.d1…dn × 10^point. 0 has no digits. Gives n.
 */
size_t gt_float_digits(double f, char digits[17], int *point);

/* --- quoting ------------------------------------------------------------------------------------------------------ */

enum {
    GT_QUOTE_ASCII = 1 /* QuoteToASCII: all that is not ASCII as \u or \U */
};

/* Quote: the string with its double quotes. */
bool gt_quote(dsp_buf *out, dsp_str s, unsigned flags);

/* QuoteRune: the rune with its single quotes. What is no rune is written as U+FFFD. */
bool gt_quote_rune(dsp_buf *out, uint32_t rune, unsigned flags);

/* CanBackquote: one line, printable or tab, without ` and byte order mark, valid UTF-8. */
bool gt_can_backquote(dsp_str s);

/*
 * UnquoteChar: takes one character or escape sequence from the front of *s. quote is the quotation mark around it: that
 * one must be escaped, the other one must not; 0: neither may be escaped. *multibyte (may be NULL) says that *rune is
 * to be written as UTF-8, not as one byte. false: a syntax error, *s is as it was.
 */
bool gt_unquote_char(dsp_str *s, char quote, uint32_t *rune, bool *multibyte);

/*
 * Unquote: the text of a whole Go literal ("…", `…` or one character in '…'), added to out. false: it is none, or out
 * has failed (out->failed tells them apart); out may then hold a part of it.
 */
bool gt_unquote(dsp_buf *out, dsp_str s);

#endif
