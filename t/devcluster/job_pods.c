/* The pods of a Job: made, counted, deleted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delete.h"
#include "emit.h"
#include "job_sync.h"
#include "meta.h"
#include "tree.h"
#include "write.h"

const char *dc_job_phase_of(const cJSON *pod)
{
    const char *phase = dc_str(dc_get(pod, "status"), "phase");

    return phase != NULL ? phase : "Pending";
}

/* A pod that has ended is counted once: when its tracking finalizer is taken off. */
void dc_job_release_pod(dc_cluster *c, cJSON *pod)
{
    cJSON      *metadata = dc_get(pod, "metadata"), *finalizers = dc_get(metadata, "finalizers");
    dc_write    write = { .version = c->pods->storage };
    dc_fail     f = { 0 };

    dc_array_remove(finalizers, DC_JOB_TRACKING);
    if (finalizers->child == NULL) {
        dc_del(metadata, "finalizers");
    }
    dc_update_object(c, c->pods, &write, pod, &f);
    dc_fail_free(&f);
}

/* Counts the pods; *ended gets the trees of those that ended and were not counted yet. */
void dc_job_look_at_pods(struct dc_sync *s, cJSON *ended)
{
    dc_cluster *c = dc_sync_cluster(s);

    s->pods = dc_store_dependents(&c->store, s->j->uid, &s->n_pods);
    for (size_t i = 0; i < s->n_pods; i++) {
        if (s->pods[i]->kind != c->pods) {
            continue;
        }
        cJSON      *pod = dc_object_tree(s->pods[i]->now);
        const char *phase = dc_job_phase_of(pod);
        bool        over = strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
        bool        tracked = dc_array_has(dc_at(pod, "metadata", "finalizers", NULL), DC_JOB_TRACKING);
        if (over && tracked) {
            bool good = strcmp(phase, "Succeeded") == 0;
            dc_set_int(s->status, good ? "succeeded" : "failed",
                       dc_int_or(s->status, good ? "succeeded" : "failed", 0) + 1);
            s->new_failed += !good;
            cJSON_AddItemToArray(ended, pod);
            continue;
        }
        if (!over && s->pods[i]->now->deleting) {
            s->terminating++;
        } else if (!over) {
            const cJSON *first = cJSON_GetArrayItem(dc_at(pod, "status", "containerStatuses", NULL), 0);
            s->active++;
            s->ready += strcmp(phase, "Running") == 0 && cJSON_IsTrue(dc_get(first, "ready"));
            s->restarts += dc_int_or(first, "restartCount", 0);
        }
        cJSON_Delete(pod);
    }
}

/* The pods of a suspended Job are not failures: they leave uncounted. */
void dc_job_delete_active_pods(struct dc_sync *s, bool uncounted)
{
    dc_cluster *c = dc_sync_cluster(s);
    size_t      n;
    dc_slot   **slots = dc_store_dependents(&c->store, s->j->uid, &n);
    dc_object **pods = calloc(n + 1, sizeof(*pods));
    size_t      m = 0;

    for (size_t i = 0; i < n; i++) {
        if (slots[i]->kind == c->pods && !slots[i]->now->deleting) {
            pods[m++] = dc_object_hold(slots[i]->now);
        }
    }
    free(slots);
    for (size_t i = 0; i < m; i++) {
        cJSON      *pod = dc_object_tree(pods[i]);
        const char *phase = dc_job_phase_of(pod);
        if (strcmp(phase, "Pending") == 0 || strcmp(phase, "Running") == 0) {
            dc_delete  how = { .policy = DC_BACKGROUND, .grace_s = -1 };
            dc_fail    f = { 0 };
            dc_object *now = dc_store_get(c->pods, pods[i]->ns, pods[i]->name);
            if (now == pods[i]) {
                if (uncounted) {
                    dc_job_release_pod(c, pod);
                    now = dc_store_get(c->pods, pods[i]->ns, pods[i]->name);
                }
                dc_object_hold(now);
                dc_delete_object(c, c->pods, now, &how, &f);
                dc_object_release(now);
                dc_emit(c, s->tree, "Normal", "SuccessfulDelete", "Deleted pod: %s", pods[i]->name);
            }
            dc_fail_free(&f);
        }
        cJSON_Delete(pod);
        dc_object_release(pods[i]);
    }
    free(pods);
    s->terminating += s->active;
    s->active = s->ready = 0;
}

static cJSON *new_pod(const struct dc_sync *s)
{
    const cJSON *template = dc_get(s->spec, "template"), *from = dc_get(template, "metadata");
    cJSON       *pod = cJSON_CreateObject(), *metadata = dc_ensure(pod, "metadata");
    cJSON       *owner = cJSON_CreateObject();
    char         prefix[80], suffix[6];

    dc_random_suffix(suffix);
    snprintf(prefix, sizeof(prefix), "%.57s-", s->j->name);
    dc_set_str(metadata, "generateName", prefix);
    snprintf(prefix, sizeof(prefix), "%.57s-%s", s->j->name, suffix);
    dc_set_str(metadata, "name", prefix);
    dc_set_str(metadata, "namespace", s->j->ns);
    if (dc_get(from, "labels") != NULL) {
        dc_set(metadata, "labels", dc_copy(dc_get(from, "labels")));
    }
    if (dc_get(from, "annotations") != NULL) {
        dc_set(metadata, "annotations", dc_copy(dc_get(from, "annotations")));
    }
    dc_array_add(dc_ensure_array(metadata, "finalizers"), DC_JOB_TRACKING);
    dc_set_str(owner, "apiVersion", "batch/v1");
    dc_set_str(owner, "kind", "Job");
    dc_set_str(owner, "name", s->j->name);
    dc_set_str(owner, "uid", s->j->uid);
    dc_set_bool(owner, "controller", true);
    dc_set_bool(owner, "blockOwnerDeletion", true);
    cJSON_AddItemToArray(dc_ensure_array(metadata, "ownerReferences"), owner);
    dc_set(pod, "spec", dc_copy(dc_get(template, "spec")));
    return pod;
}

bool dc_job_create_pod(struct dc_sync *s)
{
    static const dc_write write = { 0 };
    dc_cluster           *c = dc_sync_cluster(s);
    cJSON                *pod = new_pod(s);
    dc_fail               f = { 0 };
    const dc_object      *o = dc_create_object(c, c->pods, &write, pod, &f);

    if (o != NULL) {
        s->active++;
        dc_emit(c, s->tree, "Normal", "SuccessfulCreate", "Created pod: %s", o->name);
    } else if (f.code != 0) {
        dc_emit(c, s->tree, "Warning", "FailedCreate", "Error creating: %s", f.message);
    }
    bool good = o != NULL;
    dc_fail_free(&f);
    cJSON_Delete(pod);
    return good;
}
