
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
static ngx_int_t ngx_http_dispatcher_step(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx);
static ngx_int_t ngx_http_dispatcher_after_template(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx);
static ngx_int_t ngx_http_dispatcher_after_create(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx);
static ngx_int_t ngx_http_dispatcher_after_lookup(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx);
static ngx_int_t ngx_http_dispatcher_fail(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx, dsp_api_answer *answer);


#define NGX_HTTP_DISPATCHER_MAX_CREATES  2


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
