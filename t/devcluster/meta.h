/*
 * What the server does to the metadata of every object, and what it demands of it.
 */
#ifndef DC_META_H
#define DC_META_H

#include "cluster.h"

/* A random UUIDv4 and the present time, as they stand in objects. */
void dc_new_uid(char out[37]);
void dc_now(char out[32]);

/* Five characters behind a generateName. */
void dc_random_suffix(char out[6]);

/* A new object's system fields: uid, creationTimestamp, generation; the name from generateName. */
void dc_meta_create(const dc_kind *kind, cJSON *object);

/* What a client may not change is taken from the old object. */
void dc_meta_update(const dc_kind *kind, cJSON *object, const cJSON *old);

/* Counts a change of the spec, after defaulting. */
void dc_meta_count_generation(const dc_kind *kind, cJSON *object, const cJSON *old);

/* Types of the members of metadata (a wrong one is 400), unknown ones, and empty ones, which Go leaves out. */
bool dc_meta_decode(const dc_kind *kind, int version, cJSON *object, cJSON *problems, dc_fail *f);

/* Names, labels, annotations, owner references, finalizers. */
void dc_meta_validate(const dc_kind *kind, const cJSON *object, const cJSON *old, dc_errors *errors);

/* RFC 1123; each gives the rule's text that is broken, or NULL. */
const char *dc_check_subdomain(const char *name);
const char *dc_check_label(const char *name);

/* A label's key and its value, likewise. */
const char *dc_check_label_key(const char *key);
const char *dc_check_label_value(const char *value);

/* Whether an object is protected from its end by finalizers. */
bool dc_has_finalizers(const cJSON *object);

#endif
