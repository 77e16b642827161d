#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

static char *format(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));

static char *format(const char *fmt, va_list args)
{
    char *text = NULL;

    return vasprintf(&text, fmt, args) < 0 ? NULL : text;
}

bool dc_fail_set(dc_fail *f, int code, const char *reason, const char *fmt, ...)
{
    va_list args;

    if (f->code != 0) {
        return false;
    }
    va_start(args, fmt);
    f->code = code;
    f->reason = reason;
    f->message = format(fmt, args);
    va_end(args);
    return false;
}

static void name_details(dc_fail *f, dc_name n, const char *kind)
{
    f->details = cJSON_CreateObject();
    if (n.name != NULL && *n.name != '\0') {
        dc_set_str(f->details, "name", n.name);
    }
    if (*n.group != '\0') {
        dc_set_str(f->details, "group", n.group);
    }
    dc_set_str(f->details, "kind", kind);
}

static bool named(dc_fail *f, int code, const char *reason, dc_name n, const char *what)
{
    if (f->code == 0) {
        dc_fail_set(f, code, reason, "%s%s%s \"%s\" %s", n.plural, *n.group != '\0' ? "." : "", n.group, n.name, what);
        name_details(f, n, n.plural);
    }
    return false;
}

bool dc_fail_not_found(dc_fail *f, dc_name n)
{
    return named(f, 404, "NotFound", n, "not found");
}

bool dc_fail_exists(dc_fail *f, dc_name n)
{
    return named(f, 409, "AlreadyExists", n, "already exists");
}

bool dc_fail_conflict(dc_fail *f, dc_name n, const char *fmt, ...)
{
    va_list args;

    if (f->code != 0) {
        return false;
    }
    va_start(args, fmt);
    char *why = format(fmt, args);
    va_end(args);
    dc_fail_set(f, 409, "Conflict", "Operation cannot be fulfilled on %s%s%s \"%s\": %s", n.plural,
                *n.group != '\0' ? "." : "", n.group, n.name, why);
    free(why);
    name_details(f, n, n.plural);
    return false;
}

static cJSON *new_cause(const char *reason, const char *field, const char *message)
{
    cJSON *cause = cJSON_CreateObject();

    dc_set_str(cause, "reason", reason);
    dc_set_str(cause, "message", message);
    if (*field != '\0') {
        dc_set_str(cause, "field", field);
    }
    return cause;
}

void dc_fail_cause(dc_fail *f, const char *reason, const char *field, const char *message)
{
    if (f->details == NULL) {
        f->details = cJSON_CreateObject();
    }
    cJSON_AddItemToArray(dc_ensure_array(f->details, "causes"), new_cause(reason, field, message));
}

void dc_fail_retry_after(dc_fail *f, int seconds)
{
    if (f->details == NULL) {
        f->details = cJSON_CreateObject();
    }
    dc_set_int(f->details, "retryAfterSeconds", seconds);
}

static void add_cause(dc_errors *e, const char *reason, const char *field, const char *message)
{
    if (e->causes == NULL) {
        e->causes = cJSON_CreateArray();
    }
    cJSON_AddItemToArray(e->causes, new_cause(reason, field, message));
}

void dc_required(dc_errors *e, const char *field, const char *message)
{
    char text[512];

    snprintf(text, sizeof(text), "Required value%s%s", *message != '\0' ? ": " : "", message);
    add_cause(e, "FieldValueRequired", field, text);
}

static void invalid_value(dc_errors *e, const char *field, const cJSON *value, const char *fmt, va_list args)
    __attribute__((format(printf, 4, 0)));

static void invalid_value(dc_errors *e, const char *field, const cJSON *value, const char *fmt, va_list args)
{
    dsp_buf text;

    dsp_buf_init(&text, 4 << 20);
    dsp_buf_addz(&text, "Invalid value: ");
    dc_print(&text, value);
    if (*fmt != '\0') {
        dsp_buf_addz(&text, ": ");
        dsp_buf_addv(&text, fmt, args);
    }
    add_cause(e, "FieldValueInvalid", field, dsp_buf_cstr(&text));
    dsp_buf_free(&text);
}

void dc_invalid(dc_errors *e, const char *field, const cJSON *value, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    invalid_value(e, field, value, fmt, args);
    va_end(args);
}

void dc_invalid_text(dc_errors *e, const char *field, const char *value, const char *fmt, ...)
{
    va_list args;
    cJSON  *node = cJSON_CreateString(value);

    va_start(args, fmt);
    invalid_value(e, field, node, fmt, args);
    va_end(args);
    cJSON_Delete(node);
}

void dc_other_error(dc_errors *e, const char *reason, const char *field, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    char *text = format(fmt, args);
    va_end(args);
    add_cause(e, reason, field, text);
    free(text);
}

/* The message names the same error once. */
static bool repeated(const cJSON *causes, const cJSON *cause)
{
    for (const cJSON *c = causes->child; c != cause; c = c->next) {
        if (dc_equal(c, cause)) {
            return true;
        }
    }
    return false;
}

bool dc_errors_done(dc_errors *e, dc_name n, dc_fail *f)
{
    dsp_buf text;

    if (e->causes == NULL) {
        return f->code == 0;
    }
    if (f->code != 0) {
        cJSON_Delete(e->causes);
        e->causes = NULL;
        return false;
    }
    bool many = false;
    for (const cJSON *c = e->causes->child->next; c != NULL; c = c->next) {
        many = many || !repeated(e->causes, c);
    }
    dsp_buf_init(&text, 8 << 20);
    for (const cJSON *c = e->causes->child; c != NULL; c = c->next) {
        const char *field = dc_str(c, "field");
        if (repeated(e->causes, c)) {
            continue;
        }
        dsp_buf_addf(&text, "%s%s: %s", c == e->causes->child ? "" : ", ", field != NULL ? field : "<nil>",
                     dc_str(c, "message"));
    }
    dc_fail_set(f, 422, "Invalid", "%s%s%s \"%s\" is invalid: %s%s%s", n.kind, *n.group != '\0' ? "." : "", n.group,
                n.name != NULL ? n.name : "", many ? "[" : "", dsp_buf_cstr(&text), many ? "]" : "");
    dsp_buf_free(&text);
    name_details(f, n, n.kind);
    if (*n.kind == '\0') {
        dc_del(f->details, "kind");
    }
    dc_set(f->details, "causes", e->causes);
    e->causes = NULL;
    return false;
}

void dc_fail_print(const dc_fail *f, dsp_buf *out)
{
    cJSON *status = cJSON_CreateObject();

    dc_set_str(status, "kind", "Status");
    dc_set_str(status, "apiVersion", "v1");
    cJSON *metadata = dc_ensure(status, "metadata");
    if (f->token != NULL) {
        dc_set_str(metadata, "continue", f->token);
    }
    dc_set_str(status, "status", "Failure");
    dc_set_str(status, "message", f->message != NULL ? f->message : "");
    if (f->reason != NULL && *f->reason != '\0') {
        dc_set_str(status, "reason", f->reason);
    }
    if (f->details != NULL) {
        dc_set(status, "details", dc_copy(f->details));
    }
    dc_set_int(status, "code", f->code);
    dc_print(out, status);
    cJSON_Delete(status);
}

void dc_fail_free(dc_fail *f)
{
    free(f->message);
    free(f->token);
    cJSON_Delete(f->details);
    *f = (dc_fail){ 0 };
}
