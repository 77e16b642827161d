/*
 * The objects: what etcd and the watch cache are to a real API server, in memory.
 *
 * One revision counts every write of the whole store; an object's resourceVersion is the revision of its last write.
 * An object is kept as text, in immutable versions with a reference count: a list is a concatenation of texts, a watch
 * walks the ring of past events, a paged list holds on to the versions of its first page, and none of them copies.
 * Objects of one kind are ordered by namespace and name (in a tsearch(3) tree per namespace).
 *
 * Texts begin with {"apiVersion":"…", so that a version can be exchanged without reading the rest.
 */
#ifndef DC_STORE_H
#define DC_STORE_H

#include <stdint.h>
#include <sys/queue.h>

#include <cjson/cJSON.h>

#include "base/map.h"
#include "base/str.h"

struct dc_kind;

/* A version of an object. Everything in it is constant but refs. */
typedef struct dc_object {
    unsigned refs;
    bool     deleting; /* has a deletionTimestamp */
    uint64_t rv;
    dsp_str  text;
    size_t   after_api; /* offset in text behind the value of apiVersion */
    dsp_str  labels;    /* span of metadata.labels in text, or none */
    char    *ns;        /* "" for a cluster-scoped one */
    char    *name;
    char    *uid;
} dc_object;

dc_object *dc_object_hold(dc_object *o);
void       dc_object_release(dc_object *o); /* NULL is fine */

/* A fresh tree of the object. */
cJSON *dc_object_tree(const dc_object *o);

/* The text with another resourceVersion (what DELETED events carry); malloc'd. */
dc_object *dc_object_at(const dc_object *o, uint64_t rv);

enum dc_event_type { DC_ADDED, DC_MODIFIED, DC_DELETED };

typedef struct dc_event {
    uint64_t           rv;
    enum dc_event_type type;
    dc_object         *object; /* of a deletion: the last state with the revision of the deletion */
    dc_object         *before; /* of a modification */
} dc_event;

/* One object's place; it lives from the creation to the deletion. */
typedef struct dc_slot {
    struct dc_kind *kind;
    dc_object      *now;
    dsp_map_node    by_uid;
    LIST_HEAD(, dc_owner_link) owners;
} dc_slot;

typedef struct dc_collection {
    void     *namespaces; /* tsearch tree of buckets */
    size_t    len;
    dc_event *ring;
    size_t    ring_size;
    uint64_t  ring_first; /* number of the oldest event that is still there */
    uint64_t  ring_next;  /* number of the next event */
    uint64_t  compacted;  /* a watch from below this revision is too old */
} dc_collection;

/* Called after each commit, in the order of registration. before/after are NULL on create/delete. */
typedef void (*dc_listener)(void *arg, struct dc_kind *kind, dc_object *before, dc_object *after);

typedef struct dc_store {
    uint64_t rv;
    uint64_t first_rv; /* where this life of the store began */
    size_t   history;  /* events kept per kind */
    dsp_map  by_uid;
    dsp_map  by_owner;
    struct {
        dc_listener call;
        void       *arg;
    } listeners[16];
    int n_listeners;
} dc_store;

void dc_store_init(dc_store *s, size_t history);
void dc_store_free(dc_store *s);
void dc_store_listen(dc_store *s, dc_listener call, void *arg);

dc_slot   *dc_store_slot(const struct dc_kind *kind, const char *ns, const char *name);
dc_object *dc_store_get(const struct dc_kind *kind, const char *ns, const char *name); /* borrowed */

/* The slot of that uid, or NULL. */
dc_slot *dc_store_by_uid(const dc_store *s, const char *uid);

/*
 * Creates or replaces: the tree's namespace and name say where. Its resourceVersion is set here; the tree stays the
 * caller's. Gives the new version, borrowed.
 */
dc_object *dc_store_put(dc_store *s, struct dc_kind *kind, cJSON *tree);

/* Takes the object out; the caller has done everything about finalizers. */
void dc_store_remove(dc_store *s, struct dc_kind *kind, const char *ns, const char *name);

/* Walks the objects in order; ns NULL: of all namespaces. The callback must not write. */
typedef void (*dc_visit)(void *arg, dc_object *o);
void dc_store_each(const struct dc_kind *kind, const char *ns, dc_visit visit, void *arg);

/* The same as an array of held versions, which the caller releases and frees; for callers that write. */
dc_object **dc_store_list(const struct dc_kind *kind, const char *ns, size_t *n);
size_t      dc_store_count(const struct dc_kind *kind, const char *ns);
void        dc_objects_free(dc_object **objects, size_t n);

/* The slots that name this uid as an owner, as a malloc'd array. */
dc_slot **dc_store_dependents(const dc_store *s, const char *uid, size_t *n);

/* The event of that number; it must be in [ring_first, ring_next). */
dc_event *dc_store_event(const dc_collection *c, uint64_t number);

/* Forgets all past events of the kind. */
void dc_store_compact(dc_store *s, struct dc_kind *kind);

/* Takes all objects of the kind and their events out, without events or listeners. At the end of the program. */
void dc_collection_free(dc_store *s, dc_collection *c);

#endif
