#include "schema.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "tree.h"

enum type { ANY, OBJECT, ARRAY, STRING, INTEGER, NUMBER, BOOLEAN, INT_OR_STRING };

struct member {
    char      *name;
    dc_schema *schema;
};

struct dc_schema {
    enum type      type;
    struct member *members;
    size_t         n_members;
    dc_schema     *additional; /* of a map's values; NULL: no other members */
    dc_schema     *items;
    cJSON         *required; /* the arrays and values below are copies of what the schema says; NULL: no rule */
    cJSON         *enumeration;
    cJSON         *otherwise; /* default */
    cJSON         *map_keys;
    char         **map_key_names; /* the same, ends with NULL */
    regex_t       *pattern;
    char          *pattern_text;
    char          *format;
    char          *constant_message; /* of the rule self == oldSelf */
    int64_t        min_length, max_length, max_items, min_items;
    double         minimum, maximum;
    bool           has_minimum, has_maximum;
    bool           preserve; /* x-kubernetes-preserve-unknown-fields */
    bool           embedded; /* x-kubernetes-embedded-resource */
    bool           nullable, set, atomic, constant, ruled;
};

struct compiler {
    const cJSON *definitions;
    char        *error;
    size_t       error_size;
    int          depth;
};

static dc_schema *compile(struct compiler *c, const cJSON *in);

void dc_schema_free(dc_schema *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->n_members; i++) {
        free(s->members[i].name);
        dc_schema_free(s->members[i].schema);
    }
    free(s->members);
    dc_schema_free(s->additional);
    dc_schema_free(s->items);
    cJSON *trees[] = { s->required, s->enumeration, s->otherwise, s->map_keys };
    for (size_t i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
        cJSON_Delete(trees[i]);
    }
    if (s->pattern != NULL) {
        regfree(s->pattern);
    }
    free(s->pattern);
    free(s->pattern_text);
    free(s->format);
    free(s->constant_message);
    free(s->map_key_names);
    free(s);
}

static enum type type_of(const cJSON *in)
{
    static const char *const names[] = { "", "object", "array", "string", "integer", "number", "boolean" };
    const char              *type = dc_str(in, "type");
    const char              *format = dc_str(in, "format");

    if (cJSON_IsTrue(dc_get(in, "x-kubernetes-int-or-string")) ||
        (format != NULL && strcmp(format, "int-or-string") == 0)) {
        return INT_OR_STRING;
    }
    for (int i = 1; type != NULL && i < 7; i++) {
        if (strcmp(type, names[i]) == 0) {
            return (enum type) i;
        }
    }
    return dc_get(in, "properties") != NULL ? OBJECT : ANY;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct member *) a)->name, ((const struct member *) b)->name);
}

static bool compile_members(struct compiler *c, dc_schema *s, const cJSON *properties)
{
    size_t n = (size_t) cJSON_GetArraySize(properties);

    s->members = calloc(n + 1, sizeof(*s->members));
    for (const cJSON *p = properties->child; p != NULL; p = p->next) {
        struct member *m = &s->members[s->n_members++];
        m->name = strdup(p->string);
        m->schema = compile(c, p);
        if (m->schema == NULL) {
            return false;
        }
    }
    qsort(s->members, s->n_members, sizeof(*s->members), by_name);
    return true;
}

/* RE2's syntax and POSIX' agree in what CRDs use, once \d and non-capturing groups are written out. */
static bool compile_pattern(struct compiler *c, dc_schema *s, const char *pattern)
{
    dsp_buf text;

    dsp_buf_init(&text, 65536);
    bool in_brackets = false;
    for (const char *p = pattern; *p != '\0'; p++) {
        if (p[0] == '\\' && p[1] == 'd') {
            dsp_buf_addz(&text, in_brackets ? "0-9" : "[0-9]");
            p++;
        } else if (p[0] == '\\' && p[1] != '\0' && !in_brackets) {
            dsp_buf_add(&text, p, 2);
            p++;
        } else if (p[0] == '(' && p[1] == '?' && p[2] == ':') {
            dsp_buf_addc(&text, '(');
            p += 2;
        } else {
            in_brackets = *p == '[' || (in_brackets && *p != ']');
            dsp_buf_addc(&text, *p);
        }
    }
    s->pattern = calloc(1, sizeof(*s->pattern));
    s->pattern_text = strdup(pattern);
    bool good = regcomp(s->pattern, dsp_buf_cstr(&text), REG_EXTENDED | REG_NOSUB) == 0;
    dsp_buf_free(&text);
    if (!good) {
        free(s->pattern);
        s->pattern = NULL;
        snprintf(c->error, c->error_size, "pattern \"%s\" is not understood", pattern);
    }
    return good;
}

static void compile_list_type(dc_schema *s, const cJSON *in)
{
    const char *type = dc_str(in, "x-kubernetes-list-type");
    const char *map_type = dc_str(in, "x-kubernetes-map-type");
    const char *merge_key = dc_str(in, "x-kubernetes-patch-merge-key");
    const cJSON *keys = dc_get(in, "x-kubernetes-list-map-keys");

    s->atomic = (type != NULL && strcmp(type, "atomic") == 0) || (map_type != NULL && strcmp(map_type, "atomic") == 0);
    s->set = type != NULL && strcmp(type, "set") == 0;
    if (type != NULL && strcmp(type, "map") == 0 && cJSON_IsArray(keys)) {
        s->map_keys = dc_copy(keys);
    } else if (merge_key != NULL && type == NULL) {
        s->map_keys = cJSON_CreateArray();
        dc_array_add(s->map_keys, merge_key);
    }
    if (s->map_keys != NULL) {
        size_t i = 0;
        s->map_key_names = calloc((size_t) cJSON_GetArraySize(s->map_keys) + 1, sizeof(char *));
        for (const cJSON *k = s->map_keys->child; k != NULL; k = k->next) {
            s->map_key_names[i++] = k->valuestring;
        }
    }
}

static void compile_rules(dc_schema *s, const cJSON *in)
{
    const cJSON *rules = dc_get(in, "x-kubernetes-validations");

    for (const cJSON *r = rules != NULL ? rules->child : NULL; r != NULL; r = r->next) {
        const char *rule = dc_str(r, "rule"), *message = dc_str(r, "message");
        s->ruled = true;
        if (rule != NULL && (strcmp(rule, "self == oldSelf") == 0 || strcmp(rule, "oldSelf == self") == 0)) {
            s->constant = true;
            free(s->constant_message);
            s->constant_message = strdup(message != NULL ? message : "failed rule: self == oldSelf");
        }
    }
}

static void compile_limits(dc_schema *s, const cJSON *in)
{
    const cJSON *minimum = dc_get(in, "minimum"), *maximum = dc_get(in, "maximum");

    s->min_length = dc_int_or(in, "minLength", 0);
    s->max_length = dc_int_or(in, "maxLength", INT64_MAX);
    s->min_items = dc_int_or(in, "minItems", 0);
    s->max_items = dc_int_or(in, "maxItems", INT64_MAX);
    s->has_minimum = dc_is_number(minimum);
    s->has_maximum = dc_is_number(maximum);
    s->minimum = s->has_minimum ? strtod(minimum->valuestring, NULL) : 0;
    s->maximum = s->has_maximum ? strtod(maximum->valuestring, NULL) : 0;
    if (dc_str(in, "format") != NULL) {
        s->format = strdup(dc_str(in, "format"));
    }
}

static cJSON *copy_or_null(const cJSON *node)
{
    return node != NULL ? dc_copy(node) : NULL;
}

static const cJSON *resolve(const struct compiler *c, const cJSON *in)
{
    const char  *reference = dc_str(in, "$ref");
    const cJSON *all = dc_get(in, "allOf");

    if (reference == NULL && cJSON_IsArray(all) && all->child != NULL) {
        reference = dc_str(all->child, "$ref");
    }
    const char *name = reference != NULL ? strrchr(reference, '/') : NULL;
    return name != NULL ? dc_get(c->definitions, name + 1) : in;
}

static dc_schema *compile(struct compiler *c, const cJSON *given)
{
    const cJSON *in = resolve(c, given);
    dc_schema   *s;

    if (in == NULL || !cJSON_IsObject(in) || c->depth > 64) {
        snprintf(c->error, c->error_size, "a schema is not an object, refers to nothing, or is nested too deeply");
        return NULL;
    }
    s = calloc(1, sizeof(*s));
    c->depth++;
    s->type = type_of(in);
    s->preserve = cJSON_IsTrue(dc_get(in, "x-kubernetes-preserve-unknown-fields"));
    s->embedded = cJSON_IsTrue(dc_get(in, "x-kubernetes-embedded-resource"));
    s->nullable = cJSON_IsTrue(dc_get(in, "nullable"));
    s->required = copy_or_null(dc_get(in, "required"));
    s->enumeration = copy_or_null(dc_get(in, "enum"));
    s->otherwise = copy_or_null(dc_get(given, "default") != NULL ? dc_get(given, "default") : dc_get(in, "default"));
    compile_limits(s, in);
    compile_list_type(s, in != given && dc_get(given, "x-kubernetes-list-type") != NULL ? given : in);
    compile_rules(s, in);
    const cJSON *properties = dc_get(in, "properties"), *items = dc_get(in, "items");
    const cJSON *additional = dc_get(in, "additionalProperties");
    const char  *pattern = dc_str(in, "pattern");
    bool         good = (properties == NULL || compile_members(c, s, properties)) &&
                (pattern == NULL || compile_pattern(c, s, pattern)) &&
                (items == NULL || (s->items = compile(c, items)) != NULL) &&
                (!cJSON_IsObject(additional) || (s->additional = compile(c, additional)) != NULL);
    s->preserve = s->preserve || cJSON_IsTrue(additional);
    c->depth--;
    if (!good) {
        dc_schema_free(s);
        return NULL;
    }
    return s;
}

dc_schema *dc_schema_new(const cJSON *openapi, const cJSON *definitions, char *error, size_t error_size)
{
    struct compiler c = { definitions, error, error_size, 0 };

    return compile(&c, openapi);
}

const dc_schema *dc_schema_member(const dc_schema *s, const char *name)
{
    struct member key = { .name = (char *) name };

    if (s == NULL || s->n_members == 0) {
        return s != NULL ? s->additional : NULL;
    }
    struct member *m = bsearch(&key, s->members, s->n_members, sizeof(*s->members), by_name);
    return m != NULL ? m->schema : s->additional;
}

const dc_schema *dc_schema_items(const dc_schema *s)
{
    return s != NULL ? s->items : NULL;
}

const char *const *dc_schema_map_keys(const dc_schema *s)
{
    return s != NULL ? (const char *const *) s->map_key_names : NULL;
}

bool dc_schema_is_set(const dc_schema *s)
{
    return s != NULL && s->set;
}

bool dc_schema_is_atomic(const dc_schema *s)
{
    return s != NULL && (s->atomic || (s->type == OBJECT && s->n_members == 0 && s->additional == NULL && s->preserve));
}

/* ---- pruning ---- */

struct pruner {
    cJSON   *problems;
    dc_fail *fail; /* of a built-in kind: wrong types are refused here */
    dsp_buf  path;
    dc_name  name;
    const char *version;
};

static const char *json_type(const cJSON *node)
{
    if (cJSON_IsString(node)) {
        return "string";
    }
    if (cJSON_IsBool(node)) {
        return "boolean";
    }
    if (cJSON_IsArray(node)) {
        return "array";
    }
    if (cJSON_IsObject(node)) {
        return "object";
    }
    int64_t number;
    return cJSON_IsNull(node) ? "null" : dc_int(node, &number) ? "integer" : "number";
}

static bool has_type(const dc_schema *s, const cJSON *node)
{
    int64_t number;

    switch (s->type) {
    case OBJECT:
        return cJSON_IsObject(node);
    case ARRAY:
        return cJSON_IsArray(node);
    case STRING:
        return cJSON_IsString(node);
    case INTEGER:
        return dc_int(node, &number);
    case NUMBER:
        return dc_is_number(node);
    case BOOLEAN:
        return cJSON_IsBool(node);
    case INT_OR_STRING:
        return cJSON_IsString(node) || dc_int(node, &number);
    case ANY:
        return true;
    }
    return true;
}

/* Whether a built-in object's int32 takes the number. */
static bool fits(const dc_schema *s, const cJSON *node)
{
    int64_t n;

    return s->type != INTEGER || s->format == NULL || strcmp(s->format, "int32") != 0 || !dc_int(node, &n) ||
           (n >= INT32_MIN && n <= INT32_MAX);
}

static const char *const type_names[] = { "any", "object", "array", "string", "integer", "number", "boolean",
                                          "integer or string" };

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
    const char              *have = cJSON_IsBool(node) ? "bool" : dc_is_number(node) ? "number" : json_type(node);
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

    if (!has_type(s, node) || (p->fail != NULL && !fits(s, node))) {
        return p->fail == NULL || decode_error(p, s, node);
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

/* ---- validation ---- */

struct validator {
    dc_errors *errors;
    dsp_buf    path;
};

/* In messages the path begins with the innermost list. */
static const char *message_path(const struct validator *v)
{
    const char *path = dsp_buf_cstr(&v->path), *bracket = strrchr(path, '[');

    if (bracket == NULL) {
        return path;
    }
    while (bracket > path && bracket[-1] != '.') {
        bracket--;
    }
    return bracket;
}

static void validate(struct validator *v, const dc_schema *s, cJSON *node, const cJSON *old);

static size_t rune_count(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++) {
        n += ((unsigned char) *text & 0xC0) != 0x80;
    }
    return n;
}

static bool good_format(const char *format, const char *text)
{
    int64_t time;

    return strcmp(format, "date-time") != 0 || dsp_time_parse(dsp_str_from(text), &time);
}

static void validate_string(struct validator *v, const dc_schema *s, const cJSON *node)
{
    const char *path = dsp_buf_cstr(&v->path);
    size_t      len = rune_count(node->valuestring);

    if ((int64_t) len > s->max_length) {
        dc_other_error(v->errors, "FieldValueTooLong", path, "Too long: may not be more than %lld bytes",
                       (long long) s->max_length);
    }
    if ((int64_t) len < s->min_length) {
        dc_invalid(v->errors, path, node, "%s in body should be at least %lld chars long", path,
                   (long long) s->min_length);
    }
    if (s->pattern != NULL && regexec(s->pattern, node->valuestring, 0, NULL, 0) != 0) {
        dc_invalid(v->errors, path, node, "%s in body should match '%s'", message_path(v), s->pattern_text);
    }
    if (s->format != NULL && !good_format(s->format, node->valuestring)) {
        dc_other_error(v->errors, "FieldValueTypeInvalid", path,
                       "Invalid value: \"%s\": %s in body must be of type %s: \"%s\"", node->valuestring,
                       message_path(v), s->format, node->valuestring);
    }
}

static void validate_number(struct validator *v, const dc_schema *s, const cJSON *node)
{
    const char *path = dsp_buf_cstr(&v->path);
    double      value = strtod(node->valuestring, NULL);
    int64_t     whole;

    if (s->has_minimum && value < s->minimum) {
        dc_invalid(v->errors, path, node, "%s in body should be greater than or equal to %.15g", path, s->minimum);
    }
    if (s->has_maximum && value > s->maximum) {
        dc_invalid(v->errors, path, node, "%s in body should be less than or equal to %.15g", path, s->maximum);
    }
    if (s->type == INTEGER && s->format != NULL && strcmp(s->format, "int32") == 0 && dc_int(node, &whole) &&
        (whole > INT32_MAX || whole < INT32_MIN)) {
        dc_invalid(v->errors, path, node, "%s in body must be of type int32: \"%lld\"", path, (long long) whole);
    }
}

static void validate_enum(struct validator *v, const dc_schema *s, const cJSON *node)
{
    dsp_buf allowed;

    for (const cJSON *e = s->enumeration->child; e != NULL; e = e->next) {
        if (dc_equal(e, node)) {
            return;
        }
    }
    dsp_buf_init(&allowed, 1 << 20);
    dc_print(&allowed, node);
    dsp_buf_addz(&allowed, ": supported values: ");
    for (const cJSON *e = s->enumeration->child; e != NULL; e = e->next) {
        dsp_buf_addz(&allowed, e == s->enumeration->child ? "" : ", ");
        dc_print(&allowed, e);
    }
    dc_other_error(v->errors, "FieldValueNotSupported", dsp_buf_cstr(&v->path), "Unsupported value: %s",
                   dsp_buf_cstr(&allowed));
    dsp_buf_free(&allowed);
}

static void pop(struct validator *v, size_t len)
{
    v->path.len = len;
    if (v->path.data != NULL) {
        v->path.data[len] = '\0';
    }
}

static void validate_object(struct validator *v, const dc_schema *s, cJSON *object, const cJSON *old)
{
    size_t len = v->path.len;

    for (size_t i = 0; i < s->n_members; i++) {
        const struct member *m = &s->members[i];
        if (m->schema->otherwise != NULL && dc_get(object, m->name) == NULL) {
            dc_set(object, m->name, dc_copy(m->schema->otherwise));
        }
    }
    for (const cJSON *r = s->required != NULL ? s->required->child : NULL; r != NULL; r = r->next) {
        if (dc_get(object, r->valuestring) == NULL) {
            dsp_buf_addf(&v->path, "%s%s", len == 0 ? "" : ".", r->valuestring);
            dc_required(v->errors, dsp_buf_cstr(&v->path), "");
            pop(v, len);
        }
    }
    for (cJSON *m = object->child; m != NULL; m = m->next) {
        const dc_schema *inner = dc_schema_member(s, m->string);
        if (inner != NULL) {
            dsp_buf_addf(&v->path, "%s%s", len == 0 ? "" : ".", m->string);
            validate(v, inner, m, dc_get(old, m->string));
            pop(v, len);
        }
    }
}

static void check_map_list(struct validator *v, const dc_schema *s, const cJSON *list)
{
    for (const cJSON *a = list->child; a != NULL; a = a->next) {
        for (const cJSON *b = list->child; b != a; b = b->next) {
            bool same = true;
            for (char **key = s->map_key_names; *key != NULL; key++) {
                same = same && dc_equal(dc_get(a, *key), dc_get(b, *key));
            }
            if (same) {
                dc_other_error(v->errors, "FieldValueDuplicate", dsp_buf_cstr(&v->path), "Duplicate value: \"%s\"",
                               dc_str(a, s->map_key_names[0]) != NULL ? dc_str(a, s->map_key_names[0]) : "");
                return;
            }
        }
    }
}

static void validate_array(struct validator *v, const dc_schema *s, cJSON *array)
{
    size_t      len = v->path.len;
    int         index = 0;
    const char *path = dsp_buf_cstr(&v->path);

    if (cJSON_GetArraySize(array) > s->max_items) {
        dc_other_error(v->errors, "FieldValueTooMany", path, "Too many: %d: must have at most %lld items",
                       cJSON_GetArraySize(array), (long long) s->max_items);
    }
    if (cJSON_GetArraySize(array) < s->min_items) {
        dc_invalid(v->errors, path, array, "%s in body should have at least %lld items", path,
                   (long long) s->min_items);
    }
    if (s->map_key_names != NULL) {
        check_map_list(v, s, array);
    }
    for (cJSON *e = s->items != NULL ? array->child : NULL; e != NULL; e = e->next) {
        dsp_buf_addf(&v->path, "[%d]", index++);
        validate(v, s->items, e, NULL);
        pop(v, len);
    }
}

static void validate(struct validator *v, const dc_schema *s, cJSON *node, const cJSON *old)
{
    if (cJSON_IsNull(node) && s->nullable) {
        return;
    }
    if (!has_type(s, node)) {
        const char *path = dsp_buf_cstr(&v->path);
        dc_other_error(v->errors, "FieldValueTypeInvalid", path,
                       "Invalid value: \"%s\": %s in body must be of type %s: \"%s\"", json_type(node), message_path(v),
                       type_names[s->type], json_type(node));
        return;
    }
    if (s->constant && old != NULL && !dc_equal(node, old)) {
        dc_other_error(v->errors, "FieldValueInvalid", dsp_buf_cstr(&v->path), "Invalid value: %s",
                       s->constant_message);
    }
    if (s->enumeration != NULL) {
        validate_enum(v, s, node);
    }
    if (cJSON_IsString(node)) {
        validate_string(v, s, node);
    } else if (dc_is_number(node)) {
        validate_number(v, s, node);
    } else if (cJSON_IsArray(node)) {
        validate_array(v, s, node);
    } else if (cJSON_IsObject(node)) {
        validate_object(v, s, node, old);
    }
}

/* Whether a schema has x-kubernetes-validations, which a real server leaves out for an object that is bad anyway. */
static bool has_rules(const dc_schema *s)
{
    bool found = s->ruled;

    for (size_t i = 0; i < s->n_members && !found; i++) {
        found = has_rules(s->members[i].schema);
    }
    return found || (s->items != NULL && has_rules(s->items)) || (s->additional != NULL && has_rules(s->additional));
}

/* Errors of rules alone, from an index on: nothing was left out. Their message has no value. */
static bool only_rules(const cJSON *causes, int from)
{
    for (const cJSON *c = cJSON_GetArrayItem(causes, from); c != NULL; c = c->next) {
        const char *message = dc_str(c, "message");
        if (strncmp(message, "Invalid value: ", 15) != 0 || strchr("\"{[-0123456789", message[15]) != NULL) {
            return false;
        }
    }
    return true;
}

void dc_schema_validate(const dc_kind *kind, int version, cJSON *tree, const cJSON *old, dc_errors *errors)
{
    const dc_schema *s = kind->versions[version].schema;
    struct validator v = { .errors = errors };

    if (s == NULL || !kind->custom) {
        return; /* the rules of a built-in kind are its hooks' */
    }
    int before = cJSON_GetArraySize(errors->causes);
    dsp_buf_init(&v.path, 1 << 20);
    validate_object(&v, s, tree, old);
    dsp_buf_free(&v.path);
    const char *first = before > 0 ? dc_str(errors->causes->child, "reason") : NULL;
    bool        nameless = first != NULL && strcmp(first, "FieldValueRequired") == 0;
    if (has_rules(s) && (nameless || !only_rules(errors->causes, before))) {
        dc_other_error(errors, "FieldValueInvalid", "<nil>",
                       "Invalid value: null: some validation rules were not checked because the object was invalid; "
                       "correct the existing errors to complete validation");
    }
}
