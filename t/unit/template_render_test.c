/* The public API of the template room: output and errors, limits, the flag for literal payloads, reuse. */
#include "base/buf.h"
#include "t/devcluster/expand.h"
#include "template/function.h"
#include "template/template.h"
#include "unit.h"

typedef struct result {
    bool                      ok;
    enum dsp_template_failure kind;
    char                      text[4096]; /* output or error, cut */
} result;

static result render_with(const dsp_template_options *options, const char *text, const char *payload, unsigned flags)
{
    dsp_template_options patient = options == NULL ? (dsp_template_options){ 0 } : *options;
    dsp_template_input   in = {
        .text = dsp_str_from(text),
        .name = DSP_STR("string"),
        .data_name = DSP_STR("job-1"),
        .payload = dsp_str_from(payload),
        .flags = flags,
    };
    dsp_template_error error = { 0 };
    dsp_renderer      *r;
    dsp_str            s;
    dsp_buf            out;
    result             res = { 0 };

    if (patient.limits.time_ms == 0) {
        patient.limits.time_ms = PATIENT_MS;
    }
    r = dsp_renderer_new(&patient);
    assert_non_null(r);
    dsp_buf_init(&out, (size_t) 16 << 20);
    dsp_buf_addz(&out, "kept");
    res.ok = dsp_render(r, &in, &out, &error);
    res.kind = error.kind;
    assert_memory_equal(out.data, "kept", 4);
    assert_true(res.ok || out.len == 4);
    s = res.ok ? dsp_str_sub(dsp_buf_str(&out), 4, out.len) : error.message;
    snprintf(res.text, sizeof(res.text), "%.*s", DSP_STR_ARG(s));
    dsp_buf_free(&out);
    dsp_renderer_free(r);
    return res;
}

static void assert_out(const char *text, const char *payload, const char *want)
{
    result res = render_with(NULL, text, payload, 0);

    assert_string_equal(res.text, want);
    assert_true(res.ok);
}

static void assert_fails(const dsp_template_options *options, const char *text, enum dsp_template_failure kind,
                         const char *part)
{
    result res = render_with(options, text, "payload", 0);

    assert_false(res.ok);
    if (strstr(res.text, part) == NULL) {
        fail_msg("%s: error is \"%s\", without \"%s\"", text, res.text, part);
    }
    assert_int_equal(res.kind, kind);
}

static void renders(void **state)
{
    (void) state;
    assert_out("plain $ text", "", "plain $ text");
    assert_out("{{ .Payload }} for {{ .Name }}", "p", "p for job-1");
    assert_out("{{ . }}", "p", "{job-1 p}");
    assert_out("{{ printf \"%T %v\" . (print .) }}", "p", "*template.Environment &{job-1 p}");
    assert_out("{{ define \"x\" }}<{{ . }}>{{ end }}{{ template \"x\" .Payload }}", "{{ .Name }}", "<{{ .Name }}>");
}

static void says_what_is_wrong(void **state)
{
    (void) state;
    assert_fails(NULL, "{{ nope }}", DSP_TEMPLATE_PARSE, "template: string:1: function \"nope\" not defined");
    assert_fails(NULL, "a\n {{ .Nope }}", DSP_TEMPLATE_EXEC,
                 "template: string:2:4: executing \"string\" at <.Nope>: can't evaluate field Nope in type "
                 "*template.Environment");
}

static void literal_output(void **state)
{
    result res = render_with(NULL, "$(A) {{ .Payload }} $$ {{ len .Payload }} {{ print .Payload }}{{ printf \"$\" }}", "$(B)$",
                             DSP_TEMPLATE_DOUBLE_DOLLAR);

    (void) state;
    assert_string_equal(res.text, "$(A) $$(B)$$ $$ 5 $$(B)$$$$");
    res = render_with(NULL, "${{ .Payload }}", "5", DSP_TEMPLATE_DOUBLE_DOLLAR); /* no more than must be */
    assert_string_equal(res.text, "$5");
}

static const char *no_secret(void *arg, const char *name)
{
    (void) arg;
    (void) name;
    return "SECRET";
}

/* What a process is given: the author's texts as kubelet expands them, and between them the payload as it is. A `$` of
 * the author right before an action must not make a reference, or half a pair, with what the action writes; and kubelet
 * mangles what is not ASCII behind one. */
static void kubelet_gives_the_payload_unchanged(void **state)
{
    static const char *const before[] = { "", "$", "$$", "$$$", "cost: $", "$(V)", "$(V)$", "($" };
    static const char *const payloads[] = { "(V)", "$(V)", "$$(V)", "$$$(V)", "$", "$$", "x$", "(", "$(", "$(V", "x", "\xC3\xA9" };
    static const char *const after[] = { "", "(V)", "$(V)", "$", "$$", ")" };

    (void) state;
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        for (size_t k = 0; k < sizeof(payloads) / sizeof(payloads[0]); k++) {
            for (size_t n = 0; n < sizeof(after) / sizeof(after[0]); n++) {
                char    text[128];
                dsp_buf want, got;

                dsp_buf_init(&want, 1024);
                dsp_buf_init(&got, 1024);
                dc_expand(&want, before[i], no_secret, NULL);
                dsp_buf_addz(&want, payloads[k]);
                dc_expand(&want, after[n], no_secret, NULL);
                snprintf(text, sizeof(text), "%s{{ \"\" }}{{ .Payload }}%s", before[i], after[n]);
                dc_expand(&got, render_with(NULL, text, payloads[k], DSP_TEMPLATE_DOUBLE_DOLLAR).text, no_secret, NULL);
                assert_string_equal(dsp_buf_cstr(&got), dsp_buf_cstr(&want));
                dsp_buf_free(&want);
                dsp_buf_free(&got);
            }
        }
    }
}

static void policy(void **state)
{
    const dsp_template_options open = { .policy = DSP_TEMPLATE_ALLOW_ENV };

    (void) state;
    if (gt_function_find(DSP_STR("env"), DSP_TEMPLATE_ALLOW_ENV) == NULL) {
        fail_msg("there is no function env");
    }
    assert_fails(NULL, "{{ env \"HOME\" }}", DSP_TEMPLATE_PARSE, "function \"env\" not defined");
    assert_fails(NULL, "{{ expandenv \"$HOME\" }}", DSP_TEMPLATE_PARSE, "function \"expandenv\" not defined");
    assert_fails(NULL, "{{ getHostByName \"localhost\" }}", DSP_TEMPLATE_PARSE, "function \"getHostByName\" not defined");
    assert_true(render_with(&open, "{{ env \"HOME\" }}", "", 0).ok);
}

static char *repeated(const char *a, size_t n, const char *middle, const char *b)
{
    dsp_buf text;

    dsp_buf_init(&text, (size_t) 64 << 20);
    for (size_t i = 0; i < n; i++) {
        dsp_buf_addz(&text, a);
    }
    dsp_buf_addz(&text, middle);
    for (size_t i = 0; i < n; i++) {
        dsp_buf_addz(&text, b);
    }
    assert_false(text.failed);
    return dsp_buf_take(&text);
}

static void nesting_limits(void **state)
{
    char *text;

    (void) state;
    text = repeated("(", 900, "1", ")");
    char *action = malloc(strlen(text) + 5);
    assert_non_null(action);
    sprintf(action, "{{%s}}", text);
    assert_out(action, "", "1");
    free(action);
    free(text);

    text = repeated("{{ if 1 }}", 1001, "x", "{{ end }}");
    assert_fails(NULL, text, DSP_TEMPLATE_LIMIT, "nested deeper than 1000 levels");
    free(text);

    text = repeated("{{ if 1 }}", 1000, "x", "{{ end }}");
    assert_out(text, "", "x");
    free(text);

    text = repeated("{{ else if 1 }}", 12000, "", "");
    char *chain = malloc(strlen(text) + 64);
    assert_non_null(chain);
    sprintf(chain, "{{ if 0 }}%s{{ end }}", text);
    render_with(NULL, chain, "", 0); /* either a limit or the output, never a crash */
    free(chain);
    free(text);
}

static void depth_limits(void **state)
{
    (void) state;
    assert_fails(NULL, "{{ define \"r\" }}{{ template \"r\" . }}{{ end }}{{ template \"r\" . }}", DSP_TEMPLATE_LIMIT,
                 "exceeded maximum template depth (1000)");
    /* blocks and templates multiply; the stack is what counts */
    char *text = repeated("{{ if 1 }}", 990, "{{ template \"r\" . }}", "{{ end }}");
    char *whole = malloc(strlen(text) + 128);
    assert_non_null(whole);
    sprintf(whole, "{{ define \"r\" }}%s{{ end }}{{ template \"r\" . }}", text);
    assert_fails(NULL, whole, DSP_TEMPLATE_LIMIT, "nested too deep");
    free(whole);
    free(text);
}

static void size_limits(void **state)
{
    const dsp_template_options small = { .limits = { .template_bytes = 10, .output_bytes = 3 } };

    (void) state;
    assert_fails(&small, "01234567890", DSP_TEMPLATE_LIMIT, "a text of 11 bytes exceeds the limit of 10 bytes");
    assert_fails(&small, "0123", DSP_TEMPLATE_LIMIT, "output limit of 3 bytes exceeded");
    assert_fails(&small, "{{ 1234 }}", DSP_TEMPLATE_LIMIT, "output limit of 3 bytes exceeded");
    assert_fails(NULL, "{{ printf \"%9999999d\" 1 }}", DSP_TEMPLATE_LIMIT, "output limit of 1048576 bytes exceeded");
    assert_fails(NULL, "{{ len (printf \"%9999999d%9999999d%9999999d%9999999d%9999999d%9999999d%9999999d\" 1 1 1 1 1 1 1) }}",
                 DSP_TEMPLATE_LIMIT, "memory limit of 67108864 bytes exceeded");
    assert_out("{{ printf \"%99999999d\" 1 }}", "", "%!(NOVERB)%!(EXTRA int=1)");
    assert_fails(NULL, "{{ range 9223372036854775807 }}{{ end }}", DSP_TEMPLATE_LIMIT, "limit of 5000000 steps exceeded");
    assert_fails(NULL, "{{ range 2000 }}{{ range 2000 }}{{ range 2000 }}{{ end }}{{ end }}{{ end }}", DSP_TEMPLATE_LIMIT,
                 "limit of 5000000 steps exceeded");
    assert_fails(NULL, "{{ $x := \"0123456789abcdef\" }}{{ range 40 }}{{ $x = print $x $x }}{{ end }}", DSP_TEMPLATE_LIMIT,
                 "memory limit of 67108864 bytes exceeded");
}

/* What a function does to long arguments counts as steps, so that there is a look at the clock before it is long over. */
static void work_is_counted(void **state)
{
    static const dsp_template_options few = { .limits = { .steps = 20000 } };
    static const char *const          texts[] = {
        "{{ $p := repeat 50000 \"a.\" }}{{ $v := semver (print \"1.0.0-\" $p \"b\") }}{{ $w := semver (print \"1.0.0-\" $p \"b\") }}"
        "{{ range until 10 }}{{ $x := $v.Compare $w }}{{ end }}",
        "{{ $p := repeat 50000 \"a.\" }}{{ $v := semver (print \"1.0.0-\" $p \"b\") }}{{ $w := semver (print \"1.0.0-\" $p \"b\") }}"
        "{{ range until 10 }}{{ $x := $v.Equal $w }}{{ end }}",
        "{{ $p := repeat 50000 \"a.\" }}{{ $p = print \"1.0.0-\" $p \"b\" }}{{ $v := semver \"1.2.3\" }}{{ range until 20 }}{{ $x := $v.Scan $p }}{{ end }}",
        "{{ $p := repeat 100000 \"a\" }}{{ range until 20 }}{{ $x := base $p }}{{ end }}",
        "{{ $p := repeat 20000 \"1\" }}{{ range until 10 }}{{ $x := date $p 0 }}{{ end }}",
        "{{ $p := repeat 20000 \"1\" }}{{ range until 10 }}{{ $x := now.Format $p }}{{ end }}",
        "{{ $a := until 4000 }}{{ $b := until 4000 }}{{ range until 100 }}{{ $x := deepEqual $a $b }}{{ end }}",
        "{{ $p := repeat 50000 \"a\" }}{{ $d := dict }}{{ range until 4 }}{{ $_ := set $d (print $p .) 1 }}{{ end }}"
        "{{ range until 10 }}{{ $x := keys $d }}{{ end }}",
    };

    (void) state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_fails(&few, texts[i], DSP_TEMPLATE_LIMIT, "limit of 20000 steps exceeded");
    }
}

static int64_t running_clock(void *context)
{
    int64_t *now = context;

    *now += 1000000000;
    return *now;
}

static void wall_clock(void **state)
{
    int64_t                    now = 0;
    const dsp_template_options options = { .limits = { .time_ms = 5000 },
                                           .host = { .context = &now, .now_ns = running_clock } };

    (void) state;
    assert_fails(&options, "{{ range 1000000 }}{{ end }}", DSP_TEMPLATE_LIMIT, "time limit of 5000 ms exceeded");
}

static void reuse(void **state)
{
    dsp_renderer      *r = dsp_renderer_new(NULL);
    dsp_template_input good = { .text = DSP_STR("{{ .Payload }}"), .name = DSP_STR("string"), .payload = DSP_STR("x") };
    dsp_template_input bad = { .text = DSP_STR("{{ .Payload.x }}"), .name = DSP_STR("string"), .payload = DSP_STR("x") };
    dsp_template_error error;
    dsp_buf            out;

    (void) state;
    dsp_buf_init(&out, 1000);
    for (int i = 0; i < 3; i++) {
        assert_true(dsp_render(r, &good, &out, &error));
        assert_false(dsp_render(r, &bad, &out, &error));
        assert_str(error.message,
                   "template: string:1:11: executing \"string\" at <.Payload.x>: can't evaluate field x in type string");
        assert_false(dsp_render(r, &bad, &out, NULL));
    }
    assert_str(dsp_buf_str(&out), "xxx");
    dsp_buf_free(&out);
    dsp_renderer_free(r);
}

static void actions(void **state)
{
    (void) state;
    assert_false(dsp_template_has_actions(DSP_STR("")));
    assert_false(dsp_template_has_actions(DSP_STR("a { { b }}")));
    assert_true(dsp_template_has_actions(DSP_STR("a {{ b")));
}

static void table_is_sorted(void **state)
{
    dsp_template_function fn;
    size_t                n_builtins = 0;

    (void) state;
    for (size_t i = 0; i < gt_n_functions; i++) {
        const gt_function *f = &gt_functions[i];
        if (i > 0 && strcmp(gt_functions[i - 1].name, f->name) >= 0) {
            fail_msg("%s does not come before %s", gt_functions[i - 1].name, f->name);
        }
        assert_ptr_equal(gt_function_find(dsp_str_from(f->name), ~0u), f);
        assert_true(f->body != NULL || (f->flags & (GT_F_AND_OR | GT_F_CALL)) != 0);
        assert_true((f->flags & GT_F_VARIADIC) == 0 || f->n_params > 0);
        assert_in_range(f->result, GT_BOOL, GT_VALUE);
        assert_true(f->steps > 0);
        for (size_t p = 0; p < f->n_params; p++) {
            assert_in_range(f->params[p], GT_BOOL, GT_VALUE);
        }
        assert_true(dsp_template_function_at(i, &fn));
        assert_string_equal(fn.name, f->name);
        n_builtins += fn.builtin;
    }
    assert_false(dsp_template_function_at(gt_n_functions, &fn));
    assert_int_equal(n_builtins, 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renders),       cmocka_unit_test(says_what_is_wrong), cmocka_unit_test(literal_output),
        cmocka_unit_test(kubelet_gives_the_payload_unchanged),
        cmocka_unit_test(policy),        cmocka_unit_test(nesting_limits),     cmocka_unit_test(depth_limits),
        cmocka_unit_test(size_limits),   cmocka_unit_test(work_is_counted),    cmocka_unit_test(wall_clock),
        cmocka_unit_test(reuse),         cmocka_unit_test(actions),            cmocka_unit_test(table_is_sorted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
