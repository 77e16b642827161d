/*
 * Manifests as people keep them, YAML or JSON, one document or several, and back: for dispatcher-template.
 *
 * YAML 1.1 as kubectl reads it (sigs.k8s.io/yaml): plain yes/no/on/off are booleans, anchors, aliases and merge keys
 * are followed. JSON objects, one or several in a row, are taken byte for byte.
 */
#ifndef DSP_CONTROLLER_MANIFEST_H
#define DSP_CONTROLLER_MANIFEST_H

#include "base/json.h"

/* One document's text may become so long in JSON; an alias bomb ends here. */
#define DSP_MANIFEST_MAX (16u * 1024 * 1024)

/* Called for each document that is not empty; json lives until it returns. false ends the reading. */
typedef bool (*dsp_manifest_fn)(void *context, dsp_json json);

/* Reads all documents of a text. false: a text that is none, said in error with its line; or the callback said so, with
 * nothing in error. */
bool dsp_manifest_read(dsp_str text, dsp_manifest_fn each, void *context, dsp_buf *error);

/* Adds a JSON value as a YAML document, "---" first. false: no memory. */
bool dsp_manifest_write_yaml(dsp_json json, dsp_buf *out);

#endif
