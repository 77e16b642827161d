/*
 * Splicing a Job: any JobTemplate and payload give JSON or problems with paths; without `{{` every byte of the spec stays.
 * The first line is the payload, the rest spec.jobTemplate.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controller/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static dsp_job_renderer *renderer(void)
{
    static dsp_job_renderer *r;

    if (r == NULL) {
        dsp_template_options options = { .limits = { .steps = 100000, .output_bytes = 65536 } };

        r = dsp_job_renderer_new(&options);
    }
    return r;
}

/* A TTL is put aside; what can be none stays, for the API server to refuse. */
static bool is_ttl(dsp_json v)
{
    int64_t seconds;

    return dsp_json_kind(v) == DSP_JSON_NULL || (dsp_json_int64(v, &seconds) && seconds >= 0 && seconds <= INT32_MAX);
}

static void check_job(dsp_str text, dsp_json job_template)
{
    dsp_json job, spec = dsp_json_get(job_template, "spec");

    if (!dsp_json_parse(text, &job, NULL)) {
        abort();
    }
    if (memmem(spec.data, spec.len, "{{", 2) == NULL && memmem(spec.data, spec.len, "\\u007", 5) == NULL &&
        memmem(spec.data, spec.len, "ttlSecondsAfterFinished", 23) == NULL && memchr(spec.data, '\\', spec.len) == NULL &&
        !dsp_str_eq(dsp_json_get(job, "spec"), spec)) {
        abort();
    }
    dsp_json ttl = dsp_json_path(job, "spec", "ttlSecondsAfterFinished", NULL);
    if (ttl.data != NULL && is_ttl(ttl)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dsp_str      text = { (const char *) data, size };
    size_t       line = dsp_str_find(text, '\n');
    dsp_json     job_template;
    dsp_arena    arena;
    dsp_buf      out, payload;
    dsp_rendered result;

    if (!dsp_json_parse(dsp_str_sub(text, line + 1, size), &job_template, NULL)) {
        return 0;
    }
    dsp_arena_init(&arena, 16 << 20);
    dsp_buf_init(&out, 1 << 20);
    dsp_buf_init(&payload, 1 << 20);
    dsp_json_quote(&payload, dsp_str_sub(text, 0, line));
    dsp_jobexecution je = { .ns = DSP_STR("ns"), .name = DSP_STR("je"), .uid = DSP_STR("u"), .payload = dsp_buf_str(&payload) };
    dsp_jobtemplate  jt = { .name = DSP_STR("t"), .job_template = job_template };
    if (dsp_render_job(renderer(), &je, &jt, &arena, &out, &result)) {
        check_job(dsp_buf_str(&out), job_template);
    } else if (result.n_problems == 0) {
        abort();
    }
    dsp_buf_free(&payload);
    dsp_buf_free(&out);
    dsp_arena_free(&arena);
    return 0;
}
