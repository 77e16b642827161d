#include "garbage.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "delete.h"
#include "meta.h"
#include "tree.h"
#include "write.h"

/* A uid to look at: an owner that has changed or gone, or a new object that names owners. */
struct item {
    STAILQ_ENTRY(item) queue;
    char uid[40];
};

struct dc_garbage {
    dc_cluster   *cluster;
    struct event *turn;
    STAILQ_HEAD(, item) items;
};

static void enqueue(dc_garbage *g, dsp_str uid)
{
    struct item   *i = calloc(1, sizeof(*i));
    int            ms = g->cluster->options.gc_delay_ms;
    struct timeval delay = { ms / 1000, (ms % 1000) * 1000 };

    if (uid.len >= sizeof(i->uid)) {
        free(i);
        return;
    }
    memcpy(i->uid, uid.data, uid.len);
    STAILQ_INSERT_TAIL(&g->items, i, queue);
    if (!evtimer_pending(g->turn, NULL)) {
        evtimer_add(g->turn, &delay);
    }
}

static void enqueue_owners(dc_garbage *g, const dc_object *o)
{
    dsp_json_iter it = dsp_json_iterate(dsp_json_path(o->text, "metadata", "ownerReferences", NULL));
    dsp_json      reference;

    while (dsp_json_next(&it, NULL, &reference)) {
        dsp_json uid = dsp_json_get(reference, "uid");
        if (dsp_json_kind(uid) == DSP_JSON_STRING) {
            enqueue(g, dsp_str_sub(uid, 1, uid.len - 1));
        }
    }
}

static void on_commit(void *arg, dc_kind *kind, dc_object *before, dc_object *after)
{
    dc_garbage *g = arg;

    (void) kind;
    if (after == NULL) {
        enqueue(g, dsp_str_from(before->uid));
        enqueue_owners(g, before); /* one of them may wait for this */
    } else if (before == NULL) {
        enqueue_owners(g, after);
    } else if (after->deleting) {
        enqueue(g, dsp_str_from(after->uid));
    }
}

static void update(dc_garbage *g, dc_kind *kind, cJSON *tree)
{
    dc_write write = { .version = kind->storage };
    dc_fail  f = { 0 };

    dc_del(dc_get(tree, "metadata"), "resourceVersion");
    dc_update_object(g->cluster, kind, &write, tree, &f);
    dc_fail_free(&f);
}

static void delete(dc_garbage *g, dc_slot *slot, enum dc_propagation policy)
{
    dc_fail    f = { 0 };
    dc_object *o = dc_object_hold(slot->now);
    dc_delete  how = { .policy = policy, .grace_s = -1 };

    if (policy == DC_DEFAULT) { /* a kind's own default (Jobs orphan) is for clients, not for the collector */
        cJSON       *tree = dc_object_tree(o);
        const cJSON *finalizers = dc_at(tree, "metadata", "finalizers", NULL);
        how.policy = dc_array_has(finalizers, "orphan")               ? DC_ORPHAN
                     : dc_array_has(finalizers, "foregroundDeletion") ? DC_FOREGROUND
                                                                      : DC_BACKGROUND;
        cJSON_Delete(tree);
    }
    dc_delete_object(g->cluster, slot->kind, o, &how, &f);
    dc_fail_free(&f);
    dc_object_release(o);
}

/* An owner counts when it exists, and is cluster-wide or in the same namespace. */
static const dc_slot *present_owner(dc_garbage *g, const dc_slot *dependent, const char *uid)
{
    const dc_slot *owner = uid != NULL ? dc_store_by_uid(&g->cluster->store, uid) : NULL;

    if (owner != NULL && owner->kind->namespaced && strcmp(owner->now->ns, dependent->now->ns) != 0) {
        return NULL;
    }
    return owner;
}

/* Takes out the references that drop() picks; deletes the object instead when no owner is left and orphan is not set. */
static void sever(dc_garbage *g, dc_slot *slot, const char *orphan_of)
{
    cJSON *tree = dc_object_tree(slot->now), *metadata = dc_get(tree, "metadata");
    cJSON *owners = dc_get(metadata, "ownerReferences"), *next;
    bool   solid = false, changed = false;

    for (cJSON *o = owners != NULL ? owners->child : NULL; o != NULL; o = next) {
        const char *uid = dc_str(o, "uid");
        bool        drop = orphan_of != NULL ? uid != NULL && strcmp(uid, orphan_of) == 0
                                             : present_owner(g, slot, uid) == NULL;
        next = o->next;
        if (drop) {
            cJSON_Delete(cJSON_DetachItemViaPointer(owners, o));
            changed = true;
        } else {
            solid = true;
        }
    }
    if (changed && !solid && orphan_of == NULL) {
        if (!slot->now->deleting) {
            delete(g, slot, DC_DEFAULT);
        }
    } else if (changed) {
        if (!solid) {
            dc_del(metadata, "ownerReferences");
        }
        update(g, slot->kind, tree);
    }
    cJSON_Delete(tree);
}

static void remove_finalizer(dc_garbage *g, dc_slot *slot, const char *name)
{
    cJSON *tree = dc_object_tree(slot->now);
    cJSON *metadata = dc_get(tree, "metadata"), *finalizers = dc_get(metadata, "finalizers");

    dc_array_remove(finalizers, name);
    if (finalizers != NULL && finalizers->child == NULL) {
        dc_del(metadata, "finalizers");
    }
    update(g, slot->kind, tree);
    cJSON_Delete(tree);
}

static bool blocks(const dc_slot *dependent, const char *owner_uid)
{
    dsp_json_iter it = dsp_json_iterate(dsp_json_path(dependent->now->text, "metadata", "ownerReferences", NULL));
    dsp_json      reference;
    bool          value;

    while (dsp_json_next(&it, NULL, &reference)) {
        if (dsp_json_equals(dsp_json_get(reference, "uid"), dsp_str_from(owner_uid))) {
            return dsp_json_bool(dsp_json_get(reference, "blockOwnerDeletion"), &value) && value;
        }
    }
    return false;
}

/* The slots may vanish while their siblings are worked on: each is looked up again by its uid. */
static char **dependent_uids(dc_garbage *g, const char *uid, size_t *n)
{
    dc_slot **slots = dc_store_dependents(&g->cluster->store, uid, n);
    char    **uids = calloc(*n + 1, sizeof(char *));

    for (size_t i = 0; i < *n; i++) {
        uids[i] = strdup(slots[i]->now->uid);
    }
    free(slots);
    return uids;
}

static bool has_dependents(dc_garbage *g, const dc_slot *slot)
{
    size_t n;

    free(dc_store_dependents(&g->cluster->store, slot->now->uid, &n));
    return n > 0;
}

static void process_foreground(dc_garbage *g, const char *uid)
{
    size_t n;
    char **uids = dependent_uids(g, uid, &n);
    bool   blocked = false;

    for (size_t i = 0; i < n; i++) {
        dc_slot *slot = dc_store_by_uid(&g->cluster->store, uids[i]);
        if (slot != NULL && !slot->now->deleting) {
            delete(g, slot, blocks(slot, uid) && has_dependents(g, slot) ? DC_FOREGROUND : DC_DEFAULT);
        }
        slot = dc_store_by_uid(&g->cluster->store, uids[i]);
        blocked = blocked || (slot != NULL && blocks(slot, uid));
        free(uids[i]);
    }
    free(uids);
    dc_slot *owner = dc_store_by_uid(&g->cluster->store, uid);
    if (!blocked && owner != NULL) {
        remove_finalizer(g, owner, "foregroundDeletion");
    }
}

static void process_dependents(dc_garbage *g, const char *uid, bool orphan)
{
    size_t n;
    char **uids = dependent_uids(g, uid, &n);

    for (size_t i = 0; i < n; i++) {
        dc_slot *slot = dc_store_by_uid(&g->cluster->store, uids[i]);
        if (slot != NULL) {
            sever(g, slot, orphan ? uid : NULL);
        }
        free(uids[i]);
    }
    free(uids);
}

static void process(dc_garbage *g, const char *uid)
{
    dc_slot *slot = dc_store_by_uid(&g->cluster->store, uid);
    cJSON   *tree;

    if (slot == NULL) {
        process_dependents(g, uid, false);
        return;
    }
    if (!slot->now->deleting) {
        return;
    }
    tree = dc_object_tree(slot->now);
    const cJSON *finalizers = dc_at(tree, "metadata", "finalizers", NULL);
    bool         orphan = dc_array_has(finalizers, "orphan");
    bool         foreground = dc_array_has(finalizers, "foregroundDeletion");
    cJSON_Delete(tree);
    if (orphan) {
        process_dependents(g, uid, true);
        slot = dc_store_by_uid(&g->cluster->store, uid);
        if (slot != NULL) {
            remove_finalizer(g, slot, "orphan");
        }
    } else if (foreground) {
        process_foreground(g, uid);
    }
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    dc_garbage *g = arg;
    STAILQ_HEAD(, item) items = STAILQ_HEAD_INITIALIZER(items);
    struct item *i;

    (void) fd;
    (void) what;
    STAILQ_CONCAT(&items, &g->items); /* what is found meanwhile is for the next turn */
    while ((i = STAILQ_FIRST(&items)) != NULL) {
        STAILQ_REMOVE_HEAD(&items, queue);
        process(g, i->uid);
        free(i);
    }
}

dc_garbage *dc_garbage_new(dc_cluster *c)
{
    dc_garbage *g = calloc(1, sizeof(*g));

    g->cluster = c;
    STAILQ_INIT(&g->items);
    g->turn = evtimer_new(c->base, on_turn, g);
    dc_store_listen(&c->store, on_commit, g);
    return g;
}

void dc_garbage_free(dc_garbage *g)
{
    struct item *i;

    if (g == NULL) {
        return;
    }
    while ((i = STAILQ_FIRST(&g->items)) != NULL) {
        STAILQ_REMOVE_HEAD(&g->items, queue);
        free(i);
    }
    event_free(g->turn);
    free(g);
}
