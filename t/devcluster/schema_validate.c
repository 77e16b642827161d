/* What a custom object's schema demands of it. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "schema_node.h"
#include "tree.h"

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
        const struct dc_member *m = &s->members[i];
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
    if (!dc_schema_has_type(s, node)) {
        const char *path = dsp_buf_cstr(&v->path);
        dc_other_error(v->errors, "FieldValueTypeInvalid", path,
                       "Invalid value: \"%s\": %s in body must be of type %s: \"%s\"", dc_json_type(node), message_path(v),
                       dc_type_names[s->type], dc_json_type(node));
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
