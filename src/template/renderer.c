#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "exec.h"

struct dsp_renderer {
    dsp_template_options options;
    dsp_arena            arena;
    gt_ctx               ctx;
    bool                 in_batch;
};

/* --- the system's own clock, randomness, environment and resolver ------------------------------------------------- */

static int64_t system_now_ns(void *context)
{
    struct timespec now;

    (void) context;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool system_random(void *context, void *out, size_t n)
{
    char *p = out;

    (void) context;
    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);
        if (got <= 0) {
            return false;
        }
        p += got;
        n -= (size_t) got;
    }
    return true;
}

static dsp_str system_env(void *context, dsp_str name)
{
    char        key[256];
    const char *value;

    (void) context;
    if (name.len >= sizeof(key) || memchr(name.data, '\0', name.len) != NULL) {
        return (dsp_str){ NULL, 0 };
    }
    memcpy(key, name.data, name.len);
    key[name.len] = '\0';
    value = getenv(key);
    return dsp_str_from(value);
}

/* The short forms of an IPv4 address ("7", "0x1f", "1.2.3"), which getaddrinfo takes and Go does not. */
static bool is_short_address(const char *name)
{
    struct in_addr any;
    unsigned char  full[sizeof(any)];

    return inet_aton(name, &any) != 0 && inet_pton(AF_INET, name, full) != 1;
}

static size_t system_lookup(void *context, dsp_str host, char (*out)[46], size_t n)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo      *list;
    size_t                found = 0;
    char                 *name = dsp_str_dup(host);

    (void) context;
    if (name == NULL || is_short_address(name) || getaddrinfo(name, NULL, &hints, &list) != 0) {
        free(name);
        return 0;
    }
    for (struct addrinfo *a = list; a != NULL && found < n; a = a->ai_next) {
        if (getnameinfo(a->ai_addr, a->ai_addrlen, out[found], sizeof(out[0]), NULL, 0, NI_NUMERICHOST) == 0) {
            found++;
        }
    }
    freeaddrinfo(list);
    free(name);
    return found;
}

/* --- making and freeing ------------------------------------------------------------------------------------------- */

static void default_limits(dsp_template_limits *l)
{
#define DEFAULT(field, value) l->field = l->field != 0 ? l->field : (value)
    DEFAULT(template_bytes, 256 * 1024);
    DEFAULT(output_bytes, 1024 * 1024);
    DEFAULT(arena_bytes, 64 * 1024 * 1024);
    DEFAULT(steps, 5000000);
    DEFAULT(time_ms, 2000);
    DEFAULT(nesting, 1000);
    DEFAULT(call_depth, 1000);
    DEFAULT(value_depth, 10000);
    DEFAULT(regex_bytes, 8 * 1024 * 1024);
    DEFAULT(cost, 64);
#undef DEFAULT
}

static void default_host(dsp_template_host *h)
{
    h->now_ns = h->now_ns != NULL ? h->now_ns : system_now_ns;
    h->random = h->random != NULL ? h->random : system_random;
    h->env = h->env != NULL ? h->env : system_env;
    h->lookup = h->lookup != NULL ? h->lookup : system_lookup;
}

dsp_renderer *dsp_renderer_new(const dsp_template_options *options)
{
    dsp_renderer *r = calloc(1, sizeof(*r));
    gt_ctx       *c;

    if (r == NULL) {
        return NULL;
    }
    if (options != NULL) {
        r->options = *options;
    }
    default_limits(&r->options.limits);
    r->ctx.own_clock = r->options.host.now_ns == NULL;
    default_host(&r->options.host);
    dsp_arena_init(&r->arena, r->options.limits.arena_bytes);
    c = &r->ctx;
    c->options = &r->options;
    c->arena = &r->arena;
    c->start_ns = gt_now_ns(c);
    dsp_buf_init(&c->error, r->options.limits.arena_bytes);
    for (size_t i = 0; i < GT_MAX_TEXTS; i++) {
        dsp_buf_init(&c->texts[i], 0);
    }
    r->options.host.random(r->options.host.context, &c->hash_seed, sizeof(c->hash_seed));
    return r;
}

void dsp_renderer_free(dsp_renderer *r)
{
    if (r == NULL) {
        return;
    }
    for (size_t i = 0; i < GT_MAX_TEXTS; i++) {
        dsp_buf_free(&r->ctx.texts[i]);
    }
    dsp_buf_free(&r->ctx.error);
    dsp_arena_free(&r->arena);
    free(r);
}

/* --- rendering ---------------------------------------------------------------------------------------------------- */

static void start_batch(dsp_renderer *r)
{
    r->ctx.cost_left = r->options.limits.cost;
    r->ctx.clock_runs = false;
}

void dsp_renderer_begin(dsp_renderer *r)
{
    r->in_batch = true;
    start_batch(r);
}

static void start_rendering(dsp_renderer *r)
{
    gt_ctx *c = &r->ctx;

    dsp_buf_reset(&c->error);
    gt_trim_buffer(&c->error);
    c->failed = false;
    c->fn = NULL;
    c->depth = 0;
    c->n_texts = 0;
    c->steps_left = r->options.limits.steps;
    c->until_clock = GT_CLOCK_EVERY;
    c->zones = NULL;
    c->regexes = NULL;
    c->regexes_free = NULL;
    if (!r->in_batch) {
        start_batch(r);
    }
}

/* All is given back but the error's text and a little memory for the next rendering. */
static void end_rendering(dsp_renderer *r)
{
    gt_ctx *c = &r->ctx;

    if (c->regexes_free != NULL) {
        c->regexes_free(c);
    }
    for (size_t i = 0; i < GT_MAX_TEXTS && c->texts[i].data != NULL; i++) {
        gt_trim_buffer(&c->texts[i]);
    }
    dsp_arena_reset(&r->arena);
}

static bool render(dsp_renderer *r, const dsp_template_input *in, dsp_buf *out)
{
    gt_ctx       *c = &r->ctx;
    size_t        max = r->options.limits.template_bytes;
    gt_exec_input exec = { .text = in->text, .name = in->name, .flags = in->flags };
    gt_tree      *trees;

    if (in->text.len > max) {
        return gt_fail_limit(c, "template: %.*s: a text of %zu bytes exceeds the limit of %zu bytes",
                             DSP_STR_ARG(in->name), in->text.len, max);
    }
    if (!gt_parse(c, in->name, in->text, &trees)) {
        return false;
    }
    exec.trees = trees;
    return gt_execute(c, &exec, out);
}

static void give_error(const gt_ctx *c, dsp_template_error *error)
{
    error->kind = c->failure;
    error->message = dsp_buf_str(&c->error);
    if (error->message.len == 0 && c->error.failed) {
        error->kind = DSP_TEMPLATE_MEMORY;
        error->message = DSP_STR("out of memory");
    }
}

static void take_back(dsp_buf *out, size_t len)
{
    out->len = len;
    out->failed = false;
    if (out->data != NULL) {
        out->data[len] = '\0';
    }
}

bool dsp_render(dsp_renderer *r, const dsp_template_input *in, dsp_buf *out, dsp_template_error *error)
{
    const struct gt_env env = { in->data_name, in->payload };
    size_t              start = out->len;
    size_t              max = out->max;
    size_t              room = max - start;
    gt_ctx             *c = &r->ctx;
    bool                ok;

    start_rendering(r);
    c->env = &env;
    c->stack_base = __builtin_frame_address(0);
    out->max = room > r->options.limits.output_bytes ? start + r->options.limits.output_bytes : max;
    ok = render(r, in, out);
    out->max = max;
    end_rendering(r);
    if (!ok) {
        take_back(out, start);
        if (error != NULL) {
            give_error(c, error);
        }
    }
    return ok;
}

bool dsp_template_has_actions(dsp_str text)
{
    return text.len >= 2 && memmem(text.data, text.len, "{{", 2) != NULL;
}
