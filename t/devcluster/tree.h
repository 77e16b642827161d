/*
 * JSON trees for objects that are changed. The nodes are cJSON's, the reader and the writer are not: numbers are kept
 * as the text that came in (cJSON_Raw), because a double cannot hold a 64-bit integer, and the writer escapes as Go's
 * encoding/json does (<, > and & as \u003c …), because that is what a client gets from a real API server.
 *
 * Every number in a tree is a cJSON_Raw; trees that we build use dc_set_int(). A string with a NUL is refused.
 */
#ifndef DC_TREE_H
#define DC_TREE_H

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/str.h"

#define DC_MAX_DEPTH 1000

/*
 * The tree of a text, or NULL and *error (static or freed by nobody). Of members with the same name the last one
 * counts; their paths ("spec.a") are appended to duplicates, an array of strings, when that is not NULL.
 */
cJSON *dc_parse(dsp_str text, const char **error, cJSON *duplicates);

/* Adds the text of a tree without white space. */
void dc_print(dsp_buf *out, const cJSON *tree);

/* A member by its exact name; NULL when absent or when object is not an object. */
cJSON *dc_get(const cJSON *object, const char *name);

/* dc_get() along names, the last argument is NULL. */
cJSON *dc_at(const cJSON *object, ...) __attribute__((sentinel));

/* The text of a string node, of a string member; NULL when it is something else. */
const char *dc_text(const cJSON *node);
const char *dc_str(const cJSON *object, const char *name);

/* An integer literal that fits in 64 bits. */
bool dc_int(const cJSON *node, int64_t *out);

/* The integer of a member, or otherwise when there is none. */
int64_t dc_int_or(const cJSON *object, const char *name, int64_t otherwise);

bool dc_is_number(const cJSON *node);

/* The member as an object, made when it is absent or null. */
cJSON *dc_ensure(cJSON *object, const char *name);
cJSON *dc_ensure_array(cJSON *object, const char *name);

/* Puts value (which the tree then owns) in the place of the member, or at the end. */
void dc_set(cJSON *object, const char *name, cJSON *value);
void dc_set_str(cJSON *object, const char *name, const char *value);
void dc_set_int(cJSON *object, const char *name, int64_t value);
void dc_set_bool(cJSON *object, const char *name, bool value);
void dc_del(cJSON *object, const char *name);

/* Puts a node (with its name, in an object) before the element of that index, or at the end. */
void dc_insert(cJSON *container, int index, cJSON *node);

cJSON *dc_copy(const cJSON *tree);

/* Equal values; the order of members does not matter. NULL equals NULL only. */
bool dc_equal(const cJSON *a, const cJSON *b);

/* Members in the order of their names, all the way down, as Go writes maps. */
void dc_sort(cJSON *tree);

/* An array of strings: whether it has text, adding it once, taking it out. */
bool dc_array_has(const cJSON *array, const char *text);
void dc_array_add(cJSON *array, const char *text);
bool dc_array_remove(cJSON *array, const char *text);

#endif
