#include "render.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "job_meta.h"
#include "model/object.h"

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

/* --- spec ----------------------------------------------------------------------------------------------------- */

/* The TTL that is put aside until the result has been recorded; none: what stands there, if anything, is for the API
 * server to refuse. */
static dsp_json ttl_of(dsp_json spec)
{
    dsp_json ttl = dsp_json_get(spec, "ttlSecondsAfterFinished");
    int64_t  seconds;

    if (dsp_json_int64(ttl, &seconds) && seconds >= 0 && seconds <= INT32_MAX) {
        return ttl;
    }
    return dsp_json_kind(ttl) == DSP_JSON_NULL ? ttl : (dsp_json){ NULL, 0 };
}

/* With a TTL the members are put together anew; the bytes of all others stay. */
static void write_spec(dsp_walk *w, dsp_json spec, dsp_json ttl)
{
    dsp_json_iter it = dsp_json_iterate(spec);
    dsp_json      key, value;
    const char   *comma = "";

    dsp_walk_to(w, "spec");
    if (ttl.data == NULL) {
        dsp_walk_value(w, spec);
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
        dsp_walk_child(w, key, 0, value);
    }
    dsp_buf_addc(w->out, '}');
}

static void write_job(dsp_walk *w, dsp_job_renderer *r, const dsp_jobtemplate *jt)
{
    dsp_json meta = dsp_json_get(jt->job_template, "metadata");
    dsp_json spec = dsp_json_get(jt->job_template, "spec");
    dsp_json ttl = ttl_of(spec);

    if (dsp_json_kind(spec) != DSP_JSON_OBJECT) {
        dsp_walk_problem_at(w, DSP_STR("spec"), DSP_STR("the JobTemplate has no spec.jobTemplate.spec"));
        return;
    }
    dsp_walk_name(w, r->names, meta);
    dsp_buf_addz(w->out, "{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",");
    dsp_walk_metadata(w, jt, meta, ttl);
    dsp_buf_addz(w->out, ",\"spec\":");
    write_spec(w, spec, ttl);
    dsp_buf_addc(w->out, '}');
}

bool dsp_render_job(dsp_job_renderer *r, const dsp_jobexecution *je, const dsp_jobtemplate *jt, dsp_arena *arena,
                    dsp_buf *out, dsp_rendered *result)
{
    dsp_walk w = { .renderer = r->fields,
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
        dsp_walk_problem_at(&w, DSP_STR(""), DSP_STR("out of memory"));
    } else {
        write_job(&w, r, jt);
    }
    if (out->failed && result->n_problems == 0) {
        dsp_walk_problem_at(&w, DSP_STR(""), DSP_STR("the Job is larger than the API server takes (3 MiB)"));
    }
    if (arena->state != DSP_ARENA_OK && result->n_problems == 0) {
        result->no_memory = arena->state == DSP_ARENA_NO_MEMORY;
        dsp_walk_problem_at(&w, DSP_STR(""), DSP_STR("the Job needs more memory than a Job may"));
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
