#include "store.h"

#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "kind.h"
#include "tree.h"

#define MAX_TEXT ((size_t) 64 << 20)

/* All objects of a kind in one namespace. */
struct bucket {
    char  *ns;
    void  *slots; /* tsearch tree */
    size_t len;
};

/* An owner uid and the slots that name it; made when the first one does, gone with the last. */
struct owner {
    dsp_map_node node;
    LIST_HEAD(, dc_owner_link) links;
    size_t len;
};

struct dc_owner_link {
    struct owner *owner;
    dc_slot      *slot;
    LIST_ENTRY(dc_owner_link) of_owner;
    LIST_ENTRY(dc_owner_link) of_slot;
};

dc_object *dc_object_hold(dc_object *o)
{
    o->refs++;
    return o;
}

void dc_object_release(dc_object *o)
{
    if (o == NULL || --o->refs > 0) {
        return;
    }
    free((char *) o->text.data);
    free(o->ns);
    free(o->name);
    free(o->uid);
    free(o);
}

cJSON *dc_object_tree(const dc_object *o)
{
    return dc_parse(o->text, NULL, NULL);
}

/* Takes the text. */
static dc_object *new_object(char *text, size_t len, uint64_t rv, const char *ns, const char *name, const char *uid)
{
    dc_object *o = calloc(1, sizeof(*o));

    o->refs = 1;
    o->rv = rv;
    o->text = (dsp_str){ text, len };
    dsp_json api = dsp_json_get(o->text, "apiVersion");
    o->after_api = (size_t) (api.data + api.len - text);
    dsp_json metadata = dsp_json_get(o->text, "metadata");
    o->labels = dsp_json_get(metadata, "labels");
    o->deleting = dsp_json_kind(dsp_json_get(metadata, "deletionTimestamp")) == DSP_JSON_STRING;
    o->ns = strdup(ns);
    o->name = strdup(name);
    o->uid = strdup(uid);
    return o;
}

dc_object *dc_object_at(const dc_object *o, uint64_t rv)
{
    dsp_json old = dsp_json_path(o->text, "metadata", "resourceVersion", NULL);
    size_t   at = (size_t) (old.data - o->text.data);
    dsp_buf  text;

    dsp_buf_init(&text, MAX_TEXT);
    dsp_buf_add(&text, o->text.data, at);
    dsp_buf_addf(&text, "\"%" PRIu64 "\"", rv);
    dsp_buf_add(&text, o->text.data + at + old.len, o->text.len - at - old.len);
    size_t len = text.len;
    return new_object(dsp_buf_take(&text), len, rv, o->ns, o->name, o->uid);
}

void dc_store_init(dc_store *s, size_t history)
{
    memset(s, 0, sizeof(*s));
    s->rv = s->first_rv = 1000; /* a fresh cluster has written some hundreds of objects of its own */
    s->history = history;
    dsp_map_init(&s->by_uid);
    dsp_map_init(&s->by_owner);
}

void dc_store_free(dc_store *s)
{
    dsp_map_free(&s->by_uid);
    dsp_map_free(&s->by_owner);
}

void dc_store_listen(dc_store *s, dc_listener call, void *arg)
{
    s->listeners[s->n_listeners].call = call;
    s->listeners[s->n_listeners++].arg = arg;
}

static int compare_buckets(const void *a, const void *b)
{
    return strcmp(((const struct bucket *) a)->ns, ((const struct bucket *) b)->ns);
}

static int compare_slots(const void *a, const void *b)
{
    return strcmp(((const dc_slot *) a)->now->name, ((const dc_slot *) b)->now->name);
}

static struct bucket *find_bucket(const dc_collection *c, const char *ns)
{
    struct bucket key = { .ns = (char *) ns };
    void         *node = tfind(&key, &c->namespaces, compare_buckets);

    return node != NULL ? *(struct bucket **) node : NULL;
}

static struct bucket *ensure_bucket(dc_collection *c, const char *ns)
{
    struct bucket *b = find_bucket(c, ns);

    if (b == NULL) {
        b = calloc(1, sizeof(*b));
        b->ns = strdup(ns);
        tsearch(b, &c->namespaces, compare_buckets);
    }
    return b;
}

dc_slot *dc_store_slot(const dc_kind *kind, const char *ns, const char *name)
{
    const struct bucket *b = find_bucket(&kind->objects, ns);
    dc_object            wanted = { .name = (char *) name };
    dc_slot              key = { .now = &wanted };

    if (b == NULL) {
        return NULL;
    }
    void *node = tfind(&key, &b->slots, compare_slots);
    return node != NULL ? *(dc_slot **) node : NULL;
}

dc_object *dc_store_get(const dc_kind *kind, const char *ns, const char *name)
{
    const dc_slot *slot = dc_store_slot(kind, ns, name);

    return slot != NULL ? slot->now : NULL;
}

dc_slot *dc_store_by_uid(const dc_store *s, const char *uid)
{
    dsp_map_node *node = dsp_map_find(&s->by_uid, dsp_str_from(uid));

    return node != NULL ? DSP_CONTAINER(node, dc_slot, by_uid) : NULL;
}

static void unlink_owners(dc_store *s, dc_slot *slot)
{
    struct dc_owner_link *link;

    while ((link = LIST_FIRST(&slot->owners)) != NULL) {
        LIST_REMOVE(link, of_slot);
        LIST_REMOVE(link, of_owner);
        if (--link->owner->len == 0) {
            dsp_map_remove(&s->by_owner, link->owner->node.key);
            free((char *) link->owner->node.key.data);
            free(link->owner);
        }
        free(link);
    }
}

static void link_owner(dc_store *s, dc_slot *slot, dsp_str uid)
{
    dsp_map_node         *node = dsp_map_find(&s->by_owner, uid);
    struct owner         *owner = node != NULL ? DSP_CONTAINER(node, struct owner, node) : NULL;
    struct dc_owner_link *link = calloc(1, sizeof(*link));

    if (owner == NULL) {
        owner = calloc(1, sizeof(*owner));
        owner->node.key = (dsp_str){ dsp_str_dup(uid), uid.len };
        dsp_map_insert(&s->by_owner, &owner->node);
    }
    link->owner = owner;
    link->slot = slot;
    owner->len++;
    LIST_INSERT_HEAD(&owner->links, link, of_owner);
    LIST_INSERT_HEAD(&slot->owners, link, of_slot);
}

static void link_owners(dc_store *s, dc_slot *slot)
{
    dsp_json_iter it = dsp_json_iterate(dsp_json_path(slot->now->text, "metadata", "ownerReferences", NULL));
    dsp_json      reference;

    unlink_owners(s, slot);
    while (dsp_json_next(&it, NULL, &reference)) {
        dsp_json uid = dsp_json_get(reference, "uid");
        if (dsp_json_kind(uid) == DSP_JSON_STRING) {
            link_owner(s, slot, dsp_str_sub(uid, 1, uid.len - 1));
        }
    }
}

static void release_event(dc_event *e)
{
    dc_object_release(e->object);
    dc_object_release(e->before);
    *e = (dc_event){ 0 };
}

dc_event *dc_store_event(const dc_collection *c, uint64_t number)
{
    return &c->ring[number % c->ring_size];
}

/* Takes the references. */
static void push_event(dc_store *s, dc_collection *c, dc_event event)
{
    if (c->ring == NULL) {
        c->ring_size = s->history;
        c->ring = calloc(c->ring_size, sizeof(*c->ring));
    }
    if (c->ring_next - c->ring_first == c->ring_size) {
        dc_event *oldest = dc_store_event(c, c->ring_first++);
        c->compacted = oldest->rv;
        release_event(oldest);
    }
    *dc_store_event(c, c->ring_next++) = event;
}

static void notify(dc_store *s, dc_kind *kind, dc_object *before, dc_object *after)
{
    for (int i = 0; i < s->n_listeners; i++) {
        s->listeners[i].call(s->listeners[i].arg, kind, before, after);
    }
}

/* Puts the version into its slot. *before gets the reference to the one that was there. */
static void place(dc_store *s, dc_kind *kind, dc_object *o, dc_object **before)
{
    dc_slot *slot = dc_store_slot(kind, o->ns, o->name);

    *before = NULL;
    if (slot == NULL) {
        struct bucket *b = ensure_bucket(&kind->objects, o->ns);
        slot = calloc(1, sizeof(*slot));
        slot->kind = kind;
        slot->now = o;
        LIST_INIT(&slot->owners);
        tsearch(slot, &b->slots, compare_slots);
        b->len++;
        kind->objects.len++;
    } else {
        *before = slot->now;
        dsp_map_remove(&s->by_uid, slot->by_uid.key);
        slot->now = o;
    }
    slot->by_uid.key = dsp_str_from(o->uid);
    dsp_map_insert(&s->by_uid, &slot->by_uid);
    link_owners(s, slot);
}

static dc_object *object_of_tree(const cJSON *tree, uint64_t rv)
{
    const cJSON *metadata = dc_get(tree, "metadata");
    const char  *ns = dc_str(metadata, "namespace");
    dsp_buf      text;

    dsp_buf_init(&text, MAX_TEXT);
    dc_print(&text, tree);
    size_t len = text.len;
    return new_object(dsp_buf_take(&text), len, rv, ns != NULL ? ns : "", dc_str(metadata, "name"),
                      dc_str(metadata, "uid"));
}

dc_object *dc_store_put(dc_store *s, dc_kind *kind, cJSON *tree)
{
    char       rv[24];
    dc_object *before;

    snprintf(rv, sizeof(rv), "%" PRIu64, ++s->rv);
    dc_set_str(dc_get(tree, "metadata"), "resourceVersion", rv);
    dc_object *o = object_of_tree(tree, s->rv);
    place(s, kind, o, &before);
    kind->writes++;
    enum dc_event_type type = before == NULL ? DC_ADDED : DC_MODIFIED;
    push_event(s, &kind->objects, (dc_event){ s->rv, type, dc_object_hold(o), before });
    notify(s, kind, before, o);
    return o;
}

void dc_store_remove(dc_store *s, dc_kind *kind, const char *ns, const char *name)
{
    struct bucket *b = find_bucket(&kind->objects, ns);
    dc_slot       *slot = dc_store_slot(kind, ns, name);

    if (slot == NULL) {
        return;
    }
    dc_object *before = slot->now;
    tdelete(slot, &b->slots, compare_slots);
    kind->objects.len--;
    if (--b->len == 0) {
        tdelete(b, &kind->objects.namespaces, compare_buckets);
        free(b->ns);
        free(b);
    }
    unlink_owners(s, slot);
    dsp_map_remove(&s->by_uid, slot->by_uid.key);
    free(slot);
    kind->writes++;
    dc_object *last = dc_object_at(before, ++s->rv);
    push_event(s, &kind->objects, (dc_event){ s->rv, DC_DELETED, last, before });
    notify(s, kind, before, NULL);
}

struct walk {
    dc_visit visit;
    void    *arg;
};

static void visit_slot(const void *node, VISIT when, void *arg)
{
    const struct walk *w = arg;

    if (when == postorder || when == leaf) {
        w->visit(w->arg, (*(dc_slot *const *) node)->now);
    }
}

static void visit_bucket(const void *node, VISIT when, void *arg)
{
    if (when == postorder || when == leaf) {
        twalk_r((*(struct bucket *const *) node)->slots, visit_slot, arg);
    }
}

void dc_store_each(const dc_kind *kind, const char *ns, dc_visit visit, void *arg)
{
    struct walk w = { visit, arg };

    if (ns == NULL) {
        twalk_r(kind->objects.namespaces, visit_bucket, &w);
        return;
    }
    const struct bucket *b = find_bucket(&kind->objects, ns);
    if (b != NULL) {
        twalk_r(b->slots, visit_slot, &w);
    }
}

struct gathering {
    dc_object **objects;
    size_t      n;
};

static void gather(void *arg, dc_object *o)
{
    struct gathering *g = arg;

    g->objects[g->n++] = dc_object_hold(o);
}

size_t dc_store_count(const dc_kind *kind, const char *ns)
{
    const struct bucket *b = ns != NULL ? find_bucket(&kind->objects, ns) : NULL;

    return ns == NULL ? kind->objects.len : b != NULL ? b->len : 0;
}

dc_object **dc_store_list(const dc_kind *kind, const char *ns, size_t *n)
{
    struct gathering g = { malloc((dc_store_count(kind, ns) + 1) * sizeof(dc_object *)), 0 };

    dc_store_each(kind, ns, gather, &g);
    *n = g.n;
    return g.objects;
}

void dc_objects_free(dc_object **objects, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        dc_object_release(objects[i]);
    }
    free(objects);
}

dc_slot **dc_store_dependents(const dc_store *s, const char *uid, size_t *n)
{
    dsp_map_node         *node = dsp_map_find(&s->by_owner, dsp_str_from(uid));
    const struct owner   *owner = node != NULL ? DSP_CONTAINER(node, struct owner, node) : NULL;
    struct dc_owner_link *link;
    dc_slot             **slots = malloc(((owner != NULL ? owner->len : 0) + 1) * sizeof(dc_slot *));

    *n = 0;
    if (owner != NULL) {
        LIST_FOREACH(link, &owner->links, of_owner) {
            slots[(*n)++] = link->slot;
        }
    }
    return slots;
}

static void drop_events(dc_collection *c)
{
    while (c->ring_first < c->ring_next) {
        release_event(dc_store_event(c, c->ring_first++));
    }
}

void dc_store_compact(dc_store *s, dc_kind *kind)
{
    drop_events(&kind->objects);
    kind->objects.compacted = s->rv;
}

void dc_collection_free(dc_store *s, dc_collection *c)
{
    while (c->namespaces != NULL) {
        struct bucket *b = *(struct bucket **) c->namespaces;
        while (b->slots != NULL) {
            dc_slot *slot = *(dc_slot **) b->slots;
            tdelete(slot, &b->slots, compare_slots);
            unlink_owners(s, slot);
            dsp_map_remove(&s->by_uid, slot->by_uid.key);
            dc_object_release(slot->now);
            free(slot);
        }
        tdelete(b, &c->namespaces, compare_buckets);
        free(b->ns);
        free(b);
    }
    drop_events(c);
    free(c->ring);
    memset(c, 0, sizeof(*c));
}
