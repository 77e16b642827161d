#include "render.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "job_fields.h"
#include "model/jobname.h"
#include "model/object.h"

/* Deeper than any field of a Job, and far from the end of the stack. */
#define MAX_DEPTH 100

/* --- the two renderers ---------------------------------------------------------------------------------------- */

/* What a name's template sees instead of the clock and the random source: always the same for one JobExecution. */
struct fixed_host {
    int64_t  now_ns;
    dsp_str  uid;
    uint32_t blocks; /* of random bytes drawn so far */
};

struct dsp_job_renderer {
    dsp_renderer     *fields;
    dsp_renderer     *names;
    struct fixed_host host;
};

static int64_t fixed_now(void *context)
{
    return ((struct fixed_host *) context)->now_ns;
}

/* SHA-256(uid, block number), block after block. */
static bool fixed_random(void *context, void *out, size_t n)
{
    struct fixed_host *h = context;
    unsigned char     *p = out, digest[EVP_MAX_MD_SIZE];
    dsp_buf            seed;

    dsp_buf_init(&seed, 4096);
    while (n > 0) {
        unsigned len = 0;

        dsp_buf_reset(&seed);
        dsp_buf_addf(&seed, "%.*s/%u", DSP_STR_ARG(h->uid), h->blocks++);
        if (seed.failed || !EVP_Digest(seed.data, seed.len, digest, &len, EVP_sha256(), NULL)) {
            dsp_buf_free(&seed);
            return false;
        }
        len = len < n ? len : (unsigned) n;
        memcpy(p, digest, len);
        p += len;
        n -= len;
    }
    dsp_buf_free(&seed);
    return true;
}

dsp_job_renderer *dsp_job_renderer_new(const dsp_template_options *options)
{
    dsp_job_renderer    *r = calloc(1, sizeof(*r));
    dsp_template_options names = options != NULL ? *options : (dsp_template_options){ 0 };

    if (r == NULL) {
        return NULL;
    }
    names.policy = 0; /* neither the environment nor DNS: they may answer otherwise the next time */
    names.host.context = &r->host;
    names.host.now_ns = fixed_now;
    names.host.random = fixed_random;
    names.host.env = NULL;
    names.host.lookup = NULL;
    r->fields = dsp_renderer_new(options);
    r->names = dsp_renderer_new(&names);
    if (r->fields == NULL || r->names == NULL) {
        dsp_job_renderer_free(r);
        return NULL;
    }
    return r;
}

void dsp_job_renderer_free(dsp_job_renderer *r)
{
    if (r != NULL) {
        dsp_renderer_free(r->fields);
        dsp_renderer_free(r->names);
        free(r);
    }
}

/* --- one walk over a template --------------------------------------------------------------------------------- */

struct walk {
    dsp_renderer           *renderer;
    const dsp_jobexecution *je;
    dsp_str                 payload;
    bool                    expand_output;
    dsp_arena              *arena;
    dsp_rendered           *result;
    dsp_buf                *out;
    dsp_buf                 path; /* where we are: containers[0].args[2] */
    dsp_buf                 norm; /* the same for the table: containers[].args[] */
    unsigned                depth;
};

/* A copy that is valid UTF-8: an error text may quote a payload's bytes out of the middle of a rune. */
static dsp_str clean_text(struct walk *w, dsp_str text)
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

static void problem_at(struct walk *w, dsp_str path, dsp_str message)
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

static void problem(struct walk *w, const char *message)
{
    problem_at(w, dsp_buf_str(&w->path), dsp_str_from(message));
}

/* Whether a span of JSON may hold a template: `{{`, or a brace that is written as an escape. */
static bool may_have_template(dsp_json span)
{
    return span.len >= 4 &&
           (memmem(span.data, span.len, "{{", 2) != NULL || memmem(span.data, span.len, "\\u007", 5) != NULL);
}

/* What was emitted may be data that no process can be given. */
static void check_output(struct walk *w, dsp_str text, bool expanded, bool doubled)
{
    size_t len = text.len;

    if (dsp_utf8_invalid_at(text) < text.len) {
        problem(w, "renders to bytes that are not valid UTF-8");
        return;
    }
    if (!expanded) {
        return;
    }
    if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL) {
        problem(w, "renders to a text with a NUL byte, which neither an argument nor a variable can hold");
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
        problem(w, message);
    }
}

/*
 * Renders one template text. On success the output is in `text`, which is the caller's; on failure the problem is
 * noted.
 */
static bool render_text(struct walk *w, dsp_str source, const char *type, unsigned flags, dsp_buf *text)
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
    problem_at(w, dsp_buf_str(&w->path), err.message);
    return false;
}

/* The row of the place where we are; for an element of an array of strings, the array's. */
static const dsp_job_field *current_field(struct walk *w)
{
    dsp_str path = dsp_buf_str(&w->norm);

    if (dsp_str_has_suffix(path, DSP_STR("[]"))) {
        path = dsp_str_sub(path, 0, path.len - 2);
    }
    return dsp_job_field_find(path);
}

static void render_string(struct walk *w, dsp_json span)
{
    const dsp_job_field *field = current_field(w);
    bool                 expanded = field != NULL && (field->flags & DSP_FIELD_EXPANDED);
    bool                 doubled = expanded && !w->expand_output;
    dsp_str              source;
    dsp_buf              text;

    if (!dsp_json_string(span, w->arena, &source)) {
        w->result->no_memory = true;
        problem(w, "out of memory");
        return;
    }
    if ((field != NULL && (field->flags & DSP_FIELD_VERBATIM)) || source.len == 0 ||
        memmem(source.data, source.len, "{{", 2) == NULL) {
        dsp_buf_adds(w->out, span);
        return;
    }
    dsp_buf_init(&text, DSP_JOB_MAX_BYTES);
    if (render_text(w, source, field != NULL ? field->type : "string", doubled ? DSP_TEMPLATE_DOUBLE_DOLLAR : 0,
                    &text)) {
        check_output(w, dsp_buf_str(&text), expanded, doubled);
        dsp_json_quote(w->out, dsp_buf_str(&text));
    }
    dsp_buf_free(&text);
}

static void render_value(struct walk *w, dsp_json span);

/* Goes down to one member or element and comes back. key: the member's name; none: element number i. */
static void render_child(struct walk *w, dsp_json key, size_t i, dsp_json value)
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
    render_value(w, value);
    w->path.len = path;
    w->norm.len = norm;
}

/* Members and elements are replaced where they stand; what is between them is copied. */
static void render_children(struct walk *w, dsp_json span)
{
    dsp_json_iter it = dsp_json_iterate(span);
    const char   *done = span.data;
    dsp_json      key, value;

    for (size_t i = 0; dsp_json_next(&it, &key, &value); i++) {
        dsp_buf_add(w->out, done, (size_t) (value.data - done));
        render_child(w, key, i, value);
        done = value.data + value.len;
    }
    dsp_buf_add(w->out, done, (size_t) (span.data + span.len - done));
}

static void render_value(struct walk *w, dsp_json span)
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
            problem(w, "is nested too deeply for a template");
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

static void go_to(struct walk *w, const char *path)
{
    dsp_buf_reset(&w->path);
    dsp_buf_reset(&w->norm);
    dsp_buf_addz(&w->path, path);
    dsp_buf_addz(&w->norm, path);
}

/* --- metadata ------------------------------------------------------------------------------------------------- */

/* metadata.name or metadata.generateName, rendered by the renderer for names; empty: not there. */
static dsp_str name_text(struct walk *w, dsp_job_renderer *r, dsp_json meta, const char *member, const char *path)
{
    dsp_str source = dsp_object_string(meta, member, w->arena), made = { NULL, 0 };
    dsp_buf text;

    if (source.len == 0 || memmem(source.data, source.len, "{{", 2) == NULL) {
        return source;
    }
    go_to(w, path);
    w->renderer = r->names;
    dsp_buf_init(&text, 64 * 1024);
    if (render_text(w, source, "string", 0, &text)) {
        made = dsp_arena_str(w->arena, dsp_buf_str(&text));
    }
    dsp_buf_free(&text);
    w->renderer = r->fields;
    return made;
}

/* RFC 1123, a subdomain of at most 63 bytes: what the Job's name may be at all, and safe in a path. */
static bool name_ok(dsp_str name)
{
    bool edge = true; /* at an end of a label, where a letter or digit is wanted */

    if (name.len == 0 || name.len > DSP_JOB_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (!alnum && (edge || (c != '-' && c != '.') || (c == '.' && name.data[i - 1] == '-'))) {
            return false;
        }
        edge = c == '.';
    }
    return !edge && name.data[name.len - 1] != '-';
}

static void choose_name(struct walk *w, dsp_job_renderer *r, dsp_json meta)
{
    dsp_rendered *result = w->result;
    char          name[DSP_JOB_NAME_MAX + 1];
    dsp_str       fixed = name_text(w, r, meta, "name", "metadata.name");

    if (fixed.len > 0) {
        result->name = fixed;
        result->fixed = true;
        go_to(w, "metadata.name");
        if (!name_ok(fixed)) {
            dsp_buf message;

            dsp_buf_init(&message, 4096);
            dsp_buf_addf(&message,
                         "\"%.*s\" is no name for a Job: at most 63 of a-z, 0-9, '-' and '.', with a letter or digit "
                         "at both ends",
                         (int) (fixed.len < 300 ? fixed.len : 300), fixed.data);
            problem(w, dsp_buf_cstr(&message));
            dsp_buf_free(&message);
        }
        return;
    }
    dsp_str prefix = name_text(w, r, meta, "generateName", "metadata.generateName");
    dsp_job_name(prefix.len > 0 ? prefix : w->je->name, w->je->uid, name);
    result->name = dsp_arena_str(w->arena, dsp_str_from(name));
}

static void add_member(dsp_buf *out, const char *name, dsp_str value)
{
    if (out->len > 0 && out->data[out->len - 1] != '{') {
        dsp_buf_addc(out, ',');
    }
    dsp_json_quote(out, dsp_str_from(name));
    dsp_buf_addc(out, ':');
    dsp_json_quote(out, value);
}

/* The members of a free-form map as they are, less those whose names are ours. */
static void copy_map(dsp_buf *out, dsp_json map, const char *const ours[2])
{
    dsp_json_iter it = dsp_json_iterate(map);
    dsp_json      key, value;

    while (dsp_json_kind(map) == DSP_JSON_OBJECT && dsp_json_next(&it, &key, &value)) {
        if (dsp_json_equals(key, dsp_str_from(ours[0])) || dsp_json_equals(key, dsp_str_from(ours[1]))) {
            continue;
        }
        if (out->data[out->len - 1] != '{') {
            dsp_buf_addc(out, ',');
        }
        dsp_buf_adds(out, key);
        dsp_buf_addc(out, ':');
        dsp_buf_adds(out, value);
    }
}

static void write_labels(struct walk *w, dsp_json meta)
{
    static const char *const ours[2] = { DSP_LABEL_UID, DSP_LABEL_EXECUTION };
    char                     label[DSP_JOB_NAME_MAX + 1];

    dsp_label_value(w->je->name, label);
    dsp_buf_addz(w->out, ",\"labels\":{");
    copy_map(w->out, dsp_json_get(meta, "labels"), ours);
    add_member(w->out, DSP_LABEL_UID, w->je->uid);
    add_member(w->out, DSP_LABEL_EXECUTION, dsp_str_from(label));
    dsp_buf_addc(w->out, '}');
}

static void write_annotations(struct walk *w, dsp_json meta, dsp_str template_version, dsp_json ttl)
{
    static const char *const ours[2] = { DSP_TTL_ANNOTATION, DSP_TEMPLATE_VERSION_ANNOTATION };

    dsp_buf_addz(w->out, ",\"annotations\":{");
    copy_map(w->out, dsp_json_get(meta, "annotations"), ours);
    if (template_version.len > 0) {
        add_member(w->out, DSP_TEMPLATE_VERSION_ANNOTATION, template_version);
    }
    if (dsp_json_kind(ttl) == DSP_JSON_NUMBER) {
        add_member(w->out, DSP_TTL_ANNOTATION, ttl);
    }
    dsp_buf_addc(w->out, '}');
}

static void write_metadata(struct walk *w, const dsp_jobtemplate *jt, dsp_json meta, dsp_json ttl)
{
    dsp_json finalizers = dsp_json_get(meta, "finalizers");

    dsp_buf_addz(w->out, "\"metadata\":{");
    add_member(w->out, "name", w->result->name);
    add_member(w->out, "namespace", w->je->ns);
    write_labels(w, meta);
    write_annotations(w, meta, jt->resource_version, ttl);
    if (dsp_json_kind(finalizers) == DSP_JSON_ARRAY) {
        dsp_buf_addz(w->out, ",\"finalizers\":");
        go_to(w, "metadata.finalizers");
        render_value(w, finalizers);
    }
    dsp_buf_addz(w->out,
                 ",\"ownerReferences\":[{\"apiVersion\":\"" DSP_API_VERSION "\",\"kind\":\"JobExecution\",\"name\":");
    dsp_json_quote(w->out, w->je->name);
    dsp_buf_addz(w->out, ",\"uid\":");
    dsp_json_quote(w->out, w->je->uid);
    dsp_buf_addz(w->out, ",\"controller\":true,\"blockOwnerDeletion\":true}]}");
}

/* --- spec ----------------------------------------------------------------------------------------------------- */

/* With ttlSecondsAfterFinished the members are put together anew; the bytes of all others stay. */
static void write_spec(struct walk *w, dsp_json spec, dsp_json ttl)
{
    dsp_json_iter it = dsp_json_iterate(spec);
    dsp_json      key, value;
    const char   *comma = "";

    go_to(w, "spec");
    if (ttl.data == NULL) {
        render_value(w, spec);
        return;
    }
    dsp_buf_addc(w->out, '{');
    while (dsp_json_next(&it, &key, &value)) {
        if (dsp_json_equals(key, DSP_STR("ttlSecondsAfterFinished"))) {
            continue;
        }
        dsp_buf_addz(w->out, comma);
        comma = ",";
        dsp_buf_adds(w->out, key);
        dsp_buf_addc(w->out, ':');
        render_child(w, key, 0, value);
    }
    dsp_buf_addc(w->out, '}');
}

static void write_job(struct walk *w, dsp_job_renderer *r, const dsp_jobtemplate *jt)
{
    dsp_json meta = dsp_json_get(jt->job_template, "metadata");
    dsp_json spec = dsp_json_get(jt->job_template, "spec");
    dsp_json ttl = dsp_json_get(spec, "ttlSecondsAfterFinished");

    if (dsp_json_kind(spec) != DSP_JSON_OBJECT) {
        problem_at(w, DSP_STR("spec"), DSP_STR("the JobTemplate has no spec.jobTemplate.spec"));
        return;
    }
    choose_name(w, r, meta);
    dsp_buf_addz(w->out, "{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",");
    write_metadata(w, jt, meta, ttl);
    dsp_buf_addz(w->out, ",\"spec\":");
    write_spec(w, spec, ttl);
    dsp_buf_addc(w->out, '}');
}

bool dsp_render_job(dsp_job_renderer *r, const dsp_jobexecution *je, const dsp_jobtemplate *jt, dsp_arena *arena,
                    dsp_buf *out, dsp_rendered *result)
{
    struct walk w = { .renderer = r->fields,
                      .je = je,
                      .expand_output = jt->expand_output,
                      .arena = arena,
                      .result = result,
                      .out = out };

    memset(result, 0, sizeof(*result));
    dsp_buf_reset(out);
    dsp_buf_init(&w.path, 8192);
    dsp_buf_init(&w.norm, 8192);
    r->host = (struct fixed_host){ .now_ns = je->created_us * 1000, .uid = je->uid };
    dsp_renderer_begin(r->fields);
    dsp_renderer_begin(r->names);
    if (je->payload.data != NULL && !dsp_json_string(je->payload, arena, &w.payload)) {
        result->no_memory = true;
        problem_at(&w, DSP_STR(""), DSP_STR("out of memory"));
    } else {
        write_job(&w, r, jt);
    }
    if (out->failed && result->n_problems == 0) {
        problem_at(&w, DSP_STR(""), DSP_STR("the Job is larger than the API server takes (3 MiB)"));
    }
    if (arena->state != DSP_ARENA_OK && result->n_problems == 0) {
        result->no_memory = arena->state == DSP_ARENA_NO_MEMORY;
        problem_at(&w, DSP_STR(""), DSP_STR("the Job needs more memory than a Job may"));
    }
    dsp_buf_free(&w.path);
    dsp_buf_free(&w.norm);
    return result->n_problems == 0;
}

void dsp_rendered_message(const dsp_rendered *result, dsp_buf *out)
{
    const size_t told = 5;

    for (size_t i = 0; i < result->n_problems && i < told; i++) {
        const dsp_render_problem *p = &result->problems[i];

        if (i > 0) {
            dsp_buf_addz(out, "; ");
        }
        if (p->path.len > 0) {
            dsp_buf_adds(out, p->path);
            dsp_buf_addz(out, ": ");
        }
        dsp_buf_adds(out, p->message);
    }
    size_t all = result->n_problems + result->n_more;
    if (all > told) {
        dsp_buf_addf(out, " (and %zu more)", all - told);
    }
}
