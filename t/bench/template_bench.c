/*
 * Renders each case N times and prints "NAME NANOSECONDS" per rendering, parse included:
 *
 *     template_bench N < cases.jsonl
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/json.h"
#include "template/template.h"

#define MAX_LINE ((size_t) 16 << 20)

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec * 1e9 + (double) t.tv_nsec;
}

static dsp_str member(dsp_json object, const char *name, dsp_arena *arena)
{
    dsp_str s = { NULL, 0 };

    dsp_json_string(dsp_json_get(object, name), arena, &s);
    return s;
}

/* The best of five runs. */
static double measure(dsp_renderer *r, const dsp_template_input *in, dsp_buf *out, long n)
{
    double best = 0;

    for (int run = 0; run < 5; run++) {
        double start = now();
        for (long i = 0; i < n; i++) {
            dsp_buf_reset(out);
            if (!dsp_render(r, in, out, NULL)) {
                return -1;
            }
        }
        double took = (now() - start) / (double) n;
        best = run == 0 || took < best ? took : best;
    }
    return best;
}

int main(int argc, char **argv)
{
    long          n = argc > 1 ? atol(argv[1]) : 1000;
    char         *line = NULL;
    size_t        size = 0;
    ssize_t       len;
    dsp_renderer *r = dsp_renderer_new(NULL);
    dsp_arena     arena;
    dsp_buf       out;

    dsp_arena_init(&arena, MAX_LINE);
    dsp_buf_init(&out, MAX_LINE);
    while (r != NULL && (len = getline(&line, &size, stdin)) > 0) {
        dsp_template_input in = { .name = DSP_STR("string") };
        dsp_json           object;
        dsp_str            group;

        dsp_arena_reset(&arena);
        if (!dsp_json_parse((dsp_str){ line, (size_t) len }, &object, NULL)) {
            return 2;
        }
        in.text = member(object, "template", &arena);
        in.data_name = member(object, "name", &arena);
        in.payload = member(object, "payload", &arena);
        group = member(object, "group", &arena);
        printf("%.*s %.0f\n", DSP_STR_ARG(group), measure(r, &in, &out, n));
    }
    free(line);
    dsp_arena_free(&arena);
    dsp_buf_free(&out);
    dsp_renderer_free(r);
    return 0;
}
