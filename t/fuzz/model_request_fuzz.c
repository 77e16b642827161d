/* What a client sends: the path and the payload. A path that is accepted holds names only; the JobExecution is JSON that means the payload. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/execute_path.h"
#include "model/execution_request.h"
#include "model/name.h"
#include "model/problem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_request(const dsp_execution_request *request)
{
    size_t    len = dsp_execution_request_len(request);
    char     *text = malloc(len);
    dsp_json  json;
    dsp_str   payload;
    dsp_arena arena;

    check(text != NULL && dsp_execution_request_write(text, request) == text + len);
    dsp_arena_init(&arena, 1 << 20);
    check(dsp_json_parse((dsp_str){ text, len }, &json, NULL));
    check(dsp_json_string(dsp_json_path(json, "spec", "payload", NULL), &arena, &payload));
    check(dsp_utf8_invalid_at(request->payload) < request->payload.len || dsp_str_eq(payload, request->payload));
    dsp_arena_free(&arena);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dsp_str          text = { (const char *) data, size };
    size_t           newline = dsp_str_find(text, '\n');
    dsp_str          path = dsp_str_sub(text, 0, newline), payload = dsp_str_sub(text, newline + 1, size);
    dsp_execute_path parts;
    dsp_buf          why;

    dsp_buf_init(&why, 4096);
    if (dsp_execute_path_parse(path, &parts, &why) == DSP_EXECUTE_PATH_OK) {
        char name[DSP_EXECUTION_NAME_MAX + 1];

        check(why.len == 0 && dsp_name_is_subdomain(parts.template_name, NULL) && (parts.ns.len == 0 || dsp_name_is_label(parts.ns, NULL)));
        check(parts.template_name.len + parts.ns.len + (parts.ns.len > 0) == path.len);
        dsp_execution_choose_name(parts.template_name, DSP_STR("0123456789"), name);
        check(dsp_name_is_subdomain(dsp_str_from(name), NULL));
        check_request(&(dsp_execution_request){ parts.ns, dsp_str_from(name), parts.template_name, DSP_STR("0"), { NULL, 0 }, payload });
    } else {
        dsp_json json;
        dsp_buf  out;

        check(why.len > 0);
        dsp_buf_init(&out, 1 << 16);
        dsp_problem_write(&out, &(dsp_problem_document){ .problem = DSP_PROBLEM_INVALID_PATH, .detail = dsp_buf_str(&why), .instance = path });
        check(out.failed || dsp_json_parse(dsp_buf_str(&out), &json, NULL));
        dsp_buf_free(&out);
    }
    dsp_buf_free(&why);
    return 0;
}
