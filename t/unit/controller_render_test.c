/*
 * The Job that a JobTemplate and a payload make, byte for byte.
 */
#include "unit.h"

#include "controller/job_fields.h"
#include "controller/render.h"
#include "model/jobname.h"

static dsp_job_renderer *renderer;
static dsp_arena         arena;
static dsp_buf           out;
static dsp_rendered      result;

static int setup(void **state)
{
    (void) state;
    renderer = dsp_job_renderer_new(NULL);
    dsp_arena_init(&arena, 32 << 20);
    dsp_buf_init(&out, DSP_JOB_MAX_BYTES);
    return renderer == NULL;
}

static int teardown(void **state)
{
    (void) state;
    dsp_job_renderer_free(renderer);
    dsp_arena_free(&arena);
    dsp_buf_free(&out);
    return 0;
}

static dsp_json parse(dsp_str text)
{
    dsp_json       value;
    dsp_json_error err;

    if (!dsp_json_parse(text, &value, &err)) {
        fail_msg("%s at %zu of %.200s", err.message, err.offset, text.data);
    }
    return value;
}

/* Renders spec.jobTemplate `job_template` for the JobExecution ns/je, uid u. */
static bool render(const char *job_template, dsp_str payload, bool expand_output)
{
    static char      payload_json[3 << 20];
    dsp_jobexecution je = {
        .ns = DSP_STR("ns"), .name = DSP_STR("je"), .uid = DSP_STR("u"), .created_us = 1000000000000000
    };
    dsp_jobtemplate jt = { .ns = DSP_STR("ns"),
                           .name = DSP_STR("t"),
                           .resource_version = DSP_STR("77"),
                           .job_template = parse(dsp_str_from(job_template)),
                           .expand_output = expand_output };

    je.payload = (dsp_json){ payload_json, (size_t) (dsp_json_quote_to(payload_json, payload) - payload_json) };
    bool ok = dsp_render_job(renderer, &je, &jt, &arena, &out, &result);
    for (size_t i = 0; i < result.n_problems && getenv("SHOW") != NULL; i++) {
        print_message("%.*s: %.*s\n", DSP_STR_ARG(result.problems[i].path), DSP_STR_ARG(result.problems[i].message));
    }
    return ok;
}

static dsp_json job(void)
{
    return parse(dsp_buf_str(&out));
}

static void assert_member(dsp_json value, const char *want)
{
    dsp_str text;

    assert_true(dsp_json_string(value, &arena, &text));
    assert_str(text, want);
}

static dsp_json container(dsp_json of, const char *member)
{
    dsp_json_iter it = dsp_json_iterate(dsp_json_path(of, "spec", "template", "spec", "containers", NULL));
    dsp_json      first;

    assert_true(dsp_json_next(&it, NULL, &first));
    return dsp_json_get(first, member);
}

static dsp_json element(dsp_json array, size_t n)
{
    dsp_json_iter it = dsp_json_iterate(array);
    dsp_json      value = { NULL, 0 };

    for (size_t i = 0; i <= n; i++) {
        assert_true(dsp_json_next(&it, NULL, &value));
    }
    return value;
}

/* A pod with one container whose members are given. */
#define POD(members) "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{" members "}]}}}}"

static void the_whole_job(void **state)
{
    char hash[DSP_UID_HASH_LEN + 1], want[4096];

    (void) state;
    dsp_uid_hash(DSP_STR("u"), hash);
    assert_true(render(
        "{ \"metadata\": "
        "{\"name\":\"\",\"labels\":{\"a\":\"{{b}}\",\"controller-uid\":\"x\"},\"annotations\":{\"t\":\"{{ .No }}\"},"
        "\"namespace\":\"elsewhere\",\"uid\":\"gone\"},"
        "\"spec\" : { \"n\": 9007199254740993, \"x\":[1e3 , {\"y\":\"{{ .Payload }}\"} ] } }",
        DSP_STR("p\"\n"), false));
    snprintf(
        want, sizeof(want),
        "{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"metadata\":{\"name\":\"je-%s\",\"namespace\":\"ns\","
        "\"labels\":{\"a\":\"{{b}}\",\"controller-uid\":\"u\",\"job-execution-name\":\"je\"},"
        "\"annotations\":{\"t\":\"{{ .No }}\",\"dispatcher.ivan.vc/job-template-resource-version\":\"77\"},"
        "\"ownerReferences\":[{\"apiVersion\":\"dispatcher.ivan.vc/v1beta1\",\"kind\":\"JobExecution\",\"name\":\"je\","
        "\"uid\":\"u\",\"controller\":true,\"blockOwnerDeletion\":true}]},"
        "\"spec\":{ \"n\": 9007199254740993, \"x\":[1e3 , {\"y\":\"p\\\"\\n\"} ] }}",
        hash);
    assert_str(dsp_buf_str(&out), want);
    assert_false(result.fixed);
}

/* A TTL that the API server would not take is not put aside: it shall refuse the Job. */
static void an_impossible_ttl_stays(void **state)
{
    static const char *const values[] = { "-5", "1.5", "2147483648", "\"5\"", "true" };
    char                     text[128], want[64];

    (void) state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        snprintf(text, sizeof(text), "{\"spec\":{\"ttlSecondsAfterFinished\":%s}}", values[i]);
        snprintf(want, sizeof(want), "\"spec\":{\"ttlSecondsAfterFinished\":%s}", values[i]);
        assert_true(render(text, DSP_STR(""), false));
        if (strstr(dsp_buf_cstr(&out), want) == NULL) {
            fail_msg("%s: %s", values[i], dsp_buf_cstr(&out));
        }
        assert_null(dsp_json_path(job(), "metadata", "annotations", DSP_TTL_ANNOTATION, NULL).data);
    }
}

static void ttl_is_remembered_and_left_out(void **state)
{
    (void) state;
    assert_true(render("{\"spec\":{\"backoffLimit\":0,\"ttlSecondsAfterFinished\":0,\"z\":\"{{ .Name }}\"}}",
                       DSP_STR(""), false));
    assert_str(dsp_json_get(job(), "spec"), "{\"backoffLimit\":0,\"z\":\"je\"}");
    assert_member(
        dsp_json_path(job(), "metadata", "annotations", "dispatcher.ivan.vc/ttl-seconds-after-finished", NULL), "0");
    assert_true(render("{\"spec\":{\"ttlSecondsAfterFinished\":null}}", DSP_STR(""), false));
    assert_str(dsp_json_get(job(), "spec"), "{}");
    assert_null(
        dsp_json_path(job(), "metadata", "annotations", "dispatcher.ivan.vc/ttl-seconds-after-finished", NULL).data);
}

static void names_follow_the_template(void **state)
{
    char    hash[DSP_UID_HASH_LEN + 1], want[80];
    dsp_str first;

    (void) state;
    dsp_uid_hash(DSP_STR("u"), hash);
    assert_true(
        render("{\"metadata\":{\"generateName\":\"nightly-{{ .Payload }}-\"},\"spec\":{}}", DSP_STR("A.b"), false));
    snprintf(want, sizeof(want), "nightly-a-b-%s", hash);
    assert_str(result.name, want);
    assert_false(result.fixed);

    assert_true(render("{\"metadata\":{\"name\":\"only-{{ .Payload }}\",\"generateName\":\"x-\"},\"spec\":{}}",
                       DSP_STR("one"), false));
    assert_str(result.name, "only-one");
    assert_true(result.fixed);
    assert_member(dsp_json_path(job(), "metadata", "name", NULL), "only-one");

    /* a name that renders to nothing is no name */
    assert_true(render("{\"metadata\":{\"name\":\"{{ if false }}x{{ end }}\"},\"spec\":{}}", DSP_STR(""), false));
    assert_false(result.fixed);

    /* the same name at every attempt */
    assert_true(render(
        "{\"metadata\":{\"name\":\"r-{{ randAlphaNum 8 | lower }}-{{ now | date \\\"20060102\\\" }}\"},\"spec\":{}}",
        DSP_STR(""), false));
    first = result.name;
    assert_true(dsp_str_has_suffix(first, DSP_STR("-20010909")));
    assert_true(render(
        "{\"metadata\":{\"name\":\"r-{{ randAlphaNum 8 | lower }}-{{ now | date \\\"20060102\\\" }}\"},\"spec\":{}}",
        DSP_STR(""), false));
    assert_true(dsp_str_eq(first, result.name));

    static const char *const bad[] = {
        "A",    "a_b",  "-a",
        "a-",   "a..b", "a.-b",
        "a-.b", "a/b",  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(render("{\"metadata\":{\"name\":\"{{ .Payload }}\"},\"spec\":{}}", dsp_str_from(bad[i]), false));
        assert_str(result.problems[0].path, "metadata.name");
    }
    assert_true(render("{\"metadata\":{\"name\":\"a.b-c.0\"},\"spec\":{}}", DSP_STR(""), false));
}

#define MAPS                                                                                                           \
    "{\"template\":{\"metadata\":{\"annotations\":{\"a\":\"{{ .X }}\"},\"labels\":{\"b\":\"{{ .X }}\"}},"              \
    "\"spec\":{\"nodeSelector\":{\"c\":\"{{ .X }}\"},\"overhead\":{\"cpu\":\"{{ .X "                                   \
    "}}\"},\"containers\":[{\"resources\":"                                                                            \
    "{\"limits\":{\"cpu\":\"{{ .X }}\"}}}],\"volumes\":[{\"csi\":{\"volumeAttributes\":{\"d\":\"{{ .X }}\"}},"         \
    "\"emptyDir\":{\"sizeLimit\":\"{{ .X }}\"}}]}},\"selector\":{\"matchLabels\":{\"e\":\"{{ .X }}\"}}}"

static void free_form_maps_stay(void **state)
{
    (void) state;
    assert_true(render("{\"spec\":" MAPS "}", DSP_STR(""), false));
    assert_str(dsp_json_get(job(), "spec"), MAPS);
}

static void payload_is_literal_where_the_kubelet_expands(void **state)
{
    dsp_json c;

    (void) state;
    const char *t = POD("\"command\":[\"sh\",\"$(KEEP) {{ .Payload }} $$\"],\"args\":[\"{{ .Payload | upper "
                        "}}\"],\"env\":[{\"name\":\"$(N){{ .Payload }}\","
                        "\"value\":\"{{ .Payload }}\"}],\"image\":\"{{ .Payload "
                        "}}\",\"livenessProbe\":{\"exec\":{\"command\":[\"{{ .Payload }}\"]}},"
                        "\"lifecycle\":{\"preStop\":{\"exec\":{\"command\":[\"{{ .Payload "
                        "}}\"]}}},\"volumeMounts\":[{\"subPathExpr\":\"{{ .Payload }}\"}]");
    assert_true(render(t, DSP_STR("$(a)$$"), false));
    assert_member(element(container(job(), "command"), 1), "$(KEEP) $$(a)$$$$ $$");
    assert_member(element(container(job(), "args"), 0), "$$(A)$$$$");
    c = element(container(job(), "env"), 0);
    assert_member(dsp_json_get(c, "value"), "$$(a)$$$$");
    assert_member(dsp_json_get(c, "name"), "$(N)$(a)$$");
    assert_member(container(job(), "image"), "$(a)$$");
    assert_member(element(dsp_json_path(container(job(), "livenessProbe"), "exec", "command", NULL), 0), "$$(a)$$$$");
    assert_member(element(dsp_json_path(container(job(), "lifecycle"), "preStop", "exec", "command", NULL), 0),
                  "$(a)$$");
    assert_member(dsp_json_get(element(container(job(), "volumeMounts"), 0), "subPathExpr"), "$$(a)$$$$");

    assert_true(render(t, DSP_STR("$(a)$$"), true));
    assert_member(element(container(job(), "command"), 1), "$(KEEP) $(a)$$ $$");
    assert_member(dsp_json_get(element(container(job(), "env"), 0), "value"), "$(a)$$");
}

static void errors_name_their_fields(void **state)
{
    dsp_buf text;

    (void) state;
    assert_false(render("{\"spec\":{\"template\":{\"spec\":{\"restartPolicy\":\"{{ .Nope "
                        "}}\",\"containers\":[{\"args\":[\"a\",\"b\",\"{{ .Date }}\"],"
                        "\"imagePullPolicy\":\"{{\"}],\"schedulerName\":\"{{ fail \\\"no\\\" }}\"}}}}",
                        DSP_STR(""), false));
    assert_int_equal(result.n_problems, 4);
    assert_str(result.problems[0].path, "spec.template.spec.restartPolicy");
    assert_str(result.problems[0].message,
               "template: RestartPolicy:1:3: executing \"RestartPolicy\" at <.Nope>: can't evaluate field Nope in type "
               "*template.Environment");
    assert_str(result.problems[1].path, "spec.template.spec.containers[0].args[2]");
    assert_str(result.problems[1].message, "template: string:1:3: executing \"string\" at <.Date>: can't evaluate "
                                           "field Date in type *template.Environment");
    assert_str(result.problems[2].path, "spec.template.spec.containers[0].imagePullPolicy");
    assert_str(result.problems[2].message, "template: PullPolicy:1: unclosed action");
    assert_str(result.problems[3].path, "spec.template.spec.schedulerName");
    assert_false(result.no_memory);
    dsp_buf_init(&text, 4096);
    dsp_rendered_message(&result, &text);
    assert_true(strncmp(dsp_buf_cstr(&text), "spec.template.spec.restartPolicy: template: RestartPolicy:1:3: ", 60) ==
                0);
    dsp_buf_free(&text);

    assert_false(render("{\"metadata\":{}}", DSP_STR(""), false));
    assert_str(result.problems[0].path, "spec");
    assert_false(render("{\"metadata\":{\"generateName\":\"{{ .Nope }}\"},\"spec\":{}}", DSP_STR(""), false));
    assert_str(result.problems[0].path, "metadata.generateName");
}

static void many_errors_are_counted(void **state)
{
    dsp_buf text;

    (void) state;
    dsp_buf_init(&text, 65536);
    dsp_buf_addz(&text, "{\"spec\":{\"x\":[");
    for (int i = 0; i < 50; i++) {
        dsp_buf_addf(&text, "%s\"{{ .E%d }}\"", i > 0 ? "," : "", i);
    }
    dsp_buf_addz(&text, "]}}");
    assert_false(render(dsp_buf_cstr(&text), DSP_STR(""), false));
    assert_int_equal(result.n_problems, DSP_RENDER_PROBLEMS_MAX);
    assert_int_equal(result.n_more, 50 - DSP_RENDER_PROBLEMS_MAX);
    dsp_buf_reset(&text);
    dsp_rendered_message(&result, &text);
    assert_true(dsp_str_has_suffix(dsp_buf_str(&text), DSP_STR("(and 45 more)")));
    dsp_buf_free(&text);
}

static void what_no_process_can_take_is_refused(void **state)
{
    size_t len = DSP_ARG_MAX_BYTES + 1;
    char  *big = malloc(len);

    (void) state;
    assert_non_null(big);
    memset(big, '$', len);
    assert_true(render(POD("\"args\":[\"{{ .Payload }}\"]"), (dsp_str){ big, len - 1 }, false));
    assert_false(render(POD("\"args\":[\"{{ .Payload }}\"]"), (dsp_str){ big, len }, false));
    assert_str(result.problems[0].path, "spec.template.spec.containers[0].args[0]");
    assert_str(result.problems[0].message,
               "renders to 131072 bytes; one argument or variable of a process holds 131071");
    assert_true(render(POD("\"args\":[\"{{ .Payload | len }}\"]"), (dsp_str){ big, len }, false));
    assert_false(render(POD("\"args\":[\"{{ .Payload }}\"]"), (dsp_str){ "a\0b", 3 }, false));
    assert_true(render(POD("\"image\":\"{{ .Payload }}\""), (dsp_str){ "a\0b", 3 }, false));
    assert_false(render(POD("\"image\":\"{{ \\\"\\\\xff\\\" }}\""), DSP_STR(""), false));
    assert_str(result.problems[0].message, "renders to bytes that are not valid UTF-8");
    free(big);
}

static void too_large_a_job_is_refused(void **state)
{
    (void) state;
    assert_false(render("{\"spec\":{\"a\":\"{{ repeat 900000 \\\"x\\\" }}\",\"b\":\"{{ repeat 900000 \\\"x\\\" "
                        "}}\",\"c\":\"{{ repeat 900000 \\\"x\\\" }}\","
                        "\"d\":\"{{ repeat 900000 \\\"x\\\" }}\"}}",
                        DSP_STR(""), false));
    assert_true(result.n_problems > 0);
}

static void escaped_braces_are_templates_too(void **state)
{
    (void) state;
    assert_true(render("{\"spec\":{\"a\":\"\\u007b\\u007b .Name }}\",\"b\":\"{\\u007B .Name }}\",\"k{{\":\"{ {\"}}",
                       DSP_STR(""), false));
    assert_str(dsp_json_get(job(), "spec"), "{\"a\":\"je\",\"b\":\"je\",\"k{{\":\"{ {\"}");
}

static void unknown_fields_and_finalizers_are_rendered(void **state)
{
    (void) state;
    assert_true(render(
        "{\"metadata\":{\"finalizers\":[\"x/{{ .Name }}\"]},\"spec\":{\"newField\":{\"deep\":[[\"{{ .Name }}\"]]}}}",
        DSP_STR(""), false));
    assert_str(dsp_json_path(job(), "metadata", "finalizers", NULL), "[\"x/je\"]");
    assert_str(dsp_json_get(job(), "spec"), "{\"newField\":{\"deep\":[[\"je\"]]}}");
}

static void deep_nesting_ends(void **state)
{
    dsp_buf text;

    (void) state;
    dsp_buf_init(&text, 65536);
    dsp_buf_addz(&text, "{\"spec\":{\"x\":");
    for (int i = 0; i < 5000; i++) {
        dsp_buf_addc(&text, '[');
    }
    dsp_buf_addz(&text, "\"{{ .Name }}\"");
    for (int i = 0; i < 5000; i++) {
        dsp_buf_addc(&text, ']');
    }
    dsp_buf_addz(&text, "}}");
    assert_false(render(dsp_buf_cstr(&text), DSP_STR(""), false));
    assert_str(result.problems[0].message, "is nested too deeply for a template");
    dsp_buf_free(&text);
}

static void the_table_is_sorted(void **state)
{
    (void) state;
    for (size_t i = 1; i < dsp_job_fields_count; i++) {
        assert_true(strcmp(dsp_job_fields[i - 1].path, dsp_job_fields[i].path) < 0);
    }
    for (size_t i = 0; i < dsp_job_fields_count; i++) {
        assert_ptr_equal(dsp_job_field_find(dsp_str_from(dsp_job_fields[i].path)), &dsp_job_fields[i]);
    }
    assert_null(dsp_job_field_find(DSP_STR("spec.nothing")));
    assert_null(dsp_job_field_find(DSP_STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_whole_job, setup, teardown),
        cmocka_unit_test_setup_teardown(ttl_is_remembered_and_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(an_impossible_ttl_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(names_follow_the_template, setup, teardown),
        cmocka_unit_test_setup_teardown(free_form_maps_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(payload_is_literal_where_the_kubelet_expands, setup, teardown),
        cmocka_unit_test_setup_teardown(errors_name_their_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(many_errors_are_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(what_no_process_can_take_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(too_large_a_job_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(escaped_braces_are_templates_too, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_fields_and_finalizers_are_rendered, setup, teardown),
        cmocka_unit_test_setup_teardown(deep_nesting_ends, setup, teardown),
        cmocka_unit_test(the_table_is_sorted),
    };

    return cmocka_run_group_tests_name("controller_render", tests, NULL, NULL);
}
