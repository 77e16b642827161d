/*
 * Sets of fields in the form of metadata.managedFields[].fieldsV1: {"f:spec":{"f:a":{},"f:list":{"k:{\"name\":\"x\"}":
 * {".":{}}}}}. A member without members of its own (but ".") is a leaf. Pure; the trees belong to the caller.
 */
#ifndef DC_FIELDSET_H
#define DC_FIELDSET_H

#include <cjson/cJSON.h>

#include "schema.h"

/* The fields that a configuration sets (without apiVersion, kind, and the identity in metadata). */
cJSON *dc_fieldset_of(const cJSON *object, const dc_schema *s);

/* Both sets in a (which grows); the fields of b taken out of a. */
void dc_fieldset_add(cJSON *a, const cJSON *b);
void dc_fieldset_remove(cJSON *a, const cJSON *b);

/* Adds to out (an array of strings, ".spec.a") the fields of both sets in which the two objects differ. */
void dc_fieldset_conflicts(const cJSON *set, const cJSON *other, const cJSON *applied, const cJSON *live, cJSON *out);

/* Takes what is in set but not in keep out of the object. */
void dc_fieldset_prune(cJSON *object, const cJSON *set, const cJSON *keep);

/* Puts the configuration over the live object: maps and keyed lists merge, the rest is replaced. */
void dc_fieldset_merge(cJSON *live, const cJSON *configuration, const dc_schema *s);

/* The fields of now that old has not, or has with another value. */
cJSON *dc_fieldset_changed(const cJSON *old, const cJSON *now, const dc_schema *s);

#endif
