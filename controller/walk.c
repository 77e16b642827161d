#include "walk.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "job_fields.h"

/* Deeper than any field of a Job, and far from the end of the stack. */
#define MAX_DEPTH 100

/* A copy that is valid UTF-8: an error text may quote a payload's bytes out of the middle of a rune. */
static dsp_str clean_text(dsp_walk *w, dsp_str text)
{
    dsp_buf b;
    size_t  bad;

    dsp_buf_init(&b, 64 * 1024);
    while ((bad = dsp_utf8_invalid_at(text)) < text.len && !b.failed) {
        dsp_buf_add(&b, text.data, bad);
        dsp_buf_addz(&b, "\xEF\xBF\xBD");
        text = dsp_str_sub(text, bad + 1, text.len);
    }
    dsp_buf_adds(&b, text);
    dsp_str copy = dsp_arena_str(w->arena, dsp_buf_str(&b));
    dsp_buf_free(&b);
    return copy;
}

void dsp_walk_problem_at(dsp_walk *w, dsp_str path, dsp_str message)
{
    dsp_rendered *r = w->result;

    if (r->n_problems == DSP_RENDER_PROBLEMS_MAX) {
        r->n_more++;
        return;
    }
    dsp_render_problem *p = &r->problems[r->n_problems++];
    p->path = dsp_arena_str(w->arena, path);
    p->message = clean_text(w, message);
}

void dsp_walk_problem(dsp_walk *w, const char *message)
{
    dsp_walk_problem_at(w, dsp_buf_str(&w->path), dsp_str_from(message));
}

/* Whether a span of JSON may hold a template: `{{`, or a brace that is written as an escape. */
static bool may_have_template(dsp_json span)
{
    return span.len >= 4 &&
           (memmem(span.data, span.len, "{{", 2) != NULL || memmem(span.data, span.len, "\\u007", 5) != NULL);
}

/* What was emitted may be data that no process can be given. */
static void check_output(dsp_walk *w, dsp_str text, bool expanded, bool doubled)
{
    size_t len = text.len;

    if (dsp_utf8_invalid_at(text) < text.len) {
        dsp_walk_problem(w, "renders to bytes that are not valid UTF-8");
        return;
    }
    if (!expanded) {
        return;
    }
    if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL) {
        dsp_walk_problem(w, "renders to a text with a NUL byte, which neither an argument nor a variable can hold");
    }
    for (size_t i = 0; doubled && i + 1 < text.len; i++) {
        if (text.data[i] == '$' && text.data[i + 1] == '$') {
            i++;
            len--;
        }
    }
    if (len > DSP_ARG_MAX_BYTES) {
        char message[160];

        snprintf(message, sizeof(message), "renders to %zu bytes; one argument or variable of a process holds %d", len,
                 DSP_ARG_MAX_BYTES);
        dsp_walk_problem(w, message);
    }
}

/*
 * Renders one template text. On success the output is in `text`, which is the caller's; on failure the problem is
 * noted.
 */
bool dsp_walk_text(dsp_walk *w, dsp_str source, const char *type, unsigned flags, dsp_buf *text)
{
    dsp_template_input input = {
        .text = source, .name = dsp_str_from(type), .data_name = w->je->name, .payload = w->payload, .flags = flags
    };
    dsp_template_error err = { 0 };

    if (dsp_render(w->renderer, &input, text, &err)) {
        return true;
    }
    if (err.kind == DSP_TEMPLATE_MEMORY) {
        w->result->no_memory = true;
    }
    dsp_walk_problem_at(w, dsp_buf_str(&w->path), err.message);
    return false;
}

/* The row of the place where we are; for an element of an array of strings, the array's. */
static const dsp_job_field *current_field(dsp_walk *w)
{
    dsp_str path = dsp_buf_str(&w->norm);

    if (dsp_str_has_suffix(path, DSP_STR("[]"))) {
        path = dsp_str_sub(path, 0, path.len - 2);
    }
    return dsp_job_field_find(path);
}

static void render_string(dsp_walk *w, dsp_json span)
{
    const dsp_job_field *field = current_field(w);
    bool                 expanded = field != NULL && (field->flags & DSP_FIELD_EXPANDED);
    bool                 doubled = expanded && !w->expand_output;
    dsp_str              source;
    dsp_buf              text;

    if (!dsp_json_string(span, w->arena, &source)) {
        w->result->no_memory = true;
        dsp_walk_problem(w, "out of memory");
        return;
    }
    if ((field != NULL && (field->flags & DSP_FIELD_VERBATIM)) || source.len == 0 ||
        memmem(source.data, source.len, "{{", 2) == NULL) {
        dsp_buf_adds(w->out, span);
        return;
    }
    dsp_buf_init(&text, DSP_JOB_MAX_BYTES);
    if (dsp_walk_text(w, source, field != NULL ? field->type : "string", doubled ? DSP_TEMPLATE_DOUBLE_DOLLAR : 0,
                      &text)) {
        check_output(w, dsp_buf_str(&text), expanded, doubled);
        dsp_json_quote(w->out, dsp_buf_str(&text));
    }
    dsp_buf_free(&text);
}

/* Goes down to one member or element and comes back. key: the member's name; none: element number i. */
void dsp_walk_child(dsp_walk *w, dsp_json key, size_t i, dsp_json value)
{
    size_t path = w->path.len, norm = w->norm.len;

    if (key.data == NULL) {
        dsp_buf_addf(&w->path, "[%zu]", i);
        dsp_buf_addz(&w->norm, "[]");
    } else {
        dsp_str name = { NULL, 0 };

        dsp_json_string(key, w->arena, &name);
        dsp_buf_addc(&w->path, '.');
        dsp_buf_adds(&w->path, name);
        dsp_buf_addc(&w->norm, '.');
        dsp_buf_adds(&w->norm, name);
    }
    dsp_walk_value(w, value);
    w->path.len = path;
    w->norm.len = norm;
}

/* Members and elements are replaced where they stand; what is between them is copied. */
static void render_children(dsp_walk *w, dsp_json span)
{
    dsp_json_iter it = dsp_json_iterate(span);
    const char   *done = span.data;
    dsp_json      key, value;

    for (size_t i = 0; dsp_json_next(&it, &key, &value); i++) {
        dsp_buf_add(w->out, done, (size_t) (value.data - done));
        dsp_walk_child(w, key, i, value);
        done = value.data + value.len;
    }
    dsp_buf_add(w->out, done, (size_t) (span.data + span.len - done));
}

void dsp_walk_value(dsp_walk *w, dsp_json span)
{
    const dsp_job_field *field;

    if (!may_have_template(span)) {
        dsp_buf_adds(w->out, span);
        return;
    }
    switch (dsp_json_kind(span)) {
    case DSP_JSON_STRING:
        render_string(w, span);
        return;
    case DSP_JSON_OBJECT:
    case DSP_JSON_ARRAY:
        field = dsp_job_field_find(dsp_buf_str(&w->norm));
        if (field != NULL && (field->flags & DSP_FIELD_VERBATIM)) {
            dsp_buf_adds(w->out, span);
        } else if (w->depth == MAX_DEPTH) {
            dsp_walk_problem(w, "is nested too deeply for a template");
        } else {
            w->depth++;
            render_children(w, span);
            w->depth--;
        }
        return;
    default:
        dsp_buf_adds(w->out, span);
    }
}

void dsp_walk_to(dsp_walk *w, const char *path)
{
    dsp_buf_reset(&w->path);
    dsp_buf_reset(&w->norm);
    dsp_buf_addz(&w->path, path);
    dsp_buf_addz(&w->norm, path);
}
