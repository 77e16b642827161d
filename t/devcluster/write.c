#include "write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "delete.h"
#include "meta.h"
#include "namespaces.h"
#include "schema.h"
#include "tree.h"

static bool namespace_open(dc_cluster *c, const dc_kind *kind, const char *ns, const char *name, dc_fail *f)
{
    const dc_object *o = dc_store_get(c->namespaces, "", ns);
    char             message[512];

    if (o == NULL) {
        return dc_fail_not_found(f, dc_kind_name(c->namespaces, ns));
    }
    if (!o->deleting) {
        return true;
    }
    dc_fail_set(f, 403, "Forbidden",
                "%s%s%s \"%s\" is forbidden: unable to create new content in namespace %s because it is being "
                "terminated", kind->plural, *kind->group != '\0' ? "." : "", kind->group, name, ns);
    f->details = cJSON_CreateObject();
    dc_set_str(f->details, "name", name);
    dc_set_str(f->details, "kind", kind->plural);
    if (*kind->group != '\0') {
        dc_set_str(f->details, "group", kind->group);
    }
    snprintf(message, sizeof(message), "namespace %s is being terminated", ns);
    dc_fail_cause(f, "NamespaceTerminating", "metadata.namespace", message);
    return false;
}

/* The order in which an object is written: apiVersion first (store.h), then as everywhere. */
static void put_header_first(const dc_kind *kind, cJSON *tree)
{
    char   version[256];
    cJSON *api = dc_get(tree, "apiVersion"), *kind_node = dc_get(tree, "kind"), *metadata = dc_get(tree, "metadata");

    dc_api_version(kind, kind->storage, version);
    if (kind->custom) {
        dc_sort(tree);
    }
    cJSON_Delete(cJSON_DetachItemViaPointer(tree, api));
    cJSON_Delete(cJSON_DetachItemViaPointer(tree, kind_node));
    cJSON_DetachItemViaPointer(tree, metadata);
    free(metadata->string);
    metadata->string = NULL;
    cJSON *names[] = { cJSON_CreateString(version), cJSON_CreateString(kind->kind), metadata };
    const char *const keys[] = { "apiVersion", "kind", "metadata" };
    for (int i = 0; i < 3; i++) {
        names[i]->string = strdup(keys[i]);
        dc_insert(tree, i, names[i]);
    }
}

static void default_type(const dc_kind *kind, cJSON *tree)
{
    if (dc_get(tree, "apiVersion") == NULL) {
        dc_set_str(tree, "apiVersion", "");
    }
    if (dc_get(tree, "kind") == NULL) {
        dc_set_str(tree, "kind", kind->kind);
    }
}

static bool refuse_problems(const dc_kind *kind, const dc_write *w, const cJSON *tree, dc_fail *f)
{
    dsp_buf     text;
    const char *version = kind->versions[w->version].name;

    if (!w->strict || w->problems == NULL || w->problems->child == NULL) {
        return true;
    }
    dsp_buf_init(&text, 1 << 20);
    for (const cJSON *p = w->problems->child; p != NULL; p = p->next) {
        dsp_buf_addf(&text, "%s%s", p == w->problems->child ? "" : ", ", p->valuestring);
    }
    if (w->patch) {
        dc_errors errors = { NULL };
        dsp_buf   object;
        dsp_buf_init(&object, 16 << 20);
        dc_print(&object, tree);
        dc_invalid_text(&errors, "patch", dsp_buf_cstr(&object), "strict decoding error: %s", dsp_buf_cstr(&text));
        dc_errors_done(&errors, (dc_name){ "", "", "", "" }, f);
        dsp_buf_free(&object);
    } else {
        dc_fail_set(f, 400, "BadRequest",
                    "%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s", kind->kind, version,
                    kind->kind, dsp_buf_cstr(&text));
    }
    dsp_buf_free(&text);
    return false;
}

static bool check(dc_cluster *c, dc_kind *kind, const dc_write *w, cJSON *tree, const cJSON *old, dc_fail *f)
{
    dc_errors      errors = { NULL };
    const dc_hooks *hooks = kind->hooks;

    if (kind->custom) {
        dc_sort(tree);
    }
    if (!dc_meta_decode(kind, w->version, tree, w->problems, f) ||
        !dc_schema_prune(kind, w->version, tree, w->problems, f) || !refuse_problems(kind, w, tree, f)) {
        return false;
    }
    if (hooks != NULL && hooks->prepare != NULL) {
        hooks->prepare(c, tree, old);
    }
    if (old != NULL) {
        dc_meta_count_generation(kind, tree, old);
    }
    dc_meta_validate(kind, tree, old, &errors);
    dc_schema_validate(kind, w->version, tree, old, &errors);
    if (hooks != NULL && hooks->validate != NULL) {
        hooks->validate(tree, old, &errors);
    }
    const char *name = dc_str(dc_get(tree, "metadata"), "name");
    return dc_errors_done(&errors, dc_kind_name(kind, name != NULL ? name : ""), f);
}

/* A generated name that is taken is generated anew, as servers since 1.31 do. */
static bool name_is_free(dc_kind *kind, cJSON *tree)
{
    cJSON      *metadata = dc_get(tree, "metadata");
    const char *ns = dc_str(metadata, "namespace");

    return dc_store_slot(kind, ns != NULL ? ns : "", dc_str(metadata, "name")) == NULL;
}

dc_object *dc_create_object(dc_cluster *c, dc_kind *kind, const dc_write *w, cJSON *tree, dc_fail *f)
{
    cJSON      *metadata = dc_ensure(tree, "metadata");
    const char *given = dc_str(metadata, "name");
    bool        generated = given == NULL || *given == '\0';
    const char *ns = dc_str(metadata, "namespace");

    if (!cJSON_IsObject(metadata)) {
        dc_fail_set(f, 400, "BadRequest", "metadata: Invalid value: not an object");
        return NULL;
    }
    if (dc_str(metadata, "resourceVersion") != NULL && *dc_str(metadata, "resourceVersion") != '\0') {
        dc_fail_set(f, 500, "", "resourceVersion should not be set on objects to be created");
        return NULL;
    }
    if (kind->namespaced && !namespace_open(c, kind, ns, given != NULL ? given : "", f)) {
        return NULL;
    }
    default_type(kind, tree);
    if (kind->status) {
        dc_del(tree, "status");
    }
    dc_meta_create(kind, tree);
    for (int i = 0; generated && i < 8 && dc_str(metadata, "name") != NULL && !name_is_free(kind, tree); i++) {
        dc_set_str(metadata, "name", "");
        dc_meta_create(kind, tree);
    }
    if (!check(c, kind, w, tree, NULL, f)) {
        return NULL;
    }
    if (!name_is_free(kind, tree)) {
        dc_fail_exists(f, dc_kind_name(kind, dc_str(metadata, "name")));
        return NULL;
    }
    if (kind->hooks != NULL && kind->hooks->admit != NULL && !kind->hooks->admit(c, tree, f)) {
        return NULL;
    }
    put_header_first(kind, tree);
    return w->dry_run ? NULL : dc_store_put(&c->store, kind, tree);
}

/* The part that this way of writing may change is taken from the new tree, the rest from the old one. */
static void limit_to_sub(const dc_kind *kind, cJSON *tree, const cJSON *old, const char *sub)
{
    const cJSON *status = dc_get(sub != NULL ? tree : old, "status");

    if (sub == NULL && kind->status) {
        dc_del(tree, "status");
        if (status != NULL) {
            dc_set(tree, "status", dc_copy(status));
        }
    } else if (sub != NULL && strcmp(sub, "status") == 0) {
        /* all but the status is the old object's; custom resources keep even the metadata, but for managedFields */
        cJSON *kept = status != NULL ? dc_copy(status) : NULL;
        cJSON *labels = dc_get(tree, "metadata");
        cJSON *metadata = !kind->custom && cJSON_IsObject(labels) ? dc_copy(labels) : dc_copy(dc_get(old, "metadata"));
        while (tree->child != NULL) {
            cJSON_Delete(cJSON_DetachItemViaPointer(tree, tree->child));
        }
        for (const cJSON *m = old->child; m != NULL; m = m->next) {
            if (strcmp(m->string, "status") != 0 && strcmp(m->string, "metadata") != 0) {
                dc_set(tree, m->string, dc_copy(m));
            }
        }
        dc_set(tree, "metadata", metadata);
        if (kept != NULL) {
            dc_set(tree, "status", kept);
        }
    }
}

static bool check_version(const dc_kind *kind, const dc_write *w, const cJSON *tree, const dc_object *old,
                          const char *name, dc_fail *f)
{
    const char *rv = dc_str(dc_get(tree, "metadata"), "resourceVersion");
    const char *uid = dc_str(dc_get(tree, "metadata"), "uid");
    char        present[24];
    uint64_t    number;

    if (uid != NULL && *uid != '\0' && strcmp(uid, old->uid) != 0 && kind->custom && w->patch) {
        dc_errors errors = { NULL };
        dc_invalid_text(&errors, "metadata.uid", uid, "field is immutable");
        return dc_errors_done(&errors, dc_kind_name(kind, name), f);
    }
    if (uid != NULL && *uid != '\0' && strcmp(uid, old->uid) != 0) {
        return dc_fail_conflict(f, dc_kind_name(kind, name),
                                "StorageError: invalid object, Code: 4, Key: /registry/%s%s%s/%s/%s, ResourceVersion: "
                                "0, AdditionalErrorMsg: Precondition failed: UID in precondition: %s, UID in object "
                                "meta: %s", kind->custom ? kind->group : "", kind->custom ? "/" : "", kind->plural, old->ns, old->name, uid, old->uid);
    }
    if (rv == NULL || *rv == '\0' || strcmp(rv, "0") == 0) {
        return true;
    }
    if (!dsp_str_u64(dsp_str_from(rv), &number)) {
        return dc_fail_set(f, 500, "", "strconv.ParseUint: parsing \"%s\": invalid syntax", rv);
    }
    snprintf(present, sizeof(present), "%" PRIu64, old->rv);
    if (strcmp(rv, present) != 0) {
        return dc_fail_conflict(f, dc_kind_name(kind, name),
                                "the object has been modified; please apply your changes to the latest version and "
                                "try again");
    }
    return true;
}

/* A writer that leaves managedFields out does not mean to clear them; only an empty list does. */
static void keep_managers(const dc_kind *kind, const dc_write *w, cJSON *tree, const cJSON *old)
{
    cJSON       *metadata = dc_get(tree, "metadata");
    const cJSON *before = dc_at(old, "metadata", "managedFields", NULL);

    if (w->manager == NULL) {
        return;
    }
    if (dc_get(metadata, "managedFields") == NULL && before != NULL) {
        dc_set(metadata, "managedFields", dc_copy(before));
    }
    dc_apply_track(kind, w->version, w->manager, tree, old);
}

static bool finished_dying(const cJSON *tree)
{
    return dc_str(dc_get(tree, "metadata"), "deletionTimestamp") != NULL && !dc_has_finalizers(tree);
}

dc_object *dc_update_object(dc_cluster *c, dc_kind *kind, const dc_write *w, cJSON *tree, dc_fail *f)
{
    cJSON      *metadata = dc_ensure(tree, "metadata");
    const char *ns = dc_str(metadata, "namespace");
    const char *name = dc_str(metadata, "name");
    dc_object  *present = dc_store_get(kind, ns != NULL ? ns : "", name);
    dc_object  *result = NULL;

    if (present == NULL) {
        dc_fail_not_found(f, dc_kind_name(kind, name));
        return NULL;
    }
    if (!check_version(kind, w, tree, present, name, f)) {
        return NULL;
    }
    cJSON *old = dc_object_tree(present);
    default_type(kind, tree);
    limit_to_sub(kind, tree, old, w->sub);
    dc_meta_update(kind, tree, old);
    keep_managers(kind, w, tree, old);
    if (check(c, kind, w, tree, old, f)) {
        put_header_first(kind, tree);
        bool held = kind == c->namespaces ? dc_namespace_is_held(tree)
                                          : kind == c->pods && dc_pod_wants_grace(c, present);
        if (finished_dying(tree) && !held) {
            if (!w->dry_run) {
                dc_store_remove(&c->store, kind, present->ns, present->name);
            }
        } else if (dc_equal(tree, old)) {
            result = present;
        } else if (!w->dry_run) {
            result = dc_store_put(&c->store, kind, tree);
        }
    }
    cJSON_Delete(old);
    return result;
}
