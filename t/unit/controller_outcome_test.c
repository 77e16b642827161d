/*
 * What every kind of answer means.
 */
#include "unit.h"

#include "controller/outcome.h"

#define STATUS(reason, message) "{\"kind\":\"Status\",\"reason\":\"" reason "\",\"message\":\"" message "\"}"
#define CREATE DSP_CALL_CREATE
#define READ DSP_CALL_READ
#define PATCH DSP_CALL_PATCH
#define DELETE DSP_CALL_DELETE

static const struct row {
    enum dsp_call_kind    kind;
    int                   status;
    const char           *body;
    bool                  not_sent;
    enum dsp_outcome_kind want;
    const char           *reason;
} rows[] = {
    { CREATE, 201, "{\"metadata\":{}}", false, DSP_OUT_DONE, "" },
    { CREATE, 200, "{}", false, DSP_OUT_DONE, "" },
    { CREATE, 201, "{\"meta", false, DSP_OUT_UNCLEAR, "" },
    { CREATE, 201, "[]", false, DSP_OUT_UNCLEAR, "" },
    { CREATE, 201, "", false, DSP_OUT_UNCLEAR, "" },
    { CREATE, 0, "", false, DSP_OUT_UNCLEAR, "" },
    { CREATE, 0, "", true, DSP_OUT_LATER, "" },
    { CREATE, 409, STATUS("AlreadyExists", "x"), false, DSP_OUT_EXISTS, "" },
    { CREATE, 409, STATUS("Conflict", "on resourcequotas"), false, DSP_OUT_LATER, "" },
    { CREATE, 409, "<html>", false, DSP_OUT_LATER, "" },
    { CREATE, 422, STATUS("Invalid", "spec.template: Required"), false, DSP_OUT_INVALID, "InvalidJob" },
    { CREATE, 400, STATUS("BadRequest", "cannot unmarshal"), false, DSP_OUT_INVALID, "InvalidJob" },
    { CREATE, 400, "<html>bad gateway config</html>", false, DSP_OUT_LATER, "InvalidJob" },
    { CREATE, 413, "", false, DSP_OUT_INVALID, "InvalidJob" },
    { CREATE, 400, STATUS("BadRequest", "admission webhook \\\"x\\\" denied the request: no"), false, DSP_OUT_REFUSED,
      "JobRefused" },
    { CREATE, 422, STATUS("Invalid", "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"), false,
      DSP_OUT_REFUSED, "JobRefused" },
    { CREATE, 500,
      STATUS("InternalError", "Internal error occurred: failed calling webhook \\\"w\\\": failed to call webhook: Post: refused"),
      false, DSP_OUT_REFUSED, "JobRefused" }, /* before it could be stored */
    { CREATE, 403, STATUS("Forbidden", "exceeded quota"), false, DSP_OUT_REFUSED, "JobRefused" },
    { CREATE, 403,
      "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"details\":{\"causes\":[{\"reason\":\"NamespaceTerminating\"}]}}",
      false, DSP_OUT_REFUSED, "NamespaceTerminating" },
    { CREATE, 404, STATUS("NotFound", "namespaces \\\"x\\\" not found"), false, DSP_OUT_REFUSED, "JobRefused" },
    { CREATE, 404, "404 page not found", false, DSP_OUT_LATER, "" },
    { CREATE, 401, STATUS("Unauthorized", "Unauthorized"), false, DSP_OUT_LATER, "" },
    { CREATE, 429, STATUS("TooManyRequests", "later"), false, DSP_OUT_LATER, "" },
    { CREATE, 500, STATUS("InternalError", "etcdserver: request is too large"), false, DSP_OUT_INVALID, "InvalidJob" },
    { CREATE, 500, STATUS("", "rpc error: code = ResourceExhausted desc = trying to send message larger than max"), false, DSP_OUT_INVALID,
      "InvalidJob" },
    { CREATE, 500, STATUS("InternalError", "boom"), false, DSP_OUT_UNCLEAR, "" },
    { CREATE, 503, "", false, DSP_OUT_UNCLEAR, "" },
    { CREATE, 504, STATUS("Timeout", "x"), false, DSP_OUT_UNCLEAR, "" },
    { CREATE, 302, "", false, DSP_OUT_LATER, "" },
    { READ, 200, "{}", false, DSP_OUT_DONE, "" },
    { READ, 200, "cut", false, DSP_OUT_UNCLEAR, "" },
    { READ, 404, STATUS("NotFound", "x"), false, DSP_OUT_NOT_FOUND, "" },
    { READ, 404, "<html>404</html>", false, DSP_OUT_LATER, "" },
    { READ, 404, "{\"reason\":\"NotFound\"}", false, DSP_OUT_LATER, "" },
    { READ, 403, STATUS("Forbidden", "x"), false, DSP_OUT_REFUSED, "JobRefused" },
    { READ, 500, "", false, DSP_OUT_UNCLEAR, "" },
    { PATCH, 200, "{}", false, DSP_OUT_DONE, "" },
    { PATCH, 409, STATUS("Conflict", "modified"), false, DSP_OUT_CONFLICT, "" },
    { PATCH, 404, STATUS("NotFound", "x"), false, DSP_OUT_NOT_FOUND, "" },
    { PATCH, 0, "", false, DSP_OUT_UNCLEAR, "" },
    { DELETE, 200, "", false, DSP_OUT_DONE, "" },
    { DELETE, 404, STATUS("NotFound", "x"), false, DSP_OUT_NOT_FOUND, "" },
    { DELETE, 409, STATUS("Conflict", "uid"), false, DSP_OUT_CONFLICT, "" },
};

static void every_answer(void **state)
{
    dsp_arena arena;

    (void) state;
    dsp_arena_init(&arena, 1 << 16);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *r = &rows[i];
        dsp_answer        a = {
                   .status = r->status, .body = dsp_str_from(r->body), .retry_after_ms = -1, .not_sent = r->not_sent
        };
        dsp_outcome o;

        dsp_outcome_judge(r->kind, &a, &arena, &o);
        if (o.kind != r->want || !dsp_str_is(o.reason, r->reason)) {
            fail_msg("%d %s: kind %d, not %d; reason '%.*s'", r->status, r->body, o.kind, r->want,
                     DSP_STR_ARG(o.reason));
        }
    }
    dsp_arena_free(&arena);
}

static void the_servers_words_are_kept(void **state)
{
    dsp_arena   arena;
    dsp_outcome o;
    dsp_answer  a = { .status = 422, .body = DSP_STR(STATUS("Invalid", "spec.x: \\\"y\\\"")), .retry_after_ms = -1 };

    (void) state;
    dsp_arena_init(&arena, 1 << 16);
    dsp_outcome_judge(CREATE, &a, &arena, &o);
    assert_str(o.message, "spec.x: \"y\"");
    a = (dsp_answer){ .status = 0, .error = "connection reset" };
    dsp_outcome_judge(CREATE, &a, &arena, &o);
    assert_str(o.message, "connection reset");
    dsp_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer),
        cmocka_unit_test(the_servers_words_are_kept),
    };

    return cmocka_run_group_tests_name("controller_outcome", tests, NULL, NULL);
}
