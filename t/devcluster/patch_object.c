/* PATCH: the four formats by Content-Type. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "apply.h"
#include "event_view.h"
#include "patch.h"
#include "schema_node.h"
#include "tree.h"
#include "write.h"

enum format { UNKNOWN, JSON_PATCH, MERGE_PATCH, STRATEGIC, APPLY };

static enum format format_of(const dc_request *r)
{
    static const struct {
        const char *type;
        enum format format;
    } known[] = {
        { "application/json-patch+json", JSON_PATCH },        { "application/merge-patch+json", MERGE_PATCH },
        { "application/strategic-merge-patch+json", STRATEGIC }, { "application/apply-patch+yaml", APPLY },
        { "application/apply-patch+json", APPLY },
    };
    const char *type = dc_header(r, "Content-Type");

    for (size_t i = 0; type != NULL && i < sizeof(known) / sizeof(known[0]); i++) {
        size_t len = strlen(known[i].type);
        if (strncmp(type, known[i].type, len) == 0 && (type[len] == '\0' || type[len] == ';' || type[len] == ' ')) {
            return known[i].format;
        }
    }
    return UNKNOWN;
}

static bool check_format(dc_request *r, enum format format)
{
    if (format == UNKNOWN || (format == STRATEGIC && r->kind->custom)) {
        return dc_fail_set(&r->fail, 415, "UnsupportedMediaType",
                           "the body of the request was in an unknown format - accepted media types include: "
                           "application/json-patch+json, application/merge-patch+json, %sapplication/apply-patch+yaml",
                           r->kind->custom ? "" : "application/strategic-merge-patch+json, ");
    }
    if (format == APPLY && (dc_query(r, "fieldManager") == NULL || *dc_query(r, "fieldManager") == '\0')) {
        static const dc_name name = { "meta.k8s.io", "PatchOptions", "patchoptions", "" };
        dc_errors            errors = { NULL };
        dc_required(&errors, "fieldManager", "is required for apply patch");
        return dc_errors_done(&errors, name, &r->fail);
    }
    if (format != APPLY && dc_query(r, "force") != NULL) {
        static const dc_name name = { "meta.k8s.io", "PatchOptions", "patchoptions", "" };
        dc_errors            errors = { NULL };
        dc_other_error(&errors, "FieldValueForbidden", "force", "Forbidden: may not be specified for non-apply patch");
        return dc_errors_done(&errors, name, &r->fail);
    }
    return true;
}

/* The tree with the patch, in the version that the client speaks; NULL: r->fail. */
static cJSON *patched(dc_request *r, enum format format, const dc_object *o, const cJSON *patch)
{
    cJSON *tree = dc_object_tree(o);
    bool   good = true;
    char   version[256];

    dc_api_version(r->kind, r->version, version);
    if (r->kind->view_of != NULL) {
        dc_event_from_core(tree);
    }
    dc_set_str(tree, "apiVersion", version);
    if (format == JSON_PATCH) {
        good = dc_json_patch(&tree, patch, &r->fail);
    } else if (format == MERGE_PATCH) {
        if (!cJSON_IsObject(patch)) {
            good = dc_fail_set(&r->fail, 400, "BadRequest",
                               "error decoding patch: json: cannot unmarshal %s into Go value of type "
                               "map[string]interface {}", dc_is_number(patch) ? "number" : dc_json_type(patch));
        } else {
            tree = dc_merge_patch(tree, patch);
        }
    } else {
        good = dc_strategic_patch(tree, patch, &r->fail);
    }
    if (good && (!dc_check_identity(r, tree) || !dc_check_blind(r, dc_kind_stored(r->kind), tree))) {
        good = false;
    }
    if (!good) {
        cJSON_Delete(tree);
        return NULL;
    }
    if (r->kind->view_of != NULL) {
        dc_event_to_core(tree);
    }
    return tree;
}

/* A patch that does not name a resourceVersion has no precondition: the tree then carries the present one. */
static void patch_object(dc_request *r, enum format format, const cJSON *patch)
{
    dc_kind   *kind = dc_kind_stored(r->kind);
    dc_object *o = dc_store_get(kind, r->ns != NULL ? r->ns : "", r->name);
    cJSON     *problems = cJSON_CreateArray();
    dc_write   w;

    if (o == NULL) {
        dc_fail_not_found(&r->fail, dc_request_name(r));
    } else if (dc_write_options(r, problems, &w)) {
        cJSON *tree = patched(r, format, o, patch);
        if (tree != NULL && r->sub != NULL && kind->custom) {
            dc_set_str(dc_get(tree, "metadata"), "uid", o->uid); /* the status of a custom object: uid is not looked at */
        }
        char *manager = dc_field_manager(r);
        w.manager = manager;
        dc_object *now = tree != NULL ? dc_update_object(r->cluster, kind, &w, tree, &r->fail) : NULL;
        free(manager);
        if (r->fail.code == 0) {
            dc_warn_problems(r, problems);
            dc_answer_object(r, 200, now, tree);
        }
        cJSON_Delete(tree);
    }
    cJSON_Delete(problems);
}

void dc_write_patch(dc_request *r)
{
    enum format format = format_of(r);
    const char *error = NULL;
    cJSON      *patch;

    if (!check_format(r, format)) {
        return;
    }
    patch = format == APPLY ? dc_body_tree(r, NULL) : dc_parse(r->body, &error, NULL);
    if (patch == NULL) {
        dc_fail_set(&r->fail, 400, "BadRequest", "error decoding patch: %s", error != NULL ? error : "");
    } else if (format == APPLY) {
        dc_apply(r, patch);
    } else {
        patch_object(r, format, patch);
    }
    cJSON_Delete(patch);
}
