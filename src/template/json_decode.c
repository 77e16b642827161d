#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "capacity.h"
#include "json.h"
#include "strconv.h"

/*
 * One pass, without recursion: open containers lie on a stack of our own. A number out of range is remembered as the
 * error and leaves a nil; a syntax error ends it all and leaves nothing, as Go checks the syntax of the whole first.
 */

enum { MAX_DEPTH = 10000 };

typedef struct frame {
    gt_list *list; /* one of the two */
    gt_map  *map;
    dsp_str  key; /* of the member that is being read */
} frame;

typedef struct decoder {
    gt_ctx *c;
    dsp_str text;
    size_t  i;
    frame  *stack;
    size_t  depth, size;
    dsp_str bad_number; /* the first one out of range */
} decoder;

/* --- errors ------------------------------------------------------------------------------------------------------- */

/* Go's scanner sees a space at the end of the text. */
static int peek(const decoder *d)
{
    return d->i < d->text.len ? (unsigned char) d->text.data[d->i] : ' ';
}

static bool at_end(const decoder *d)
{
    return d->i >= d->text.len;
}

static bool fail_end(decoder *d)
{
    return gt_fail(d->c, "unexpected end of JSON input");
}

static bool fail_char(decoder *d, const char *context)
{
    dsp_buf *b = gt_fail_text(d->c);
    int      ch = peek(d);
    char     utf8[DSP_UTF8_MAX];
    size_t   start;

    dsp_buf_addz(b, "invalid character '");
    if (ch == '\'') {
        dsp_buf_addz(b, "\\'");
    } else if (ch == '"') {
        dsp_buf_addz(b, "\"");
    } else {
        start = b->len;
        gt_quote(b, (dsp_str){ utf8, dsp_utf8_encode((uint32_t) ch, utf8) }, 0);
        if (!b->failed) {
            b->len--;
            memmove(b->data + start, b->data + start + 1, b->len - start);
            b->len--;
        }
    }
    dsp_buf_addz(b, "' ");
    dsp_buf_addz(b, context);
    return gt_failed(d->c);
}

/* At a character that is wrong here, or at the end of the text. */
static bool fail_here(decoder *d, const char *context)
{
    return at_end(d) ? fail_end(d) : fail_char(d, context);
}

/* --- literals ----------------------------------------------------------------------------------------------------- */

static void skip_space(decoder *d)
{
    while (!at_end(d)) {
        char ch = d->text.data[d->i];
        if (ch != ' ' && ch != '\t' && ch != '\r' && ch != '\n') {
            return;
        }
        d->i++;
    }
}

static bool is_digit(int ch)
{
    return ch >= '0' && ch <= '9';
}

static int hex_value(int ch)
{
    if (is_digit(ch)) {
        return ch - '0';
    }
    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1;
}

/* Behind the backslash. */
static bool scan_escape(decoder *d)
{
    int ch = peek(d);

    if (ch == 'u') {
        d->i++;
        for (int n = 0; n < 4; n++, d->i++) {
            if (hex_value(peek(d)) < 0) {
                return fail_char(d, "in \\u hexadecimal character escape");
            }
        }
        return true;
    }
    if (strchr("bfnrt\\/\"", ch) == NULL || ch == '\0') {
        return fail_char(d, "in string escape code");
    }
    d->i++;
    return true;
}

static uint32_t hex4(const char *p)
{
    return (uint32_t) (hex_value(p[0]) << 12 | hex_value(p[1]) << 8 | hex_value(p[2]) << 4 | hex_value(p[3]));
}

/* A \u escape at p and the low half that may follow it. Gives the bytes consumed. */
static size_t unescape_unicode(const char *p, const char *end, uint32_t *rune)
{
    *rune = hex4(p + 2);
    if (*rune < 0xD800 || *rune > 0xDFFF) {
        return 6;
    }
    if (*rune < 0xDC00 && end - p >= 12 && p[6] == '\\' && p[7] == 'u') {
        uint32_t low = hex4(p + 8);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            *rune = 0x10000 + ((*rune - 0xD800) << 10) + (low - 0xDC00);
            return 12;
        }
    }
    *rune = DSP_RUNE_ERROR;
    return 6;
}

static char simple_escape(char ch)
{
    switch (ch) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return ch;
    }
}

/* The text between the quotes, whose syntax was checked, with escapes or invalid bytes. */
static bool unescape(decoder *d, dsp_str raw, dsp_str *out)
{
    const char *end = raw.data + raw.len;
    size_t      size;
    char       *to;
    size_t      n = 0;

    if (__builtin_mul_overflow(raw.len, (size_t) 3, &size)) {
        return gt_fail_memory(d->c);
    }
    to = gt_alloc(d->c, size); /* an invalid byte becomes three */
    if (to == NULL) {
        return false;
    }
    for (const char *p = raw.data; p < end;) {
        uint32_t rune;
        if (*p == '\\' && p[1] == 'u') {
            p += unescape_unicode(p, end, &rune);
            n += dsp_utf8_encode(rune, to + n);
        } else if (*p == '\\') {
            to[n++] = simple_escape(p[1]);
            p += 2;
        } else if ((unsigned char) *p < 0x80) {
            to[n++] = *p++;
        } else {
            p += dsp_utf8_decode((dsp_str){ p, (size_t) (end - p) }, &rune);
            n += dsp_utf8_encode(rune, to + n);
        }
    }
    *out = (dsp_str){ to, n };
    return true;
}

/* At the opening quote. A text without escapes is not copied. */
static bool read_string(decoder *d, dsp_str *out)
{
    size_t start = ++d->i;
    bool   plain = true;
    bool   ascii = true;

    for (;;) {
        if (at_end(d)) {
            return fail_end(d);
        }
        unsigned char ch = (unsigned char) d->text.data[d->i];
        if (ch == '"') {
            break;
        }
        if (ch < ' ') {
            return fail_char(d, "in string literal");
        }
        d->i++;
        ascii = ascii && ch < 0x80;
        if (ch == '\\') {
            plain = false;
            if (!scan_escape(d)) {
                return false;
            }
        }
    }
    *out = dsp_str_sub(d->text, start, d->i);
    d->i++;
    if (plain && (ascii || dsp_utf8_invalid_at(*out) == out->len)) {
        return true;
    }
    return gt_charge_bytes(d->c, out->len) && unescape(d, *out, out);
}

static bool digits(decoder *d, const char *context)
{
    if (!is_digit(peek(d))) {
        return fail_char(d, context);
    }
    while (is_digit(peek(d))) {
        d->i++;
    }
    return true;
}

static bool read_number(decoder *d, gt_value *out)
{
    size_t  start = d->i;
    dsp_str text;

    if (peek(d) == '-') {
        d->i++;
    }
    if (peek(d) == '0') {
        d->i++;
    } else if (!digits(d, "in numeric literal")) {
        return false;
    }
    if (peek(d) == '.') {
        d->i++;
        if (!digits(d, "after decimal point in numeric literal")) {
            return false;
        }
    }
    if (peek(d) == 'e' || peek(d) == 'E') {
        d->i++;
        if (peek(d) == '+' || peek(d) == '-') {
            d->i++;
        }
        if (!digits(d, "in exponent of numeric literal")) {
            return false;
        }
    }
    text = dsp_str_sub(d->text, start, d->i);
    *out = gt_float(0);
    if (gt_parse_float(text, &out->f) != GT_NUM_OK) {
        *out = gt_nil();
        if (d->bad_number.data == NULL) {
            d->bad_number = text;
        }
    }
    return true;
}

static bool read_word(decoder *d, const char *word, gt_value value, gt_value *out)
{
    for (size_t n = 0; word[n] != '\0'; n++, d->i++) {
        if (at_end(d) || peek(d) != word[n]) {
            char context[48];
            snprintf(context, sizeof(context), "in literal %s (expecting '%c')", word, word[n]);
            return fail_char(d, context);
        }
    }
    *out = value;
    return true;
}

/* --- containers --------------------------------------------------------------------------------------------------- */

static bool push(decoder *d, bool object)
{
    frame *f;

    if (d->depth == MAX_DEPTH) {
        return fail_char(d, "exceeded max depth");
    }
    if (d->depth == d->size) {
        size_t size = d->size == 0 ? 16 : d->size * 2;
        frame *stack = gt_regrow(d->c, d->stack, d->depth, size, sizeof(*stack));

        if (stack == NULL) {
            return false;
        }
        d->stack = stack;
        d->size = size;
    }
    f = &d->stack[d->depth++];
    *f = (frame){ NULL, NULL, { NULL, 0 } };
    if (object) {
        f->map = gt_map_new(d->c, GT_MAP_ANY, 0);
    } else {
        f->list = gt_list_new(d->c, GT_LIST_ANY, 0);
        if (f->list != NULL) {
            f->list->growth = GT_GROWTH_APPENDED;
        }
    }
    d->i++;
    return f->map != NULL || f->list != NULL;
}

/* A member's name and its colon. */
static bool read_key(decoder *d, frame *f)
{
    skip_space(d);
    if (at_end(d) || peek(d) != '"') {
        return fail_here(d, "looking for beginning of object key string");
    }
    if (!read_string(d, &f->key)) {
        return false;
    }
    skip_space(d);
    if (at_end(d) || peek(d) != ':') {
        return fail_here(d, "after object key");
    }
    d->i++;
    return true;
}

/* A value that is no container, or the beginning of one (*open). */
static bool read_value(decoder *d, gt_value *out, bool *open)
{
    *open = false;
    if (at_end(d)) {
        return fail_end(d);
    }
    switch (peek(d)) {
    case '{':
    case '[':
        *open = true;
        return push(d, peek(d) == '{');
    case '"':
        *out = gt_literal("");
        return read_string(d, &out->s);
    case 't':
        return read_word(d, "true", gt_bool(true), out);
    case 'f':
        return read_word(d, "false", gt_bool(false), out);
    case 'n':
        return read_word(d, "null", gt_nil(), out);
    default:
        if (peek(d) == '-' || is_digit(peek(d))) {
            return read_number(d, out);
        }
        return fail_char(d, "looking for beginning of value");
    }
}

/* The value goes into the innermost container. */
static bool store(decoder *d, gt_value v)
{
    frame *f = &d->stack[d->depth - 1];

    if (!gt_charge(d->c, 1)) {
        return false;
    }
    return f->map != NULL ? gt_map_set(d->c, f->map, f->key, v) : gt_list_add(d->c, f->list, v);
}

/* Behind a value: past the comma (*more), or closes the containers that end here; *out is what was closed last. */
static bool after_value(decoder *d, gt_value *out, bool *more)
{
    *more = false;
    while (d->depth > 0) {
        frame *f = &d->stack[d->depth - 1];

        if (!store(d, *out)) {
            return false;
        }
        skip_space(d);
        if (!at_end(d) && peek(d) == ',') {
            d->i++;
            *more = true;
            return f->map == NULL || read_key(d, f);
        }
        if (at_end(d) || peek(d) != (f->map != NULL ? '}' : ']')) {
            return fail_here(d, f->map != NULL ? "after object key:value pair" : "after array element");
        }
        d->i++;
        *out = f->map != NULL ? gt_of_map(f->map) : gt_of_list(f->list);
        d->depth--;
    }
    return true;
}

/* Just behind the bracket that opened a container: *empty when it closes at once. */
static bool after_open(decoder *d, gt_value *out, bool *empty)
{
    frame *f = &d->stack[d->depth - 1];

    skip_space(d);
    *empty = !at_end(d) && peek(d) == (f->map != NULL ? '}' : ']');
    if (*empty) {
        d->i++;
        *out = f->map != NULL ? gt_of_map(f->map) : gt_of_list(f->list);
        d->depth--;
        return true;
    }
    return f->map == NULL || read_key(d, f);
}

static bool decode(decoder *d, gt_value *out)
{
    bool open;
    bool more;

    do {
        skip_space(d);
        if (!read_value(d, out, &open)) {
            return false;
        }
        more = open;
        if (open) {
            bool empty;
            if (!after_open(d, out, &empty)) {
                return false;
            }
            if (!empty) {
                continue;
            }
        }
        if (!after_value(d, out, &more)) {
            return false;
        }
    } while (more);
    skip_space(d);
    return at_end(d) || fail_char(d, "after top-level value");
}

bool gt_json_decode(gt_ctx *c, dsp_str text, gt_value *out)
{
    decoder d = { .c = c, .text = text };

    if (!gt_charge_bytes(c, text.len) || !decode(&d, out)) {
        *out = gt_nil();
        return false;
    }
    if (d.bad_number.data != NULL) {
        dsp_buf *b = gt_fail_text(c);
        dsp_buf_addz(b, "json: cannot unmarshal number ");
        dsp_buf_adds(b, d.bad_number);
        dsp_buf_addz(b, " into Go value of type float64");
        return gt_failed(c);
    }
    return true;
}
