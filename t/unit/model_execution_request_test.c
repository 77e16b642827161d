/* The JobExecution that is sent, its name, what is read back; problem documents; Status. */
#include "unit.h"

#include "model/execution_request.h"
#include "model/name.h"
#include "model/problem.h"
#include "model/status.h"

static void name_is(const char *template_name, const char *id, const char *want)
{
    char out[DSP_EXECUTION_NAME_MAX + 1];

    dsp_execution_choose_name(dsp_str_from(template_name), dsp_str_from(id), out);
    assert_string_equal(out, want);
    assert_true(dsp_name_is_subdomain(dsp_str_from(out), NULL));
}

static void names(void **state)
{
    char template_name[DSP_SUBDOMAIN_MAX + 1], out[DSP_EXECUTION_NAME_MAX + 1];

    (void) state;
    name_is("demo", "0123456789", "demo-0123456789");
    name_is("demo", "0123456789abcdef", "demo-0123456789");
    name_is("a.b", "x", "a.b-x");

    /* Wherever a cut falls, the name stays valid. */
    for (size_t dot = 1; dot < 60; dot++) {
        memset(template_name, 'a', sizeof(template_name) - 1);
        template_name[sizeof(template_name) - 1] = '\0';
        template_name[dot] = dot % 2 ? '.' : '-';
        dsp_execution_choose_name(dsp_str_from(template_name), DSP_STR("0123456789"), out);
        assert_in_range(strlen(out), 60, DSP_EXECUTION_NAME_MAX);
        assert_true(dsp_name_is_subdomain(dsp_str_from(out), NULL));
    }
}

static void request_is(const dsp_execution_request *request, const char *want)
{
    size_t len = dsp_execution_request_len(request);
    char  *text = malloc(len + 1);

    assert_non_null(text);
    assert_ptr_equal(dsp_execution_request_write(text, request), text + len);
    text[len] = '\0';
    assert_string_equal(text, want);

    dsp_json json;
    assert_true(dsp_json_parse((dsp_str){ text, len }, &json, NULL));
    free(text);
}

static void requests(void **state)
{
    dsp_execution_request request = {
        DSP_STR("ns"), DSP_STR("demo-1"), DSP_STR("demo"), DSP_STR("0123"), { NULL, 0 }, DSP_STR("a\"\n\\\xc3\xa9"),
    };

    (void) state;
    request_is(&request, "{\"apiVersion\":\"dispatcher.ivan.vc/v1beta1\",\"kind\":\"JobExecution\",\"metadata\":{\"name\":\"demo-1\","
                         "\"namespace\":\"ns\",\"annotations\":{\"dispatcher.ivan.vc/request-id\":\"0123\"}},"
                         "\"spec\":{\"jobTemplateName\":\"demo\",\"payload\":\"a\\\"\\n\\\\\xc3\xa9\"}}");
    request.labels = DSP_STR("{\"a\": \"b\"}");
    request.payload = (dsp_str){ NULL, 0 };
    request_is(&request, "{\"apiVersion\":\"dispatcher.ivan.vc/v1beta1\",\"kind\":\"JobExecution\",\"metadata\":{\"name\":\"demo-1\","
                         "\"namespace\":\"ns\",\"labels\":{\"a\": \"b\"},\"annotations\":{\"dispatcher.ivan.vc/request-id\":\"0123\"}},"
                         "\"spec\":{\"jobTemplateName\":\"demo\",\"payload\":\"\"}}");
}

static bool read_object(const char *text, dsp_arena *arena, dsp_stored_object *out)
{
    dsp_json json;

    assert_true(dsp_json_parse(dsp_str_from(text), &json, NULL));
    return dsp_stored_object_read(json, arena, out);
}

static void stored_objects(void **state)
{
    dsp_arena         arena;
    dsp_stored_object object;

    (void) state;
    dsp_arena_init(&arena, 4096);
    assert_true(read_object("{\"metadata\":{\"name\":\"a\",\"uid\":\"u\",\"creationTimestamp\":\"2026-11-22T18:00:00Z\",\"labels\":{\"x\":\"y\"},"
                            "\"annotations\":{\"dispatcher.ivan.vc/request-id\":\"r\"}}}",
                            &arena, &object));
    assert_str(object.name, "a");
    assert_str(object.uid, "u");
    assert_str(object.created, "2026-11-22T18:00:00Z");
    assert_str(object.request_id, "r");
    assert_str(object.labels, "{\"x\":\"y\"}");

    assert_true(read_object("{\"metadata\":{\"name\":\"a\",\"uid\":\"u\",\"labels\":null}}", &arena, &object));
    assert_int_equal(object.labels.len, 0);
    assert_int_equal(object.request_id.len, 0);

    assert_false(read_object("{\"metadata\":{\"name\":\"a\"}}", &arena, &object));
    assert_false(read_object("{\"metadata\":{\"name\":1,\"uid\":\"u\"}}", &arena, &object));
    assert_false(read_object("[]", &arena, &object));
    assert_false(read_object("null", &arena, &object));
    dsp_arena_free(&arena);
}

static void problems(void **state)
{
    dsp_buf out;

    (void) state;
    dsp_buf_init(&out, 4096);
    dsp_problem_write(&out, &(dsp_problem_document){ .problem = DSP_PROBLEM_TEMPLATE_NOT_FOUND, .detail = DSP_STR("no \"x\""),
                                                     .instance = DSP_STR("/execute/x"), .request_id = DSP_STR("1"), .execution = DSP_STR("x-1") });
    assert_string_equal(dsp_buf_cstr(&out),
                        "{\"type\":\"tag:dispatcher.ivan.vc,2026:template-not-found\",\"title\":\"There is no such JobTemplate\",\"status\":404,"
                        "\"detail\":\"no \\\"x\\\"\",\"instance\":\"/execute/x\",\"requestId\":\"1\",\"execution\":\"x-1\"}\n");
    dsp_buf_reset(&out);
    dsp_problem_write(&out, &(dsp_problem_document){ .problem = DSP_PROBLEM_OTHER, .status = 429 });
    assert_string_equal(dsp_buf_cstr(&out), "{\"type\":\"about:blank\",\"title\":\"Too Many Requests\",\"status\":429}\n");
    dsp_buf_free(&out);

    for (int i = 0; i < DSP_PROBLEMS; i++) {
        const dsp_problem_kind *kind = dsp_problem_kind_of((enum dsp_problem) i);

        assert_non_null(kind->type);
        assert_true(i == DSP_PROBLEM_OTHER || (kind->status >= 400 && kind->title[0] != '\0'));
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(kind->type, dsp_problem_kind_of((enum dsp_problem) j)->type);
        }
    }
}

static dsp_status status_of(const char *text, dsp_arena *arena)
{
    dsp_json   json;
    dsp_status status;

    assert_true(dsp_json_parse(dsp_str_from(text), &json, NULL));
    assert_true(dsp_status_read(json, arena, &status));
    return status;
}

static void statuses(void **state)
{
    dsp_arena  arena;
    dsp_status status;
    dsp_json   json;
    dsp_str    name = DSP_STR("a");

    (void) state;
    dsp_arena_init(&arena, 4096);
    status = status_of("{\"kind\":\"Status\",\"code\":404,\"reason\":\"NotFound\",\"message\":\"m\","
                       "\"details\":{\"kind\":\"jobtemplates\",\"name\":\"a\",\"retryAfterSeconds\":5,\"causes\":[{\"reason\":\"R\"}]}}", &arena);
    assert_int_equal(status.code, 404);
    assert_int_equal(status.retry_after_s, 5);
    assert_str(status.message, "m");
    assert_true(dsp_status_not_found(&status, "jobtemplates", &name));
    assert_true(dsp_status_not_found(&status, "jobtemplates", NULL));
    assert_false(dsp_status_not_found(&status, "namespaces", NULL));
    name = DSP_STR("b");
    assert_false(dsp_status_not_found(&status, "jobtemplates", &name));
    assert_true(dsp_status_has_cause(&status, "R"));
    assert_false(dsp_status_has_cause(&status, "S"));
    assert_false(dsp_status_unauthorized(&status));
    assert_false(dsp_status_too_large(&status));

    status = status_of("{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"pods is forbidden: User \\\"me\\\" cannot create resource\"}", &arena);
    assert_true(dsp_status_unauthorized(&status));
    status = status_of("{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"exceeded quota\"}", &arena);
    assert_false(dsp_status_unauthorized(&status));
    status = status_of("{\"kind\":\"Status\",\"code\":500,\"message\":\"etcdserver: request is too large\"}", &arena);
    assert_true(dsp_status_too_large(&status));

    assert_true(dsp_json_parse(DSP_STR("{\"kind\":\"Pod\"}"), &json, NULL));
    assert_false(dsp_status_read(json, &arena, &status));
    assert_true(dsp_json_parse(DSP_STR("[1]"), &json, NULL));
    assert_false(dsp_status_read(json, &arena, &status));
    dsp_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),    cmocka_unit_test(requests), cmocka_unit_test(stored_objects),
        cmocka_unit_test(problems), cmocka_unit_test(statuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
