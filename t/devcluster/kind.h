/*
 * The kinds of object that this server knows: how they are called, how their objects behave, where those are kept.
 * Built-in kinds are rows of a table (kinds.c); custom ones come from CustomResourceDefinitions (crd.c).
 */
#ifndef DC_KIND_H
#define DC_KIND_H

#include <cjson/cJSON.h>

#include "fail.h"
#include "store.h"

#define DC_MAX_VERSIONS 8
#define DC_MAX_SHORT    4

struct dc_cluster;
struct dc_schema;

typedef struct dc_version {
    const char       *name;
    struct dc_schema *schema;  /* NULL: anything goes */
    cJSON            *columns; /* additionalPrinterColumns, or NULL */
    bool              served;
} dc_version;

/* What is peculiar to a kind. Each may be NULL. */
typedef struct dc_hooks {
    /* Defaults, and what the server owns. old is NULL on create. */
    void (*prepare)(struct dc_cluster *c, cJSON *object, const cJSON *old);
    /* Adds to errors what is wrong with it, after prepare. */
    void (*validate)(const cJSON *object, const cJSON *old, dc_errors *errors);
    /* May refuse a new object for a reason of its own. */
    bool (*admit)(struct dc_cluster *c, const cJSON *object, dc_fail *f);
    /* The cells of a row of a table, in the order of columns; wide ones too. */
    void (*cells)(const cJSON *object, cJSON *cells);
    const struct dc_column *columns; /* ends with a NULL name */
    /* Words for "kubectl get --field-selector" besides metadata.name and metadata.namespace; ends with NULL. */
    const char *const *fields;
    /* generateName and names: a namespace and a container name allow less than a DNS subdomain. */
    bool label_name;
    /* names may hold anything but / and %: RBAC, Events of odd objects */
    bool path_name;
} dc_hooks;

typedef struct dc_column {
    const char *name;
    const char *type;
    const char *format;
    const char *description;
    int         priority; /* 1: only -o wide */
} dc_column;

typedef struct dc_kind {
    struct dc_kind *next;
    const char     *group; /* "" is the core group */
    const char     *kind;
    const char     *list_kind;
    const char     *plural;
    const char     *singular;
    const char     *short_names[DC_MAX_SHORT]; /* NULL behind the last */
    const char     *categories[DC_MAX_SHORT];
    dc_version      versions[DC_MAX_VERSIONS]; /* in the order of preference */
    int             n_versions;
    int             storage; /* index of the version that is stored */
    bool            namespaced;
    bool            status;          /* has the status subresource */
    bool            generation;      /* metadata.generation counts changes of the spec */
    bool            blind_update;    /* PUT without resourceVersion is allowed */
    bool            custom;          /* a CRD's: no strategic merge, keys sorted */
    bool            orphan_default;  /* batch/v1 Jobs: DELETE without a policy leaves the dependents */
    bool            gone;            /* its CRD was deleted */
    const dc_hooks *hooks;
    struct dc_kind *view_of; /* events.k8s.io/v1: another face of the core events; objects stays unused */
    dc_collection   objects;
    uint64_t        writes; /* how many were committed, for the counters */
} dc_kind;

/* The registry; kinds are never freed before the end (a kind that is gone stays, marked). */
typedef struct dc_kinds {
    dc_kind *first;
    dc_kind *last;
} dc_kinds;

void     dc_kinds_add(dc_kinds *kinds, dc_kind *kind);
dc_kind *dc_kinds_find(const dc_kinds *kinds, const char *group, const char *plural);
dc_kind *dc_kinds_by_kind(const dc_kinds *kinds, const char *group, const char *kind);

/* Index of a served version, or -1. */
int dc_kind_version(const dc_kind *kind, const char *version);

/* "batch/v1", "v1". */
void dc_api_version(const dc_kind *kind, int version, char out[256]);

/* The name for messages; name is borrowed. */
dc_name dc_kind_name(const dc_kind *kind, const char *name);

/* The kind whose objects a kind shows: itself, or the one it is a view of. */
dc_kind *dc_kind_stored(dc_kind *kind);

/* All the built-in kinds (without the custom ones). */
void dc_kinds_builtin(struct dc_cluster *c);

#endif
