/* DELETE of an object and of a collection, with propagation policies, preconditions and finalizers. */
#include "delete.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "list_options.h"
#include "view.h"
#include "meta.h"
#include "tree.h"
#include "write.h"

#define FOREGROUND "foregroundDeletion"
#define ORPHAN     "orphan"

/* The finalizer that stands for the policy replaces the one of another policy. */
static void set_policy(cJSON *metadata, enum dc_propagation policy)
{
    cJSON *finalizers = dc_ensure_array(metadata, "finalizers");

    dc_array_remove(finalizers, FOREGROUND);
    dc_array_remove(finalizers, ORPHAN);
    if (policy == DC_FOREGROUND) {
        dc_array_add(finalizers, FOREGROUND);
    } else if (policy == DC_ORPHAN) {
        dc_array_add(finalizers, ORPHAN);
    }
    if (finalizers->child == NULL) {
        dc_del(metadata, "finalizers");
    }
}

static enum dc_propagation effective(const dc_kind *kind, const cJSON *tree, enum dc_propagation policy)
{
    const cJSON *finalizers = dc_at(tree, "metadata", "finalizers", NULL);

    if (policy != DC_DEFAULT) {
        return policy;
    }
    if (dc_array_has(finalizers, FOREGROUND)) {
        return DC_FOREGROUND;
    }
    if (dc_array_has(finalizers, ORPHAN)) {
        return DC_ORPHAN;
    }
    return kind->orphan_default ? DC_ORPHAN : DC_BACKGROUND;
}

bool dc_delete_object(dc_cluster *c, dc_kind *kind, dc_object *o, const dc_delete *how, dc_fail *f)
{
    dc_name name = { kind->group, kind->kind, kind->kind, o->name };
    size_t  n;
    char    now[32], rv[24];

    snprintf(rv, sizeof(rv), "%" PRIu64, o->rv);
    if (how->uid != NULL && strcmp(how->uid, o->uid) != 0) {
        return dc_fail_conflict(f, name,
                                "the UID in the precondition (%s) does not match the UID in record (%s). The object "
                                "might have been deleted and then recreated", how->uid, o->uid);
    }
    if (how->rv != NULL && strcmp(how->rv, rv) != 0) {
        return dc_fail_conflict(f, name,
                                "the ResourceVersion in the precondition (%s) does not match the ResourceVersion in "
                                "record (%s). The object might have been modified", how->rv, rv);
    }
    if (how->dry_run) {
        return true;
    }
    cJSON              *tree = dc_object_tree(o);
    cJSON              *metadata = dc_get(tree, "metadata");
    enum dc_propagation policy = effective(kind, tree, how->policy);
    free(dc_store_dependents(&c->store, o->uid, &n));
    set_policy(metadata, policy);
    int64_t grace = 0;
    if (kind == c->pods) {
        int64_t own = dc_int_or(dc_get(tree, "spec"), "terminationGracePeriodSeconds", 30);
        grace = how->grace_s >= 0 ? how->grace_s : own;
    }
    bool held = dc_has_finalizers(tree) || (kind == c->namespaces && !o->deleting);
    if (grace > 0 && !held) {
        held = dc_pod_wants_grace(c, o);
    }
    if (!held) {
        dc_store_remove(&c->store, kind, o->ns, o->name);
    } else if (!o->deleting || n > 0) {
        if (!o->deleting) {
            dc_now(now);
            dc_set_str(metadata, "deletionTimestamp", now);
            dc_set_int(metadata, "deletionGracePeriodSeconds", grace);
            if (kind == c->namespaces) {
                dc_set_str(dc_ensure(tree, "status"), "phase", "Terminating");
                dc_del(metadata, "deletionGracePeriodSeconds");
            }
            if (kind->generation) {
                dc_set_int(metadata, "generation", dc_int_or(metadata, "generation", 0) + 1);
            }
        }
        cJSON *before = dc_object_tree(o);
        if (!dc_equal(before, tree)) {
            dc_store_put(&c->store, kind, tree);
        }
        cJSON_Delete(before);
    }
    cJSON_Delete(tree);
    return true;
}

static bool read_policy(const char *text, enum dc_propagation *policy)
{
    static const struct {
        const char         *name;
        enum dc_propagation policy;
    } known[] = { { "Background", DC_BACKGROUND }, { "Foreground", DC_FOREGROUND }, { "Orphan", DC_ORPHAN } };

    for (size_t i = 0; i < 3; i++) {
        if (strcmp(text, known[i].name) == 0) {
            *policy = known[i].policy;
            return true;
        }
    }
    return false;
}

/* DeleteOptions from the body and the query. The strings live in *body. */
static bool read_options(dc_request *r, dc_delete *how, cJSON **body)
{
    static const dc_name name = { "meta.k8s.io", "DeleteOptions", "deleteoptions", "" };
    const char          *policy = dc_query(r, "propagationPolicy");
    const char          *grace = dc_query(r, "gracePeriodSeconds");
    dc_errors            errors = { NULL };

    *how = (dc_delete){ .policy = DC_DEFAULT, .dry_run = r->dry_run, .grace_s = -1 };
    if (r->body.len > 0) {
        const char *type = dc_header(r, "Content-Type");
        if (!dc_known_body_type(type)) {
            return dc_fail_set(&r->fail, 415, "UnsupportedMediaType",
                               "the body of the request was in an unknown format - accepted media types include: "
                               "application/json, application/yaml, application/vnd.kubernetes.protobuf");
        }
        *body = dc_body_tree(r, NULL);
        if (*body == NULL) {
            return false;
        }
        const cJSON *preconditions = dc_get(*body, "preconditions");
        policy = dc_str(*body, "propagationPolicy") != NULL ? dc_str(*body, "propagationPolicy") : policy;
        how->uid = dc_str(preconditions, "uid");
        how->rv = dc_str(preconditions, "resourceVersion");
        how->dry_run = how->dry_run || dc_array_has(dc_get(*body, "dryRun"), "All");
        how->grace_s = dc_int_or(*body, "gracePeriodSeconds", how->grace_s);
        if (dc_get(*body, "orphanDependents") != NULL && dc_str(*body, "propagationPolicy") != NULL) {
            dc_invalid_text(&errors, "propagationPolicy", policy,
                            "orphanDependents and deletionPropagation cannot be both set");
        } else if (cJSON_IsTrue(dc_get(*body, "orphanDependents"))) {
            how->policy = DC_ORPHAN;
        }
    }
    if (grace != NULL) {
        char *end;
        how->grace_s = strtoll(grace, &end, 10);
        if (*end != '\0') {
            return dc_fail_set(&r->fail, 400, "BadRequest", "strconv.ParseInt: parsing \"%s\": invalid syntax", grace);
        }
    }
    if (policy != NULL && *policy != '\0' && !read_policy(policy, &how->policy)) {
        dc_other_error(&errors, "FieldValueNotSupported", "propagationPolicy",
                       "Unsupported value: \"%s\": supported values: \"Foreground\", \"Background\", \"Orphan\", "
                       "\"nil\"", policy);
    }
    return dc_errors_done(&errors, name, &r->fail);
}

static void answer_gone(dc_request *r, const dc_object *o)
{
    cJSON *status = cJSON_CreateObject();
    cJSON *details;

    dc_set_str(status, "kind", "Status");
    dc_set_str(status, "apiVersion", "v1");
    dc_set(status, "metadata", cJSON_CreateObject());
    dc_set_str(status, "status", "Success");
    details = dc_ensure(status, "details");
    dc_set_str(details, "name", o->name);
    if (*r->kind->group != '\0') {
        dc_set_str(details, "group", r->kind->group);
    }
    dc_set_str(details, "kind", r->kind->plural);
    dc_set_str(details, "uid", o->uid);
    dc_answer_tree(r, 200, status);
    cJSON_Delete(status);
}

void dc_delete_one(dc_request *r)
{
    dc_kind   *kind = dc_kind_stored(r->kind);
    dc_object *o = dc_store_get(kind, r->ns != NULL ? r->ns : "", r->name);
    cJSON     *body = NULL;
    dc_delete  how;

    if (o == NULL) {
        dc_fail_not_found(&r->fail, dc_request_name(r));
        return;
    }
    dc_object_hold(o);
    if (read_options(r, &how, &body) && dc_delete_object(r->cluster, kind, o, &how, &r->fail)) {
        if (kind->orphan_default && how.policy == DC_DEFAULT) {
            dc_answer_warning(r, "child pods are preserved by default when jobs are deleted; set "
                                 "propagationPolicy=Background to remove them or set propagationPolicy=Orphan to "
                                 "suppress this warning");
        }
        const dc_object *now = dc_store_get(kind, o->ns, o->name);
        if (now == NULL || (how.dry_run && kind != r->cluster->pods)) {
            answer_gone(r, o);
        } else {
            dc_answer_object(r, 200, now, NULL);
        }
    }
    cJSON_Delete(body);
    dc_object_release(o);
}

void dc_delete_collection(dc_request *r)
{
    dc_kind        *kind = dc_kind_stored(r->kind);
    dc_list_options o;
    cJSON          *body = NULL;
    dc_delete       how;
    size_t          n, m = 0;

    if (r->kind->namespaced && r->ns == NULL) {
        dc_fail_set(&r->fail, 405, "MethodNotAllowed",
                    "the server does not allow this method on the requested resource");
        return;
    }
    if (dc_list_options_read(r, &o) && read_options(r, &how, &body)) {
        dc_object **objects = dc_store_list(kind, r->ns, &n);
        dc_object **chosen = malloc((n + 1) * sizeof(*chosen));
        for (size_t i = 0; i < n; i++) {
            if (dc_selector_matches(o.selector, objects[i])) {
                chosen[m++] = objects[i];
            }
        }
        for (size_t i = 0; i < m && r->fail.code == 0; i++) {
            dc_object *now = dc_store_get(kind, chosen[i]->ns, chosen[i]->name);
            if (now != NULL) { /* the end of another one may have taken it along */
                dc_object_hold(now);
                dc_delete_object(r->cluster, kind, now, &how, &r->fail);
                dc_object_release(now);
            }
        }
        if (r->fail.code == 0) {
            r->code = 200;
            r->content_type = "application/json";
            r->form = DC_FORM_JSON;
            dc_view_list(r, chosen, m, r->cluster->store.rv, NULL, -1, &r->answer);
        }
        free(chosen);
        dc_objects_free(objects, n);
    }
    cJSON_Delete(body);
    dc_list_options_free(&o);
}
