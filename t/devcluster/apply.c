#include "apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "fieldset.h"
#include "meta.h"
#include "tree.h"
#include "write.h"

static cJSON *managers_of(cJSON *object)
{
    return dc_ensure_array(dc_get(object, "metadata"), "managedFields");
}

static cJSON *find_manager(cJSON *managers, const char *name, const char *operation)
{
    for (cJSON *m = managers->child; m != NULL; m = m->next) {
        if (strcmp(dc_str(m, "manager"), name) == 0 && strcmp(dc_str(m, "operation"), operation) == 0) {
            return m;
        }
    }
    return NULL;
}

/* Takes the set. An empty one removes the entry. */
static void set_manager(cJSON *managers, const char *name, const char *operation, const char *api_version, cJSON *set)
{
    cJSON *m = find_manager(managers, name, operation);
    char   now[32];

    if (set->child == NULL) {
        cJSON_Delete(set);
        cJSON_Delete(m != NULL ? cJSON_DetachItemViaPointer(managers, m) : NULL);
        return;
    }
    if (m == NULL) {
        m = cJSON_CreateObject();
        dc_set_str(m, "manager", name);
        dc_set_str(m, "operation", operation);
        cJSON_AddItemToArray(managers, m);
    }
    dc_set_str(m, "apiVersion", api_version);
    if (!dc_equal(dc_get(m, "fieldsV1"), set)) {
        dc_now(now);
        dc_set_str(m, "time", now);
    }
    dc_set_str(m, "fieldsType", "FieldsV1");
    dc_set(m, "fieldsV1", set);
}

char *dc_field_manager(const dc_request *r)
{
    const char *given = dc_query(r, "fieldManager"), *agent = dc_header(r, "User-Agent");

    if (given != NULL && *given != '\0') {
        return strdup(given);
    }
    return agent != NULL ? strndup(agent, strcspn(agent, "/")) : strdup("unknown");
}

/* "conflict with "x" using v1: .spec.a" */
static void fail_conflict(dc_request *r, const cJSON *found)
{
    dsp_buf text;
    int     n = cJSON_GetArraySize(found);
    char    message[600];

    dsp_buf_init(&text, 1 << 20);
    for (const cJSON *c = found->child; c != NULL; c = c->next) {
        dsp_buf_addf(&text, n > 1 ? "\n- %s: %s" : "%s: %s", dc_str(c, "with"), dc_str(c, "field"));
    }
    dc_fail_set(&r->fail, 409, "Conflict", "Apply failed with %d conflict%s: %s%s", n, n > 1 ? "s" : "",
                n > 1 ? "conflicts with:" : "", dsp_buf_cstr(&text));
    dsp_buf_free(&text);
    for (const cJSON *c = found->child; c != NULL; c = c->next) {
        snprintf(message, sizeof(message), "%s", dc_str(c, "with"));
        dc_fail_cause(&r->fail, "FieldManagerConflict", dc_str(c, "field"), message);
    }
}

/* Fields of others that would change: a conflict, or with force they are not theirs any more. */
static bool settle_conflicts(dc_request *r, cJSON *managers, const cJSON *mine, const cJSON *set, const cJSON *config,
                             const cJSON *live)
{
    bool   force = dc_query_is(r, "force", "true");
    cJSON *found = cJSON_CreateArray();
    char   with[400];

    for (cJSON *m = managers->child; m != NULL; m = m->next) {
        cJSON *fields = cJSON_CreateArray();
        if (m != mine) {
            dc_fieldset_conflicts(set, dc_get(m, "fieldsV1"), config, live, fields);
        }
        for (const cJSON *f = fields->child; f != NULL; f = f->next) {
            cJSON *c = cJSON_CreateObject();
            bool applier = strcmp(dc_str(m, "operation"), "Apply") == 0;
            snprintf(with, sizeof(with),
                     applier ? "conflict with \"%.200s\"" : "conflict with \"%.200s\" using %.100s",
                     dc_str(m, "manager"), dc_str(m, "apiVersion"));
            dc_set_str(c, "with", with);
            dc_set_str(c, "field", f->valuestring);
            cJSON_AddItemToArray(found, c);
        }
        if (fields->child != NULL && force) {
            dc_fieldset_remove(dc_get(m, "fieldsV1"), set);
        }
        cJSON_Delete(fields);
    }
    bool clear = found->child == NULL || force;
    if (!clear) {
        fail_conflict(r, found);
    }
    cJSON_Delete(found);
    return clear;
}

/* What this applier owned, has not said again, and nobody else owns, goes. */
static void prune(cJSON *live, cJSON *managers, const cJSON *mine, const cJSON *set)
{
    cJSON *keep = dc_copy(set);

    for (const cJSON *m = managers->child; m != NULL; m = m->next) {
        if (m != mine) {
            dc_fieldset_add(keep, dc_get(m, "fieldsV1"));
        }
    }
    dc_fieldset_prune(live, dc_get(mine, "fieldsV1"), keep);
    cJSON_Delete(keep);
}

static void apply_to(dc_request *r, dc_kind *kind, const dc_write *w, const dc_object *o, const cJSON *config)
{
    const dc_schema *s = kind->versions[w->version].schema;
    const char      *manager = dc_query(r, "fieldManager");
    cJSON           *live = dc_object_tree(o), *set = dc_fieldset_of(config, s);
    cJSON           *managers = managers_of(live);
    char             version[256];

    dc_api_version(r->kind, r->version, version);
    if (managers->child == NULL) {
        set_manager(managers, "before-first-apply", "Update", version, dc_fieldset_of(live, s));
    }
    cJSON *mine = find_manager(managers, manager, "Apply");
    if (settle_conflicts(r, managers, mine, set, config, live)) {
        if (mine != NULL) {
            prune(live, managers, mine, set);
        }
        dc_fieldset_merge(live, config, s);
        set_manager(managers_of(live), manager, "Apply", version, dc_copy(set));
        dc_del(dc_get(live, "metadata"), "resourceVersion");
        const char *rv = dc_str(dc_get(config, "metadata"), "resourceVersion");
        if (rv != NULL) {
            dc_set_str(dc_get(live, "metadata"), "resourceVersion", rv);
        }
        dc_object *now = dc_update_object(r->cluster, kind, w, live, &r->fail);
        if (r->fail.code == 0) {
            dc_warn_problems(r, w->problems);
            dc_answer_object(r, 200, now, live);
        }
    }
    cJSON_Delete(set);
    cJSON_Delete(live);
}

static void create(dc_request *r, dc_kind *kind, const dc_write *w, cJSON *config)
{
    const dc_schema *s = kind->versions[w->version].schema;
    char             version[256];
    cJSON           *set = dc_fieldset_of(config, s);

    dc_api_version(r->kind, r->version, version);
    set_manager(managers_of(config), dc_query(r, "fieldManager"), "Apply", version, set);
    dc_object *o = dc_create_object(r->cluster, kind, w, config, &r->fail);
    if (r->fail.code == 0) {
        dc_warn_problems(r, w->problems);
        dc_answer_object(r, 201, o, config);
    }
}

void dc_apply(dc_request *r, cJSON *config)
{
    dc_kind *kind = dc_kind_stored(r->kind);
    cJSON   *problems = cJSON_CreateArray();
    dc_write w;

    if (dc_check_identity(r, config) && dc_write_options(r, problems, &w)) {
        const char *uid = dc_str(dc_get(config, "metadata"), "uid");
        dc_object  *o = dc_store_get(kind, r->ns != NULL ? r->ns : "", r->name);
        if (dc_get(dc_get(config, "metadata"), "managedFields") != NULL) {
            dc_fail_set(&r->fail, 400, "BadRequest", "metadata.managedFields must be nil");
        } else if (o != NULL) {
            apply_to(r, kind, &w, o, config);
        } else if (uid != NULL || r->sub != NULL) {
            dc_fail_not_found(&r->fail, dc_request_name(r));
        } else {
            create(r, kind, &w, config);
        }
    }
    cJSON_Delete(problems);
}

void dc_apply_track(const dc_kind *kind, int version, const char *manager, cJSON *object, const cJSON *old)
{
    cJSON *managers = dc_at(object, "metadata", "managedFields", NULL);
    char   api_version[256];

    if (!cJSON_IsArray(managers) || managers->child == NULL) {
        return;
    }
    cJSON *changed = dc_fieldset_changed(old, object, kind->versions[version].schema), *next;
    cJSON *entry = find_manager(managers, manager, "Update");
    for (cJSON *m = managers->child; m != NULL && changed->child != NULL; m = next) {
        next = m->next;
        if (m != entry) {
            dc_fieldset_remove(dc_get(m, "fieldsV1"), changed);
            if (dc_get(m, "fieldsV1")->child == NULL) {
                cJSON_Delete(cJSON_DetachItemViaPointer(managers, m));
            }
        }
    }
    if (changed->child != NULL) {
        if (entry != NULL) {
            dc_fieldset_add(changed, dc_get(entry, "fieldsV1"));
        }
        dc_api_version(kind, version, api_version);
        set_manager(managers, manager, "Update", api_version, changed);
    } else {
        cJSON_Delete(changed);
    }
}
