#include "json.h"

#include <string.h>

#include "json_scan.h"
#include "utf8.h"

/*
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
    s->p = dsp_json_skip_space(s->p + 1, s->end);
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
    while ((s->p += dsp_json_plain_run(s->p, s->end)) < s->end) {
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
    s->p = dsp_json_skip_space(s->p, s->end);
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

    s.p = start = dsp_json_skip_space(s.p, s.end);
    while (state < DONE) {
        s.p = dsp_json_skip_space(s.p, s.end);
        state = state == VALUE ? scan_value(&s) : state == KEY ? scan_key(&s) : scan_after(&s);
        if (state == AFTER && s.depth == 0) {
            state = DONE;
        }
    }
    last = s.p;
    if (state == DONE) {
        s.p = dsp_json_skip_space(s.p, s.end);
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
