#include <errno.h>
#include <string.h>
#include <time.h>

#include "function.h"

/* --- errors: the first one stays ---------------------------------------------------------------------------------- */

static bool set_error(gt_ctx *c, enum dsp_template_failure kind)
{
    if (c->failed) {
        return false;
    }
    c->failed = true;
    c->failure = kind;
    dsp_buf_reset(&c->error);
    return true;
}

bool gt_fail(gt_ctx *c, const char *format, ...)
{
    va_list args;

    if (set_error(c, DSP_TEMPLATE_EXEC)) {
        va_start(args, format);
        dsp_buf_addv(&c->error, format, args);
        va_end(args);
    }
    return false;
}

bool gt_fail_str(gt_ctx *c, dsp_str text)
{
    if (set_error(c, DSP_TEMPLATE_EXEC)) {
        dsp_buf_adds(&c->error, text);
    }
    return false;
}

dsp_buf *gt_fail_text(gt_ctx *c)
{
    dsp_buf_reset(&c->error);
    return &c->error;
}

bool gt_failed(gt_ctx *c)
{
    if (!c->failed) {
        c->failed = true;
        c->failure = DSP_TEMPLATE_EXEC;
    }
    return false;
}

void gt_fail_before(gt_ctx *c, dsp_str text)
{
    size_t len = c->error.len;

    if (dsp_buf_adds(&c->error, text)) { /* makes room; what it wrote is overwritten */
        memmove(c->error.data + text.len, c->error.data, len);
        memcpy(c->error.data, text.data, text.len);
    }
}

bool gt_fail_limit(gt_ctx *c, const char *format, ...)
{
    va_list args;

    if (set_error(c, DSP_TEMPLATE_LIMIT)) {
        va_start(args, format);
        dsp_buf_addv(&c->error, format, args);
        va_end(args);
    }
    return false;
}

bool gt_fail_memory(gt_ctx *c)
{
    if (set_error(c, DSP_TEMPLATE_MEMORY)) {
        dsp_buf_addz(&c->error, "out of memory");
    }
    return false;
}

bool gt_forgive(gt_ctx *c)
{
    if (c->failed && (c->failure == DSP_TEMPLATE_LIMIT || c->failure == DSP_TEMPLATE_MEMORY)) {
        return false;
    }
    c->failed = false;
    return true;
}

/* --- memory ------------------------------------------------------------------------------------------------------- */

bool gt_fail_alloc(gt_ctx *c)
{
    if (c->arena->state == DSP_ARENA_OVER_CAP) {
        return gt_fail_limit(c, "memory limit of %zu bytes exceeded", c->options->limits.arena_bytes);
    }
    return gt_fail_memory(c);
}

void *gt_alloc(gt_ctx *c, size_t size)
{
    void *p = dsp_arena_alloc(c->arena, size);

    if (p == NULL) {
        gt_fail_alloc(c);
    }
    return p;
}

void *gt_alloc_n(gt_ctx *c, size_t n, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes)) {
        gt_fail_limit(c, "memory limit of %zu bytes exceeded", c->options->limits.arena_bytes);
        return NULL;
    }
    return gt_alloc(c, bytes);
}

void *gt_regrow(gt_ctx *c, const void *items, size_t used, size_t n, size_t size)
{
    void *more = gt_alloc_n(c, n, size);

    if (more != NULL && used > 0) {
        memcpy(more, items, used * size);
    }
    return more;
}

bool gt_copy(gt_ctx *c, dsp_str s, dsp_str *out)
{
    char *p = gt_alloc(c, s.len);

    if (p == NULL) {
        return false;
    }
    if (s.len > 0) {
        memcpy(p, s.data, s.len);
    }
    *out = (dsp_str){ p, s.len };
    return true;
}

/* --- time and depth ----------------------------------------------------------------------------------------------- */

int64_t gt_now_ns(gt_ctx *c)
{
    return c->options->host.now_ns(c->options->host.context);
}

int64_t gt_tick_ns(gt_ctx *c)
{
    struct timespec used;

    if (!c->own_clock) {
        return gt_now_ns(c);
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (int64_t) used.tv_sec * 1000000000 + used.tv_nsec;
}

bool gt_clock_ok(gt_ctx *c)
{
    int64_t now = gt_tick_ns(c);

    c->until_clock = GT_CLOCK_EVERY;
    if (!c->clock_runs) {
        c->clock_runs = true;
        c->deadline_ns = now + (int64_t) c->options->limits.time_ms * 1000000;
    }
    if (now > c->deadline_ns) {
        return gt_fail_limit(c, "time limit of %u ms exceeded", c->options->limits.time_ms);
    }
    return true;
}

bool gt_charge(gt_ctx *c, uint64_t steps)
{
    if (steps > c->steps_left) {
        c->steps_left = 0;
        return gt_fail_limit(c, "limit of %llu steps exceeded", (unsigned long long) c->options->limits.steps);
    }
    c->steps_left -= steps;
    if (steps >= c->until_clock) {
        return gt_clock_ok(c);
    }
    c->until_clock -= (uint32_t) steps;
    return true;
}

bool gt_charge_cost(gt_ctx *c, unsigned units)
{
    if (units > c->cost_left) {
        return gt_fail_limit(c, "limit of %u units for keys, certificates and password hashes exceeded",
                             c->options->limits.cost);
    }
    c->cost_left -= units;
    if (!c->slow) {
        c->slow = true;
        c->slow_since_ns = gt_tick_ns(c);
    }
    return true;
}

bool gt_deeper(gt_ctx *c)
{
    if (c->depth >= c->options->limits.value_depth || !gt_stack_ok(c)) {
        return gt_fail_limit(c, "values are nested deeper than %u levels", c->options->limits.value_depth);
    }
    c->depth++;
    return true;
}

/* --- texts -------------------------------------------------------------------------------------------------------- */

/* A buffer that grew beyond this is not kept. */
enum { KEEP_TEXT = 256 * 1024 };

void gt_trim_buffer(dsp_buf *b)
{
    if (b->size > KEEP_TEXT) {
        dsp_buf_free(b);
    }
}

/* What the arena and the texts under way leave. */
static size_t memory_left(const gt_ctx *c)
{
    size_t left = c->arena->max - c->arena->used;

    for (size_t i = 0; i < c->n_texts; i++) {
        left -= c->texts[i].len < left ? c->texts[i].len : left;
    }
    return left;
}

dsp_buf *gt_text_begin(gt_ctx *c)
{
    size_t   left = memory_left(c);
    dsp_buf *b;

    if (c->n_texts == GT_MAX_TEXTS) {
        gt_fail_limit(c, "texts are nested deeper than %d levels", GT_MAX_TEXTS);
        return NULL;
    }
    b = &c->texts[c->n_texts++];
    dsp_buf_reset(b);
    b->max = left;
    errno = 0;
    return b;
}

bool gt_text_ok(gt_ctx *c, const dsp_buf *b)
{
    if (!b->failed) {
        return true;
    }
    if (errno == ENOMEM) {
        return gt_fail_memory(c);
    }
    return gt_fail_limit(c, "memory limit of %zu bytes exceeded", c->options->limits.arena_bytes);
}

bool gt_text_fits(gt_ctx *c, const dsp_buf *b, uint64_t n)
{
    if (b->failed || n > b->max - b->len) {
        return gt_fail_limit(c, "memory limit of %zu bytes exceeded", c->options->limits.arena_bytes);
    }
    return true;
}

bool gt_text_end(gt_ctx *c, dsp_buf *b, dsp_str *out)
{
    c->n_texts = (unsigned) (b - c->texts); /* also gives back what a failed and forgiven callee left open */
    if (!gt_text_ok(c, b) || !gt_copy(c, dsp_buf_str(b), out)) {
        return false;
    }
    gt_trim_buffer(b);
    return true;
}

bool gt_text_give(gt_ctx *c, dsp_buf *b, gt_value *out)
{
    dsp_str s;

    if (!gt_text_end(c, b, &s)) {
        return false;
    }
    *out = gt_string(s);
    return true;
}

/* --- randomness --------------------------------------------------------------------------------------------------- */

bool gt_random(gt_ctx *c, void *out, size_t n)
{
    if (!c->options->host.random(c->options->host.context, out, n)) {
        return gt_fail(c, "no random bytes to be had");
    }
    return true;
}

bool gt_random_below(gt_ctx *c, uint64_t n, uint64_t *out)
{
    uint64_t limit = UINT64_MAX - UINT64_MAX % n; /* what lies above would favour small numbers */
    uint64_t x;

    do {
        if (!gt_random(c, &x, sizeof(x))) {
            return false;
        }
    } while (x >= limit);
    *out = x % n;
    return true;
}
