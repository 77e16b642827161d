#include "crd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "meta.h"
#include "schema.h"
#include "table.h"
#include "tree.h"
#include "write.h"
#include "yaml.h"

/* The manifests that are installed into a real cluster are the ones that we serve. */
#define EMBED(name, file)                                                                                              \
    __asm__(".section .rodata\n.global " #name "\n" #name ":\n.incbin \"" file "\"\n.global " #name "_end\n" #name    \
            "_end:\n.byte 0\n.previous\n");                                                                            \
    extern const char name[], name##_end[]

EMBED(dc_jobtemplates_crd, "deploy/crd/jobtemplates.dispatcher.ivan.vc.yaml");
EMBED(dc_jobexecutions_crd, "deploy/crd/jobexecutions.dispatcher.ivan.vc.yaml");

static void default_str(cJSON *object, const char *name, const char *value)
{
    if (dc_str(object, name) == NULL) {
        dc_set_str(object, name, value);
    }
}

static cJSON *new_condition(const char *type, const char *reason, const char *message)
{
    cJSON *condition = cJSON_CreateObject();
    char   now[32];

    dc_now(now);
    dc_set_str(condition, "lastTransitionTime", now);
    dc_set_str(condition, "message", message);
    dc_set_str(condition, "reason", reason);
    dc_set_str(condition, "status", "True");
    dc_set_str(condition, "type", type);
    return condition;
}

static void prepare(struct dc_cluster *c, cJSON *crd, const cJSON *old)
{
    cJSON      *spec = dc_ensure(crd, "spec"), *names = dc_ensure(spec, "names");
    const char *kind = dc_str(names, "kind");
    char        text[256];

    (void) c;
    if (kind == NULL) {
        return;
    }
    snprintf(text, sizeof(text), "%sList", kind);
    default_str(names, "listKind", text);
    snprintf(text, sizeof(text), "%s", kind);
    for (char *p = text; *p != '\0'; p++) {
        *p = (char) (*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
    }
    default_str(names, "singular", text);
    default_str(dc_ensure(spec, "conversion"), "strategy", "None");
    cJSON *status = dc_ensure(crd, "status");
    if (old == NULL) {
        cJSON *conditions = dc_ensure_array(status, "conditions");
        cJSON_AddItemToArray(conditions, new_condition("NamesAccepted", "NoConflicts", "no conflicts found"));
        cJSON_AddItemToArray(conditions, new_condition("Established", "InitialNamesAccepted",
                                                       "the initial names have been accepted"));
    }
    dc_set(status, "acceptedNames", dc_copy(names));
    cJSON       *stored = dc_ensure_array(status, "storedVersions");
    const cJSON *versions = dc_get(spec, "versions");
    for (const cJSON *v = versions != NULL ? versions->child : NULL; v != NULL; v = v->next) {
        if (cJSON_IsTrue(dc_get(v, "storage")) && dc_str(v, "name") != NULL) {
            dc_array_add(stored, dc_str(v, "name"));
        }
    }
}

static const cJSON *openapi_of(const cJSON *version)
{
    return dc_at(version, "schema", "openAPIV3Schema", NULL);
}

static void validate_versions(const cJSON *spec, dc_errors *errors)
{
    const cJSON *versions = dc_get(spec, "versions");
    int          index = 0, storage = 0;
    char         field[80], error[256];

    for (const cJSON *v = versions != NULL ? versions->child : NULL; v != NULL; v = v->next, index++) {
        storage += cJSON_IsTrue(dc_get(v, "storage"));
        snprintf(field, sizeof(field), "spec.versions[%d].schema.openAPIV3Schema", index);
        if (openapi_of(v) == NULL) {
            dc_required(errors, field, "");
            continue;
        }
        dc_schema *s = dc_schema_new(openapi_of(v), NULL, error, sizeof(error));
        if (s == NULL) {
            dc_invalid_text(errors, field, "", "%s", error);
        }
        dc_schema_free(s);
    }
    if (index == 0 || index > DC_MAX_VERSIONS) {
        dc_required(errors, "spec.versions", index == 0 ? "must have at least one version" : "too many versions");
    } else if (storage != 1) {
        dc_invalid(errors, "spec.versions", cJSON_GetArrayItem(versions, 0),
                   "must have exactly one version marked as storage version");
    }
}

static void validate(const cJSON *crd, const cJSON *old, dc_errors *errors)
{
    const cJSON *spec = dc_get(crd, "spec"), *names = dc_get(spec, "names");
    const char  *group = dc_str(spec, "group"), *plural = dc_str(names, "plural");
    const char  *name = dc_str(dc_get(crd, "metadata"), "name"), *scope = dc_str(spec, "scope");
    char         full[512];

    (void) old;
    if (group == NULL || *group == '\0') {
        dc_required(errors, "spec.group", "");
    }
    if (plural == NULL) {
        dc_required(errors, "spec.names.plural", "");
    }
    if (dc_str(names, "kind") == NULL) {
        dc_required(errors, "spec.names.kind", "");
    }
    if (scope == NULL || (strcmp(scope, "Namespaced") != 0 && strcmp(scope, "Cluster") != 0)) {
        dc_other_error(errors, "FieldValueNotSupported", "spec.scope",
                       "Unsupported value: \"%s\": supported values: \"Cluster\", \"Namespaced\"",
                       scope != NULL ? scope : "");
    }
    if (group != NULL && plural != NULL && name != NULL) {
        snprintf(full, sizeof(full), "%s.%s", plural, group);
        if (strcmp(full, name) != 0) {
            dc_invalid_text(errors, "metadata.name", name, "must be spec.names.plural+\".\"+spec.group");
        }
    }
    validate_versions(spec, errors);
}

static const dc_column columns[] = {
    { "Name", "string", "name", "Name must be unique within a namespace.", 0 },
    { "Created At", "date", "", "CreationTimestamp is the time when this object was created.", 0 },
    { 0 },
};

static void cells_of(const cJSON *crd, cJSON *cells)
{
    cJSON_AddItemToArray(cells, cJSON_CreateString(dc_str(dc_get(crd, "metadata"), "name")));
    cJSON_AddItemToArray(cells, cJSON_CreateString(dc_str(dc_get(crd, "metadata"), "creationTimestamp")));
}

const dc_hooks dc_crd_hooks = { .prepare = prepare, .validate = validate, .cells = cells_of, .columns = columns };

/* ---- from a definition to a kind ---- */

/* A kind that is gone keeps its place and comes back with its definition. */
static dc_kind *place_of(dc_cluster *c, const char *group, const char *plural)
{
    for (dc_kind *k = c->kinds.first; k != NULL; k = k->next) {
        if (k->custom && strcmp(k->group, group) == 0 && strcmp(k->plural, plural) == 0) {
            return k;
        }
    }
    return NULL;
}

static void set_words(const char *words[DC_MAX_SHORT], const cJSON *list)
{
    int n = 0;

    for (; n < DC_MAX_SHORT && words[n] != NULL; n++) {
        free((char *) words[n]);
        words[n] = NULL;
    }
    n = 0;
    for (const cJSON *w = list != NULL ? list->child : NULL; w != NULL && n < DC_MAX_SHORT - 1; w = w->next) {
        words[n++] = strdup(w->valuestring);
    }
}

static void set_text(const char **place, const char *text)
{
    char *copy = strdup(text);

    free((char *) *place);
    *place = copy;
}

/* v1 before v1beta2 before v1beta1 before v1alpha1 (apimachinery pkg/version). */
static int version_rank(const char *name, int *major, int *minor)
{
    char word[16] = "";
    int  n = sscanf(name, "v%d%15[a-z]%d", major, word, minor);

    if (n == 1) {
        *minor = 0;
        return 3;
    }
    return n == 3 && strcmp(word, "beta") == 0 ? 2 : n == 3 && strcmp(word, "alpha") == 0 ? 1 : 0;
}

static int by_preference(const void *a, const void *b)
{
    int major[2] = { 0, 0 }, minor[2] = { 0, 0 };
    int rank_a = version_rank(((const dc_version *) a)->name, &major[0], &minor[0]);
    int rank_b = version_rank(((const dc_version *) b)->name, &major[1], &minor[1]);

    if (rank_a != rank_b) {
        return rank_b - rank_a;
    }
    return major[0] != major[1] ? major[1] - major[0] : minor[1] - minor[0];
}

static void free_versions(dc_kind *k)
{
    for (int i = 0; i < k->n_versions; i++) {
        free((char *) k->versions[i].name);
        dc_schema_free(k->versions[i].schema);
        cJSON_Delete(k->versions[i].columns);
    }
    k->n_versions = 0;
}

static void set_versions(dc_kind *k, const cJSON *versions)
{
    char storage[64] = "", error[256];

    free_versions(k);
    for (const cJSON *v = versions->child; v != NULL; v = v->next) {
        dc_version  *version = &k->versions[k->n_versions++];
        const cJSON *printed = dc_get(v, "additionalPrinterColumns");
        version->name = strdup(dc_str(v, "name"));
        version->served = cJSON_IsTrue(dc_get(v, "served"));
        version->schema = dc_schema_new(openapi_of(v), NULL, error, sizeof(error));
        version->columns = printed != NULL ? dc_copy(printed) : NULL;
        if (cJSON_IsTrue(dc_get(v, "storage"))) {
            snprintf(storage, sizeof(storage), "%s", version->name);
        }
        k->status = k->status || dc_at(v, "subresources", "status", NULL) != NULL;
    }
    qsort(k->versions, (size_t) k->n_versions, sizeof(k->versions[0]), by_preference);
    for (int i = 0; i < k->n_versions; i++) {
        if (strcmp(k->versions[i].name, storage) == 0) {
            k->storage = i;
        }
    }
}

static void define_kind(dc_cluster *c, const cJSON *crd)
{
    const cJSON *spec = dc_get(crd, "spec"), *names = dc_get(spec, "names");
    dc_kind     *k = place_of(c, dc_str(spec, "group"), dc_str(names, "plural"));

    if (k == NULL) {
        k = calloc(1, sizeof(*k));
        k->custom = true;
        set_text(&k->group, dc_str(spec, "group"));
        set_text(&k->plural, dc_str(names, "plural"));
        dc_kinds_add(&c->kinds, k);
    }
    k->gone = false;
    k->status = false;
    set_text(&k->kind, dc_str(names, "kind"));
    set_text(&k->list_kind, dc_str(names, "listKind"));
    set_text(&k->singular, dc_str(names, "singular"));
    set_words(k->short_names, dc_get(names, "shortNames"));
    set_words(k->categories, dc_get(names, "categories"));
    k->namespaced = strcmp(dc_str(spec, "scope"), "Namespaced") == 0;
    set_versions(k, dc_get(spec, "versions"));
    k->generation = true; /* without the status subresource, too: any change but of metadata counts */
}

static void undefine_kind(dc_cluster *c, const cJSON *crd)
{
    const cJSON *spec = dc_get(crd, "spec");
    dc_kind     *k = place_of(c, dc_str(spec, "group"), dc_str(dc_get(spec, "names"), "plural"));
    size_t       n;

    if (k == NULL) {
        return;
    }
    k->gone = true;
    dc_object **objects = dc_store_list(k, NULL, &n);
    for (size_t i = 0; i < n; i++) {
        dc_store_remove(&c->store, k, objects[i]->ns, objects[i]->name);
    }
    dc_objects_free(objects, n);
}

static void on_commit(void *arg, dc_kind *kind, dc_object *before, dc_object *after)
{
    dc_cluster *c = arg;

    if (kind != c->crds) {
        return;
    }
    cJSON *crd = dc_object_tree(after != NULL ? after : before);
    if (after != NULL) {
        define_kind(c, crd);
    } else {
        undefine_kind(c, crd);
    }
    cJSON_Delete(crd);
}

/* ---- what is there from the start ---- */

/* The schemas of Job and Pod are parts of the one of JobTemplate, which is made from Kubernetes' own document. */
static bool define_builtin(dc_kind *kind, const cJSON *spec_schema)
{
    static const char anything[] = "{\"type\":\"object\",\"x-kubernetes-preserve-unknown-fields\":true}";
    char              error[256];
    cJSON            *schema = cJSON_CreateObject(), *properties;

    dc_set_str(schema, "type", "object");
    properties = dc_ensure(schema, "properties");
    dc_set(properties, "spec", dc_copy(spec_schema));
    dc_set(properties, "status", dc_parse(dsp_str_from(anything), NULL, NULL));
    cJSON *template = dc_at(properties, "spec", "properties", "template", "properties", NULL);
    if (template != NULL) {
        dc_set(template, "metadata", dc_parse(dsp_str_from(anything), NULL, NULL));
    }
    kind->versions[0].schema = dc_schema_new(schema, NULL, error, sizeof(error));
    cJSON_Delete(schema);
    return kind->versions[0].schema != NULL;
}

static bool apply_builtin(dc_cluster *c, const char *text, const char *end)
{
    static const dc_write write = { 0 };
    const char           *error = NULL;
    dc_fail               f = { 0 };
    cJSON                *crd = dc_yaml_parse((dsp_str){ text, (size_t) (end - text) }, &error, NULL);
    bool                  good = crd != NULL && dc_create_object(c, c->crds, &write, crd, &f) != NULL;

    if (!good) {
        fprintf(stderr, "devcluster: a built-in CRD is bad: %s\n", crd == NULL ? error : f.message);
    }
    const cJSON *job = dc_at(cJSON_GetArrayItem(dc_at(crd, "spec", "versions", NULL), 0), "schema", "openAPIV3Schema",
                             "properties", "spec", "properties", "jobTemplate", "properties", "spec", NULL);
    if (good && job != NULL) {
        good = define_builtin(c->jobs, job) &&
               define_builtin(c->pods, dc_at(job, "properties", "template", "properties", "spec", NULL));
    }
    dc_fail_free(&f);
    cJSON_Delete(crd);
    return good;
}

bool dc_crds_start(dc_cluster *c)
{
    dc_store_listen(&c->store, on_commit, c);
    return apply_builtin(c, dc_jobexecutions_crd, dc_jobexecutions_crd_end) &&
           apply_builtin(c, dc_jobtemplates_crd, dc_jobtemplates_crd_end);
}

void dc_crds_stop(dc_cluster *c)
{
    for (dc_kind *k = c->kinds.first; k != NULL; k = k->next) {
        if (k->custom) {
            free_versions(k);
            set_words(k->short_names, NULL);
            set_words(k->categories, NULL);
            const char *texts[] = { k->group, k->kind, k->list_kind, k->plural, k->singular };
            for (size_t i = 0; i < 5; i++) {
                free((char *) texts[i]);
            }
        } else {
            dc_schema_free(k->versions[0].schema);
        }
    }
}
