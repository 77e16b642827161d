#include "yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/json.h"
#include "tree.h"

struct reader {
    yaml_document_t *document;
    const char     **error;
    cJSON           *duplicates;
    int              depth;
    size_t           nodes; /* made so far: aliases must not explode */
};

#define MAX_NODES 1000000

static cJSON *convert(struct reader *r, int index);

static bool one_of(const char *text, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(text, *words) == 0) {
            return true;
        }
    }
    return false;
}

static cJSON *convert_scalar(const yaml_node_t *node)
{
    static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
    static const char *const trues[] = { "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y", NULL };
    static const char *const falses[] = { "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N",
                                          NULL };
    const char *text = (const char *) node->data.scalar.value;
    dsp_json    number;

    if (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) {
        return cJSON_CreateString(text);
    }
    if (one_of(text, nulls)) {
        return cJSON_CreateNull();
    }
    if (one_of(text, trues) || one_of(text, falses)) {
        return cJSON_CreateBool(one_of(text, trues));
    }
    if ((*text == '-' || (*text >= '0' && *text <= '9')) && dsp_json_parse(dsp_str_from(text), &number, NULL) &&
        dsp_json_kind(number) == DSP_JSON_NUMBER) {
        return cJSON_CreateRaw(text);
    }
    return cJSON_CreateString(text);
}

static cJSON *convert_mapping(struct reader *r, const yaml_node_t *node)
{
    cJSON *object = cJSON_CreateObject();

    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
        yaml_node_t *key = yaml_document_get_node(r->document, p->key);
        cJSON       *value = convert(r, p->value);
        if (value == NULL || key->type != YAML_SCALAR_NODE) {
            *r->error = value == NULL ? *r->error : "a key of a mapping is not a string";
            cJSON_Delete(value);
            cJSON_Delete(object);
            return NULL;
        }
        const char *name = (const char *) key->data.scalar.value;
        if (dc_get(object, name) != NULL && r->duplicates != NULL) {
            cJSON_AddItemToArray(r->duplicates, cJSON_CreateString(name));
        }
        dc_set(object, name, value);
    }
    return object;
}

static cJSON *convert(struct reader *r, int index)
{
    yaml_node_t *node = yaml_document_get_node(r->document, index);
    cJSON       *tree = NULL;

    if (node == NULL || ++r->depth > 200 || ++r->nodes > MAX_NODES) {
        *r->error = "YAML nested too deeply, or too large";
        return NULL;
    }
    if (node->type == YAML_SCALAR_NODE) {
        tree = convert_scalar(node);
    } else if (node->type == YAML_MAPPING_NODE) {
        tree = convert_mapping(r, node);
    } else {
        tree = cJSON_CreateArray();
        for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
            cJSON *element = convert(r, *i);
            if (element == NULL) {
                cJSON_Delete(tree);
                return NULL;
            }
            cJSON_AddItemToArray(tree, element);
        }
    }
    r->depth--;
    return tree;
}

cJSON *dc_yaml_parse(dsp_str text, const char **error, cJSON *duplicates)
{
    static char     message[256];
    yaml_parser_t   parser;
    yaml_document_t document;
    struct reader   r = { &document, error, duplicates, 0, 0 };
    cJSON          *tree = NULL;

    yaml_parser_initialize(&parser);
    yaml_parser_set_input_string(&parser, (const unsigned char *) text.data, text.len);
    if (!yaml_parser_load(&parser, &document)) {
        snprintf(message, sizeof(message), "yaml: line %zu: %s", parser.problem_mark.line + 1,
                 parser.problem != NULL ? parser.problem : "unreadable");
        *error = message;
    } else {
        if (yaml_document_get_root_node(&document) == NULL) {
            *error = "the YAML document is empty";
        } else {
            tree = convert(&r, 1);
        }
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return tree;
}
