#include "request.h"

#include <stdio.h>
#include <string.h>

#include "tree.h"

const char *dc_query(const dc_request *r, const char *name)
{
    return evhttp_find_header(&r->query, name);
}

bool dc_query_is(const dc_request *r, const char *name, const char *value)
{
    const char *have = dc_query(r, name);

    return have != NULL && strcmp(have, value) == 0;
}

const char *dc_header(const dc_request *r, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(r->http), name);
}

const char *dc_method_name(enum evhttp_cmd_type method)
{
    switch (method) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_HEAD:
        return "HEAD";
    case EVHTTP_REQ_PUT:
        return "PUT";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    case EVHTTP_REQ_OPTIONS:
        return "OPTIONS";
    case EVHTTP_REQ_PATCH:
        return "PATCH";
    default:
        return "OTHER";
    }
}

void dc_answer_header(dc_request *r, const char *name, const char *value)
{
    evhttp_add_header(&r->headers, name, value);
}

void dc_answer_warning(dc_request *r, const char *text)
{
    dsp_buf line;

    dsp_buf_init(&line, 4096);
    dsp_buf_addz(&line, "299 - \"");
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\') {
            dsp_buf_addc(&line, '\\');
        }
        dsp_buf_addc(&line, *p < ' ' && *p > 0 ? ' ' : *p);
    }
    dsp_buf_addc(&line, '"');
    dc_answer_header(r, "Warning", dsp_buf_cstr(&line));
    dsp_buf_free(&line);
}

void dc_answer_text(dc_request *r, int code, const char *content_type, dsp_str text)
{
    r->code = code;
    r->content_type = content_type;
    dsp_buf_reset(&r->answer);
    dsp_buf_adds(&r->answer, text);
}

void dc_answer_tree(dc_request *r, int code, const cJSON *tree)
{
    r->code = code;
    r->content_type = "application/json";
    dsp_buf_reset(&r->answer);
    dc_print(&r->answer, tree);
    dsp_buf_addc(&r->answer, '\n');
}

void dc_answer_fail(dc_request *r)
{
    int64_t seconds = dc_int_or(r->fail.details, "retryAfterSeconds", 0);
    char    text[24];

    if (seconds > 0) {
        snprintf(text, sizeof(text), "%d", (int) seconds);
        dc_answer_header(r, "Retry-After", text);
    }
    r->code = r->fail.code;
    r->content_type = "application/json";
    dsp_buf_reset(&r->answer);
    dc_fail_print(&r->fail, &r->answer);
    dsp_buf_addc(&r->answer, '\n');
}
