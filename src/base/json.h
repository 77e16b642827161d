/*
 * JSON as text (RFC 8259): validate, walk, cut out, quote. No tree, no allocation but for unescaped strings.
 *
 * A dsp_json is the span of exactly one value inside a text that somebody else owns, without white space around it, so
 * it can be copied into another document byte for byte: integers of any size, unknown members and the order of keys
 * survive (cJSON, with its doubles, is for trees that we make ourselves).
 * {NULL, 0} is "no such value"; every function takes it and says so.
 *
 * Only a text that dsp_json_parse() accepted may be walked; the walkers trust its syntax.
 */
#ifndef DSP_BASE_JSON_H
#define DSP_BASE_JSON_H

#include "arena.h"
#include "buf.h"
#include "str.h"

typedef dsp_str dsp_json;

enum dsp_json_kind {
    DSP_JSON_NONE = 0,
    DSP_JSON_NULL,
    DSP_JSON_BOOL,
    DSP_JSON_NUMBER,
    DSP_JSON_STRING,
    DSP_JSON_ARRAY,
    DSP_JSON_OBJECT
};

/* Nesting that dsp_json_parse() accepts; as encoding/json and the API server. */
#define DSP_JSON_MAX_DEPTH 10000

typedef struct dsp_json_error {
    size_t      offset;  /* byte in the text */
    const char *message; /* static, e.g. "unexpected end of text" */
} dsp_json_error;

/*
 * Accepts a text that is one value with optional white space around it and nothing else. Strings must be valid UTF-8
 * without raw control characters. Iterative: any depth up to the cap costs no C stack. err may be NULL.
 */
bool dsp_json_parse(dsp_str text, dsp_json *value, dsp_json_error *err);

enum dsp_json_kind dsp_json_kind(dsp_json value);

/* Members of an object or elements of an array, in the order of the text. */
typedef struct dsp_json_iter {
    const char *next;
    const char *end;
    bool        object;
} dsp_json_iter;

/* Of anything but an array or an object: an iterator without elements. */
dsp_json_iter dsp_json_iterate(dsp_json value);

/* key is the span of the member's name with its quotes, or none in an array; may be NULL. */
bool dsp_json_next(dsp_json_iter *it, dsp_json *key, dsp_json *value);

/* Whether a string span (a key) means this text, escapes taken into account. */
bool dsp_json_equals(dsp_json string, dsp_str text);

/* The member of that name; the last one where a name is repeated, as Go's decoder does. */
dsp_json dsp_json_get(dsp_json object, const char *name);

/* dsp_json_get() along names, the last argument is NULL: dsp_json_path(o, "metadata", "name", NULL). */
dsp_json dsp_json_path(dsp_json object, ...) __attribute__((sentinel));

/*
 * What a string span means. Without escapes the result points into the span; else the text is made in the arena.
 * Surrogates without their other half become U+FFFD. false: not a string, or the arena is exhausted.
 */
bool dsp_json_string(dsp_json value, dsp_arena *arena, dsp_str *out);

/* An integer literal (no fraction, no exponent) that fits; false otherwise. */
bool dsp_json_int64(dsp_json value, int64_t *out);

/* true or false; false when value is neither. */
bool dsp_json_bool(dsp_json value, bool *out);

/*
 * Adds s as a JSON string with its quotes, in one pass: ", \ and control characters are escaped, all else is copied.
 * Invalid UTF-8 becomes U+FFFD: a caller that must not lose bytes checks with dsp_utf8_invalid_at() first.
 */
bool dsp_json_quote(dsp_buf *out, dsp_str s);

/* The same into memory of the caller, for nginx's pools: the length it takes, quotes included, and the writing. */
size_t dsp_json_quoted_len(dsp_str s);
char  *dsp_json_quote_to(char *out, dsp_str s);

#endif
