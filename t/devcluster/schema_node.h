/*
 * What a compiled schema is made of, for the files that compile, prune and validate.
 */
#ifndef DC_SCHEMA_NODE_H
#define DC_SCHEMA_NODE_H

#include <regex.h>

#include "schema.h"

enum dc_type { ANY, OBJECT, ARRAY, STRING, INTEGER, NUMBER, BOOLEAN, INT_OR_STRING };

struct dc_member {
    char      *name;
    dc_schema *schema;
};

struct dc_schema {
    enum dc_type      type;
    struct dc_member *members;
    size_t         n_members;
    dc_schema     *additional; /* of a map's values; NULL: no other members */
    dc_schema     *items;
    cJSON         *required; /* the arrays and values below are copies of what the schema says; NULL: no rule */
    cJSON         *enumeration;
    cJSON         *otherwise; /* default */
    cJSON         *map_keys;
    char         **map_key_names; /* the same, ends with NULL */
    regex_t       *pattern;
    char          *pattern_text;
    char          *format;
    char          *constant_message; /* of the rule self == oldSelf */
    int64_t        min_length, max_length, max_items, min_items;
    double         minimum, maximum;
    bool           has_minimum, has_maximum;
    bool           preserve; /* x-kubernetes-preserve-unknown-fields */
    bool           embedded; /* x-kubernetes-embedded-resource */
    bool           nullable, set, atomic, constant, ruled;
};

/* "string", "integer", …: the JSON type of a node; the names of enum dc_type; whether a node has the schema's type. */
const char              *dc_json_type(const cJSON *node);
extern const char *const dc_type_names[];
bool                     dc_schema_has_type(const dc_schema *s, const cJSON *node);

#endif
