/*
 * What the two states of the lexer share, outside of actions (lex.c) and inside (lex_action.c): how they read, give a
 * token and fail. All work on one gt_lexer: a token is what lies between `start` and `pos`.
 */
#ifndef DSP_TEMPLATE_LEX_STATE_H
#define DSP_TEMPLATE_LEX_STATE_H

#include <string.h>

#include "base/utf8.h"
#include "parse.h"

#define GT_END_OF_TEXT ((int32_t) -1)

enum { GT_TRIM_LEN = 2 }; /* a trim marker: the minus and its space */

/* --- reading ------------------------------------------------------------------------------------------------------ */

static inline bool gt_lex_is_space(int32_t r)
{
    return r == ' ' || r == '\t' || r == '\r' || r == '\n';
}

static inline bool gt_lex_starts_at(const gt_lexer *l, size_t pos, const char *what)
{
    size_t n = strlen(what);

    return pos <= l->input.len && l->input.len - pos >= n && memcmp(l->input.data + pos, what, n) == 0;
}

/* The rune at pos, which stays where it is; GT_END_OF_TEXT has no width. */
static inline int32_t gt_lex_peek_rune(const gt_lexer *l, size_t *width)
{
    uint32_t r;

    if (l->pos >= l->input.len) {
        *width = 0;
        return GT_END_OF_TEXT;
    }
    if ((unsigned char) l->input.data[l->pos] < 0x80) {
        *width = 1;
        return (unsigned char) l->input.data[l->pos];
    }
    *width = dsp_utf8_decode(dsp_str_sub(l->input, l->pos, l->input.len), &r);
    return (int32_t) r;
}

static inline int32_t gt_lex_peek(const gt_lexer *l)
{
    size_t width;

    return gt_lex_peek_rune(l, &width);
}

static inline int32_t gt_lex_next(gt_lexer *l)
{
    size_t  width;
    int32_t r = gt_lex_peek_rune(l, &width);

    l->pos += width;
    if (r == '\n') {
        l->line++;
    }
    return r;
}

/* --- giving tokens ------------------------------------------------------------------------------------------------ */

static inline void gt_lex_emit(gt_lexer *l, enum gt_token_type type)
{
    l->token = (gt_token){ type, (uint32_t) l->start, l->start_line, dsp_str_sub(l->input, l->start, l->pos) };
    l->start = l->pos;
    l->start_line = l->line;
}

/* Skips what was not read with gt_lex_next(). */
void gt_lex_ignore(gt_lexer *l);

/* The token is an error, and the text ends with it: what comes after it is never read. */
void gt_lex_fail_text(gt_lexer *l, dsp_str message);
void gt_lex_fail(gt_lexer *l, const char *message);

/* --- the states --------------------------------------------------------------------------------------------------- */

static inline bool gt_lex_right_trim_at(const gt_lexer *l, size_t pos)
{
    return l->input.len - pos >= 2 && gt_lex_is_space(l->input.data[pos]) && l->input.data[pos + 1] == '-';
}

/* Whether the action ends here, and in *trim whether with a trim marker. */
static inline bool gt_lex_at_right_delim(const gt_lexer *l, bool *trim)
{
    *trim = gt_lex_right_trim_at(l, l->pos) && gt_lex_starts_at(l, l->pos + GT_TRIM_LEN, "}}");
    return *trim || gt_lex_starts_at(l, l->pos, "}}");
}

/* At "}}" or its trim marker: gives the token and leaves the action. */
void gt_lex_right_delim(gt_lexer *l);

/* The next token of an action. */
void gt_lex_inside(gt_lexer *l);

#endif
