/* POST and PUT: from a request to what write.c does to the store, and back to its answer. */
#include "write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "apply.h"
#include "event_view.h"
#include "tree.h"
#include "view.h"

bool dc_check_identity(dc_request *r, cJSON *tree)
{
    const char *api = dc_str(tree, "apiVersion"), *kind = dc_str(tree, "kind");
    char        wanted[256];

    dc_api_version(r->kind, r->version, wanted);
    if (!cJSON_IsObject(tree) || (r->kind->custom && (kind == NULL || *kind == '\0'))) {
        return dc_fail_set(&r->fail, 400, "BadRequest",
                           "the object provided is unrecognized (must be of type %s): Object 'Kind' is missing in "
                           "'%.*s' (%.*s%s)", r->kind->kind, (int) (r->body.len < 4096 ? r->body.len : 4096),
                           r->body.data, (int) (r->body.len < 30 ? r->body.len : 30), r->body.data,
                           r->body.len > 30 ? " ..." : "");
    }
    if (api != NULL && *api != '\0' && strcmp(api, wanted) != 0) {
        return dc_fail_set(&r->fail, 400, "BadRequest",
                           "the API version in the data (%s) does not match the expected API version (%s)", api,
                           wanted);
    }
    if (kind != NULL && *kind != '\0' && strcmp(kind, r->kind->kind) != 0 && r->kind->custom) {
        dc_errors errors = { NULL };
        char      rule[300];
        dc_name   name = { r->kind->group, kind, r->kind->plural, dc_str(dc_get(tree, "metadata"), "name") };
        snprintf(rule, sizeof(rule), "must be %s", r->kind->kind);
        dc_invalid_text(&errors, "kind", kind, "%s", rule);
        return dc_errors_done(&errors, name, &r->fail);
    }
    if (kind != NULL && *kind != '\0' && strcmp(kind, r->kind->kind) != 0) {
        return dc_fail_set(&r->fail, 400, "BadRequest",
                           "%s in version \"%s\" cannot be handled as a %s: the kind in the data is %s", r->kind->kind,
                           r->kind->versions[r->version].name, r->kind->kind, kind);
    }
    cJSON      *metadata = dc_ensure(tree, "metadata");
    const char *ns = dc_str(metadata, "namespace"), *name = dc_str(metadata, "name");
    if (!cJSON_IsObject(metadata)) {
        return dc_fail_set(&r->fail, 400, "BadRequest", "metadata is not an object");
    }
    if (r->ns != NULL && ns != NULL && *ns != '\0' && strcmp(ns, r->ns) != 0) {
        return dc_fail_set(&r->fail, 400, "BadRequest",
                           "the namespace of the provided object does not match the namespace sent on the request");
    }
    if (r->method == EVHTTP_REQ_PUT && (name == NULL || *name == '\0')) {
        return dc_fail_set(&r->fail, 400, "BadRequest",
                           "the name of the object (%s based on URL) was undeterminable: name must be provided", r->name);
    }
    if (r->name != NULL && name != NULL && *name != '\0' && strcmp(name, r->name) != 0) {
        return dc_fail_set(&r->fail, 400, "BadRequest",
                           "the name of the object (%s) does not match the name on the URL (%s)", name, r->name);
    }
    if (r->ns != NULL) {
        dc_set_str(metadata, "namespace", r->ns);
    } else {
        dc_del(metadata, "namespace");
    }
    if (r->name != NULL) {
        dc_set_str(metadata, "name", r->name);
    }
    return true;
}

void dc_answer_object(dc_request *r, int code, const dc_object *o, const cJSON *tree)
{
    char version[256];

    if (o != NULL) {
        r->code = code;
        r->content_type = "application/json";
        dc_view_object(r, o, true, &r->answer);
        dsp_buf_addc(&r->answer, '\n');
        return;
    }
    cJSON *copy = dc_copy(tree);
    dc_api_version(r->kind, r->version, version);
    if (r->kind->view_of != NULL) {
        dc_event_from_core(copy);
    }
    dc_set_str(copy, "apiVersion", version);
    dc_answer_tree(r, code, copy);
    cJSON_Delete(copy);
}

/* The body of a create or replace, checked for what can be known without the store. NULL: r->fail. */
static cJSON *read_object(dc_request *r, cJSON *problems)
{
    const char *type = dc_header(r, "Content-Type");
    cJSON      *duplicates = cJSON_CreateArray();
    char        text[600];

    if (!dc_known_body_type(type)) {
        dc_fail_set(&r->fail, 415, "UnsupportedMediaType",
                    "the body of the request was in an unknown format - accepted media types include: "
                    "application/json, application/yaml, application/vnd.kubernetes.protobuf");
        cJSON_Delete(duplicates);
        return NULL;
    }
    cJSON *tree = dc_body_tree(r, duplicates);
    for (const cJSON *d = duplicates->child; d != NULL; d = d->next) {
        snprintf(text, sizeof(text), "duplicate field \"%s\"", d->valuestring);
        cJSON_AddItemToArray(problems, cJSON_CreateString(text));
    }
    cJSON_Delete(duplicates);
    if (tree == NULL || !dc_check_identity(r, tree)) {
        cJSON_Delete(tree);
        return NULL;
    }
    if (r->kind->view_of != NULL) {
        dc_event_to_core(tree);
    }
    return tree;
}

bool dc_write_options(dc_request *r, cJSON *problems, dc_write *w)
{
    dc_name     name = { "meta.k8s.io", dc_options_kind(r), "", "" };
    const char *mode = dc_query(r, "fieldValidation");
    dc_errors   errors = { NULL };

    if (mode != NULL && *mode != '\0' && strcmp(mode, "Ignore") != 0 && strcmp(mode, "Warn") != 0 &&
        strcmp(mode, "Strict") != 0) {
        dc_other_error(&errors, "FieldValueNotSupported", "fieldValidation",
                       "Unsupported value: \"%s\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"", mode);
    }
    *w = (dc_write){ .version = r->kind->view_of != NULL ? r->kind->view_of->storage : r->version,
                     .sub = r->sub,
                     .dry_run = r->dry_run,
                     .patch = r->method == EVHTTP_REQ_PATCH,
                     .strict = mode != NULL && strcmp(mode, "Strict") == 0,
                     .problems = problems };
    return dc_errors_done(&errors, name, &r->fail);
}

void dc_warn_problems(dc_request *r, const cJSON *problems)
{
    if (dc_query_is(r, "fieldValidation", "Ignore")) {
        return;
    }
    for (const cJSON *p = problems->child; p != NULL; p = p->next) {
        dc_answer_warning(r, p->valuestring);
    }
}

static void warn_of_name(dc_request *r, const cJSON *tree)
{
    const char *name = dc_str(dc_get(tree, "metadata"), "name");

    if (r->kind == r->cluster->jobs && strchr(name, '.') != NULL) {
        dc_answer_warning(r, "metadata.name: this is used in Pod names and hostnames, which can result in surprising "
                             "behavior; a DNS label is recommended: [must not contain dots]");
    }
}

/* What events.k8s.io/v1 demands more than core/v1. */
static bool check_new_event(dc_request *r, const cJSON *event)
{
    const char *type = dc_str(event, "type");
    dc_errors   errors = { NULL };

    if (r->kind->view_of == NULL) {
        return true;
    }
    if (dc_str(event, "eventTime") == NULL) {
        dc_required(&errors, "eventTime", "");
    }
    if (type == NULL || (strcmp(type, "Normal") != 0 && strcmp(type, "Warning") != 0)) {
        dc_invalid_text(&errors, "type", type != NULL ? type : "", "has invalid value: %s", type != NULL ? type : "");
    }
    return dc_errors_done(&errors, (dc_name){ "", "Event", "events", dc_str(dc_get(event, "metadata"), "name") },
                          &r->fail);
}

void dc_write_create(dc_request *r)
{
    cJSON   *problems = cJSON_CreateArray();
    cJSON   *tree = read_object(r, problems);
    dc_write w;

    if (tree != NULL && r->kind->namespaced && r->ns == NULL) {
        dc_fail_set(&r->fail, 405, "MethodNotAllowed",
                    "the server does not allow this method on the requested resource");
    } else if (tree != NULL && dc_write_options(r, problems, &w) && check_new_event(r, tree)) {
        dc_object *o = dc_create_object(r->cluster, dc_kind_stored(r->kind), &w, tree, &r->fail);
        if (r->fail.code == 0) {
            dc_warn_problems(r, problems);
            warn_of_name(r, tree);
            dc_answer_object(r, 201, o, tree);
        }
    }
    cJSON_Delete(tree);
    cJSON_Delete(problems);
}

bool dc_check_blind(dc_request *r, const dc_kind *kind, const cJSON *tree)
{
    const char *rv = dc_str(dc_get(tree, "metadata"), "resourceVersion");
    dc_errors   errors = { NULL };

    if (!kind->blind_update && dc_store_get(kind, r->ns != NULL ? r->ns : "", r->name) != NULL &&
        (rv == NULL || *rv == '\0' || strcmp(rv, "0") == 0)) {
        dc_other_error(&errors, "FieldValueInvalid", "metadata.resourceVersion",
                       "Invalid value: 0: must be specified for an update");
    }
    dc_name name = dc_request_name(r);
    name.kind = name.plural;
    return dc_errors_done(&errors, name, &r->fail);
}

void dc_write_update(dc_request *r)
{
    dc_kind *kind = dc_kind_stored(r->kind);
    cJSON   *problems = cJSON_CreateArray();
    cJSON   *tree = read_object(r, problems);
    dc_write w;

    if (tree != NULL && dc_write_options(r, problems, &w) && dc_check_blind(r, kind, tree)) {
        char *manager = dc_field_manager(r);
        w.manager = manager;
        dc_object *o = dc_update_object(r->cluster, kind, &w, tree, &r->fail);
        free(manager);
        if (r->fail.code == 0) {
            dc_warn_problems(r, problems);
            dc_answer_object(r, 200, o, tree);
        }
    }
    cJSON_Delete(tree);
    cJSON_Delete(problems);
}
