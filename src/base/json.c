#include "json.h"

#include <endian.h>
#include <stdarg.h>
#include <string.h>

#include "utf8.h"

/* --- validation ------------------------------------------------------------------------------------------------------
 *
 * States of the scanner: VALUE (a value must come), KEY (a member's name must come), AFTER (a value has ended).
 * What is open is one bit a level (1: object), so nesting costs no C stack.
 */
enum state { VALUE, KEY, AFTER, DONE, FAILED };

struct scanner {
    const char   *p;
    const char   *end;
    size_t        depth;
    const char   *message; /* of the failure, at p */
    unsigned char objects[(DSP_JSON_MAX_DEPTH + 8) / 8];
};

#define EACH_BYTE(c) (UINT64_C(0x0101010101010101) * (c))

/*
 * How many bytes from p on need no look at them one by one, in a string or when quoted: ASCII but for control characters, '"' and '\\'.
 * Nearly all of them, nearly always, so they are taken by eights. A subtraction sets the high bit of a byte that was below the subtrahend;
 * what it borrows from the bytes above cannot hide that one, which is the first.
 */
static size_t plain_run(const char *p, const char *end)
{
    const char *start = p;

    for (uint64_t bytes; end - p >= (ptrdiff_t) sizeof(bytes); p += sizeof(bytes)) {
        memcpy(&bytes, p, sizeof(bytes));
        bytes = le64toh(bytes);

        uint64_t quote = (bytes ^ EACH_BYTE('"')) - EACH_BYTE(1), backslash = (bytes ^ EACH_BYTE('\\')) - EACH_BYTE(1);
        uint64_t found = (bytes | (bytes - EACH_BYTE(0x20)) | quote | backslash) & EACH_BYTE(0x80);

        if (found != 0) {
            return (size_t) (p - start) + (size_t) __builtin_ctzll(found) / 8;
        }
    }
    while (p < end && (unsigned char) *p >= 0x20 && (unsigned char) *p < 0x80 && *p != '"' && *p != '\\') {
        p++;
    }
    return (size_t) (p - start);
}

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) {
        p++;
    }
    return p;
}

static enum state fail(struct scanner *s, const char *message)
{
    s->message = s->p >= s->end ? "unexpected end of text" : message;
    return FAILED;
}

static bool in_object(const struct scanner *s)
{
    size_t i = s->depth - 1;

    return (s->objects[i / 8] >> (i % 8)) & 1;
}

static enum state open_level(struct scanner *s, bool object)
{
    if (s->depth == DSP_JSON_MAX_DEPTH) {
        return fail(s, "too deep");
    }
    size_t i = s->depth++;
    s->objects[i / 8] = (unsigned char) ((s->objects[i / 8] & ~(1u << (i % 8))) | ((unsigned) object << (i % 8)));
    s->p = skip_space(s->p + 1, s->end);
    if (s->p < s->end && *s->p == (object ? '}' : ']')) {
        s->p++;
        s->depth--;
        return AFTER;
    }
    return object ? KEY : VALUE;
}

static bool is_hex4(const char *p, const char *end)
{
    if (end - p < 4) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f') || (p[i] >= 'A' && p[i] <= 'F'))) {
            return false;
        }
    }
    return true;
}

/* p is behind the opening quote; afterwards behind the closing one. */
static bool scan_string(struct scanner *s)
{
    while ((s->p += plain_run(s->p, s->end)) < s->end) {
        unsigned char c = (unsigned char) *s->p;

        if (c == '"') {
            s->p++;
            return true;
        }
        if (c < 0x20) {
            fail(s, "control character in a string");
            return false;
        }
        if (c == '\\') {
            s->p++;
            if (s->p < s->end && *s->p == 'u') {
                if (!is_hex4(s->p + 1, s->end)) {
                    fail(s, "\\u without four hexadecimal digits");
                    return false;
                }
                s->p += 5;
            } else if (s->p < s->end && *s->p != '\0' && strchr("\"\\/bfnrt", *s->p) != NULL) {
                s->p++;
            } else {
                fail(s, "unknown escape in a string");
                return false;
            }
        } else {
            uint32_t rune;
            size_t   width = dsp_utf8_decode((dsp_str){ s->p, (size_t) (s->end - s->p) }, &rune);

            if (width == 1) {
                fail(s, "invalid UTF-8 in a string");
                return false;
            }
            s->p += width;
        }
    }
    fail(s, "");
    return false;
}

static bool scan_digits(struct scanner *s)
{
    const char *start = s->p;

    while (s->p < s->end && *s->p >= '0' && *s->p <= '9') {
        s->p++;
    }
    return s->p > start;
}

static enum state scan_number(struct scanner *s)
{
    if (*s->p == '-') {
        s->p++;
    }
    if (s->p < s->end && *s->p == '0') {
        s->p++;
    } else if (!scan_digits(s)) {
        return fail(s, "a number without digits");
    }
    if (s->p < s->end && *s->p == '.') {
        s->p++;
        if (!scan_digits(s)) {
            return fail(s, "a number without digits behind its point");
        }
    }
    if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-')) {
            s->p++;
        }
        if (!scan_digits(s)) {
            return fail(s, "a number without digits in its exponent");
        }
    }
    return AFTER;
}

static enum state scan_word(struct scanner *s, dsp_str word)
{
    if (!dsp_str_has_prefix((dsp_str){ s->p, (size_t) (s->end - s->p) }, word)) {
        return fail(s, "not a JSON value");
    }
    s->p += word.len;
    return AFTER;
}

static enum state scan_value(struct scanner *s)
{
    if (s->p >= s->end) {
        return fail(s, "");
    }
    switch (*s->p) {
    case '{':
        return open_level(s, true);
    case '[':
        return open_level(s, false);
    case '"':
        s->p++;
        return scan_string(s) ? AFTER : FAILED;
    case 't':
        return scan_word(s, DSP_STR("true"));
    case 'f':
        return scan_word(s, DSP_STR("false"));
    case 'n':
        return scan_word(s, DSP_STR("null"));
    default:
        if (*s->p == '-' || (*s->p >= '0' && *s->p <= '9')) {
            return scan_number(s);
        }
        return fail(s, "not a JSON value");
    }
}

static enum state scan_key(struct scanner *s)
{
    if (s->p >= s->end || *s->p != '"') {
        return fail(s, "expected a member's name");
    }
    s->p++;
    if (!scan_string(s)) {
        return FAILED;
    }
    s->p = skip_space(s->p, s->end);
    if (s->p >= s->end || *s->p != ':') {
        return fail(s, "expected : after a member's name");
    }
    s->p++;
    return VALUE;
}

static enum state scan_after(struct scanner *s)
{
    if (s->depth == 0) {
        return DONE;
    }
    if (s->p < s->end && *s->p == ',') {
        s->p++;
        return in_object(s) ? KEY : VALUE;
    }
    if (s->p < s->end && *s->p == (in_object(s) ? '}' : ']')) {
        s->p++;
        s->depth--;
        return AFTER;
    }
    return fail(s, in_object(s) ? "expected , or } after a member" : "expected , or ] after an element");
}

bool dsp_json_parse(dsp_str text, dsp_json *value, dsp_json_error *err)
{
    struct scanner s = { .p = text.data, .end = text.data + text.len };
    const char    *start, *last;
    enum state     state = VALUE;

    s.p = start = skip_space(s.p, s.end);
    while (state < DONE) {
        s.p = skip_space(s.p, s.end);
        state = state == VALUE ? scan_value(&s) : state == KEY ? scan_key(&s) : scan_after(&s);
        if (state == AFTER && s.depth == 0) {
            state = DONE;
        }
    }
    last = s.p;
    if (state == DONE) {
        s.p = skip_space(s.p, s.end);
        if (s.p < s.end) {
            state = fail(&s, "something follows the value");
        }
    }
    if (state == FAILED) {
        if (err != NULL) {
            *err = (dsp_json_error){ text.len == 0 ? 0 : (size_t) (s.p - text.data), s.message };
        }
        return false;
    }
    *value = (dsp_json){ start, (size_t) (last - start) };
    return true;
}

/* --- walking: the text is known to be valid ------------------------------------------------------------------------ */

enum dsp_json_kind dsp_json_kind(dsp_json value)
{
    if (value.len == 0) {
        return DSP_JSON_NONE;
    }
    switch (value.data[0]) {
    case '{':
        return DSP_JSON_OBJECT;
    case '[':
        return DSP_JSON_ARRAY;
    case '"':
        return DSP_JSON_STRING;
    case 't':
    case 'f':
        return DSP_JSON_BOOL;
    case 'n':
        return DSP_JSON_NULL;
    default:
        return DSP_JSON_NUMBER;
    }
}

static const char *skip_string(const char *p, const char *end)
{
    for (p++; (p += plain_run(p, end)) < end && *p != '"'; p++) {
        if (*p == '\\') {
            p++;
        }
    }
    return p < end ? p + 1 : end;
}

static const char *skip_value(const char *p, const char *end)
{
    size_t depth = 0;

    do {
        char c = *p;

        if (c == '"') {
            p = skip_string(p, end);
            continue;
        }
        if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            depth--;
        } else if (depth == 0) {
            while (p < end && strchr(",]} \t\r\n", *p) == NULL) {
                p++;
            }
            return p;
        }
        p++;
    } while (depth > 0 && p < end);
    return p;
}

dsp_json_iter dsp_json_iterate(dsp_json value)
{
    enum dsp_json_kind kind = dsp_json_kind(value);

    if (kind != DSP_JSON_OBJECT && kind != DSP_JSON_ARRAY) {
        return (dsp_json_iter){ NULL, NULL, false };
    }
    return (dsp_json_iter){ value.data + 1, value.data + value.len - 1, kind == DSP_JSON_OBJECT };
}

bool dsp_json_next(dsp_json_iter *it, dsp_json *key, dsp_json *value)
{
    const char *p = skip_space(it->next, it->end), *start;
    dsp_json    name = { NULL, 0 };

    if (p == it->end) {
        return false;
    }
    if (it->object) {
        start = p;
        p = skip_string(p, it->end);
        name = (dsp_json){ start, (size_t) (p - start) };
        p = skip_space(skip_space(p, it->end) + 1, it->end); /* the colon */
    }
    start = p;
    p = skip_value(p, it->end);
    *value = (dsp_json){ start, (size_t) (p - start) };
    if (key != NULL) {
        *key = name;
    }
    p = skip_space(p, it->end);
    it->next = p < it->end ? p + 1 : p; /* the comma */
    return true;
}

dsp_json dsp_json_get(dsp_json object, const char *name)
{
    dsp_json_iter it = dsp_json_iterate(object);
    dsp_json      key, value, found = { NULL, 0 };
    dsp_str       text = dsp_str_from(name);

    while (it.object && dsp_json_next(&it, &key, &value)) {
        if (dsp_json_equals(key, text)) {
            found = value;
        }
    }
    return found;
}

dsp_json dsp_json_path(dsp_json object, ...)
{
    va_list     names;
    const char *name;

    va_start(names, object);
    while (object.len > 0 && (name = va_arg(names, const char *)) != NULL) {
        object = dsp_json_get(object, name);
    }
    va_end(names);
    return object;
}

/* --- strings -------------------------------------------------------------------------------------------------------- */

static uint32_t hex4(const char *p)
{
    uint32_t v = 0;

    for (int i = 0; i < 4; i++) {
        char c = p[i];
        v = v << 4 | (uint32_t) (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return v;
}

/* Reads the escape at p (on its backslash); gives what is behind it. */
static const char *unescape(const char *p, const char *end, uint32_t *rune)
{
    static const char names[] = "bfnrt", means[] = "\b\f\n\r\t";

    p++;
    if (*p != 'u') {
        const char *name = strchr(names, *p);
        *rune = (uint32_t) (unsigned char) (name == NULL ? *p : means[name - names]);
        return p + 1;
    }
    *rune = hex4(p + 1);
    p += 5;
    if (*rune < 0xD800 || *rune > 0xDFFF) {
        return p;
    }
    if (*rune < 0xDC00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
        uint32_t low = hex4(p + 2);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            *rune = 0x10000 + ((*rune - 0xD800) << 10) + (low - 0xDC00);
            return p + 6;
        }
    }
    *rune = DSP_RUNE_ERROR;
    return p;
}

bool dsp_json_equals(dsp_json string, dsp_str text)
{
    if (dsp_json_kind(string) != DSP_JSON_STRING) {
        return false;
    }
    const char *p = string.data + 1, *end = string.data + string.len - 1;
    dsp_str     inner = { p, string.len - 2 };

    if (inner.len < text.len) {
        return false; /* an escape is never shorter than what it means */
    }
    if (dsp_str_find(inner, '\\') == inner.len) {
        return dsp_str_eq(inner, text);
    }
    while (p < end && text.len > 0) {
        char   bytes[DSP_UTF8_MAX] = { *p };
        size_t n = 1;

        if (*p == '\\') {
            uint32_t rune;
            p = unescape(p, end, &rune);
            n = dsp_utf8_encode(rune, bytes);
        } else {
            p++;
        }
        if (n > text.len || memcmp(bytes, text.data, n) != 0) {
            return false;
        }
        text = dsp_str_sub(text, n, text.len);
    }
    return p == end && text.len == 0;
}

bool dsp_json_string(dsp_json value, dsp_arena *arena, dsp_str *out)
{
    if (dsp_json_kind(value) != DSP_JSON_STRING) {
        return false;
    }
    dsp_str inner = { value.data + 1, value.len - 2 };
    if (dsp_str_find(inner, '\\') == inner.len) {
        *out = inner;
        return true;
    }
    /* An escape is never shorter than what it means. */
    char       *text = dsp_arena_alloc(arena, inner.len + 1);
    size_t      len = 0;
    const char *p = inner.data, *end = inner.data + inner.len;

    if (text == NULL) {
        return false;
    }
    while (p < end) {
        if (*p == '\\') {
            uint32_t rune;
            p = unescape(p, end, &rune);
            len += dsp_utf8_encode(rune, text + len);
        } else {
            text[len++] = *p++;
        }
    }
    text[len] = '\0';
    *out = (dsp_str){ text, len };
    return true;
}

/* --- scalars -------------------------------------------------------------------------------------------------------- */

bool dsp_json_int64(dsp_json value, int64_t *out)
{
    bool     negative = value.len > 0 && value.data[0] == '-';
    uint64_t n;

    if (dsp_json_kind(value) != DSP_JSON_NUMBER || !dsp_str_u64(dsp_str_sub(value, negative, value.len), &n) ||
        n > (uint64_t) INT64_MAX + negative) {
        return false;
    }
    *out = negative ? (int64_t) (0 - n) : (int64_t) n;
    return true;
}

bool dsp_json_bool(dsp_json value, bool *out)
{
    if (dsp_json_kind(value) != DSP_JSON_BOOL) {
        return false;
    }
    *out = value.data[0] == 't';
    return true;
}

/* --- quoting -------------------------------------------------------------------------------------------------------- */

/* The escape of the character at s.data (s.len > 0) if it needs one; NULL: copy *width bytes as they are. */
static const char *escape(dsp_str s, size_t *width, char hex[7])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char     c = (unsigned char) s.data[0];

    *width = 1;
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        break;
    }
    if (c < 0x20) {
        memcpy(hex, "\\u00", 4);
        hex[4] = digits[c >> 4];
        hex[5] = digits[c & 15];
        hex[6] = '\0';
        return hex;
    }
    if (c >= 0x80) {
        uint32_t rune;
        *width = dsp_utf8_decode(s, &rune);
        if (*width == 1) {
            return "\xEF\xBF\xBD";
        }
    }
    return NULL;
}

size_t dsp_json_quoted_len(dsp_str s)
{
    size_t len = 2;

    while (s.len > 0) {
        char        hex[7];
        const char *text = NULL;
        size_t      width = plain_run(s.data, s.data + s.len);

        if (width == 0) {
            text = escape(s, &width, hex);
        }
        len += text == NULL ? width : strlen(text);
        s = dsp_str_sub(s, width, s.len);
    }
    return len;
}

char *dsp_json_quote_to(char *out, dsp_str s)
{
    *out++ = '"';
    while (s.len > 0) {
        char        hex[7];
        const char *text = NULL;
        size_t      width = plain_run(s.data, s.data + s.len);

        if (width == 0) {
            text = escape(s, &width, hex);
        }
        size_t len = text == NULL ? width : strlen(text);

        memcpy(out, text == NULL ? s.data : text, len);
        out += len;
        s = dsp_str_sub(s, width, s.len);
    }
    *out++ = '"';
    return out;
}

bool dsp_json_quote(dsp_buf *out, dsp_str s)
{
    char *room = dsp_buf_room(out, dsp_json_quoted_len(s));

    if (room == NULL) {
        return false;
    }
    char *end = dsp_json_quote_to(room, s);
    *end = '\0';
    out->len += (size_t) (end - room);
    return true;
}
