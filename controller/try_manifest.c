#include "try_manifest.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "manifest.h"
#include "model/object.h"
#include "render.h"

#define ARENA_MAX (64u << 20)

struct
try {
    const dsp_try_options *options;
    dsp_job_renderer      *renderer;
    dsp_buf               *out;
    dsp_buf               *errors;
    dsp_buf                payload; /* as a JSON string */
    unsigned               templates;
    unsigned               failed;
};

static void tell_problems(struct try *t, const dsp_jobtemplate *jt, const dsp_rendered *rendered)
{
    t->failed++;
    for (size_t i = 0; i < rendered->n_problems; i++) {
        const dsp_render_problem *p = &rendered->problems[i];

        dsp_buf_addf(t->errors, "jobtemplate %.*s: ", DSP_STR_ARG(jt->name));
        dsp_buf_adds(t->errors, p->path);
        dsp_buf_addz(t->errors, p->path.len > 0 ? ": " : "");
        dsp_buf_adds(t->errors, p->message);
        dsp_buf_addc(t->errors, '\n');
    }
    if (rendered->n_more > 0) {
        dsp_buf_addf(t->errors, "jobtemplate %.*s: and %zu more\n", DSP_STR_ARG(jt->name), rendered->n_more);
    }
}

static void print_job(struct try *t, dsp_str job)
{
    dsp_json value;

    if (!t->options->yaml) {
        dsp_buf_adds(t->out, job);
        dsp_buf_addc(t->out, '\n');
    } else if (dsp_json_parse(job, &value, NULL)) {
        dsp_manifest_write_yaml(value, t->out);
    }
}

static void try_template(struct try *t, dsp_json object)
{
    const dsp_try_options *o = t->options;
    dsp_jobtemplate        jt;
    dsp_rendered           rendered;
    dsp_arena              arena;
    dsp_buf                job, name;

    dsp_arena_init(&arena, ARENA_MAX);
    dsp_buf_init(&job, DSP_JOB_MAX_BYTES);
    dsp_buf_init(&name, 512);
    t->templates++;
    if (!dsp_jobtemplate_read(object, &arena, &jt)) {
        t->failed++;
        dsp_buf_addz(t->errors, "a JobTemplate without metadata.name\n");
    } else {
        if (o->name[0] != '\0') {
            dsp_buf_addz(&name, o->name);
        } else {
            dsp_buf_addf(&name, "%.*s-example", DSP_STR_ARG(jt.name));
        }
        dsp_jobexecution je = { .ns = jt.ns.len > 0 ? jt.ns : DSP_STR("default"),
                                .name = dsp_buf_str(&name),
                                .uid = o->uid[0] != '\0' ? dsp_str_from(o->uid)
                                                         : DSP_STR("00000000-0000-0000-0000-000000000000"),
                                .created_us = dsp_wall_us(),
                                .template_name = jt.name,
                                .payload = dsp_buf_str(&t->payload) };
        if (dsp_render_job(t->renderer, &je, &jt, &arena, &job, &rendered)) {
            print_job(t, dsp_buf_str(&job));
        } else {
            tell_problems(t, &jt, &rendered);
        }
    }
    dsp_buf_free(&job);
    dsp_buf_free(&name);
    dsp_arena_free(&arena);
}

static bool on_document(void *context, dsp_json object)
{
    struct try   *t = context;
    dsp_json      kind = dsp_json_get(object, "kind"), item;
    dsp_json_iter it = dsp_json_iterate(dsp_json_get(object, "items"));

    if (dsp_json_equals(kind, DSP_STR("JobTemplate"))) {
        try_template(t, object);
    } else if (dsp_json_equals(kind, DSP_STR("List")) || dsp_json_equals(kind, DSP_STR("JobTemplateList"))) {
        while (dsp_json_next(&it, NULL, &item)) {
            on_document(context, item);
        }
    }
    return true;
}

enum dsp_try_result dsp_try_manifest(dsp_str manifest, const dsp_try_options *options, dsp_buf *out, dsp_buf *errors)
{
    struct try t = {
        .options = options, .renderer = dsp_job_renderer_new(&options->templates), .out = out, .errors = errors
    };
    enum dsp_try_result result = DSP_TRY_UNUSABLE;

    dsp_buf_init(&t.payload, 16u << 20);
    if (dsp_utf8_invalid_at(options->payload) < options->payload.len) {
        dsp_buf_addf(errors, "the payload is not valid UTF-8 at byte %zu\n", dsp_utf8_invalid_at(options->payload));
    } else if (t.renderer == NULL || !dsp_json_quote(&t.payload, options->payload)) {
        dsp_buf_addz(errors, "out of memory\n");
    } else if (!dsp_manifest_read(manifest, on_document, &t, errors)) {
        dsp_buf_addc(errors, '\n');
    } else if (t.templates == 0) {
        dsp_buf_addz(errors, "no JobTemplate in it\n");
    } else {
        result = t.failed > 0 ? DSP_TRY_FAILED : DSP_TRY_OK;
    }
    dsp_buf_free(&t.payload);
    dsp_job_renderer_free(t.renderer);
    return result;
}
