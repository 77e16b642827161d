#include "selector.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "meta.h"

enum operator { EXISTS, NOT_EXISTS, IN, NOT_IN, GREATER, LESS };

struct requirement {
    struct requirement *next;
    enum operator       op;
    bool                field;
    dsp_str             key;
    dsp_str            *values;
    size_t              n_values;
};

struct dc_selector {
    char               *labels; /* what the requirements point into */
    char               *fields;
    struct requirement *first;
};

struct scanner {
    const char *at;
    const char *end;
};

static void skip_spaces(struct scanner *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t')) {
        s->at++;
    }
}

static dsp_str scan_word(struct scanner *s)
{
    skip_spaces(s);
    const char *from = s->at;
    while (s->at < s->end && strchr("=!(),<> \t", *s->at) == NULL) {
        s->at++;
    }
    return (dsp_str){ from, (size_t) (s->at - from) };
}

static bool scan_sign(struct scanner *s, const char *sign)
{
    skip_spaces(s);
    size_t len = strlen(sign);
    if ((size_t) (s->end - s->at) < len || memcmp(s->at, sign, len) != 0) {
        return false;
    }
    s->at += len;
    return true;
}

static void add_value(struct requirement *q, dsp_str value)
{
    q->values = realloc(q->values, (q->n_values + 1) * sizeof(*q->values));
    q->values[q->n_values++] = value;
}

static bool scan_set(struct scanner *s, struct requirement *q)
{
    if (!scan_sign(s, "(")) {
        return false;
    }
    do {
        add_value(q, scan_word(s));
    } while (scan_sign(s, ","));
    return scan_sign(s, ")");
}

static bool scan_requirement(struct scanner *s, struct requirement *q)
{
    if (scan_sign(s, "!")) {
        q->op = NOT_EXISTS;
        q->key = scan_word(s);
        return q->key.len > 0;
    }
    q->key = scan_word(s);
    if (q->key.len == 0) {
        return false;
    }
    skip_spaces(s);
    if (s->at == s->end || *s->at == ',') {
        q->op = EXISTS;
        return true;
    }
    if (scan_sign(s, "==") || scan_sign(s, "=")) {
        q->op = IN;
        add_value(q, scan_word(s));
        return true;
    }
    if (scan_sign(s, "!=")) {
        q->op = NOT_IN;
        add_value(q, scan_word(s));
        return true;
    }
    if (scan_sign(s, ">") || scan_sign(s, "<")) {
        q->op = s->at[-1] == '>' ? GREATER : LESS;
        add_value(q, scan_word(s));
        return q->values[0].len > 0;
    }
    dsp_str word = scan_word(s);
    q->op = dsp_str_is(word, "in") ? IN : NOT_IN;
    return (dsp_str_is(word, "in") || dsp_str_is(word, "notin")) && scan_set(s, q);
}

/* Keys and values are those that labels may have. */
static bool check_labels(const struct requirement *q, dc_fail *f)
{
    char       *key = strndup(q->key.data, q->key.len);
    const char *rule = dc_check_label_key(key);
    bool        good = rule == NULL;

    if (!good) {
        dc_fail_set(f, 400, "BadRequest", "unable to parse requirement: <nil>: Invalid value: \"%s\": %s", key, rule);
    }
    for (size_t i = 0; good && i < q->n_values; i++) {
        char *value = strndup(q->values[i].data, q->values[i].len);
        rule = dc_check_label_value(value);
        good = rule == NULL;
        if (!good) {
            dc_fail_set(f, 400, "BadRequest", "unable to parse requirement: values[%zu][%s]: Invalid value: \"%s\": %s", i,
                        key, value, rule);
        }
        free(value);
    }
    free(key);
    return good;
}

static void add_requirement(dc_selector *s, struct requirement *q)
{
    q->next = s->first;
    s->first = q;
}

static bool read_labels(dc_selector *s, dc_fail *f)
{
    struct scanner in = { s->labels, s->labels + strlen(s->labels) };

    skip_spaces(&in);
    while (in.at < in.end) {
        struct requirement *q = calloc(1, sizeof(*q));
        add_requirement(s, q);
        if (!scan_requirement(&in, q) || (!scan_sign(&in, ",") && (skip_spaces(&in), in.at < in.end))) {
            return dc_fail_set(f, 400, "BadRequest", "unable to parse requirement: found '%s', expected: a selector",
                               in.at);
        }
        if (!check_labels(q, f)) {
            return false;
        }
        skip_spaces(&in);
    }
    return true;
}

static bool known_field(const dc_kind *kind, dsp_str key)
{
    if (dsp_str_is(key, "metadata.name") || (kind->namespaced && dsp_str_is(key, "metadata.namespace"))) {
        return true;
    }
    for (const char *const *field = kind->hooks != NULL ? kind->hooks->fields : NULL; field != NULL && *field != NULL;
         field++) {
        if (dsp_str_is(key, *field)) {
            return true;
        }
    }
    return false;
}

/* Terms of a field selector: key=value, key==value, key!=value with \\, \, and \= escaped; escapes are rare: refused. */
static bool read_fields(dc_selector *s, const dc_kind *kind, dc_fail *f)
{
    struct scanner in = { s->fields, s->fields + strlen(s->fields) };
    bool           plain = kind->custom || strcmp(kind->kind, "Event") == 0; /* how it says that it knows no such field */

    while (in.at < in.end) {
        struct requirement *q = calloc(1, sizeof(*q));
        add_requirement(s, q);
        q->field = true;
        const char *from = in.at;
        while (in.at < in.end && strchr("=!,", *in.at) == NULL) {
            in.at++;
        }
        q->key = dsp_str_trim((dsp_str){ from, (size_t) (in.at - from) });
        q->op = scan_sign(&in, "!=") ? NOT_IN : IN;
        if (q->op == IN && !scan_sign(&in, "==") && !scan_sign(&in, "=")) {
            return dc_fail_set(f, 400, "BadRequest", "invalid selector: '%s'; can't understand '%s'", s->fields, from);
        }
        from = in.at;
        while (in.at < in.end && *in.at != ',') {
            in.at++;
        }
        add_value(q, (dsp_str){ from, (size_t) (in.at - from) });
        in.at += in.at < in.end;
        if (!known_field(kind, q->key)) {
            return dc_fail_set(f, 400, "BadRequest",
                               plain ? "field label not supported: %.*s%s"
                                     : "field label \"%.*s\" not supported for %s", DSP_STR_ARG(q->key),
                               plain ? "" : kind->kind);
        }
    }
    return true;
}

dc_selector *dc_selector_new(const dc_kind *kind, const char *labels, const char *fields, dc_fail *f)
{
    dc_selector *s = calloc(1, sizeof(*s));

    s->labels = strdup(labels != NULL ? labels : "");
    s->fields = strdup(fields != NULL ? fields : "");
    if (!read_labels(s, f) || !read_fields(s, kind, f)) {
        dc_selector_free(s);
        return NULL;
    }
    return s;
}

void dc_selector_free(dc_selector *s)
{
    if (s == NULL) {
        return;
    }
    while (s->first != NULL) {
        struct requirement *q = s->first;
        s->first = q->next;
        free(q->values);
        free(q);
    }
    free(s->labels);
    free(s->fields);
    free(s);
}

bool dc_selector_everything(const dc_selector *s)
{
    return s->first == NULL;
}

/* value.data == NULL: there is none. */
static bool satisfies(const struct requirement *q, dsp_str value)
{
    int64_t have, want;
    bool    among = false;

    for (size_t i = 0; i < q->n_values && value.data != NULL; i++) {
        among = among || dsp_str_eq(q->values[i], value);
    }
    switch (q->op) {
    case EXISTS:
        return value.data != NULL;
    case NOT_EXISTS:
        return value.data == NULL;
    case IN:
        return among;
    case NOT_IN:
        return !among;
    case GREATER:
    case LESS:
        return value.data != NULL && dsp_json_int64(value, &have) && dsp_json_int64(q->values[0], &want) &&
               (q->op == GREATER ? have > want : have < want);
    }
    return false;
}

/* The member of an object of strings; values of labels have no escapes, those of fields might: then it is not equal. */
static dsp_str string_member(dsp_json object, dsp_str key)
{
    dsp_json_iter it = dsp_json_iterate(object);
    dsp_json      name, value;
    dsp_str       found = { NULL, 0 };

    while (dsp_json_next(&it, &name, &value)) {
        if (dsp_json_equals(name, key) && dsp_json_kind(value) == DSP_JSON_STRING) {
            found = dsp_str_sub(value, 1, value.len - 1);
        }
    }
    return found;
}

/* A field's value by its dotted path; an absent one is the empty string, as in the typed objects of Go. */
static dsp_str field_value(const dc_object *o, dsp_str path)
{
    dsp_json at = o->text;

    if (dsp_str_is(path, "metadata.name")) {
        return dsp_str_from(o->name);
    }
    if (dsp_str_is(path, "metadata.namespace")) {
        return dsp_str_from(o->ns);
    }
    while (path.len > 0) {
        size_t  dot = dsp_str_find(path, '.');
        dsp_str step = dsp_str_sub(path, 0, dot);
        char    name[64];
        if (step.len >= sizeof(name)) {
            return DSP_STR("");
        }
        memcpy(name, step.data, step.len);
        name[step.len] = '\0';
        at = dsp_json_get(at, name);
        path = dsp_str_sub(path, dot + 1, path.len);
    }
    switch (dsp_json_kind(at)) {
    case DSP_JSON_STRING:
        return dsp_str_sub(at, 1, at.len - 1);
    case DSP_JSON_NUMBER:
    case DSP_JSON_BOOL:
        return at;
    default:
        return DSP_STR("");
    }
}

bool dc_selector_labels(const dc_selector *s, dsp_str labels)
{
    for (const struct requirement *q = s->first; q != NULL; q = q->next) {
        if (!q->field && !satisfies(q, string_member(labels, q->key))) {
            return false;
        }
    }
    return true;
}

bool dc_selector_matches(const dc_selector *s, const dc_object *o)
{
    for (const struct requirement *q = s->first; q != NULL; q = q->next) {
        if (!satisfies(q, q->field ? field_value(o, q->key) : string_member(o->labels, q->key))) {
            return false;
        }
    }
    return true;
}
