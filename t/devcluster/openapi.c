/*
 * /openapi/v3 and /openapi/v2: enough for kubectl to see that the server validates fields itself, and for
 * "kubectl explain" of the custom kinds (their CRD's schema as it is).
 */
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "tree.h"

static void add_gvk(cJSON *node, const dc_kind *k, int version, bool list)
{
    cJSON *gvk = cJSON_CreateObject();

    dc_set_str(gvk, "group", k->group);
    dc_set_str(gvk, "version", k->versions[version].name);
    dc_set_str(gvk, "kind", k->kind);
    if (list) {
        cJSON_AddItemToArray(dc_ensure_array(node, "x-kubernetes-group-version-kind"), gvk);
    } else {
        dc_set(node, "x-kubernetes-group-version-kind", gvk);
    }
}

static cJSON *query_parameter(const char *name)
{
    cJSON *parameter = cJSON_CreateObject();

    dc_set_str(parameter, "name", name);
    dc_set_str(parameter, "in", "query");
    dc_set_str(dc_ensure(parameter, "schema"), "type", "string");
    return parameter;
}

/* What kubectl looks for: the PATCH (and POST) of the kind takes fieldValidation. */
static void add_operation(cJSON *paths, const char *path, const char *method, const char *action, const dc_kind *k,
                          int version)
{
    static const char *const names[] = { "dryRun", "fieldManager", "fieldValidation", "force" };
    cJSON                   *operation = dc_ensure(dc_ensure(paths, path), method);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cJSON_AddItemToArray(dc_ensure_array(operation, "parameters"), query_parameter(names[i]));
    }
    dc_ensure(operation, "responses");
    dc_set_str(operation, "x-kubernetes-action", action);
    add_gvk(operation, k, version, false);
}

/* The schema of a custom kind's version, from its definition; NULL for a built-in one. */
static cJSON *schema_of(const dc_cluster *c, const dc_kind *k, int version)
{
    char             name[512];
    cJSON           *schema = NULL;
    const dc_object *o;

    snprintf(name, sizeof(name), "%s.%s", k->plural, k->group);
    o = k->custom ? dc_store_get(c->crds, "", name) : NULL;
    if (o == NULL) {
        return NULL;
    }
    cJSON       *crd = dc_object_tree(o);
    const cJSON *versions = dc_at(crd, "spec", "versions", NULL);
    for (const cJSON *v = versions->child; v != NULL && schema == NULL; v = v->next) {
        if (strcmp(dc_str(v, "name"), k->versions[version].name) == 0) {
            schema = dc_copy(dc_at(v, "schema", "openAPIV3Schema", NULL));
        }
    }
    cJSON_Delete(crd);
    return schema;
}

static void add_kind(const dc_cluster *c, const dc_kind *k, int version, cJSON *paths, cJSON *schemas)
{
    char   root[300], path[600], name[600];
    cJSON *schema = schema_of(c, k, version);

    if (*k->group == '\0') {
        snprintf(root, sizeof(root), "/api/%s", k->versions[version].name);
    } else {
        snprintf(root, sizeof(root), "/apis/%s/%s", k->group, k->versions[version].name);
    }
    snprintf(path, sizeof(path), "%s%s/%s", root, k->namespaced ? "/namespaces/{namespace}" : "", k->plural);
    add_operation(paths, path, "post", "post", k, version);
    strncat(path, "/{name}", sizeof(path) - strlen(path) - 1);
    add_operation(paths, path, "patch", "patch", k, version);
    if (schema == NULL) {
        schema = cJSON_CreateObject();
        dc_set_str(schema, "type", "object");
        dc_set_bool(schema, "x-kubernetes-preserve-unknown-fields", true);
    }
    add_gvk(schema, k, version, true);
    snprintf(name, sizeof(name), "%s.%s.%s", *k->group != '\0' ? k->group : "core", k->versions[version].name, k->kind);
    dc_set(schemas, name, schema);
}

static void answer_document(dc_request *r, const char *group, const char *version)
{
    cJSON *document = cJSON_CreateObject(), *paths, *schemas;
    bool   any = false;

    dc_set_str(document, "openapi", "3.0.0");
    dc_set_str(dc_ensure(document, "info"), "title", "Kubernetes");
    dc_set_str(dc_get(document, "info"), "version", "v1.36.3");
    paths = dc_ensure(document, "paths");
    schemas = dc_ensure(dc_ensure(document, "components"), "schemas");
    for (const dc_kind *k = r->cluster->kinds.first; k != NULL; k = k->next) {
        int v = !k->gone && strcmp(k->group, group) == 0 ? dc_kind_version(k, version) : -1;
        if (v >= 0) {
            add_kind(r->cluster, k, v, paths, schemas);
            any = true;
        }
    }
    if (any) {
        dc_answer_tree(r, 200, document);
    }
    cJSON_Delete(document);
}

static void answer_index(dc_request *r)
{
    cJSON *index = cJSON_CreateObject(), *paths = dc_ensure(index, "paths");
    char   name[300], url[400];

    for (const dc_kind *k = r->cluster->kinds.first; k != NULL; k = k->next) {
        for (int i = 0; i < k->n_versions && !k->gone; i++) {
            if (*k->group == '\0') {
                snprintf(name, sizeof(name), "api/%s", k->versions[i].name);
            } else {
                snprintf(name, sizeof(name), "apis/%s/%s", k->group, k->versions[i].name);
            }
            /* the hash makes clients cache: it must change with the definitions */
            snprintf(url, sizeof(url), "/openapi/v3/%s?hash=%llX", name,
                     (unsigned long long) r->cluster->crds->writes);
            dc_set_str(dc_ensure(paths, name), "serverRelativeURL", url);
        }
    }
    dc_answer_tree(r, 200, index);
    cJSON_Delete(index);
}

bool dc_openapi_serve(dc_request *r)
{
    if (r->n_segments == 2 && strcmp(r->segments[1], "v2") == 0) {
        const char *accept = dc_header(r, "Accept");
        if (accept != NULL && strstr(accept, "protobuf") != NULL) {
            /* an empty message is a valid document without definitions: clients then leave validation to the server */
            dc_answer_text(r, 200, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", DSP_STR(""));
        } else {
            dc_answer_text(r, 200, "application/json",
                           DSP_STR("{\"swagger\":\"2.0\",\"info\":{\"title\":\"Kubernetes\",\"version\":\"v1.36.3\"},"
                                   "\"paths\":{},\"definitions\":{}}\n"));
        }
    } else if (r->n_segments == 2 && strcmp(r->segments[1], "v3") == 0) {
        answer_index(r);
    } else if (r->n_segments == 4 && strcmp(r->segments[2], "api") == 0) {
        answer_document(r, "", r->segments[3]);
    } else if (r->n_segments == 5 && strcmp(r->segments[2], "apis") == 0) {
        answer_document(r, r->segments[3], r->segments[4]);
    }
    return r->code != 0;
}
