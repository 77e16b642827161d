#include "json.h"

#include <stdarg.h>
#include <string.h>

#include "json_scan.h"
#include "utf8.h"

/* --- walking: the text is known to be valid ------------------------------------------------------------------------
 */

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
    for (p++; (p += dsp_json_plain_run(p, end)) < end && *p != '"'; p++) {
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
    const char *p = dsp_json_skip_space(it->next, it->end), *start;
    dsp_json    name = { NULL, 0 };

    if (p == it->end) {
        return false;
    }
    if (it->object) {
        start = p;
        p = skip_string(p, it->end);
        name = (dsp_json){ start, (size_t) (p - start) };
        p = dsp_json_skip_space(dsp_json_skip_space(p, it->end) + 1, it->end); /* the colon */
    }
    start = p;
    p = skip_value(p, it->end);
    *value = (dsp_json){ start, (size_t) (p - start) };
    if (key != NULL) {
        *key = name;
    }
    p = dsp_json_skip_space(p, it->end);
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

/* --- strings --------------------------------------------------------------------------------------------------------
 */

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

/* --- scalars --------------------------------------------------------------------------------------------------------
 */

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
