#include <string.h>

#include "base/utf8.h"
#include "parse.h"
#include "strconv.h"
#include "unicode.h"

/*
 * Two states. Outside of actions everything up to the next "{{" is one text token (or the end of the text). Inside,
 * tokens are made one by one until "}}". A comment is an action that must be nothing else and makes no token.
 *
 * A trim marker ("{{- " or " -}}") is a minus with a space on the inner side; it is handled here altogether, the parser
 * never sees it.
 */

#define END_OF_TEXT ((int32_t) -1)

enum { TRIM_LEN = 2 }; /* the marker and its space */

static bool is_space(int32_t r)
{
    return r == ' ' || r == '\t' || r == '\r' || r == '\n';
}

static bool is_alphanumeric(int32_t r)
{
    if (r < 0x80) {
        return r == '_' || (r >= '0' && r <= '9') || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z');
    }
    return gt_rune_is((uint32_t) r, GT_UNI_LETTER | GT_UNI_DIGIT);
}

static bool starts_at(const gt_lexer *l, size_t pos, const char *what)
{
    size_t n = strlen(what);

    return pos <= l->input.len && l->input.len - pos >= n && memcmp(l->input.data + pos, what, n) == 0;
}

static int32_t peek_rune(const gt_lexer *l, size_t *width)
{
    uint32_t r;

    if (l->pos >= l->input.len) {
        *width = 0;
        return END_OF_TEXT;
    }
    if ((unsigned char) l->input.data[l->pos] < 0x80) {
        *width = 1;
        return (unsigned char) l->input.data[l->pos];
    }
    *width = dsp_utf8_decode(dsp_str_sub(l->input, l->pos, l->input.len), &r);
    return (int32_t) r;
}

static int32_t peek(const gt_lexer *l)
{
    size_t width;

    return peek_rune(l, &width);
}

static int32_t next(gt_lexer *l)
{
    size_t  width;
    int32_t r = peek_rune(l, &width);

    l->pos += width;
    if (r == '\n') {
        l->line++;
    }
    return r;
}

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

/* --- giving tokens ------------------------------------------------------------------------------------------------ */

static void emit(gt_lexer *l, enum gt_token_type type)
{
    l->token = (gt_token){ type, (uint32_t) l->start, l->start_line, dsp_str_sub(l->input, l->start, l->pos) };
    l->start = l->pos;
    l->start_line = l->line;
}

/* Skips what was not read with next(). */
static void ignore(gt_lexer *l)
{
    if (l->pos > l->start) {
        l->line += newlines(l, l->start, l->pos);
    }
    l->start = l->pos;
    l->start_line = l->line;
}

/* The text ends with an error: what comes after it is never read. */
static void fail_text(gt_lexer *l, dsp_str message)
{
    l->token = (gt_token){ GT_T_ERROR, (uint32_t) l->start, l->start_line, message };
    l->input.len = 0;
    l->start = 0;
    l->pos = 0;
}

static void fail(gt_lexer *l, const char *message)
{
    fail_text(l, dsp_str_from(message));
}

/* A message made of parts: end takes the buffer begun with gt_text_begin(), NULL: out of memory. */
static void fail_built(gt_lexer *l, dsp_buf *b)
{
    dsp_str message = DSP_STR("out of memory");

    if (b != NULL) {
        gt_text_end(l->ctx, b, &message);
    }
    fail_text(l, message);
}

/* %#U of Go. */
static void fail_rune(gt_lexer *l, const char *message, int32_t r)
{
    dsp_buf *b = gt_text_begin(l->ctx);
    char     utf8[DSP_UTF8_MAX];

    if (b != NULL) {
        dsp_buf_addf(b, "%s U+%04X", message, (unsigned) r);
        if (gt_rune_is((uint32_t) r, GT_UNI_PRINT)) {
            dsp_buf_addz(b, " '");
            dsp_buf_add(b, utf8, dsp_utf8_encode((uint32_t) r, utf8));
            dsp_buf_addc(b, '\'');
        }
    }
    fail_built(l, b);
}

/* --- text and delimiters ------------------------------------------------------------------------------------------ */

static bool left_trim_at(const gt_lexer *l, size_t pos)
{
    return l->input.len - pos >= 2 && l->input.data[pos] == '-' && is_space(l->input.data[pos + 1]);
}

static bool right_trim_at(const gt_lexer *l, size_t pos)
{
    return l->input.len - pos >= 2 && is_space(l->input.data[pos]) && l->input.data[pos + 1] == '-';
}

static bool at_right_delim(const gt_lexer *l, bool *trim)
{
    *trim = right_trim_at(l, l->pos) && starts_at(l, l->pos + TRIM_LEN, "}}");
    return *trim || starts_at(l, l->pos, "}}");
}

static size_t skip_space(const gt_lexer *l, size_t pos)
{
    while (pos < l->input.len && is_space(l->input.data[pos])) {
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
        fail(l, "unclosed comment");
        return false;
    }
    l->pos = (size_t) (end - l->input.data) + 2;
    if (!at_right_delim(l, &trim)) {
        fail(l, "comment ends before closing delimiter");
        return false;
    }
    if (trim) {
        l->pos = skip_space(l, l->pos + TRIM_LEN + 2);
    } else {
        l->pos += 2;
    }
    ignore(l);
    return true;
}

/* At "{{". true: a token was made; false: it was a comment, text follows. */
static bool left_delim(gt_lexer *l)
{
    size_t after;

    l->pos += 2;
    after = left_trim_at(l, l->pos) ? l->pos + TRIM_LEN : l->pos;
    if (starts_at(l, after, "/*")) {
        l->pos = after;
        ignore(l);
        return !skip_comment(l);
    }
    emit(l, GT_T_LEFT_DELIM);
    l->inside = true;
    l->pos = after;
    ignore(l);
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
            emit(l, l->pos > l->start ? GT_T_TEXT : GT_T_EOF);
            return;
        }
        size_t at = (size_t) (delim - l->input.data);
        if (at > l->pos) {
            l->pos = at;
            if (left_trim_at(l, at + 2)) {
                while (l->pos > l->start && is_space(l->input.data[l->pos - 1])) {
                    l->pos--;
                }
            }
            bool some = l->pos > l->start;
            l->line += newlines(l, l->start, l->pos);
            emit(l, GT_T_TEXT);
            l->pos = at;
            ignore(l);
            if (some) {
                return;
            }
        }
        if (left_delim(l)) {
            return;
        }
    }
}

static void right_delim(gt_lexer *l)
{
    bool trim;

    at_right_delim(l, &trim);
    if (trim) {
        l->pos += TRIM_LEN;
        ignore(l);
    }
    l->pos += 2;
    emit(l, GT_T_RIGHT_DELIM);
    if (trim) {
        l->pos = skip_space(l, l->pos);
        ignore(l);
    }
    l->inside = false;
}

/* --- inside actions ----------------------------------------------------------------------------------------------- */

/* The first space was not consumed. The last one may belong to a trim marker. */
static void lex_space(gt_lexer *l)
{
    size_t n = 0;

    while (is_space(peek(l))) {
        next(l);
        n++;
    }
    if (right_trim_at(l, l->pos - 1) && starts_at(l, l->pos - 1 + TRIM_LEN, "}}")) {
        l->pos--;
        if (l->input.data[l->pos] == '\n') {
            l->line--;
        }
        if (n == 1) {
            right_delim(l);
            return;
        }
    }
    emit(l, GT_T_SPACE);
}

/* What may follow an identifier, a field or a variable. */
static bool at_terminator(const gt_lexer *l)
{
    int32_t r = peek(l);

    switch (r) {
    case END_OF_TEXT:
    case '.':
    case ',':
    case '|':
    case ':':
    case ')':
    case '(':
        return true;
    default:
        return is_space(r) || starts_at(l, l->pos, "}}");
    }
}

static enum gt_token_type word_type(dsp_str word)
{
    static const struct {
        const char        *word;
        enum gt_token_type type;
    } words[] = {
        { "block", GT_T_BLOCK }, { "break", GT_T_BREAK }, { "continue", GT_T_CONTINUE }, { "define", GT_T_DEFINE },
        { "else", GT_T_ELSE },   { "end", GT_T_END },     { "if", GT_T_IF },             { "range", GT_T_RANGE },
        { "nil", GT_T_NIL },     { "with", GT_T_WITH },   { "template", GT_T_TEMPLATE }, { "true", GT_T_BOOL },
        { "false", GT_T_BOOL },
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (dsp_str_is(word, words[i].word)) {
            return words[i].type;
        }
    }
    return GT_T_IDENTIFIER;
}

/* Letters and digits up to a terminator; type GT_T_IDENTIFIER stands for keywords and truth values too. */
static void lex_word(gt_lexer *l, enum gt_token_type type)
{
    while (is_alphanumeric(peek(l))) {
        next(l);
    }
    if (!at_terminator(l)) {
        fail_rune(l, "bad character", peek(l));
        return;
    }
    emit(l, type == GT_T_IDENTIFIER ? word_type(dsp_str_sub(l->input, l->start, l->pos)) : type);
}

/* "." or "$" was read. */
static void lex_field_or_variable(gt_lexer *l, enum gt_token_type type)
{
    if (at_terminator(l)) {
        emit(l, type == GT_T_VARIABLE ? GT_T_VARIABLE : GT_T_DOT);
        return;
    }
    lex_word(l, type);
}

/* The opening quotation mark was read. */
static void lex_quoted(gt_lexer *l, char quote, enum gt_token_type type, const char *unterminated)
{
    for (;;) {
        int32_t r = next(l);

        if (r == '\\') {
            r = next(l);
            if (r != END_OF_TEXT && r != '\n') {
                continue;
            }
        }
        if (r == END_OF_TEXT || r == '\n') {
            fail(l, unterminated);
            return;
        }
        if (r == quote) {
            emit(l, type);
            return;
        }
    }
}

static void lex_raw_string(gt_lexer *l)
{
    for (;;) {
        int32_t r = next(l);

        if (r == END_OF_TEXT) {
            fail(l, "unterminated raw quoted string");
            return;
        }
        if (r == '`') {
            emit(l, GT_T_RAW_STRING);
            return;
        }
    }
}

static bool accept(gt_lexer *l, const char *valid)
{
    int32_t r = peek(l);

    if (r > 0 && r < 0x80 && strchr(valid, r) != NULL) {
        next(l);
        return true;
    }
    return false;
}

static void accept_run(gt_lexer *l, const char *valid)
{
    while (accept(l, valid)) {
    }
}

/* Not exact: what it lets through, the parser's conversion to a number judges. */
static bool scan_number(gt_lexer *l)
{
    const char *digits = "0123456789_";
    bool        decimal = true;
    bool        hex = false;

    accept(l, "+-");
    if (accept(l, "0")) {
        if (accept(l, "xX")) {
            digits = "0123456789abcdefABCDEF_";
            decimal = false;
            hex = true;
        } else if (accept(l, "oO")) {
            digits = "01234567_";
            decimal = false;
        } else if (accept(l, "bB")) {
            digits = "01_";
            decimal = false;
        }
    }
    accept_run(l, digits);
    if (accept(l, ".")) {
        accept_run(l, digits);
    }
    if ((decimal && accept(l, "eE")) || (hex && accept(l, "pP"))) {
        accept(l, "+-");
        accept_run(l, "0123456789_");
    }
    accept(l, "i");
    if (is_alphanumeric(peek(l))) {
        next(l);
        return false;
    }
    return true;
}

static void lex_number(gt_lexer *l)
{
    bool ok = scan_number(l);

    if (ok && (peek(l) == '+' || peek(l) == '-')) {
        ok = scan_number(l) && l->input.data[l->pos - 1] == 'i';
        if (ok) {
            emit(l, GT_T_COMPLEX);
            return;
        }
    }
    if (ok) {
        emit(l, GT_T_NUMBER);
        return;
    }
    dsp_buf *b = gt_text_begin(l->ctx);
    if (b != NULL) {
        dsp_buf_addz(b, "bad number syntax: ");
        gt_quote(b, dsp_str_sub(l->input, l->start, l->pos), 0);
    }
    fail_built(l, b);
}

static void lex_paren(gt_lexer *l, int32_t r)
{
    if (r == '(') {
        l->parens++;
        emit(l, GT_T_LEFT_PAREN);
        return;
    }
    l->parens--;
    if (l->parens < 0) {
        fail(l, "unexpected right paren");
        return;
    }
    emit(l, GT_T_RIGHT_PAREN);
}

/* The tokens that begin with neither a letter nor a digit nor a quotation mark; r was read. */
static void lex_symbol(gt_lexer *l, int32_t r)
{
    switch (r) {
    case END_OF_TEXT:
        fail(l, "unclosed action");
        return;
    case '=':
        emit(l, GT_T_ASSIGN);
        return;
    case ':':
        if (next(l) != '=') {
            fail(l, "expected :=");
            return;
        }
        emit(l, GT_T_DECLARE);
        return;
    case '|':
        emit(l, GT_T_PIPE);
        return;
    case '(':
    case ')':
        lex_paren(l, r);
        return;
    default:
        if (r >= ' ' && r <= '~') {
            emit(l, GT_T_CHAR);
            return;
        }
        fail_rune(l, "unrecognized character in action:", r);
    }
}

static bool starts_number(const gt_lexer *l, int32_t r)
{
    if (r == '.') {
        /* a field unless a digit follows; a dot at the very end counts as a number */
        return l->pos + 1 >= l->input.len || (l->input.data[l->pos + 1] >= '0' && l->input.data[l->pos + 1] <= '9');
    }
    return r == '+' || r == '-' || (r >= '0' && r <= '9');
}

static void lex_inside(gt_lexer *l)
{
    bool    trim;
    int32_t r;

    if (at_right_delim(l, &trim)) {
        if (l->parens == 0) {
            right_delim(l);
        } else {
            fail(l, "unclosed left paren");
        }
        return;
    }
    r = peek(l);
    if (is_space(r)) {
        lex_space(l);
    } else if (starts_number(l, r)) {
        lex_number(l);
    } else if (is_alphanumeric(r)) {
        lex_word(l, GT_T_IDENTIFIER);
    } else {
        next(l);
        switch (r) {
        case '"':
            lex_quoted(l, '"', GT_T_STRING, "unterminated quoted string");
            break;
        case '\'':
            lex_quoted(l, '\'', GT_T_CHAR_CONSTANT, "unterminated character constant");
            break;
        case '`':
            lex_raw_string(l);
            break;
        case '$':
            lex_field_or_variable(l, GT_T_VARIABLE);
            break;
        case '.':
            lex_field_or_variable(l, GT_T_FIELD);
            break;
        default:
            lex_symbol(l, r);
        }
    }
}

void gt_lexer_init(gt_lexer *l, gt_ctx *c, dsp_str text)
{
    *l = (gt_lexer){ .ctx = c, .input = text, .line = 1, .start_line = 1 };
}

gt_token gt_lexer_next(gt_lexer *l)
{
    l->token = (gt_token){ GT_T_EOF, (uint32_t) l->pos, l->start_line, DSP_STR("EOF") };
    if (l->inside) {
        lex_inside(l);
    } else {
        lex_text(l);
    }
    return l->token;
}
