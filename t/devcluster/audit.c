#include "audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

struct stored_job {
    struct stored_job *next;
    char              *ns, *name, *uid;
    uint64_t           created, deleted; /* revisions; 0: not deleted */
};

struct owner {
    dsp_map_node       node; /* key: uid */
    char              *uid;
    struct stored_job *jobs; /* newest first */
    size_t             n;
};

struct dc_audit {
    dc_cluster *cluster;
    dsp_map     owners;
    size_t      jobs;
};

static struct owner *owner_of(dc_audit *a, dsp_str uid)
{
    dsp_map_node *node = dsp_map_find(&a->owners, uid);
    struct owner *owner;

    if (node != NULL) {
        return DSP_CONTAINER(node, struct owner, node);
    }
    owner = calloc(1, sizeof(*owner));
    owner->uid = dsp_str_dup(uid);
    owner->node.key = dsp_str_from(owner->uid);
    dsp_map_insert(&a->owners, &owner->node);
    return owner;
}

static void add_job(dc_audit *a, dsp_str owner_uid, const dc_object *o)
{
    struct owner      *owner = owner_of(a, owner_uid);
    struct stored_job *job = calloc(1, sizeof(*job));

    job->ns = strdup(o->ns);
    job->name = strdup(o->name);
    job->uid = strdup(o->uid);
    job->created = o->rv;
    job->next = owner->jobs;
    owner->jobs = job;
    owner->n++;
    a->jobs++;
}

static void mark_deleted(dc_audit *a, dsp_str owner_uid, const dc_object *o)
{
    for (struct stored_job *j = owner_of(a, owner_uid)->jobs; j != NULL; j = j->next) {
        if (strcmp(j->uid, o->uid) == 0) {
            j->deleted = a->cluster->store.rv;
        }
    }
}

static void on_commit(void *arg, dc_kind *kind, dc_object *before, dc_object *after)
{
    dc_audit        *a = arg;
    const dc_object *o = after != NULL ? after : before;
    dsp_json         reference;
    bool             owned = false;

    if (kind != a->cluster->jobs || (before != NULL && after != NULL)) {
        return;
    }
    dsp_json_iter it = dsp_json_iterate(dsp_json_path(o->text, "metadata", "ownerReferences", NULL));
    while (dsp_json_next(&it, NULL, &reference)) {
        dsp_json uid = dsp_json_get(reference, "uid");
        if (uid.len > 2) {
            owned = true;
            dsp_str text = dsp_str_sub(uid, 1, uid.len - 1);
            if (after != NULL) {
                add_job(a, text, o);
            } else {
                mark_deleted(a, text, o);
            }
        }
    }
    if (!owned && after != NULL) {
        add_job(a, DSP_STR(""), o);
    } else if (!owned) {
        mark_deleted(a, DSP_STR(""), o);
    }
}

static void print_jobs(const struct owner *owner, dsp_buf *out)
{
    dsp_json_quote(out, dsp_str_from(owner->uid));
    dsp_buf_addz(out, ":[");
    for (const struct stored_job *j = owner->jobs; j != NULL; j = j->next) {
        dsp_buf_addf(out, "%s{\"namespace\":\"%s\",\"name\":\"%s\",\"uid\":\"%s\",\"created\":%" PRIu64
                          ",\"deleted\":%" PRIu64 "}", j == owner->jobs ? "" : ",", j->ns, j->name, j->uid,
                     j->created, j->deleted);
    }
    dsp_buf_addc(out, ']');
}

void dc_audit_print(const dc_audit *a, const char *wanted, dsp_buf *out)
{
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;
    size_t         n = 0;

    dsp_buf_addf(out, "{\"jobs\":%zu,\"owners\":%zu,\"repeated\":[", a->jobs,
                 a->owners.len - (dsp_map_find(&a->owners, DSP_STR("")) != NULL));
    while ((node = dsp_map_next(&a->owners, &cursor)) != NULL) {
        const struct owner *owner = DSP_CONTAINER(node, struct owner, node);
        if (owner->n > 1 && *owner->uid != '\0') {
            dsp_buf_addf(out, "%s\"%s\"", n++ > 0 ? "," : "", owner->uid);
        }
    }
    dsp_buf_addz(out, "],\"byOwner\":{");
    cursor = (dsp_map_cursor){ 0 };
    n = 0;
    while ((node = dsp_map_next(&a->owners, &cursor)) != NULL) {
        const struct owner *owner = DSP_CONTAINER(node, struct owner, node);
        if (wanted == NULL || strcmp(wanted, owner->uid) == 0) {
            dsp_buf_addz(out, n++ > 0 ? ",\n" : "");
            print_jobs(owner, out);
        }
    }
    dsp_buf_addz(out, "}}\n");
}

void dc_audit_clear(dc_audit *a)
{
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;

    while ((node = dsp_map_next(&a->owners, &cursor)) != NULL) {
        struct owner *owner = DSP_CONTAINER(node, struct owner, node);
        dsp_map_remove(&a->owners, node->key);
        while (owner->jobs != NULL) {
            struct stored_job *j = owner->jobs;
            owner->jobs = j->next;
            free(j->ns);
            free(j->name);
            free(j->uid);
            free(j);
        }
        free(owner->uid);
        free(owner);
    }
    a->jobs = 0;
}

dc_audit *dc_audit_new(dc_cluster *c)
{
    dc_audit *a = calloc(1, sizeof(*a));

    a->cluster = c;
    dsp_map_init(&a->owners);
    dc_store_listen(&c->store, on_commit, a);
    return a;
}

void dc_audit_free(dc_audit *a)
{
    if (a != NULL) {
        dc_audit_clear(a);
        dsp_map_free(&a->owners);
        free(a);
    }
}
