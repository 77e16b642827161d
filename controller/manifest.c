#include "manifest.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define DEPTH_MAX 200

/* --- YAML to JSON --------------------------------------------------------------------------------------------- */

struct reading {
    yaml_document_t *doc;
    dsp_buf         *out;
    dsp_buf         *error;
    unsigned         depth;
};

static bool wrong(struct reading *r, const yaml_node_t *node, const char *what)
{
    dsp_buf_addf(r->error, "line %zu: %s", node->start_mark.line + 1, what);
    return false;
}

static dsp_str scalar(const yaml_node_t *node)
{
    return (dsp_str){ (const char *) node->data.scalar.value, node->data.scalar.length };
}

static bool one_of(dsp_str s, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (dsp_str_is(s, words[i])) {
            return true;
        }
    }
    return false;
}

static bool is_null(dsp_str s)
{
    static const char *const words[] = { "", "~", "null", "Null", "NULL", NULL };

    return one_of(s, words);
}

/* go-yaml's words of YAML 1.1. */
static bool is_bool(dsp_str s, bool *value)
{
    static const char *const yes[] = { "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", NULL };
    static const char *const no[] = {
        "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", NULL
    };

    *value = one_of(s, yes);
    return *value || one_of(s, no);
}

/* A number that JSON writes the same way is kept as it is; the others (0x1F, 0o17, 1_000, .5) are computed. */
static bool write_number(dsp_str s, dsp_buf *out)
{
    char     text[64];
    size_t   len = 0;
    dsp_json value;
    char    *end;

    if (s.len >= sizeof(text) || s.len == 0 ||
        (!isdigit((unsigned char) s.data[0]) && strchr("+-.", s.data[0]) == NULL)) {
        return false;
    }
    if (dsp_json_parse(s, &value, NULL) && dsp_json_kind(value) == DSP_JSON_NUMBER) {
        return dsp_buf_adds(out, s);
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] != '_') {
            text[len++] = s.data[i];
        }
    }
    text[len] = '\0';
    const char *digits = text[0] == '+' || text[0] == '-' ? text + 1 : text;
    bool prefix_only = digits[0] == '0' && (digits[1] == 'o' || digits[1] == 'b') && digits[2] == '\0';
    if (digits[0] == '\0' || prefix_only || strspn(digits, "0123456789abcdefABCDEFxXoO.+-_") != strlen(digits)) {
        return false;
    }
    errno = 0;
    long long whole = digits[0] == '0' && (digits[1] == 'o' || digits[1] == 'b') ? 0 : strtoll(text, &end, 0);
    if (digits[0] == '0' && digits[1] == 'o') {
        whole = strtoll(digits + 2, &end, 8) * (text[0] == '-' ? -1 : 1);
    } else if (digits[0] == '0' && digits[1] == 'b') {
        whole = strtoll(digits + 2, &end, 2) * (text[0] == '-' ? -1 : 1);
    }
    if (*end == '\0' && errno == 0) {
        return dsp_buf_addf(out, "%lld", whole);
    }
    double d = strtod(text, &end);
    if (*end != '\0' || !isfinite(d) || strspn(digits, "0123456789.eE+-") != strlen(digits)) {
        return false;
    }
    return dsp_buf_addf(out, "%.17g", d);
}

static bool write_scalar(struct reading *r, const yaml_node_t *node)
{
    dsp_str     s = scalar(node);
    const char *tag = (const char *) node->tag;
    bool        plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    bool        value;

    if (tag != NULL && strcmp(tag, YAML_STR_TAG) != 0) {
        return wrong(r, node, "tags are not understood");
    }
    if (plain && is_null(s)) {
        dsp_buf_addz(r->out, "null");
    } else if (plain && is_bool(s, &value)) {
        dsp_buf_addz(r->out, value ? "true" : "false");
    } else if (!plain || !write_number(s, r->out)) {
        dsp_json_quote(r->out, s);
    }
    return !r->out->failed || wrong(r, node, "the document becomes too large");
}

static bool write_node(struct reading *r, int index);

static yaml_node_t *node_at(struct reading *r, int index)
{
    return yaml_document_get_node(r->doc, index);
}

static bool same_key(const yaml_node_t *a, const yaml_node_t *b)
{
    return a->type == YAML_SCALAR_NODE && b->type == YAML_SCALAR_NODE && dsp_str_eq(scalar(a), scalar(b));
}

static bool is_merge(const yaml_node_t *key)
{
    return key->type == YAML_SCALAR_NODE && key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           dsp_str_is(scalar(key), "<<");
}

/* Whether a mapping, before `until`, has the key itself. */
static bool has_key(struct reading *r, const yaml_node_t *map, const yaml_node_t *key, const yaml_node_pair_t *until)
{
    for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top && p != until;
         p++) {
        if (same_key(node_at(r, p->key), key)) {
            return true;
        }
    }
    return false;
}

static bool write_pairs(struct reading *r, const yaml_node_t *map, const yaml_node_t *over, bool *first);

/* "<<": the other mapping's members that this one does not have. */
static bool write_merged(struct reading *r, const yaml_node_t *map, int index, bool *first)
{
    const yaml_node_t *from = node_at(r, index);

    if (from->type == YAML_MAPPING_NODE) {
        return write_pairs(r, from, map, first);
    }
    if (from->type != YAML_SEQUENCE_NODE) {
        return wrong(r, from, "\"<<\" needs a mapping");
    }
    for (yaml_node_item_t *i = from->data.sequence.items.start; i < from->data.sequence.items.top; i++) {
        if (node_at(r, *i)->type != YAML_MAPPING_NODE || !write_pairs(r, node_at(r, *i), map, first)) {
            return r->error->len > 0 ? false : wrong(r, from, "\"<<\" needs mappings");
        }
    }
    return true;
}

static bool write_pairs(struct reading *r, const yaml_node_t *map, const yaml_node_t *over, bool *first)
{
    if (++r->depth > DEPTH_MAX) {
        return wrong(r, map, "is nested too deeply");
    }
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = node_at(r, p->key);

        if (is_merge(key)) {
            if (!write_merged(r, map, p->value, first)) {
                return false;
            }
            continue;
        }
        if (key->type != YAML_SCALAR_NODE) {
            return wrong(r, key, "a key must be a string");
        }
        if (has_key(r, map, key, p)) {
            return wrong(r, key, "the key is there twice");
        }
        if (over != NULL && has_key(r, over, key, NULL)) {
            continue;
        }
        if (!*first) {
            dsp_buf_addc(r->out, ',');
        }
        *first = false;
        dsp_json_quote(r->out, scalar(key));
        dsp_buf_addc(r->out, ':');
        if (!write_node(r, p->value)) {
            return false;
        }
    }
    r->depth--;
    return true;
}

static bool write_node(struct reading *r, int index)
{
    const yaml_node_t *node = node_at(r, index);
    bool               first = true;

    if (node->type == YAML_SCALAR_NODE) {
        return write_scalar(r, node);
    }
    if (node->type == YAML_MAPPING_NODE) {
        dsp_buf_addc(r->out, '{');
        if (!write_pairs(r, node, NULL, &first)) {
            return false;
        }
        return dsp_buf_addc(r->out, '}') || wrong(r, node, "the document becomes too large");
    }
    if (++r->depth > DEPTH_MAX) {
        return wrong(r, node, "is nested too deeply");
    }
    dsp_buf_addc(r->out, '[');
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
        if (!first) {
            dsp_buf_addc(r->out, ',');
        }
        first = false;
        if (!write_node(r, *i)) {
            return false;
        }
    }
    r->depth--;
    return dsp_buf_addc(r->out, ']') || wrong(r, node, "the document becomes too large");
}

/* One loaded document; an empty one is skipped. */
static bool read_document(yaml_document_t *doc, dsp_manifest_fn each, void *context, dsp_buf *error)
{
    dsp_buf        json;
    struct reading r = { .doc = doc, .out = &json, .error = error };
    dsp_json       value;
    bool           ok;

    if (yaml_document_get_root_node(doc) == NULL) {
        return true;
    }
    dsp_buf_init(&json, DSP_MANIFEST_MAX);
    ok = write_node(&r, 1);
    if (ok && !dsp_json_parse(dsp_buf_str(&json), &value, NULL)) {
        dsp_buf_addz(error, "the document is not valid UTF-8");
        ok = false;
    }
    ok = ok && (dsp_json_kind(value) == DSP_JSON_NULL || each(context, value));
    dsp_buf_free(&json);
    return ok;
}

/* Where the JSON object that the text begins with ends: after its last brace; 0: it does not end. */
static size_t json_object_end(dsp_str text)
{
    size_t depth = 0;
    bool   string = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (string) {
            i += c == '\\';
            string = c != '"';
        } else if (c == '"') {
            string = true;
        } else if (c == '{') {
            depth++;
        } else if (c == '}' && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

/* JSON objects one after the other, as kubectl takes them and --output json writes them. */
static bool is_json_stream(dsp_str text)
{
    dsp_json value;
    size_t   n = 0;

    for (text = dsp_str_trim(text); text.len > 0; n++) {
        size_t end = text.data[0] == '{' ? json_object_end(text) : 0;

        if (end == 0 || !dsp_json_parse(dsp_str_sub(text, 0, end), &value, NULL)) {
            return false;
        }
        text = dsp_str_trim(dsp_str_sub(text, end, text.len));
    }
    return n > 0;
}

static bool read_json_stream(dsp_str text, dsp_manifest_fn each, void *context)
{
    dsp_json value;

    for (text = dsp_str_trim(text); text.len > 0;) {
        size_t end = json_object_end(text);

        if (!dsp_json_parse(dsp_str_sub(text, 0, end), &value, NULL) || !each(context, value)) {
            return false;
        }
        text = dsp_str_trim(dsp_str_sub(text, end, text.len));
    }
    return true;
}

bool dsp_manifest_read(dsp_str text, dsp_manifest_fn each, void *context, dsp_buf *error)
{
    yaml_parser_t   parser;
    yaml_document_t doc;
    bool            ok = true, more = true;

    if (is_json_stream(text)) {
        return read_json_stream(text, each, context);
    }
    if (!yaml_parser_initialize(&parser)) {
        dsp_buf_addz(error, "out of memory");
        return false;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *) (text.data != NULL ? text.data : ""), text.len);
    while (ok && more) {
        if (!yaml_parser_load(&parser, &doc)) {
            dsp_buf_addf(error, "line %zu: %s", parser.problem_mark.line + 1,
                         parser.problem != NULL ? parser.problem : "not YAML");
            ok = false;
            break;
        }
        more = yaml_document_get_root_node(&doc) != NULL;
        ok = read_document(&doc, each, context, error);
        yaml_document_delete(&doc);
    }
    yaml_parser_delete(&parser);
    return ok;
}

/* --- JSON to YAML --------------------------------------------------------------------------------------------- */

static int add_text(void *context, unsigned char *bytes, size_t len)
{
    return dsp_buf_add(context, bytes, len) ? 1 : 0;
}

static bool emit(yaml_emitter_t *e, yaml_event_t *event)
{
    return yaml_emitter_emit(e, event) == 1;
}

/* Whether a plain scalar of this text would be read as something else than a string. */
static bool looks_otherwise(dsp_str s)
{
    dsp_buf number;
    bool    value, yes;

    dsp_buf_init(&number, 128);
    yes = is_null(s) || is_bool(s, &value) || write_number(s, &number) || dsp_str_is(s, "<<") || dsp_str_is(s, "=");
    dsp_buf_free(&number);
    return yes;
}

static bool emit_scalar(yaml_emitter_t *e, dsp_str text, bool string)
{
    yaml_event_t        event;
    yaml_scalar_style_t style = YAML_PLAIN_SCALAR_STYLE;

    if (string && memchr(text.data, '\n', text.len) != NULL) {
        style = YAML_LITERAL_SCALAR_STYLE;
    } else if (string && looks_otherwise(text)) {
        style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    }
    return yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *) text.data, (int) text.len, 1, 1,
                                        style) &&
           emit(e, &event);
}

static bool emit_string(yaml_emitter_t *e, dsp_json span)
{
    dsp_arena arena;
    dsp_str   text;
    bool      ok;

    dsp_arena_init(&arena, DSP_MANIFEST_MAX);
    ok = dsp_json_string(span, &arena, &text) && emit_scalar(e, text.data != NULL ? text : DSP_STR(""), true);
    dsp_arena_free(&arena);
    return ok;
}

static bool emit_value(yaml_emitter_t *e, dsp_json value)
{
    dsp_json_iter it = dsp_json_iterate(value);
    yaml_event_t  event;
    dsp_json      key, member;

    switch (dsp_json_kind(value)) {
    case DSP_JSON_STRING:
        return emit_string(e, value);
    case DSP_JSON_OBJECT:
        if (!yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_ANY_MAPPING_STYLE) || !emit(e, &event)) {
            return false;
        }
        while (dsp_json_next(&it, &key, &member)) {
            if (!emit_string(e, key) || !emit_value(e, member)) {
                return false;
            }
        }
        return yaml_mapping_end_event_initialize(&event) && emit(e, &event);
    case DSP_JSON_ARRAY:
        if (!yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_ANY_SEQUENCE_STYLE) || !emit(e, &event)) {
            return false;
        }
        while (dsp_json_next(&it, NULL, &member)) {
            if (!emit_value(e, member)) {
                return false;
            }
        }
        return yaml_sequence_end_event_initialize(&event) && emit(e, &event);
    default:
        return emit_scalar(e, value, false);
    }
}

bool dsp_manifest_write_yaml(dsp_json json, dsp_buf *out)
{
    yaml_emitter_t emitter;
    yaml_event_t   event;
    bool           ok;

    if (!yaml_emitter_initialize(&emitter)) {
        return false;
    }
    yaml_emitter_set_output(&emitter, add_text, out);
    yaml_emitter_set_unicode(&emitter, 1);
    yaml_emitter_set_width(&emitter, -1);
    ok = yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) && emit(&emitter, &event) &&
         yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 0) && emit(&emitter, &event) &&
         emit_value(&emitter, json) && yaml_document_end_event_initialize(&event, 1) && emit(&emitter, &event) &&
         yaml_stream_end_event_initialize(&event) && emit(&emitter, &event);
    yaml_emitter_delete(&emitter);
    return ok && !out->failed;
}
