/* Unknown members out of an object; types that a built-in kind's decoder refuses. */
#include <stdio.h>
#include <string.h>

#include "schema_node.h"
#include "tree.h"

struct pruner {
    cJSON   *problems;
    dc_fail *fail; /* of a built-in kind: wrong types are refused here */
    dsp_buf  path;
    dc_name  name;
    const char *version;
};

/* Whether a built-in object's int32 takes the number. */
static bool fits(const dc_schema *s, const cJSON *node)
{
    int64_t n;

    return s->type != INTEGER || s->format == NULL || strcmp(s->format, "int32") != 0 || !dc_int(node, &n) ||
           (n >= INT32_MIN && n <= INT32_MAX);
}

/* "spec.template.spec.containers[0].name" as Go names it: Container.spec.template.spec.containers.name. */
static void go_field(const char *kind, const char *path, char out[512])
{
    static const char *const structs[][2] = { { "spec.template.spec", "PodSpec" }, { "spec.template", "PodTemplateSpec" },
                                              { "containers", "Container" }, { "initContainers", "Container" },
                                              { "env", "EnvVar" } };
    char        plain[400], owner[80] = "";
    size_t      n = 0;

    for (const char *p = path; *p != '\0' && n < sizeof(plain) - 1; p++) {
        if (*p == '[') {
            p += strcspn(p, "]");
        } else {
            plain[n++] = *p;
        }
    }
    plain[n] = '\0';
    const char *dot = strrchr(plain, '.');
    dsp_str     parent = { plain, dot != NULL ? (size_t) (dot - plain) : 0 };
    if (dsp_str_is(parent, "spec")) {
        snprintf(owner, sizeof(owner), "%sSpec", kind);
    }
    for (size_t i = 0; i < sizeof(structs) / sizeof(structs[0]) && owner[0] == '\0'; i++) {
        if (dsp_str_has_suffix(parent, dsp_str_from(structs[i][0]))) {
            snprintf(owner, sizeof(owner), "%s", structs[i][1]);
        }
    }
    snprintf(out, 512, "%s.%s", owner, plain);
}

/* What Go's decoder says of a wrong type in a built-in object. */
static bool decode_error(struct pruner *p, const dc_schema *s, const cJSON *node)
{
    static const char *const go[] = { "any", "map[string]interface {}", "[]interface {}", "string", "int32", "float64",
                                      "bool", "intstr.IntOrString" };
    const char              *have = cJSON_IsBool(node) ? "bool" : dc_is_number(node) ? "number" : dc_json_type(node);
    const char              *type = go[s->type];
    bool                     literal = s->type == INTEGER && dc_is_number(node); /* one that does not fit */
    char                     field[512];

    if (s->format != NULL && strcmp(s->format, "quantity") == 0 && dc_is_number(node)) {
        return true; /* resource.Quantity takes numbers */
    }
    if (s->type == INTEGER && s->format != NULL && strcmp(s->format, "int64") == 0) {
        type = "int64";
    } else if (s->type == ARRAY && s->items != NULL && s->items->type == STRING) {
        type = "[]string";
    }
    go_field(p->name.kind, dsp_buf_cstr(&p->path), field);
    return dc_fail_set(p->fail, 400, "BadRequest",
                       "%s in version \"%s\" cannot be handled as a %s: json: cannot unmarshal %s%s%s into Go struct "
                       "field %s of type %s", p->name.kind, p->version, p->name.kind, have, literal ? " " : "",
                       literal ? node->valuestring : "", field, type);
}

/* A built-in kind's quantities are read by its decoder. */
static bool good_quantity(const struct pruner *p, const dc_schema *s, const cJSON *node)
{
    return p->fail == NULL || s->type != INT_OR_STRING || s->pattern == NULL || !cJSON_IsString(node) ||
           regexec(s->pattern, node->valuestring, 0, NULL, 0) == 0;
}

static bool bad_quantity(struct pruner *p)
{
    return dc_fail_set(p->fail, 400, "BadRequest",
                       "%s in version \"%s\" cannot be handled as a %s: quantities must match the regular expression "
                       "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'", p->name.kind, p->version, p->name.kind);
}

static bool prune(struct pruner *p, const dc_schema *s, cJSON *node);

static void unknown_field(struct pruner *p)
{
    char text[600];

    if (p->problems != NULL) {
        snprintf(text, sizeof(text), "unknown field \"%s\"", dsp_buf_cstr(&p->path));
        cJSON_AddItemToArray(p->problems, cJSON_CreateString(text));
    }
}

static void leave(struct pruner *p, size_t len)
{
    p->path.len = len;
    if (p->path.data != NULL) {
        p->path.data[len] = '\0';
    }
}

/* Members that every embedded object has, whatever its schema says. */
static bool of_every_object(const dc_schema *s, const char *name)
{
    return s->embedded &&
           (strcmp(name, "apiVersion") == 0 || strcmp(name, "kind") == 0 || strcmp(name, "metadata") == 0);
}

static bool prune_object(struct pruner *p, const dc_schema *s, cJSON *object)
{
    size_t len = p->path.len;
    cJSON *next;

    for (cJSON *m = object->child; m != NULL; m = next) {
        const dc_schema *inner = dc_schema_member(s, m->string);
        next = m->next;
        dsp_buf_addf(&p->path, "%s%s", len == 0 ? "" : ".", m->string);
        if (inner != NULL) {
            if (cJSON_IsNull(m)) { /* means absent, unless the schema says that it may be null */
                if (p->fail != NULL || !inner->nullable) {
                    cJSON_Delete(cJSON_DetachItemViaPointer(object, m));
                }
            } else if (!prune(p, inner, m)) {
                return false;
            }
        } else if (!s->preserve && !of_every_object(s, m->string)) {
            unknown_field(p);
            cJSON_Delete(cJSON_DetachItemViaPointer(object, m));
        }
        leave(p, len);
    }
    return true;
}

static bool prune(struct pruner *p, const dc_schema *s, cJSON *node)
{
    size_t len = p->path.len;
    int    index = 0;

    if (!dc_schema_has_type(s, node) || (p->fail != NULL && !fits(s, node))) {
        return p->fail == NULL || decode_error(p, s, node);
    }
    if (!good_quantity(p, s, node)) {
        return bad_quantity(p);
    }
    if (cJSON_IsObject(node) && s->type == OBJECT) {
        return prune_object(p, s, node);
    }
    for (cJSON *e = cJSON_IsArray(node) && s->items != NULL ? node->child : NULL; e != NULL; e = e->next) {
        dsp_buf_addf(&p->path, "[%d]", index++);
        bool good = prune(p, s->items, e);
        leave(p, len);
        if (!good) {
            return false;
        }
    }
    return true;
}

bool dc_schema_prune(const dc_kind *kind, int version, cJSON *tree, cJSON *problems, dc_fail *f)
{
    const dc_schema *s = kind->versions[version].schema;
    struct pruner    p = { .problems = problems,
                           .fail = kind->custom ? NULL : f,
                           .name = dc_kind_name(kind, NULL),
                           .version = kind->versions[version].name };
    bool             good = true;

    if (s == NULL || s->type != OBJECT) {
        return true;
    }
    dsp_buf_init(&p.path, 1 << 20);
    for (cJSON *m = tree->child, *next; m != NULL && good; m = next) {
        next = m->next;
        if (strcmp(m->string, "apiVersion") != 0 && strcmp(m->string, "kind") != 0 &&
            strcmp(m->string, "metadata") != 0) {
            const dc_schema *inner = dc_schema_member(s, m->string);
            dsp_buf_addz(&p.path, m->string);
            if (inner != NULL) {
                good = prune(&p, inner, m);
            } else if (!s->preserve) {
                unknown_field(&p);
                cJSON_Delete(cJSON_DetachItemViaPointer(tree, m));
            }
            leave(&p, 0);
        }
    }
    dsp_buf_free(&p.path);
    return good;
}
