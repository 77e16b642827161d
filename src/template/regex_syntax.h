/*
 * A Go regular expression written as RE2 wants it.
 */
#ifndef DSP_TEMPLATE_REGEX_SYNTAX_H
#define DSP_TEMPLATE_REGEX_SYNTAX_H

#include "base/buf.h"
#include "base/str.h"

#define GT_REGEX_CHANGES 16

/*
 * Named groups become plain ones, because Go allows a name twice and RE2 does not; the names are kept here. Names of
 * Unicode classes are spelt as RE2 knows them. \C, which only RE2 has, becomes an escape that neither has.
 * The first GT_REGEX_CHANGES changed pieces are kept, so that errors can quote what the author wrote.
 */
typedef struct gt_regex_syntax {
    dsp_buf pattern; /* for RE2 */
    dsp_buf names;   /* per group: its name and a NUL; names[0] is the first group's */
    size_t  groups;
    dsp_str bad_name;  /* what Go quotes for a group whose name is none */
    dsp_str bad_bytes; /* what Go quotes for invalid UTF-8 */
    dsp_str open_class; /* what Go quotes for a class without its ] */
    struct {
        dsp_str given;
        size_t  at, len; /* in pattern */
    } changes[GT_REGEX_CHANGES];
    size_t n_changes;
    bool   too_large; /* RE2 would need more than max bytes only to parse it; all else is not to be looked at */
} gt_regex_syntax;

/*
 * pattern is borrowed until gt_regex_syntax_free(). false: no memory.
 *
 * RE2's own limit on memory begins when it has parsed: half a megabyte of `\pL` takes 13 GB until then. Hence `max`.
 */
bool gt_regex_syntax_init(gt_regex_syntax *s, dsp_str pattern, size_t max);
void gt_regex_syntax_free(gt_regex_syntax *s);

/* What the author wrote for a piece that RE2 complains about. */
dsp_str gt_regex_syntax_given(const gt_regex_syntax *s, dsp_str pattern, dsp_str piece);

/* Whether Go refuses it: "expression nests too deeply". It is one that RE2 takes. false: no memory. */
bool gt_regex_too_deep(dsp_str pattern, bool *out);

#endif
