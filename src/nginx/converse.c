
/*
 * The conversation with the API server about one request:
 *
 *     template ---> create ---> 201
 *                   ^    |
 *       another name|    | AlreadyExists, or nobody knows whether it is stored
 *                   |    v
 *                   lookup ---> ours: 201
 *
 * template: GET of the JobTemplate, its metadata only. create: POST of the JobExecution under the name that we chose. lookup: GET of that
 * name; the annotation with the request's id tells whether it is ours. Every state may end in a problem document. No state waits in
 * a worker: each is one call, and ngx_http_dispatcher_wake() goes on when it is done.
 *
 * The functions return NGX_DONE while a call runs, else what the request is to be finalized with: what the output filters returned, and that may be
 * NGX_AGAIN.
 */


#include "dispatcher.h"

#include "model/object.h"


static void ngx_http_dispatcher_wake(ngx_http_request_t *r);
static void ngx_http_dispatcher_end(ngx_http_request_t *r, ngx_int_t rc);
static ngx_int_t ngx_http_dispatcher_begin(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx);
static void ngx_http_dispatcher_cache_key(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx, ngx_http_dispatcher_cache_key_t *key);
static ngx_int_t ngx_http_dispatcher_create(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx);
static ngx_int_t ngx_http_dispatcher_create_as(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx);
static ngx_int_t ngx_http_dispatcher_start_call(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx, ngx_http_dispatcher_state_e state,
    ngx_str_t *body);
static void ngx_http_dispatcher_note(ngx_http_request_t *r,
    ngx_http_dispatcher_call_t *call);
static ngx_uint_t ngx_http_dispatcher_is_ours(ngx_http_dispatcher_ctx_t *ctx);
static ngx_int_t ngx_http_dispatcher_step(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx);
static ngx_uint_t ngx_http_dispatcher_tokens(ngx_http_request_t *r,
    ngx_uint_t force);
static ngx_int_t ngx_http_dispatcher_after_template(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx);
static ngx_int_t ngx_http_dispatcher_after_create(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx);
static ngx_int_t ngx_http_dispatcher_after_lookup(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx);
static ngx_int_t ngx_http_dispatcher_fail(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx, dsp_api_answer *answer);
static void ngx_http_dispatcher_log_failure(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx);


#define NGX_HTTP_DISPATCHER_MAX_CREATES  2


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


void
ngx_http_dispatcher_converse(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx)
{
    /* before the first call: from now on only calls that end wake us */

    r->write_event_handler = ngx_http_dispatcher_wake;

    ngx_http_dispatcher_end(r, ngx_http_dispatcher_begin(r, ctx));
}


static void
ngx_http_dispatcher_wake(ngx_http_request_t *r)
{
    ngx_http_dispatcher_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_dispatcher_module);

    if (ctx->call->done) {
        ngx_http_dispatcher_end(r, ngx_http_dispatcher_step(r, ctx));
    }
}


static void
ngx_http_dispatcher_end(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_http_dispatcher_ctx_t  *ctx;

    if (rc == NGX_DONE) {
        return;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_dispatcher_module);

    if (rc == NGX_ERROR && !ctx->answered) {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    ngx_http_finalize_request(r, rc);
}


static ngx_int_t
ngx_http_dispatcher_begin(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx)
{
    ngx_int_t                         rc;
    ngx_http_dispatcher_cache_key_t   key;
    ngx_http_dispatcher_main_conf_t  *dmcf;

    if (ctx->conf->template_cache) {
        dmcf = ngx_http_get_module_main_conf(r, ngx_http_dispatcher_module);
        ngx_http_dispatcher_cache_key(r, ctx, &key);

        rc = ngx_http_dispatcher_cache_get(&dmcf->cache, &key, r->pool,
                                           &ctx->labels);
        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        ngx_http_dispatcher_stats_cache(ctx->stats, rc == NGX_OK);

        if (rc == NGX_OK) {
            return ngx_http_dispatcher_create(r, ctx);
        }
    }

    return ngx_http_dispatcher_start_call(r, ctx,
                                   ngx_http_dispatcher_template_state, NULL);
}


static void
ngx_http_dispatcher_cache_key(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx, ngx_http_dispatcher_cache_key_t *key)
{
    key->server = ngx_http_get_module_srv_conf(r, ngx_http_core_module);
    key->api = ctx->conf->api;
    key->namespace = ctx->namespace;
    key->name = ctx->template;
}


/* under the next name */

static ngx_int_t
ngx_http_dispatcher_create(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx)
{
    dsp_str   id;
    u_char   *name;

    name = ngx_pnalloc(r->pool, DSP_EXECUTION_NAME_MAX + 1);
    if (name == NULL) {
        return NGX_ERROR;
    }

    id = dsp_str_sub(ngx_http_dispatcher_str(&ctx->request_id),
                     ctx->names * DSP_EXECUTION_ID_LEN,
                     (ctx->names + 1) * DSP_EXECUTION_ID_LEN);

    dsp_execution_choose_name(ngx_http_dispatcher_str(&ctx->template), id,
                       (char *) name);

    ctx->execution.data = name;
    ctx->execution.len = ngx_strlen(name);
    ctx->names++;
    ctx->creates = 0;

    return ngx_http_dispatcher_create_as(r, ctx);
}


static ngx_int_t
ngx_http_dispatcher_create_as(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx)
{
    ngx_str_t               body;
    dsp_problem_document    document;
    dsp_execution_request   request;

    ngx_memzero(&request, sizeof(request));

    request.ns = ngx_http_dispatcher_str(&ctx->namespace);
    request.name = ngx_http_dispatcher_str(&ctx->execution);
    request.template_name = ngx_http_dispatcher_str(&ctx->template);
    request.request_id = ngx_http_dispatcher_str(&ctx->request_id);
    request.labels = ctx->labels;
    request.payload = ctx->payload;

    body.len = dsp_execution_request_len(&request);

    if (body.len > NGX_HTTP_DISPATCHER_MAX_OBJECT) {
        ngx_memzero(&document, sizeof(document));
        document.problem = DSP_PROBLEM_PAYLOAD_TOO_LARGE;
        document.detail = DSP_STR("The execution, with the payload quoted as JSON, is larger than "
                                  "the 3 MiB that a Kubernetes API server takes.");
        return ngx_http_dispatcher_send_problem(r, &document);
    }

    body.data = ngx_pnalloc(r->pool, body.len);
    if (body.data == NULL) {
        return NGX_ERROR;
    }

    (void) dsp_execution_request_write((char *) body.data, &request);

    ctx->creates++;

    return ngx_http_dispatcher_start_call(r, ctx, ngx_http_dispatcher_create_state,
                                          &body);
}


static ngx_int_t
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
        answer->verdict = DSP_API_FAILED;
        answer->problem = DSP_PROBLEM_MISCONFIGURED;
        answer->detail = DSP_STR("The error log says what is missing.");
        answer->cause = DSP_STR("the API call was not made");
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


static ngx_int_t
ngx_http_dispatcher_step(ngx_http_request_t *r, ngx_http_dispatcher_ctx_t *ctx)
{
    if (ctx->created) {
        return ngx_http_dispatcher_send_created(r, ctx, ctx->answer.object.uid,
                                                ctx->answer.object.created);
    }

    if (ctx->answer.verdict == DSP_API_UNAUTHENTICATED && ctx->logins == 0
        && ctx->token != ngx_http_dispatcher_tokens(r, 1))
    {
        /* the token has been replaced: once more */

        ctx->logins++;

        return ngx_http_dispatcher_start_call(r, ctx, ctx->state,
                           ctx->call->body.len ? &ctx->call->body : NULL);
    }

    switch (ctx->state) {

    case ngx_http_dispatcher_template_state:
        return ngx_http_dispatcher_after_template(r, ctx);

    case ngx_http_dispatcher_create_state:
        return ngx_http_dispatcher_after_create(r, ctx);

    default: /* ngx_http_dispatcher_lookup_state */
        return ngx_http_dispatcher_after_lookup(r, ctx);
    }
}


/* a number that changes when a token is replaced */

static ngx_uint_t
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


static ngx_int_t
ngx_http_dispatcher_after_template(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx)
{
    ngx_http_dispatcher_cache_key_t   key;
    ngx_http_dispatcher_main_conf_t  *dmcf;

    dmcf = ngx_http_get_module_main_conf(r, ngx_http_dispatcher_module);
    ngx_http_dispatcher_cache_key(r, ctx, &key);

    if (ctx->answer.verdict != DSP_API_DONE) {
        ngx_http_dispatcher_cache_forget(&dmcf->cache, &key);
        return ngx_http_dispatcher_fail(r, ctx, &ctx->answer);
    }

    ctx->labels = ctx->answer.object.labels;

    if (ctx->conf->template_cache) {
        ngx_http_dispatcher_cache_put(&dmcf->cache, &key, ctx->labels,
                                      ctx->conf->template_cache,
                                      ngx_cycle->log);
    }

    return ngx_http_dispatcher_create(r, ctx);
}


static ngx_int_t
ngx_http_dispatcher_after_create(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx)
{
    switch (ctx->answer.verdict) {

    case DSP_API_EXISTS:
    case DSP_API_BROKEN:
    case DSP_API_UNCLEAR:
        ctx->doubt = ctx->answer;
        return ngx_http_dispatcher_start_call(r, ctx,
                                     ngx_http_dispatcher_lookup_state, NULL);

    default:
        return ngx_http_dispatcher_fail(r, ctx, &ctx->answer);
    }
}


/* it is not ours, or not there, or nobody knows */

static ngx_int_t
ngx_http_dispatcher_after_lookup(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx)
{
    if (ctx->answer.verdict == DSP_API_DONE
        || (ctx->answer.verdict == DSP_API_ABSENT
            && ctx->doubt.verdict == DSP_API_EXISTS))
    {
        if (ctx->names < NGX_HTTP_DISPATCHER_MAX_NAMES) {
            return ngx_http_dispatcher_create(r, ctx);
        }

        ctx->doubt.problem = DSP_PROBLEM_API_ANSWER;
        ctx->doubt.detail = DSP_STR("Every name that was tried is taken.");

        return ngx_http_dispatcher_fail(r, ctx, &ctx->doubt);
    }

    if (ctx->answer.verdict != DSP_API_ABSENT) {
        ctx->answer.problem = DSP_PROBLEM_OUTCOME_UNKNOWN;
        ctx->answer.detail = DSP_STR("The Kubernetes API server failed while it stored the execution; "
                                     "look for it by its name before you repeat the request.");
        return ngx_http_dispatcher_fail(r, ctx, &ctx->answer);
    }

    if (ctx->doubt.verdict == DSP_API_BROKEN
        && ctx->creates < NGX_HTTP_DISPATCHER_MAX_CREATES)
    {
        return ngx_http_dispatcher_create_as(r, ctx);
    }

    return ngx_http_dispatcher_fail(r, ctx, &ctx->doubt);
}


static ngx_int_t
ngx_http_dispatcher_fail(ngx_http_request_t *r, ngx_http_dispatcher_ctx_t *ctx,
    dsp_api_answer *answer)
{
    dsp_buf               detail;
    u_char               *p;
    ngx_int_t             rc;
    ngx_str_t             value;
    dsp_problem_document  document;

    ngx_memzero(&document, sizeof(document));
    dsp_buf_init(&detail, 1024);

    document.problem = answer->problem;
    document.detail = answer->detail;

    if (answer->problem == DSP_PROBLEM_TEMPLATE_NOT_FOUND) {
        dsp_buf_addf(&detail, "There is no JobTemplate \"%.*s\" in namespace \"%.*s\".",
                     (int) ctx->template.len, ctx->template.data,
                     (int) ctx->namespace.len, ctx->namespace.data);
        document.detail = dsp_buf_str(&detail);

    } else if (answer->problem == DSP_PROBLEM_NAMESPACE_NOT_FOUND) {
        dsp_buf_addf(&detail, "There is no namespace \"%.*s\".",
                     (int) ctx->namespace.len, ctx->namespace.data);
        document.detail = dsp_buf_str(&detail);

    } else if (answer->problem == DSP_PROBLEM_OUTCOME_UNKNOWN) {
        document.execution = ngx_http_dispatcher_str(&ctx->execution);
        document.status = ctx->call->rc == NGX_HTTP_GATEWAY_TIME_OUT
                          ? NGX_HTTP_GATEWAY_TIME_OUT : 0;
    }

    rc = NGX_OK;

    if (answer->retry_after_s >= 0
        && (answer->problem == DSP_PROBLEM_TOO_MANY_REQUESTS
            || answer->problem == DSP_PROBLEM_API_BUSY))
    {
        p = ngx_pnalloc(r->pool, NGX_INT64_LEN);

        if (p) {
            value.data = p;
            value.len = ngx_sprintf(p, "%L", answer->retry_after_s) - p;
            rc = ngx_http_dispatcher_add_header(r, "Retry-After", &value);

        } else {
            rc = NGX_ERROR;
        }
    }

    if (rc == NGX_OK) {
        rc = ngx_http_dispatcher_send_problem(r, &document);
    }

    dsp_buf_free(&detail);

    return rc;
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

    if (ctx->call->status == 0) {
        ngx_log_error(level, r->connection->log, 0, "API call \"%V\": %*s",
                      &ctx->call->uri, len, cause);
        return;
    }

    ngx_log_error(level, r->connection->log, 0,
                  "the API server answered %ui to \"%V\": %*s",
                  ctx->call->status, &ctx->call->uri, len, cause);
}
