#include "namespaces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delete.h"
#include "kind_hooks.h"
#include "tree.h"
#include "write.h"

static const dc_column columns[] = {
    { "Name", "string", "name", "Name must be unique within a namespace.", 0 },
    { "Status", "string", "", "The status of the namespace", 0 },
    { "Age", "string", "", "CreationTimestamp is the time when this object was created.", 0 },
    { 0 },
};

static void cells_of(const cJSON *ns, cJSON *cells)
{
    dc_cell_text(cells, dc_str(dc_get(ns, "metadata"), "name"));
    dc_cell_text(cells, dc_str(dc_get(ns, "status"), "phase"));
    dc_cell_age(ns, cells);
}

static void prepare(struct dc_cluster *c, cJSON *ns, const cJSON *old)
{
    cJSON      *metadata = dc_get(ns, "metadata");
    const char *name = dc_str(metadata, "name");

    (void) c;
    if (old == NULL) {
        dc_array_add(dc_ensure_array(dc_ensure(ns, "spec"), "finalizers"), "kubernetes");
        dc_set_str(dc_ensure(ns, "status"), "phase", "Active");
    }
    if (name != NULL) {
        dc_set_str(dc_ensure(metadata, "labels"), "kubernetes.io/metadata.name", name);
    }
}

static const char *const fields[] = { "status.phase", NULL };

const dc_hooks dc_namespace_hooks = {
    .prepare = prepare, .cells = cells_of, .columns = columns, .fields = fields, .label_name = true,
};

bool dc_namespace_is_held(const cJSON *ns)
{
    const cJSON *finalizers = dc_at(ns, "spec", "finalizers", NULL);

    return cJSON_IsArray(finalizers) && finalizers->child != NULL;
}

/* What controllers put into every new namespace. */
static void furnish(dc_cluster *c, const char *name)
{
    static const dc_write write = { 0 };
    cJSON                *account = cJSON_CreateObject();
    dc_fail               f = { 0 };

    dc_set_str(dc_ensure(account, "metadata"), "name", "default");
    dc_set_str(dc_get(account, "metadata"), "namespace", name);
    dc_create_object(c, c->service_accounts, &write, account, &f);
    cJSON_Delete(account);
    dc_fail_free(&f);
}

void dc_namespace_ensure(dc_cluster *c, const char *name)
{
    static const dc_write write = { 0 };
    dc_fail               f = { 0 };

    if (dc_store_get(c->namespaces, "", name) == NULL) {
        cJSON *ns = cJSON_CreateObject();
        dc_set_str(dc_ensure(ns, "metadata"), "name", name);
        dc_create_object(c, c->namespaces, &write, ns, &f);
        cJSON_Delete(ns);
        dc_fail_free(&f);
    }
}

/* How many objects are left in a namespace. */
static size_t count(dc_cluster *c, const char *ns)
{
    size_t total = 0;

    for (dc_kind *k = c->kinds.first; k != NULL; k = k->next) {
        if (k->namespaced && !k->gone && k->view_of == NULL) {
            total += dc_store_count(k, ns);
        }
    }
    return total;
}

static void empty(dc_cluster *c, const char *ns)
{
    static const dc_delete background = { .policy = DC_BACKGROUND, .grace_s = -1 };

    for (dc_kind *k = c->kinds.first; k != NULL; k = k->next) {
        size_t n = 0;
        if (!k->namespaced || k->gone || k->view_of != NULL) {
            continue;
        }
        dc_object **objects = dc_store_list(k, ns, &n);
        for (size_t i = 0; i < n; i++) {
            dc_fail    f = { 0 };
            dc_object *now = dc_store_get(k, ns, objects[i]->name);
            if (now != NULL && !now->deleting) {
                dc_object_hold(now);
                dc_delete_object(c, k, now, &background, &f);
                dc_object_release(now);
            }
            dc_fail_free(&f);
        }
        dc_objects_free(objects, n);
    }
}

/* The namespace controller: in its own turn of the loop, for all that are dying. */
static void work(evutil_socket_t fd, short what, void *arg)
{
    dc_cluster  *c = arg;
    size_t       n;
    dc_object  **all = dc_store_list(c->namespaces, NULL, &n);

    (void) fd;
    (void) what;
    for (size_t i = 0; i < n; i++) {
        if (!all[i]->deleting) {
            continue;
        }
        empty(c, all[i]->name);
        if (count(c, all[i]->name) == 0) {
            cJSON *ns = dc_object_tree(all[i]);
            bool   finalizers = cJSON_GetArraySize(dc_at(ns, "metadata", "finalizers", NULL)) > 0;
            if (!finalizers) {
                dc_store_remove(&c->store, c->namespaces, "", all[i]->name);
            }
            cJSON_Delete(ns);
        }
    }
    dc_objects_free(all, n);
}

static void on_commit(void *arg, dc_kind *kind, dc_object *before, dc_object *after)
{
    dc_cluster *c = arg;

    if (kind == c->namespaces && before == NULL) {
        furnish(c, after->name);
    }
    if (kind == c->namespaces ? after != NULL && after->deleting : after == NULL) {
        const char      *ns = kind == c->namespaces ? after->name : before->ns;
        const dc_object *o = *ns != '\0' ? dc_store_get(c->namespaces, "", ns) : NULL;
        if (o != NULL && o->deleting) {
            event_active(c->namespace_turn, EV_TIMEOUT, 0);
        }
    }
}

void dc_namespaces_start(dc_cluster *c)
{
    c->namespace_turn = event_new(c->base, -1, 0, work, c);
    dc_store_listen(&c->store, on_commit, c);
}

void dc_namespaces_stop(dc_cluster *c)
{
    event_free(c->namespace_turn);
}
