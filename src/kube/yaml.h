/*
 * A YAML document that is read by keys: libyaml's node graph, with anchors, aliases and merge keys ("<<") understood.
 * For the kube room only. Nothing is expanded, so an alias bomb costs nothing.
 */
#ifndef DSP_KUBE_YAML_H
#define DSP_KUBE_YAML_H

#include <yaml.h>

#include "base/buf.h"

typedef struct kube_yaml {
    yaml_document_t doc;
    bool            loaded;
} kube_yaml;

/* The first document of the text; an empty text is a document without a root. false: "line N: cause" added to err. */
bool kube_yaml_parse(kube_yaml *y, dsp_str text, dsp_buf *err);
void kube_yaml_free(kube_yaml *y);

yaml_node_t *kube_yaml_root(kube_yaml *y); /* NULL: none, or null */

/* The value of that key of a mapping (own keys before merged ones); NULL: not there, null, or node is no mapping. */
yaml_node_t *kube_yaml_get(kube_yaml *y, yaml_node_t *node, const char *key);

/* Elements of a sequence; 0 and NULL for anything else. */
size_t       kube_yaml_len(yaml_node_t *node);
yaml_node_t *kube_yaml_at(kube_yaml *y, yaml_node_t *node, size_t i);

/* Entries of a mapping, merged ones not included. false: no such entry. */
bool kube_yaml_entry(kube_yaml *y, yaml_node_t *node, size_t i, yaml_node_t **key, yaml_node_t **value);

/* The text of a scalar as it stands there: 012 stays "012". {NULL, 0} when node is NULL or no scalar. */
dsp_str kube_yaml_text(yaml_node_t *node);

#endif
