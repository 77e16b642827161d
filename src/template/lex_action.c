/*
 * Inside an action: spaces, words, quoted texts, numbers and symbols, one token at a time. What may follow a word is
 * asked here; what a number means is the parser's to say.
 */
#include "lex_state.h"
#include "strconv.h"
#include "unicode.h"

/* A message made of parts: end takes the buffer begun with gt_text_begin(), NULL: out of memory. */
static void fail_built(gt_lexer *l, dsp_buf *b)
{
    dsp_str message = DSP_STR("out of memory");

    if (b != NULL) {
        gt_text_end(l->ctx, b, &message);
    }
    gt_lex_fail_text(l, message);
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

/* --- spaces and words --------------------------------------------------------------------------------------------- */

/* The first space was not consumed. The last one may belong to a trim marker. */
static void lex_space(gt_lexer *l)
{
    size_t n = 0;

    while (gt_lex_is_space(gt_lex_peek(l))) {
        gt_lex_next(l);
        n++;
    }
    if (gt_lex_right_trim_at(l, l->pos - 1) && gt_lex_starts_at(l, l->pos - 1 + GT_TRIM_LEN, "}}")) {
        l->pos--;
        if (l->input.data[l->pos] == '\n') {
            l->line--;
        }
        if (n == 1) {
            gt_lex_right_delim(l);
            return;
        }
    }
    gt_lex_emit(l, GT_T_SPACE);
}

/* What may follow an identifier, a field or a variable. */
static bool at_terminator(const gt_lexer *l)
{
    int32_t r = gt_lex_peek(l);

    switch (r) {
    case GT_END_OF_TEXT:
    case '.':
    case ',':
    case '|':
    case ':':
    case ')':
    case '(':
        return true;
    default:
        return gt_lex_is_space(r) || gt_lex_starts_at(l, l->pos, "}}");
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

static bool is_alphanumeric(int32_t r)
{
    if (r < 0x80) {
        return r == '_' || (r >= '0' && r <= '9') || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z');
    }
    return gt_rune_is((uint32_t) r, GT_UNI_LETTER | GT_UNI_DIGIT);
}

/* Letters and digits up to a terminator; type GT_T_IDENTIFIER stands for keywords and truth values too. */
static void lex_word(gt_lexer *l, enum gt_token_type type)
{
    while (is_alphanumeric(gt_lex_peek(l))) {
        gt_lex_next(l);
    }
    if (!at_terminator(l)) {
        fail_rune(l, "bad character", gt_lex_peek(l));
        return;
    }
    gt_lex_emit(l, type == GT_T_IDENTIFIER ? word_type(dsp_str_sub(l->input, l->start, l->pos)) : type);
}

/* "." or "$" was read. */
static void lex_field_or_variable(gt_lexer *l, enum gt_token_type type)
{
    if (at_terminator(l)) {
        gt_lex_emit(l, type == GT_T_VARIABLE ? GT_T_VARIABLE : GT_T_DOT);
        return;
    }
    lex_word(l, type);
}

/* --- quoted texts ------------------------------------------------------------------------------------------------- */

/* The opening quotation mark was read. */
static void lex_quoted(gt_lexer *l, char quote, enum gt_token_type type, const char *unterminated)
{
    for (;;) {
        int32_t r = gt_lex_next(l);

        if (r == '\\') {
            r = gt_lex_next(l);
            if (r != GT_END_OF_TEXT && r != '\n') {
                continue;
            }
        }
        if (r == GT_END_OF_TEXT || r == '\n') {
            gt_lex_fail(l, unterminated);
            return;
        }
        if (r == quote) {
            gt_lex_emit(l, type);
            return;
        }
    }
}

static void lex_raw_string(gt_lexer *l)
{
    for (;;) {
        int32_t r = gt_lex_next(l);

        if (r == GT_END_OF_TEXT) {
            gt_lex_fail(l, "unterminated raw quoted string");
            return;
        }
        if (r == '`') {
            gt_lex_emit(l, GT_T_RAW_STRING);
            return;
        }
    }
}

/* --- numbers ------------------------------------------------------------------------------------------------------ */

static bool accept(gt_lexer *l, const char *valid)
{
    int32_t r = gt_lex_peek(l);

    if (r > 0 && r < 0x80 && strchr(valid, r) != NULL) {
        gt_lex_next(l);
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
    if (is_alphanumeric(gt_lex_peek(l))) {
        gt_lex_next(l);
        return false;
    }
    return true;
}

static void lex_number(gt_lexer *l)
{
    bool ok = scan_number(l);

    if (ok && (gt_lex_peek(l) == '+' || gt_lex_peek(l) == '-')) {
        ok = scan_number(l) && l->input.data[l->pos - 1] == 'i';
        if (ok) {
            gt_lex_emit(l, GT_T_COMPLEX);
            return;
        }
    }
    if (ok) {
        gt_lex_emit(l, GT_T_NUMBER);
        return;
    }
    dsp_buf *b = gt_text_begin(l->ctx);
    if (b != NULL) {
        dsp_buf_addz(b, "bad number syntax: ");
        gt_quote(b, dsp_str_sub(l->input, l->start, l->pos), 0);
    }
    fail_built(l, b);
}

static bool starts_number(const gt_lexer *l, int32_t r)
{
    if (r == '.') {
        /* a field unless a digit follows; a dot at the very end counts as a number */
        return l->pos + 1 >= l->input.len || (l->input.data[l->pos + 1] >= '0' && l->input.data[l->pos + 1] <= '9');
    }
    return r == '+' || r == '-' || (r >= '0' && r <= '9');
}

/* --- symbols ------------------------------------------------------------------------------------------------------ */

static void lex_paren(gt_lexer *l, int32_t r)
{
    if (r == '(') {
        l->parens++;
        gt_lex_emit(l, GT_T_LEFT_PAREN);
        return;
    }
    l->parens--;
    if (l->parens < 0) {
        gt_lex_fail(l, "unexpected right paren");
        return;
    }
    gt_lex_emit(l, GT_T_RIGHT_PAREN);
}

/* The tokens that begin with neither a letter nor a digit nor a quotation mark; r was read. */
static void lex_symbol(gt_lexer *l, int32_t r)
{
    switch (r) {
    case GT_END_OF_TEXT:
        gt_lex_fail(l, "unclosed action");
        return;
    case '=':
        gt_lex_emit(l, GT_T_ASSIGN);
        return;
    case ':':
        if (gt_lex_next(l) != '=') {
            gt_lex_fail(l, "expected :=");
            return;
        }
        gt_lex_emit(l, GT_T_DECLARE);
        return;
    case '|':
        gt_lex_emit(l, GT_T_PIPE);
        return;
    case '(':
    case ')':
        lex_paren(l, r);
        return;
    default:
        if (r >= ' ' && r <= '~') {
            gt_lex_emit(l, GT_T_CHAR);
            return;
        }
        fail_rune(l, "unrecognized character in action:", r);
    }
}

/* --- any token ---------------------------------------------------------------------------------------------------- */

void gt_lex_inside(gt_lexer *l)
{
    bool    trim;
    int32_t r;

    if (gt_lex_at_right_delim(l, &trim)) {
        if (l->parens == 0) {
            gt_lex_right_delim(l);
        } else {
            gt_lex_fail(l, "unclosed left paren");
        }
        return;
    }
    r = gt_lex_peek(l);
    if (gt_lex_is_space(r)) {
        lex_space(l);
    } else if (starts_number(l, r)) {
        lex_number(l);
    } else if (is_alphanumeric(r)) {
        lex_word(l, GT_T_IDENTIFIER);
    } else {
        gt_lex_next(l);
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
