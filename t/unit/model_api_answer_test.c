/* What answers of the API server mean. The whole table, with real nginx around it, is t/module_outcomes.t. */
#include "unit.h"

#include "model/api_answer.h"

#define NO_PROBLEM DSP_PROBLEM_OTHER

static dsp_arena arena;

static dsp_api_answer read_reply(enum dsp_api_call call, int status, const char *body, bool sent)
{
    dsp_api_reply  reply = { .status = status, .sent = sent, .whole = true, .body = dsp_str_from(body), .retry_after_s = -1 };
    dsp_api_answer answer;

    dsp_api_answer_read(call, DSP_STR("x"), &reply, &arena, &answer);
    return answer;
}

static void is(enum dsp_api_call call, int status, const char *body, enum dsp_api_verdict verdict, enum dsp_problem problem)
{
    dsp_api_answer answer = read_reply(call, status, body, true);

    assert_int_equal(answer.verdict, verdict);
    if (problem != NO_PROBLEM) {
        assert_int_equal(answer.problem, problem);
    }
}

#define X "{\"metadata\":{\"name\":\"x\",\"uid\":\"u\"}}"

static void objects(void **state)
{
    (void) state;
    is(DSP_API_GET_TEMPLATE, 200, X, DSP_API_DONE, NO_PROBLEM);
    is(DSP_API_CREATE_EXECUTION, 201, X, DSP_API_DONE, NO_PROBLEM);
    is(DSP_API_GET_EXECUTION, 200, X, DSP_API_DONE, NO_PROBLEM);
    is(DSP_API_GET_TEMPLATE, 200, "<html>", DSP_API_FAILED, DSP_PROBLEM_API_ANSWER);
    is(DSP_API_CREATE_EXECUTION, 201, "<html>", DSP_API_UNCLEAR, DSP_PROBLEM_API_ANSWER);
    is(DSP_API_CREATE_EXECUTION, 201, "{\"metadata\":{\"name\":\"y\",\"uid\":\"u\"}}", DSP_API_UNCLEAR, DSP_PROBLEM_API_ANSWER);
}

static void no_answers(void **state)
{
    (void) state;
    is(DSP_API_GET_TEMPLATE, 0, "", DSP_API_FAILED, DSP_PROBLEM_API_UNREACHABLE);
    is(DSP_API_CREATE_EXECUTION, 0, "", DSP_API_BROKEN, DSP_PROBLEM_API_UNREACHABLE);
    assert_int_equal(read_reply(DSP_API_CREATE_EXECUTION, 0, "", false).verdict, DSP_API_FAILED);
}

static void not_found(void **state)
{
    const char *absent = "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"details\":{\"kind\":\"jobtemplates\",\"name\":\"x\"}}";
    const char *other = "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"details\":{\"kind\":\"jobtemplates\",\"name\":\"y\"}}";
    const char *execution = "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"details\":{\"kind\":\"jobexecutions\",\"name\":\"x\"}}";
    const char *ns = "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"details\":{\"kind\":\"namespaces\",\"name\":\"z\"}}";

    (void) state;
    is(DSP_API_GET_TEMPLATE, 404, absent, DSP_API_FAILED, DSP_PROBLEM_TEMPLATE_NOT_FOUND);
    is(DSP_API_GET_TEMPLATE, 404, other, DSP_API_FAILED, DSP_PROBLEM_API_ANSWER);
    is(DSP_API_GET_TEMPLATE, 404, "404 page not found", DSP_API_FAILED, DSP_PROBLEM_API_ANSWER);
    is(DSP_API_CREATE_EXECUTION, 404, absent, DSP_API_FAILED, DSP_PROBLEM_API_ANSWER);
    is(DSP_API_CREATE_EXECUTION, 404, ns, DSP_API_FAILED, DSP_PROBLEM_NAMESPACE_NOT_FOUND);
    is(DSP_API_GET_EXECUTION, 404, execution, DSP_API_ABSENT, NO_PROBLEM);
    is(DSP_API_GET_EXECUTION, 404, absent, DSP_API_FAILED, DSP_PROBLEM_API_ANSWER);
}

static void refusals(void **state)
{
    const char *rbac = "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"x is forbidden: User \\\"a\\\" cannot create\"}";
    const char *quota = "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"exceeded quota\"}";

    (void) state;
    is(DSP_API_CREATE_EXECUTION, 401, "", DSP_API_UNAUTHENTICATED, DSP_PROBLEM_API_CREDENTIALS);
    is(DSP_API_CREATE_EXECUTION, 403, rbac, DSP_API_FAILED, DSP_PROBLEM_API_CREDENTIALS);
    is(DSP_API_CREATE_EXECUTION, 403, quota, DSP_API_FAILED, DSP_PROBLEM_FORBIDDEN);
    assert_str(read_reply(DSP_API_CREATE_EXECUTION, 403, quota, true).detail, "exceeded quota");
    assert_int_equal(read_reply(DSP_API_CREATE_EXECUTION, 403, rbac, true).detail.len == 0, false);
    is(DSP_API_CREATE_EXECUTION, 409, "{\"kind\":\"Status\",\"reason\":\"AlreadyExists\"}", DSP_API_EXISTS, NO_PROBLEM);
    is(DSP_API_CREATE_EXECUTION, 409, "{\"kind\":\"Status\",\"reason\":\"Conflict\"}", DSP_API_FAILED, DSP_PROBLEM_API_BUSY);
    is(DSP_API_CREATE_EXECUTION, 422, "{\"kind\":\"Status\",\"message\":\"m\"}", DSP_API_FAILED, DSP_PROBLEM_INVALID_EXECUTION);
    is(DSP_API_CREATE_EXECUTION, 500, "{\"kind\":\"Status\",\"message\":\"etcdserver: request is too large\"}", DSP_API_FAILED, DSP_PROBLEM_PAYLOAD_TOO_LARGE);
    is(DSP_API_CREATE_EXECUTION, 500, "", DSP_API_UNCLEAR, DSP_PROBLEM_API_ANSWER);
    is(DSP_API_GET_TEMPLATE, 500, "", DSP_API_FAILED, DSP_PROBLEM_API_ANSWER);
    is(DSP_API_GET_TEMPLATE, 503, "", DSP_API_FAILED, DSP_PROBLEM_API_BUSY);
    assert_int_equal(read_reply(DSP_API_GET_TEMPLATE, 429, "{\"kind\":\"Status\",\"details\":{\"retryAfterSeconds\":4}}", true).retry_after_s, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects), cmocka_unit_test(no_answers), cmocka_unit_test(not_found), cmocka_unit_test(refusals),
    };
    int failed;

    dsp_arena_init(&arena, 1 << 16);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    dsp_arena_free(&arena);
    return failed;
}
