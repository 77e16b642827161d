/*
 * Every case of t/vectors: what we render must be what Go rendered, byte for byte, errors included.
 */
#include <glob.h>
#include <openssl/evp.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"
#include "template/template.h"
#include "unit.h"

#define MAX_FILE   ((size_t) 256 << 20)
#define SHOW_FIRST 10

typedef struct score {
    size_t cases;
    size_t wrong;
} score;

static void read_all(const char *path, dsp_buf *out)
{
    FILE *f = fopen(path, "rb");
    char *room;

    assert_non_null(f);
    while ((room = dsp_buf_room(out, 65536)) != NULL) {
        size_t n = fread(room, 1, 65536, f);
        out->len += n;
        if (n == 0) {
            break;
        }
    }
    assert_false(out->failed);
    fclose(f);
}

static dsp_str member(dsp_json object, const char *name, dsp_arena *arena, dsp_str otherwise)
{
    dsp_json value = dsp_json_get(object, name);
    dsp_str  s = otherwise;

    if (value.data != NULL) {
        assert_true(dsp_json_string(value, arena, &s));
    }
    return s;
}

/* The text of NAME or the bytes of NAME_b64; {NULL, 0}: the case has neither. */
static dsp_str answer(dsp_json object, const char *name, dsp_arena *arena)
{
    char    b64[16];
    dsp_str s = member(object, name, arena, (dsp_str){ NULL, 0 });
    char   *bytes;
    int     n;

    if (s.data != NULL) {
        return s;
    }
    snprintf(b64, sizeof(b64), "%s_b64", name);
    s = member(object, b64, arena, (dsp_str){ NULL, 0 });
    if (s.data == NULL) {
        return s;
    }
    bytes = dsp_arena_alloc(arena, s.len + 1);
    assert_non_null(bytes);
    n = EVP_DecodeBlock((unsigned char *) bytes, (const unsigned char *) s.data, (int) s.len);
    assert_true(n >= 0);
    for (size_t i = s.len; i > 0 && s.data[i - 1] == '='; i--) {
        n--;
    }
    return (dsp_str){ bytes, (size_t) n };
}

static void show(const char *path, size_t line, dsp_str template, dsp_str want, bool ok, dsp_str got)
{
    print_message("%s:%zu: %.*s\n    want: %.*s\n    got %s: %.*s\n", path, line, DSP_STR_ARG(template), DSP_STR_ARG(want),
                  ok ? "out" : "err", DSP_STR_ARG(got));
}

static void run_case(dsp_renderer *r, const char *path, size_t line, dsp_str text, dsp_arena *arena, score *total)
{
    dsp_template_input in = { .flags = 0 };
    dsp_template_error error;
    dsp_json           object;
    dsp_str            want_out, want_err, got;
    dsp_buf            out;
    bool               ok;

    assert_true(dsp_json_parse(text, &object, NULL));
    in.text = member(object, "template", arena, DSP_STR(""));
    in.name = member(object, "field", arena, DSP_STR("string"));
    in.data_name = member(object, "name", arena, DSP_STR(""));
    in.payload = member(object, "payload", arena, DSP_STR(""));
    want_out = answer(object, "out", arena);
    want_err = answer(object, "err", arena);
    if (want_out.data == NULL && want_err.data == NULL) {
        return; /* Go had no answer */
    }
    dsp_buf_init(&out, MAX_FILE);
    ok = dsp_render(r, &in, &out, &error);
    got = ok ? dsp_buf_str(&out) : error.message;
    total->cases++;
    if (ok != (want_out.data != NULL) || !dsp_str_eq(got, ok ? want_out : want_err)) {
        if (total->wrong++ < SHOW_FIRST) {
            show(path, line, in.text, want_out.data != NULL ? want_out : want_err, ok, got);
        }
    }
    dsp_buf_free(&out);
}

static void run_file(dsp_renderer *r, const char *path, score *total)
{
    dsp_arena arena;
    dsp_buf   file;
    dsp_str   rest;
    size_t    line = 0;

    dsp_arena_init(&arena, MAX_FILE);
    dsp_buf_init(&file, MAX_FILE);
    read_all(path, &file);
    rest = dsp_buf_str(&file);
    while (rest.len > 0) {
        size_t n = dsp_str_find(rest, '\n');
        line++;
        if (n > 0) {
            dsp_arena_reset(&arena);
            run_case(r, path, line, dsp_str_sub(rest, 0, n), &arena, total);
        }
        rest = dsp_str_sub(rest, n + 1, rest.len);
    }
    dsp_buf_free(&file);
    dsp_arena_free(&arena);
}

/* Where the vectors were made there was no environment, and no name server. */
static dsp_str no_env(void *context, dsp_str name)
{
    (void) context;
    (void) name;
    return (dsp_str){ NULL, 0 };
}

/* 2033, years after any vector was made: an answer that shows the clock must not be among them. */
static int64_t far_from_then(void *context)
{
    (void) context;
    return INT64_C(2000000000) * 1000000000;
}

static size_t lookup(void *context, dsp_str host, char (*out)[46], size_t n)
{
    (void) context;
    if (n == 0 || !dsp_str_is(host, "localhost")) {
        return 0;
    }
    strcpy(out[0], "127.0.0.1");
    return 1;
}

static void run_files(const char *pattern, size_t at_least)
{
    static const dsp_template_options options = {
        .limits = { .time_ms = PATIENT_MS },
        .policy = DSP_TEMPLATE_ALLOW_ENV | DSP_TEMPLATE_ALLOW_DNS,
        .host = { .local_zone = "UTC", .now_ns = far_from_then, .env = no_env, .lookup = lookup },
    };
    dsp_renderer *r = dsp_renderer_new(&options);
    score         total = { 0, 0 };
    glob_t        files;

    assert_non_null(r);
    assert_true(glob(pattern, 0, NULL, &files) == 0 || at_least == 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        run_file(r, files.gl_pathv[i], &total);
    }
    globfree(&files);
    dsp_renderer_free(r);
    if (total.wrong > 0) {
        fail_msg("%zu of %zu cases differ from Go", total.wrong, total.cases);
    }
    assert_true(total.cases >= at_least);
}

static void shared_cases(void **state)
{
    (void) state;
    run_files("t/vectors/*.jsonl", 2400);
}

static void own_cases(void **state)
{
    (void) state;
    run_files("t/vectors/own/*.jsonl", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_cases),
        cmocka_unit_test(own_cases),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
