#include "manifest.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "plain.h"

#define DEPTH_MAX 200

/* Mappings that are merged into others, in a document: merges of merges multiply and write nothing. */
#define MERGES_MAX 10000

/* --- YAML to JSON --------------------------------------------------------------------------------------------- */

struct reading {
    yaml_document_t *doc;
    dsp_buf         *out;
    dsp_buf         *error;
    unsigned         depth;
    unsigned         merges;
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

static bool write_scalar(struct reading *r, const yaml_node_t *node)
{
    dsp_str     s = scalar(node);
    const char *tag = (const char *) node->tag;
    bool        plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    bool        value;

    if (tag != NULL && strcmp(tag, YAML_STR_TAG) != 0) {
        return wrong(r, node, "tags are not understood");
    }
    if (plain && dsp_plain_is_null(s)) {
        dsp_buf_addz(r->out, "null");
    } else if (plain && dsp_plain_is_bool(s, &value)) {
        dsp_buf_addz(r->out, value ? "true" : "false");
    } else if (!plain || !dsp_plain_number(s, r->out)) {
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

/* The keys that a mapping has got so far. */
struct keys {
    const yaml_node_t **list;
    size_t              n;
};

static bool has_key(const struct keys *keys, const yaml_node_t *key)
{
    for (size_t i = 0; i < keys->n; i++) {
        if (same_key(keys->list[i], key)) {
            return true;
        }
    }
    return false;
}

static bool add_key(struct keys *keys, const yaml_node_t *key)
{
    const yaml_node_t **more = realloc(keys->list, (keys->n + 1) * sizeof(*more));

    if (more == NULL) {
        return false;
    }
    keys->list = more;
    more[keys->n++] = key;
    return true;
}

/* The members of `map` that are its own; of one that is merged, those that are not there yet. */
static bool write_own(struct reading *r, const yaml_node_t *map, struct keys *keys, bool merged)
{
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = node_at(r, p->key);

        if (is_merge(key)) {
            continue;
        }
        if (key->type != YAML_SCALAR_NODE) {
            return wrong(r, key, "a key must be a string");
        }
        if (has_key(keys, key)) {
            if (merged) {
                continue;
            }
            return wrong(r, key, "the key is there twice");
        }
        if (keys->n > 0) {
            dsp_buf_addc(r->out, ',');
        }
        if (!add_key(keys, key)) {
            return wrong(r, key, "out of memory");
        }
        dsp_json_quote(r->out, scalar(key));
        dsp_buf_addc(r->out, ':');
        if (!write_node(r, p->value)) {
            return false;
        }
    }
    return true;
}

static bool write_merges(struct reading *r, const yaml_node_t *map, struct keys *keys);

static bool merge(struct reading *r, const yaml_node_t *from, struct keys *keys)
{
    if (from->type != YAML_MAPPING_NODE) {
        return wrong(r, from, "\"<<\" needs a mapping");
    }
    if (++r->merges > MERGES_MAX) {
        return wrong(r, from, "too much is merged");
    }
    return write_own(r, from, keys, true) && write_merges(r, from, keys);
}

/* "<<" (https://yaml.org/type/merge.html): the members of another mapping, or of several, the first one before the
 * others. */
static bool write_merges(struct reading *r, const yaml_node_t *map, struct keys *keys)
{
    if (++r->depth > DEPTH_MAX) {
        return wrong(r, map, "is nested too deeply");
    }
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const yaml_node_t *from = node_at(r, p->value);

        if (!is_merge(node_at(r, p->key))) {
            continue;
        }
        if (from->type != YAML_SEQUENCE_NODE) {
            if (!merge(r, from, keys)) {
                return false;
            }
            continue;
        }
        for (yaml_node_item_t *i = from->data.sequence.items.start; i < from->data.sequence.items.top; i++) {
            if (!merge(r, node_at(r, *i), keys)) {
                return false;
            }
        }
    }
    r->depth--;
    return true;
}

static bool write_mapping(struct reading *r, const yaml_node_t *node)
{
    struct keys keys = { NULL, 0 };

    if (++r->depth > DEPTH_MAX) {
        return wrong(r, node, "is nested too deeply");
    }
    dsp_buf_addc(r->out, '{');
    bool ok = write_own(r, node, &keys, false) && write_merges(r, node, &keys);
    free(keys.list);
    r->depth--;
    return ok && (dsp_buf_addc(r->out, '}') || wrong(r, node, "the document becomes too large"));
}

static bool write_node(struct reading *r, int index)
{
    const yaml_node_t *node = node_at(r, index);
    bool               first = true;

    if (node->type == YAML_SCALAR_NODE) {
        return write_scalar(r, node);
    }
    if (node->type == YAML_MAPPING_NODE) {
        return write_mapping(r, node);
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

static bool emit_scalar(yaml_emitter_t *e, dsp_str text, bool string)
{
    yaml_event_t        event;
    yaml_scalar_style_t style = YAML_PLAIN_SCALAR_STYLE;

    if (string && memchr(text.data, '\n', text.len) != NULL) {
        style = YAML_LITERAL_SCALAR_STYLE;
    } else if (string && !dsp_plain_is_string(text)) {
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
