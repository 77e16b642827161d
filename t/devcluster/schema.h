/*
 * Structural schemas (the OpenAPI v3 subset of CustomResourceDefinitions): which members an object may have, and of
 * what type. Custom kinds have the one of their CRD, batch/v1 Jobs and Pods the one of Kubernetes (builtin_schema.c).
 */
#ifndef DC_SCHEMA_H
#define DC_SCHEMA_H

#include <cjson/cJSON.h>

#include "fail.h"
#include "kind.h"

typedef struct dc_schema dc_schema;

/* Compiles an openAPIV3Schema; NULL and an error text for what cannot be. $ref is resolved in definitions (or NULL). */
dc_schema *dc_schema_new(const cJSON *openapi, const cJSON *definitions, char *error, size_t error_size);
void       dc_schema_free(dc_schema *s);

/* The way in: nodes for one who walks (server-side apply). NULL where the schema says nothing. */
const dc_schema *dc_schema_member(const dc_schema *s, const char *name);
const dc_schema *dc_schema_items(const dc_schema *s);
/* The keys of a list that is a map (x-kubernetes-list-map-keys, patch merge key), ends with NULL; NULL: it is not. */
const char *const *dc_schema_map_keys(const dc_schema *s);
bool               dc_schema_is_set(const dc_schema *s);
bool               dc_schema_is_atomic(const dc_schema *s);

/*
 * Takes unknown members out and names them in problems ("unknown field \"spec.zz\""; may be NULL). For a built-in kind a
 * member of the wrong type is 400, as its decoder says; for a custom one dc_schema_validate() finds it.
 */
bool dc_schema_prune(const dc_kind *kind, int version, cJSON *tree, cJSON *problems, dc_fail *f);

/* Defaults of the schema, then types, required members, patterns, limits, enums, and "self == oldSelf" rules. */
void dc_schema_validate(const dc_kind *kind, int version, cJSON *tree, const cJSON *old, dc_errors *errors);

#endif
