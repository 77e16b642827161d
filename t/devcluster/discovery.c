/* /api, /apis, /version, health: what a client asks to learn what there is. Plain and aggregated discovery. */
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "tree.h"

static const char *const write_verbs[] = { "create", "delete", "deletecollection", "get", "list", "patch", "update",
                                           "watch", NULL };
static const char *const status_verbs[] = { "get", "patch", "update", NULL };
static const char *const log_verbs[] = { "get", NULL };
static const char *const review_verbs[] = { "create", NULL };

static cJSON *words(const char *const *list)
{
    cJSON *array = cJSON_CreateArray();

    for (; *list != NULL; list++) {
        cJSON_AddItemToArray(array, cJSON_CreateString(*list));
    }
    return array;
}

static cJSON *group_version(const char *group, const char *version)
{
    cJSON *gv = cJSON_CreateObject();
    char   text[300];

    snprintf(text, sizeof(text), "%s%s%s", group, *group != '\0' ? "/" : "", version);
    dc_set_str(gv, "groupVersion", text);
    dc_set_str(gv, "version", version);
    return gv;
}

/* ---- the plain form: APIGroupList and APIResourceList ---- */

/* Whether an earlier kind has brought this group already. */
static bool group_seen(const dc_cluster *c, const dc_kind *kind)
{
    for (const dc_kind *k = c->kinds.first; k != kind; k = k->next) {
        if (!k->gone && strcmp(k->group, kind->group) == 0) {
            return true;
        }
    }
    return false;
}

static cJSON *api_group(const dc_kind *kind)
{
    cJSON *group = cJSON_CreateObject();
    cJSON *versions;

    dc_set_str(group, "name", kind->group);
    versions = dc_ensure_array(group, "versions");
    for (int i = 0; i < kind->n_versions; i++) {
        if (kind->versions[i].served) {
            cJSON_AddItemToArray(versions, group_version(kind->group, kind->versions[i].name));
        }
    }
    dc_set(group, "preferredVersion", group_version(kind->group, kind->versions[0].name));
    return group;
}

static cJSON *group_list(const dc_cluster *c)
{
    cJSON *list = cJSON_CreateObject();

    dc_set_str(list, "kind", "APIGroupList");
    dc_set_str(list, "apiVersion", "v1");
    cJSON *groups = dc_ensure_array(list, "groups");
    for (const dc_kind *k = c->kinds.first; k != NULL; k = k->next) {
        if (!k->gone && *k->group != '\0' && !group_seen(c, k)) {
            cJSON_AddItemToArray(groups, api_group(k));
        }
    }
    return list;
}

static cJSON *resource_entry(const char *name, const dc_kind *k, const char *const *verbs)
{
    cJSON *entry = cJSON_CreateObject();

    dc_set_str(entry, "name", name);
    dc_set_str(entry, "singularName", strchr(name, '/') == NULL ? k->singular : "");
    dc_set_bool(entry, "namespaced", k->namespaced);
    dc_set_str(entry, "kind", k->kind);
    dc_set(entry, "verbs", words(verbs));
    return entry;
}

static void add_words(cJSON *entry, const char *name, const char *const list[DC_MAX_SHORT])
{
    if (list[0] != NULL) {
        dc_set(entry, name, words(list));
    }
}

static void add_resources(const dc_cluster *c, const dc_kind *k, cJSON *resources)
{
    cJSON *entry = resource_entry(k->plural, k, write_verbs);
    char   name[300];

    add_words(entry, "shortNames", k->short_names);
    add_words(entry, "categories", k->categories);
    cJSON_AddItemToArray(resources, entry);
    if (k->status) {
        snprintf(name, sizeof(name), "%s/status", k->plural);
        cJSON_AddItemToArray(resources, resource_entry(name, k, status_verbs));
    }
    if (k == c->pods) {
        cJSON_AddItemToArray(resources, resource_entry("pods/log", k, log_verbs));
    }
}

static cJSON *resource_list(const dc_cluster *c, const char *group, const char *version)
{
    cJSON *list = cJSON_CreateObject();
    cJSON *gv = group_version(group, version);
    bool   any = false;

    dc_set_str(list, "kind", "APIResourceList");
    dc_set_str(list, "apiVersion", "v1");
    dc_set_str(list, "groupVersion", dc_str(gv, "groupVersion"));
    cJSON_Delete(gv);
    cJSON *resources = dc_ensure_array(list, "resources");
    for (const dc_kind *k = c->kinds.first; k != NULL; k = k->next) {
        if (!k->gone && strcmp(k->group, group) == 0 && dc_kind_version(k, version) >= 0) {
            add_resources(c, k, resources);
            any = true;
        }
    }
    if (!any) {
        cJSON_Delete(list);
        return NULL;
    }
    return list;
}

/* ---- the aggregated form: apidiscovery.k8s.io ---- */

static cJSON *response_kind(const dc_kind *k, const char *version)
{
    cJSON *kind = cJSON_CreateObject();

    dc_set_str(kind, "group", k->group);
    dc_set_str(kind, "version", version);
    dc_set_str(kind, "kind", k->kind);
    return kind;
}

static void add_subresource(cJSON *entry, const char *name, const dc_kind *k, const char *version,
                            const char *const *verbs)
{
    cJSON *sub = cJSON_CreateObject();

    dc_set_str(sub, "subresource", name);
    dc_set(sub, "responseKind", response_kind(k, version));
    dc_set(sub, "verbs", words(verbs));
    cJSON_AddItemToArray(dc_ensure_array(entry, "subresources"), sub);
}

static cJSON *aggregated_resource(const dc_cluster *c, const dc_kind *k, const char *version)
{
    cJSON *entry = cJSON_CreateObject();

    dc_set_str(entry, "resource", k->plural);
    dc_set(entry, "responseKind", response_kind(k, version));
    dc_set_str(entry, "scope", k->namespaced ? "Namespaced" : "Cluster");
    dc_set_str(entry, "singularResource", k->singular);
    dc_set(entry, "verbs", words(write_verbs));
    add_words(entry, "shortNames", k->short_names);
    add_words(entry, "categories", k->categories);
    if (k->status) {
        add_subresource(entry, "status", k, version, status_verbs);
    }
    if (k == c->pods) {
        add_subresource(entry, "log", k, version, log_verbs);
    }
    return entry;
}

static cJSON *aggregated_group(const dc_cluster *c, const dc_kind *first)
{
    cJSON *group = cJSON_CreateObject();

    cJSON *metadata = dc_ensure(group, "metadata");
    if (*first->group != '\0') {
        dc_set_str(metadata, "name", first->group);
    }
    cJSON *versions = dc_ensure_array(group, "versions");
    for (int i = 0; i < first->n_versions; i++) {
        if (!first->versions[i].served) {
            continue;
        }
        cJSON *version = cJSON_CreateObject();
        dc_set_str(version, "version", first->versions[i].name);
        cJSON *resources = dc_ensure_array(version, "resources");
        for (const dc_kind *k = first; k != NULL; k = k->next) {
            if (!k->gone && strcmp(k->group, first->group) == 0 && dc_kind_version(k, first->versions[i].name) >= 0) {
                cJSON_AddItemToArray(resources, aggregated_resource(c, k, first->versions[i].name));
            }
        }
        dc_set_str(version, "freshness", "Current");
        cJSON_AddItemToArray(versions, version);
    }
    return group;
}

static cJSON *aggregated_list(const dc_cluster *c, const char *version, bool core)
{
    cJSON *list = cJSON_CreateObject();
    char   api[64];

    snprintf(api, sizeof(api), "apidiscovery.k8s.io/%s", version);
    dc_set_str(list, "kind", "APIGroupDiscoveryList");
    dc_set_str(list, "apiVersion", api);
    dc_set(list, "metadata", cJSON_CreateObject());
    cJSON *items = dc_ensure_array(list, "items");
    for (const dc_kind *k = c->kinds.first; k != NULL; k = k->next) {
        if (!k->gone && (*k->group == '\0') == core && !group_seen(c, k)) {
            cJSON_AddItemToArray(items, aggregated_group(c, k));
        }
    }
    return list;
}

/* The version of aggregated discovery that the client prefers over plain JSON, or NULL. */
static const char *wants_aggregated(const dc_request *r)
{
    const char *accept = dc_header(r, "Accept");
    const char *as = accept != NULL ? strstr(accept, "as=APIGroupDiscoveryList") : NULL;

    if (as == NULL) {
        return NULL;
    }
    return strstr(accept, "v=v2;") != NULL || strstr(accept, "v=v2,") != NULL ? "v2" : "v2beta1";
}

static void answer_list(dc_request *r, bool core)
{
    const char *version = wants_aggregated(r);
    cJSON      *list;

    if (version != NULL) {
        list = aggregated_list(r->cluster, version, core);
    } else if (core) {
        list = cJSON_CreateObject();
        dc_set_str(list, "kind", "APIVersions");
        cJSON_AddItemToArray(dc_ensure_array(list, "versions"), cJSON_CreateString("v1"));
        dc_ensure_array(list, "serverAddressByClientCIDRs");
    } else {
        list = group_list(r->cluster);
    }
    dc_answer_tree(r, 200, list);
    if (version != NULL) {
        r->content_type = strcmp(version, "v2") == 0
                              ? "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
                              : "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
    }
    cJSON_Delete(list);
}

static cJSON *review_resources(void)
{
    static const char *const kinds[] = { "SelfSubjectAccessReview", "SelfSubjectRulesReview", NULL };
    static const char *const plurals[] = { "selfsubjectaccessreviews", "selfsubjectrulesreviews" };
    cJSON                   *list = cJSON_CreateObject();

    dc_set_str(list, "kind", "APIResourceList");
    dc_set_str(list, "apiVersion", "v1");
    dc_set_str(list, "groupVersion", "authorization.k8s.io/v1");
    for (int i = 0; kinds[i] != NULL; i++) {
        dc_kind k = { .kind = kinds[i], .singular = "" };
        cJSON_AddItemToArray(dc_ensure_array(list, "resources"), resource_entry(plurals[i], &k, review_verbs));
    }
    return list;
}

static void answer_group_or_version(dc_request *r)
{
    const char *group = strcmp(r->segments[0], "api") == 0 ? "" : r->segments[1];
    const char *version = r->segments[r->n_segments - 1];
    cJSON      *answer = NULL;

    if (strcmp(r->segments[0], "apis") == 0 && r->n_segments == 2) {
        for (const dc_kind *k = r->cluster->kinds.first; k != NULL && answer == NULL; k = k->next) {
            if (!k->gone && strcmp(k->group, group) == 0) {
                answer = api_group(k);
                dc_set_str(answer, "kind", "APIGroup");
                dc_set_str(answer, "apiVersion", "v1");
            }
        }
    } else if (strcmp(group, "authorization.k8s.io") == 0 && strcmp(version, "v1") == 0) {
        answer = review_resources();
    } else {
        answer = resource_list(r->cluster, group, version);
    }
    if (answer != NULL) {
        dc_answer_tree(r, 200, answer);
        cJSON_Delete(answer);
    }
}

static void answer_version(dc_request *r)
{
    static const char *const names[] = { "major", "1", "minor", "36", "gitVersion", "v1.36.3+devcluster", "gitCommit",
                                         "0000000000000000000000000000000000000000", "gitTreeState", "clean",
                                         "buildDate", "2026-01-01T00:00:00Z", "goVersion", "none", "compiler", "c",
                                         "platform", "linux/amd64", NULL };
    cJSON *version = cJSON_CreateObject();

    for (int i = 0; names[i] != NULL; i += 2) {
        dc_set_str(version, names[i], names[i + 1]);
    }
    dc_answer_tree(r, 200, version);
    cJSON_Delete(version);
}

void dc_discovery_serve(dc_request *r)
{
    const char *root = r->n_segments > 0 ? r->segments[0] : "";

    if (r->method != EVHTTP_REQ_GET && r->method != EVHTTP_REQ_HEAD) {
        dc_fail_set(&r->fail, 405, "MethodNotAllowed",
                    "the server does not allow this method on the requested resource");
    } else if (strcmp(root, "healthz") == 0 || strcmp(root, "livez") == 0 || strcmp(root, "readyz") == 0) {
        dc_answer_text(r, 200, "text/plain; charset=utf-8", DSP_STR("ok"));
    } else if (strcmp(root, "version") == 0) {
        answer_version(r);
    } else if (strcmp(root, "openapi") == 0) {
        dc_openapi_serve(r);
    } else if (r->n_segments == 1 && (strcmp(root, "api") == 0 || strcmp(root, "apis") == 0)) {
        answer_list(r, strcmp(root, "api") == 0);
    } else if (strcmp(root, "api") == 0 || strcmp(root, "apis") == 0) {
        answer_group_or_version(r);
    } else if (r->n_segments == 0) {
        dc_answer_text(r, 200, "application/json", DSP_STR("{\"paths\":[\"/api\",\"/apis\",\"/healthz\",\"/livez\","
                                                           "\"/openapi/v2\",\"/openapi/v3\",\"/readyz\","
                                                           "\"/version\"]}\n"));
    }
}
