/*
 * Go's package regexp (1.26) on top of RE2: Go's syntax and error sentences, and its loops for replace, split and find
 * all.
 *
 * Text that is not UTF-8 is matched as Go does it, each wrong byte as one U+FFFD. What is returned are pieces of the
 * caller's text.
 */
#ifndef DSP_TEMPLATE_REGEX_H
#define DSP_TEMPLATE_REGEX_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

typedef struct gt_regex gt_regex;

enum gt_regex_result {
    GT_REGEX_OK,
    GT_REGEX_INVALID,   /* error has Go's text: error parsing regexp: … */
    GT_REGEX_TOO_LARGE, /* for max_mem */
    GT_REGEX_NO_MEMORY
};

/* Compiles; *out is the caller's to free. The pattern's bytes are copied where they are needed. */
enum gt_regex_result gt_regex_new(dsp_str pattern, size_t max_mem, gt_regex **out, dsp_buf *error);
void                 gt_regex_free(gt_regex *re);

/*
 * A text that expressions are matched against, and the place of the search. step() is asked before each match with the
 * number of bytes that may be looked at; when it gives false the search ends with GT_REGEX_STOPPED.
 */
typedef struct gt_regex_text {
    dsp_str         given;
    dsp_str         text; /* as RE2 sees it: UTF-8 */
    const uint32_t *map;  /* offset in text -> offset in given; NULL: they are the same */
    bool (*step)(void *arg, size_t bytes);
    void *arg;
} gt_regex_text;

/* A text over 4 GiB, or an arena that is full: false. */
bool gt_regex_text_init(dsp_arena *a, dsp_str given, gt_regex_text *out);

/* What a search ends with. */
enum { GT_REGEX_STOPPED = -1, GT_REGEX_DONE = 0, GT_REGEX_FOUND = 1 };

/* FindString: the leftmost match. */
int gt_regex_find(const gt_regex *re, const gt_regex_text *t, dsp_str *match);

/*
 * FindAllString and Split, in order: each() gets one piece after the other, and ends the search by giving false. n
 * limits their number as in Go (n < 0: all). Split needs to know whether the pattern was empty: it does.
 */
typedef bool (*gt_regex_each)(void *arg, dsp_str piece);
int gt_regex_find_all(const gt_regex *re, const gt_regex_text *t, int64_t n, gt_regex_each each, void *arg);
int gt_regex_split(const gt_regex *re, const gt_regex_text *t, int64_t n, gt_regex_each each, void *arg);

/* ReplaceAllString ($1, ${name}, $$ in repl) and, literal, ReplaceAllLiteralString. */
int gt_regex_replace_all(const gt_regex *re, const gt_regex_text *t, dsp_str repl, bool literal, dsp_buf *out);

/* QuoteMeta. */
void gt_regex_quote_meta(dsp_buf *out, dsp_str s);

#endif
