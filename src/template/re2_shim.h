/*
 * RE2 as C: compile, match, names. The one piece of C++ in the tree; it knows nothing of templates and throws nothing.
 * RE2 and Go's package regexp share their author, syntax and answers; what differs (error sentences, \C, (?<name>…))
 * is settled in regex.c.
 */
#ifndef DSP_TEMPLATE_RE2_SHIM_H
#define DSP_TEMPLATE_RE2_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gt_re2;

/* Why a pattern was refused; the names are those of re2::RE2::ErrorCode. */
enum gt_re2_error {
    GT_RE2_OK,
    GT_RE2_BAD_ESCAPE,
    GT_RE2_BAD_CHAR_CLASS,
    GT_RE2_BAD_CHAR_RANGE,
    GT_RE2_MISSING_BRACKET,
    GT_RE2_MISSING_PAREN,
    GT_RE2_UNEXPECTED_PAREN,
    GT_RE2_TRAILING_BACKSLASH,
    GT_RE2_REPEAT_ARGUMENT,
    GT_RE2_REPEAT_SIZE,
    GT_RE2_REPEAT_OP,
    GT_RE2_BAD_PERL_OP,
    GT_RE2_BAD_UTF8,
    GT_RE2_BAD_NAMED_CAPTURE,
    GT_RE2_TOO_LARGE, /* for max_mem */
    GT_RE2_NO_MEMORY,
    GT_RE2_INTERNAL
};

/* Never NULL but when memory is out. max_mem: bytes that the compiled program and its automata may use. */
struct gt_re2 *gt_re2_new(const char *pattern, size_t len, size_t max_mem);
void           gt_re2_free(struct gt_re2 *re);

enum gt_re2_error gt_re2_error(const struct gt_re2 *re);
/* The part of the pattern that is wrong; lives as long as re. */
const char *gt_re2_error_arg(const struct gt_re2 *re, size_t *len);

/* Capturing groups, the whole match not counted. */
size_t gt_re2_groups(const struct gt_re2 *re);
/* The number of the group with that name, or 0. */
size_t gt_re2_group(const struct gt_re2 *re, const char *name, size_t len);

enum { GT_RE2_NO_MATCH = 0, GT_RE2_MATCH = 1, GT_RE2_FAILED = -1 /* memory is out */ };

/*
 * The first match in text[from..len). caps takes n pairs of offsets in text, -1 for groups that took no part; \A, ^ and
 * \b see the text before `from`.
 */
int gt_re2_match(const struct gt_re2 *re, const char *text, size_t len, size_t from, ptrdiff_t *caps, size_t n);

#ifdef __cplusplus
}
#endif

#endif
