#include "schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema_node.h"
#include "tree.h"

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

static enum dc_type type_of(const cJSON *in)
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
            return (enum dc_type) i;
        }
    }
    return dc_get(in, "properties") != NULL ? OBJECT : ANY;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct dc_member *) a)->name, ((const struct dc_member *) b)->name);
}

static bool compile_members(struct compiler *c, dc_schema *s, const cJSON *properties)
{
    size_t n = (size_t) cJSON_GetArraySize(properties);

    s->members = calloc(n + 1, sizeof(*s->members));
    for (const cJSON *p = properties->child; p != NULL; p = p->next) {
        struct dc_member *m = &s->members[s->n_members++];
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
    struct dc_member key = { .name = (char *) name };

    if (s == NULL || s->n_members == 0) {
        return s != NULL ? s->additional : NULL;
    }
    struct dc_member *m = bsearch(&key, s->members, s->n_members, sizeof(*s->members), by_name);
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

const char *dc_json_type(const cJSON *node)
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

bool dc_schema_has_type(const dc_schema *s, const cJSON *node)
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

const char *const dc_type_names[] = { "any", "object", "array", "string", "integer", "number", "boolean",
                                          "integer or string" };
