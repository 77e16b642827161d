/* What the API server answers: any bytes under any status give a verdict that the module can act on. */
#include <stdint.h>
#include <stdlib.h>

#include "model/api_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int  statuses[] = { 0, 200, 201, 204, 301, 400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 502, 503, 504 };
    dsp_arena         arena;
    dsp_api_answer    answer;
    dsp_api_reply     reply = { 0 };
    enum dsp_api_call call;

    if (size < 2) {
        return 0;
    }
    call = (enum dsp_api_call) (data[0] % 3);
    reply.status = statuses[data[1] % (sizeof(statuses) / sizeof(statuses[0]))];
    reply.whole = (data[0] & 4) == 0;
    reply.sent = (data[0] & 8) == 0;
    reply.timed_out = (data[0] & 16) != 0;
    reply.retry_after_s = -1;
    reply.body = (dsp_str){ (const char *) data + 2, size - 2 };

    dsp_arena_init(&arena, 1 << 16);
    dsp_api_answer_read(call, DSP_STR("x"), &reply, &arena, &answer);
    if (answer.verdict == DSP_API_DONE) {
        check(reply.status / 100 == 2 && reply.whole && dsp_str_is(answer.object.name, "x") && answer.object.uid.len > 0);
    } else if (answer.verdict == DSP_API_ABSENT) {
        check(call == DSP_API_GET_EXECUTION && reply.status == 404);
    } else if (answer.verdict == DSP_API_EXISTS || answer.verdict == DSP_API_BROKEN || answer.verdict == DSP_API_UNCLEAR) {
        check(call == DSP_API_CREATE_EXECUTION);
    } else {
        check(dsp_problem_kind_of(answer.problem)->status >= 400);
    }
    check(answer.problem != DSP_PROBLEM_TEMPLATE_NOT_FOUND || (call == DSP_API_GET_TEMPLATE && reply.status == 404));
    dsp_arena_free(&arena);
    return 0;
}
