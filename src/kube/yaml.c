#include "yaml.h"

#include <string.h>

/* How far merge keys are followed: they may form a ring. */
#define MERGE_DEPTH 16

bool kube_yaml_parse(kube_yaml *y, dsp_str text, dsp_buf *err)
{
    yaml_parser_t parser;

    *y = (kube_yaml){ 0 };
    if (!yaml_parser_initialize(&parser)) {
        dsp_buf_addz(err, "out of memory");
        return false;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *) (text.data != NULL ? text.data : ""), text.len);
    y->loaded = yaml_parser_load(&parser, &y->doc) != 0;
    if (!y->loaded) {
        /* The problem is a fixed text of libyaml and never holds a piece of the document. */
        dsp_buf_addf(err, "line %zu: %s", parser.problem_mark.line + 1,
                     parser.problem != NULL ? parser.problem : "not YAML");
    }
    yaml_parser_delete(&parser);
    return y->loaded;
}

void kube_yaml_free(kube_yaml *y)
{
    if (y->loaded) {
        yaml_document_delete(&y->doc);
    }
    y->loaded = false;
}

static bool is_null(yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) {
        return false;
    }
    dsp_str s = kube_yaml_text(node);
    return s.len == 0 || dsp_str_is(s, "~") || dsp_str_is(s, "null") || dsp_str_is(s, "Null") || dsp_str_is(s, "NULL");
}

static yaml_node_t *node_of(kube_yaml *y, int id)
{
    yaml_node_t *node = yaml_document_get_node(&y->doc, id);

    return node == NULL || is_null(node) ? NULL : node;
}

yaml_node_t *kube_yaml_root(kube_yaml *y)
{
    yaml_node_t *node = y->loaded ? yaml_document_get_root_node(&y->doc) : NULL;

    return node == NULL || is_null(node) ? NULL : node;
}

dsp_str kube_yaml_text(yaml_node_t *node)
{
    if (node == NULL || node->type != YAML_SCALAR_NODE) {
        return (dsp_str){ NULL, 0 };
    }
    return (dsp_str){ (const char *) node->data.scalar.value, node->data.scalar.length };
}

bool kube_yaml_entry(kube_yaml *y, yaml_node_t *node, size_t i, yaml_node_t **key, yaml_node_t **value)
{
    if (node == NULL || node->type != YAML_MAPPING_NODE ||
        i >= (size_t) (node->data.mapping.pairs.top - node->data.mapping.pairs.start)) {
        return false;
    }
    *key = yaml_document_get_node(&y->doc, node->data.mapping.pairs.start[i].key);
    *value = node_of(y, node->data.mapping.pairs.start[i].value);
    return true;
}

static bool own_key(kube_yaml *y, yaml_node_t *node, const char *name, yaml_node_t **out)
{
    yaml_node_t *key, *value;
    bool         found = false;

    for (size_t i = 0; kube_yaml_entry(y, node, i, &key, &value); i++) {
        if (dsp_str_is(kube_yaml_text(key), name)) {
            *out = value;
            found = true;
        }
    }
    return found;
}

/* https://yaml.org/type/merge.html: own keys first, then each merged mapping in order. */
static bool find(kube_yaml *y, yaml_node_t *node, const char *name, int depth, yaml_node_t **out)
{
    yaml_node_t *merged;

    if (own_key(y, node, name, out)) {
        return true;
    }
    if (depth == 0 || !own_key(y, node, "<<", &merged) || merged == NULL) {
        return false;
    }
    if (merged->type == YAML_MAPPING_NODE) {
        return find(y, merged, name, depth - 1, out);
    }
    for (size_t i = 0; i < kube_yaml_len(merged); i++) {
        yaml_node_t *one = kube_yaml_at(y, merged, i);

        /* Depth 0: a list of merges is not followed into further merges, else a ring of lists would branch without end.
         */
        if (one != NULL && find(y, one, name, 0, out)) {
            return true;
        }
    }
    return false;
}

yaml_node_t *kube_yaml_get(kube_yaml *y, yaml_node_t *node, const char *key)
{
    yaml_node_t *value = NULL;

    if (node == NULL || node->type != YAML_MAPPING_NODE) {
        return NULL;
    }
    return find(y, node, key, MERGE_DEPTH, &value) ? value : NULL;
}

size_t kube_yaml_len(yaml_node_t *node)
{
    if (node == NULL || node->type != YAML_SEQUENCE_NODE) {
        return 0;
    }
    return (size_t) (node->data.sequence.items.top - node->data.sequence.items.start);
}

yaml_node_t *kube_yaml_at(kube_yaml *y, yaml_node_t *node, size_t i)
{
    return i < kube_yaml_len(node) ? node_of(y, node->data.sequence.items.start[i]) : NULL;
}
