/*
 * Two states. Outside of actions (here) everything up to the next "{{" is one text token (or the end of the text).
 * Inside (lex_action.c) tokens are made one by one until "}}". A comment is an action that must be nothing else and
 * makes no token.
 *
 * A trim marker ("{{- " or " -}}") is a minus with a space on the inner side; the lexer handles it altogether, the parser
 * never sees it.
 */
#include "lex_state.h"

static uint32_t newlines(const gt_lexer *l, size_t from, size_t to)
{
    uint32_t    n = 0;
    const char *p = from < to ? l->input.data + from : NULL;
    const char *end = from < to ? l->input.data + to : NULL;

    while (p < end && (p = memchr(p, '\n', (size_t) (end - p))) != NULL) {
        n++;
        p++;
    }
    return n;
}

void gt_lex_ignore(gt_lexer *l)
{
    if (l->pos > l->start) {
        l->line += newlines(l, l->start, l->pos);
    }
    l->start = l->pos;
    l->start_line = l->line;
}

void gt_lex_fail_text(gt_lexer *l, dsp_str message)
{
    l->token = (gt_token){ GT_T_ERROR, (uint32_t) l->start, l->start_line, message };
    l->input.len = 0;
    l->start = 0;
    l->pos = 0;
}

void gt_lex_fail(gt_lexer *l, const char *message)
{
    gt_lex_fail_text(l, dsp_str_from(message));
}

/* --- text and delimiters ------------------------------------------------------------------------------------------ */

static bool left_trim_at(const gt_lexer *l, size_t pos)
{
    return l->input.len - pos >= 2 && l->input.data[pos] == '-' && gt_lex_is_space(l->input.data[pos + 1]);
}

static size_t skip_space(const gt_lexer *l, size_t pos)
{
    while (pos < l->input.len && gt_lex_is_space(l->input.data[pos])) {
        pos++;
    }
    return pos;
}

/* At a "/" and "*" after the left delimiter: past the comment. false: it is none, the token is an error. */
static bool skip_comment(gt_lexer *l)
{
    const char *end;
    bool        trim;

    l->pos += 2;
    end = memmem(l->input.data + l->pos, l->input.len - l->pos, "*/", 2);
    if (end == NULL) {
        gt_lex_fail(l, "unclosed comment");
        return false;
    }
    l->pos = (size_t) (end - l->input.data) + 2;
    if (!gt_lex_at_right_delim(l, &trim)) {
        gt_lex_fail(l, "comment ends before closing delimiter");
        return false;
    }
    if (trim) {
        l->pos = skip_space(l, l->pos + GT_TRIM_LEN + 2);
    } else {
        l->pos += 2;
    }
    gt_lex_ignore(l);
    return true;
}

/* At "{{". true: a token was made; false: it was a comment, text follows. */
static bool left_delim(gt_lexer *l)
{
    size_t after;

    l->pos += 2;
    after = left_trim_at(l, l->pos) ? l->pos + GT_TRIM_LEN : l->pos;
    if (gt_lex_starts_at(l, after, "/*")) {
        l->pos = after;
        gt_lex_ignore(l);
        return !skip_comment(l);
    }
    gt_lex_emit(l, GT_T_LEFT_DELIM);
    l->inside = true;
    l->pos = after;
    gt_lex_ignore(l);
    l->parens = 0;
    return true;
}

static void lex_text(gt_lexer *l)
{
    for (;;) {
        dsp_str     rest = dsp_str_sub(l->input, l->pos, l->input.len);
        const char *delim = rest.len > 0 ? memmem(rest.data, rest.len, "{{", 2) : NULL;

        if (delim == NULL) {
            l->pos = l->input.len;
            l->line += newlines(l, l->start, l->pos);
            gt_lex_emit(l, l->pos > l->start ? GT_T_TEXT : GT_T_EOF);
            return;
        }
        size_t at = (size_t) (delim - l->input.data);
        if (at > l->pos) {
            l->pos = at;
            if (left_trim_at(l, at + 2)) {
                while (l->pos > l->start && gt_lex_is_space(l->input.data[l->pos - 1])) {
                    l->pos--;
                }
            }
            bool some = l->pos > l->start;
            l->line += newlines(l, l->start, l->pos);
            gt_lex_emit(l, GT_T_TEXT);
            l->pos = at;
            gt_lex_ignore(l);
            if (some) {
                return;
            }
        }
        if (left_delim(l)) {
            return;
        }
    }
}

void gt_lex_right_delim(gt_lexer *l)
{
    bool trim;

    gt_lex_at_right_delim(l, &trim);
    if (trim) {
        l->pos += GT_TRIM_LEN;
        gt_lex_ignore(l);
    }
    l->pos += 2;
    gt_lex_emit(l, GT_T_RIGHT_DELIM);
    if (trim) {
        l->pos = skip_space(l, l->pos);
        gt_lex_ignore(l);
    }
    l->inside = false;
}

/* --- both --------------------------------------------------------------------------------------------------------- */

void gt_lexer_init(gt_lexer *l, gt_ctx *c, dsp_str text)
{
    *l = (gt_lexer){ .ctx = c, .input = text, .line = 1, .start_line = 1 };
}

gt_token gt_lexer_next(gt_lexer *l)
{
    l->token = (gt_token){ GT_T_EOF, (uint32_t) l->pos, l->start_line, DSP_STR("EOF") };
    if (l->inside) {
        gt_lex_inside(l);
    } else {
        lex_text(l);
    }
    return l->token;
}
