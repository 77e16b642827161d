
/*
 * One call of a conversation: what it asks the API server for, what the answer means, and what is counted and logged of it. converse.c decides which call
 * comes next.
 */


#include "dispatcher.h"

#include "model/object.h"


static void ngx_http_dispatcher_note(ngx_http_request_t *r,
    ngx_http_dispatcher_call_t *call);
static ngx_uint_t ngx_http_dispatcher_is_ours(ngx_http_dispatcher_ctx_t *ctx);
static void ngx_http_dispatcher_log_failure(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx);


typedef struct {
    enum dsp_api_call   call;
    ngx_uint_t          method;
    ngx_str_t           resource;
} ngx_http_dispatcher_call_kind_t;


static ngx_http_dispatcher_call_kind_t  ngx_http_dispatcher_calls[] = {
    { DSP_API_GET_TEMPLATE, NGX_HTTP_GET, ngx_string("jobtemplates") },
    { DSP_API_CREATE_EXECUTION, NGX_HTTP_POST, ngx_string("jobexecutions") },
    { DSP_API_GET_EXECUTION, NGX_HTTP_GET, ngx_string("jobexecutions") }
};


static ngx_str_t  ngx_http_dispatcher_create_args =
    ngx_string("fieldManager=dispatcher");


ngx_int_t
ngx_http_dispatcher_start_call(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx, ngx_http_dispatcher_state_e state,
    ngx_str_t *body)
{
    u_char                           *p;
    ngx_str_t                         name;
    ngx_http_dispatcher_call_t       *call;
    ngx_http_dispatcher_call_kind_t  *kind;

    static ngx_str_t  prefix = ngx_string("apis/" DSP_API_VERSION
                                          "/namespaces/");

    kind = &ngx_http_dispatcher_calls[state];

    call = ngx_pcalloc(r->pool, sizeof(ngx_http_dispatcher_call_t));
    if (call == NULL) {
        return NGX_ERROR;
    }

    call->method = kind->method;
    call->handler = ngx_http_dispatcher_note;
    ngx_str_null(&name);

    if (body) {
        call->body = *body;
        call->args = ngx_http_dispatcher_create_args;

    } else {
        name = state == ngx_http_dispatcher_template_state ? ctx->template
                                                     : ctx->execution;
    }

    call->uri.len = ctx->conf->api.len + prefix.len + ctx->namespace.len + 1
                    + kind->resource.len + (name.len ? 1 + name.len : 0);

    call->uri.data = ngx_pnalloc(r->pool, call->uri.len);
    if (call->uri.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(call->uri.data, "%V%V%V/%V", &ctx->conf->api, &prefix,
                    &ctx->namespace, &kind->resource);

    if (name.len) {
        ngx_sprintf(p, "/%V", &name);
    }

    ctx->state = state;
    ctx->call = call;
    ctx->token = ngx_http_dispatcher_tokens(r, 0);

    return ngx_http_dispatcher_call(r, call) == NGX_OK ? NGX_DONE : NGX_ERROR;
}


/*
 * When a call is done: reads and counts it. The client may have gone, and nobody may be woken; what was stored has to be known all the
 * same.
 */

static void
ngx_http_dispatcher_note(ngx_http_request_t *r, ngx_http_dispatcher_call_t *call)
{
    ngx_str_t                  *name;
    dsp_api_reply               reply;
    dsp_api_answer             *answer;
    ngx_http_dispatcher_ctx_t  *ctx;

    ctx = ngx_http_dispatcher_get_ctx(r);
    answer = &ctx->answer;

    name = ctx->state == ngx_http_dispatcher_template_state ? &ctx->template
                                                            : &ctx->execution;
    reply.status = (int) call->status;
    reply.timed_out = (call->rc == NGX_HTTP_GATEWAY_TIME_OUT);
    reply.sent = call->sent;
    reply.whole = call->complete && !call->overflow;
    reply.body = (dsp_str) { (char *) call->data, call->len };
    reply.retry_after_s = call->retry_after;

    dsp_api_answer_read(ngx_http_dispatcher_calls[ctx->state].call,
                        ngx_http_dispatcher_str(name), &reply, &ctx->arena,
                        answer);

    if (call->misconfigured) {
        answer->verdict = ctx->state == ngx_http_dispatcher_create_state && call->sent
                          ? DSP_API_UNCLEAR : DSP_API_FAILED;
        answer->problem = DSP_PROBLEM_MISCONFIGURED;
        answer->detail = DSP_STR("The error log says what is missing.");
        answer->cause = DSP_STR("its location is not set up correctly");
    }

    ngx_http_dispatcher_stats_call(ctx->stats,
                                   ngx_http_dispatcher_calls[ctx->state].call,
                                   answer);

    if (answer->verdict == DSP_API_DONE
        && (ctx->state == ngx_http_dispatcher_create_state
            || (ctx->state == ngx_http_dispatcher_lookup_state
                && ngx_http_dispatcher_is_ours(ctx))))
    {
        ctx->created = 1;

        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "JobExecution \"%V\" created in namespace \"%V\"",
                      &ctx->execution, &ctx->namespace);

    } else if (answer->verdict >= DSP_API_UNAUTHENTICATED) {
        ngx_http_dispatcher_log_failure(r, ctx);
    }
}


static ngx_uint_t
ngx_http_dispatcher_is_ours(ngx_http_dispatcher_ctx_t *ctx)
{
    return dsp_str_eq(ctx->answer.object.request_id,
                      ngx_http_dispatcher_str(&ctx->request_id));
}


ngx_uint_t
ngx_http_dispatcher_tokens(ngx_http_request_t *r, ngx_uint_t force)
{
    ngx_str_t                          value;
    ngx_uint_t                         i, n;
    ngx_http_dispatcher_token_t      **tokens;
    ngx_http_dispatcher_main_conf_t   *dmcf;

    dmcf = ngx_http_get_module_main_conf(r, ngx_http_dispatcher_module);

    tokens = dmcf->tokens.elts;
    n = 0;

    for (i = 0; i < dmcf->tokens.nelts; i++) {

        if (force) {
            (void) ngx_http_dispatcher_token_get(tokens[i], r->connection->log,
                                                 1, &value);
        }

        n += tokens[i]->generation;
    }

    return n;
}


/* what the operator has to know; the client sees none of it */

static void
ngx_http_dispatcher_log_failure(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx)
{
    size_t      i, len;
    u_char      cause[512];
    ngx_uint_t  level;

    /* the server's words may hold a client's: nothing of theirs begins a line */

    len = ngx_min(ctx->answer.cause.len, sizeof(cause));

    for (i = 0; i < len; i++) {
        cause[i] = ctx->answer.cause.data[i];

        if (cause[i] < 0x20 || cause[i] == 0x7f) {
            cause[i] = ' ';
        }
    }

    switch (ctx->answer.problem) {

    case DSP_PROBLEM_TEMPLATE_NOT_FOUND:
    case DSP_PROBLEM_NAMESPACE_NOT_FOUND:
    case DSP_PROBLEM_FORBIDDEN:
    case DSP_PROBLEM_INVALID_EXECUTION:
    case DSP_PROBLEM_PAYLOAD_TOO_LARGE:
        level = NGX_LOG_INFO;
        break;

    case DSP_PROBLEM_TOO_MANY_REQUESTS:
        level = NGX_LOG_WARN;
        break;

    default:
        level = NGX_LOG_ERR;
    }

    if (ctx->call->status == 0 || ctx->call->misconfigured) {
        ngx_log_error(level, r->connection->log, 0,
                      "API call \"%V\" of request %V: %*s",
                      &ctx->call->uri, &ctx->request_id, len, cause);
        return;
    }

    ngx_log_error(level, r->connection->log, 0,
                  "the API server answered %ui to \"%V\" of request %V: %*s",
                  ctx->call->status, &ctx->call->uri, &ctx->request_id, len,
                  cause);
}
