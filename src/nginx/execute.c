
/*
 * The content handler: what the client asks for is checked here, before and after its body is read, and then handed to converse.c.
 */


#include "dispatcher.h"

#include "model/execute_path.h"
#include "model/name.h"


static ngx_http_dispatcher_ctx_t *ngx_http_dispatcher_create_ctx(
    ngx_http_request_t *r, ngx_http_dispatcher_loc_conf_t *conf);
static void ngx_http_dispatcher_cleanup(void *data);
static ngx_uint_t ngx_http_dispatcher_reads_first(ngx_http_request_t *r);
static ngx_int_t ngx_http_dispatcher_check_request(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx);
static ngx_int_t ngx_http_dispatcher_check(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx, dsp_problem_document *document,
    dsp_buf *why);
static ngx_int_t ngx_http_dispatcher_check_path(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx, dsp_problem_document *document,
    dsp_buf *why);
static ngx_int_t ngx_http_dispatcher_get_path(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx, ngx_str_t *path,
    dsp_problem_document *document, dsp_buf *why);
static ngx_uint_t ngx_http_dispatcher_plain_path(ngx_http_request_t *r);
static void ngx_http_dispatcher_body_handler(ngx_http_request_t *r);
static void ngx_http_dispatcher_log_payload(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx);


#define NGX_HTTP_DISPATCHER_ARENA    (8 * 1024 * 1024)
#define NGX_HTTP_DISPATCHER_MAX_WHY  1024
#define NGX_HTTP_DISPATCHER_MAX_METHOD  32    /* bytes of it that are repeated */


ngx_int_t
ngx_http_dispatcher_execute_handler(ngx_http_request_t *r)
{
    ngx_int_t                        rc;
    ngx_http_dispatcher_ctx_t       *ctx;
    ngx_http_dispatcher_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_dispatcher_module);

    if (r != r->main) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "\"dispatcher_execute\" cannot serve a subrequest");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx = ngx_http_dispatcher_create_ctx(r, conf);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r->method == NGX_HTTP_OPTIONS) {
        rc = ngx_http_discard_request_body(r);
        return rc == NGX_OK ? ngx_http_dispatcher_send_options(r) : rc;
    }

    if (!ngx_http_dispatcher_reads_first(r)) {
        rc = ngx_http_dispatcher_check_request(r, ctx);

        if (rc != NGX_OK || ctx->answered) {
            return rc;
        }
    }

    r->request_body_in_single_buf = 1;
    r->request_body_in_clean_file = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_dispatcher_body_handler);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


/*
 * A small body of HTTP/2 is read before the request is refused: nginx resets a
 * stream whose body it has not read, and some clients (curl 7.88) then show
 * that and not the answer.
 */

static ngx_uint_t
ngx_http_dispatcher_reads_first(ngx_http_request_t *r)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    return r->http_version >= NGX_HTTP_VERSION_20
           && r->headers_in.content_length_n > 0
           && r->headers_in.content_length_n
              <= (off_t) clcf->client_body_buffer_size;
}


/* what can be said without the body; when ctx->answered, it was, and what is returned goes to nginx */

static ngx_int_t
ngx_http_dispatcher_check_request(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx)
{
    dsp_buf               why;
    ngx_int_t             rc;
    dsp_problem_document  document;

    ngx_memzero(&document, sizeof(document));
    dsp_buf_init(&why, NGX_HTTP_DISPATCHER_MAX_WHY);

    rc = ngx_http_dispatcher_check(r, ctx, &document, &why);

    if (rc == NGX_DECLINED) {
        document.detail = dsp_buf_str(&why);

        rc = ngx_http_discard_request_body(r);

        if (rc == NGX_OK) {
            rc = ngx_http_dispatcher_send_problem(r, &document);
        }

    } else if (rc != NGX_OK) {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    dsp_buf_free(&why);

    return rc;
}


static ngx_http_dispatcher_ctx_t *
ngx_http_dispatcher_create_ctx(ngx_http_request_t *r,
    ngx_http_dispatcher_loc_conf_t *conf)
{
    ngx_pool_cleanup_t               *cln;
    ngx_http_dispatcher_ctx_t        *ctx;
    ngx_http_dispatcher_main_conf_t  *dmcf;

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_dispatcher_ctx_t));
    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (ctx == NULL || cln == NULL) {
        return NULL;
    }

    dmcf = ngx_http_get_module_main_conf(r, ngx_http_dispatcher_module);

    ctx->conf = conf;
    ctx->stats = dmcf->zone ? dmcf->zone->data : NULL;

    dsp_arena_init(&ctx->arena, NGX_HTTP_DISPATCHER_ARENA);
    ngx_http_dispatcher_stats_start(ctx->stats);

    cln->handler = ngx_http_dispatcher_cleanup;
    cln->data = ctx;

    ngx_http_set_ctx(r, ctx, ngx_http_dispatcher_module);

    if (ngx_http_dispatcher_get_request_id(r, &ctx->request_id) != NGX_OK) {
        return NULL;
    }

    return ctx;
}


static void
ngx_http_dispatcher_cleanup(void *data)
{
    ngx_http_dispatcher_ctx_t  *ctx = data;

    ngx_http_dispatcher_stats_end(ctx->stats);
    dsp_arena_free(&ctx->arena);
}


ngx_http_dispatcher_ctx_t *
ngx_http_dispatcher_get_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_dispatcher_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r->main, ngx_http_dispatcher_module);

    if (ctx || !r->main->internal) {
        return ctx;
    }

    /* an internal redirect has cleared all contexts */

    for (cln = r->main->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_dispatcher_cleanup) {
            return cln->data;
        }
    }

    return NULL;
}


/* NGX_OK; NGX_DECLINED: the document says why, with more to say in why; NGX_ERROR */

static ngx_int_t
ngx_http_dispatcher_check(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx, dsp_problem_document *document,
    dsp_buf *why)
{
    ngx_int_t  rc;

    if (!(r->method & (NGX_HTTP_PUT|NGX_HTTP_POST))) {
        document->problem = DSP_PROBLEM_METHOD_NOT_ALLOWED;
        dsp_buf_addf(why, "%.*s does nothing here; PUT or POST runs a JobTemplate.",
                     (int) ngx_min(r->method_name.len, NGX_HTTP_DISPATCHER_MAX_METHOD),
                     r->method_name.data);
        return NGX_DECLINED;
    }

    rc = ngx_http_dispatcher_check_path(r, ctx, document, why);

    if (rc != NGX_OK) {
        return rc;
    }

    if (!ngx_http_dispatcher_serves(ctx->conf, &ctx->namespace)) {
        document->problem = DSP_PROBLEM_NAMESPACE_NOT_SERVED;
        dsp_buf_addf(why, "The namespace \"%.*s\" is not served here.",
                     (int) ctx->namespace.len, ctx->namespace.data);
        return NGX_DECLINED;
    }

    if (r->headers_in.content_length_n > NGX_HTTP_DISPATCHER_MAX_OBJECT) {
        document->problem = DSP_PROBLEM_PAYLOAD_TOO_LARGE;
        dsp_buf_addf(why, "The payload has %lld bytes; a Kubernetes API server takes %d.",
                     (long long) r->headers_in.content_length_n,
                     NGX_HTTP_DISPATCHER_MAX_OBJECT);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_dispatcher_check_path(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx, dsp_problem_document *document,
    dsp_buf *why)
{
    ngx_int_t                    rc;
    ngx_str_t                    path;
    dsp_execute_path             parts;
    enum dsp_execute_path_fault  fault;

    document->problem = DSP_PROBLEM_INVALID_PATH;

    rc = ngx_http_dispatcher_get_path(r, ctx, &path, document, why);

    if (rc != NGX_OK) {
        return rc;
    }

    fault = dsp_execute_path_parse(ngx_http_dispatcher_str(&path), &parts, why);

    if (fault != DSP_EXECUTE_PATH_OK) {
        document->problem = fault == DSP_EXECUTE_PATH_NAME
                            ? DSP_PROBLEM_INVALID_NAME
                            : DSP_PROBLEM_INVALID_PATH;
        return NGX_DECLINED;
    }

    ctx->template.data = (u_char *) parts.template_name.data;
    ctx->template.len = parts.template_name.len;
    ctx->namespace = ctx->conf->default_namespace;

    if (parts.ns.len) {
        ctx->namespace.data = (u_char *) parts.ns.data;
        ctx->namespace.len = parts.ns.len;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_dispatcher_get_path(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx, ngx_str_t *path,
    dsp_problem_document *document, dsp_buf *why)
{
    ngx_http_core_loc_conf_t  *clcf;

    /* what names a path directly may come from anywhere, and is checked as it is */

    if (ctx->conf->path) {
        return ngx_http_complex_value(r, ctx->conf->path, path);
    }

    if (!ngx_http_dispatcher_plain_path(r)) {
        dsp_buf_addz(why, "The path must be written plainly: without percent-encoding, "
                     "empty segments, '.' and '..'.");
        return NGX_DECLINED;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (r->uri.len < ctx->conf->prefix
        || ngx_memcmp(r->uri.data, clcf->name.data, ctx->conf->prefix) != 0)
    {
        /* "rewrite ... break": what follows the location is nobody's wish */

        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "the URI \"%V\" does not begin with location \"%V\": "
                      "rewrite it into the location, or say \"dispatcher_execute [namespace/]template\"",
                      &r->uri, &clcf->name);

        document->problem = DSP_PROBLEM_MISCONFIGURED;
        dsp_buf_addz(why, "The error log says what is missing.");
        return NGX_DECLINED;
    }

    path->data = r->uri.data + ctx->conf->prefix;
    path->len = r->uri.len - ctx->conf->prefix;

    return NGX_OK;
}


/*
 * nginx has decoded "%2F" and merged "//" in r->uri; no name that Kubernetes
 * allows needs either. After a rewrite the URI is the administrator's.
 */

static ngx_uint_t
ngx_http_dispatcher_plain_path(ngx_http_request_t *r)
{
    size_t   len;
    u_char  *args;

    if (!r->valid_unparsed_uri) {
        return 1;
    }

    args = ngx_strlchr(r->unparsed_uri.data,
                       r->unparsed_uri.data + r->unparsed_uri.len, '?');

    len = args ? (size_t) (args - r->unparsed_uri.data) : r->unparsed_uri.len;

    return len == r->uri.len
           && ngx_memcmp(r->unparsed_uri.data, r->uri.data, len) == 0;
}


ngx_uint_t
ngx_http_dispatcher_serves(ngx_http_dispatcher_loc_conf_t *conf,
    ngx_str_t *namespace)
{
    ngx_str_t   *name;
    ngx_uint_t   i;

    if (conf->namespaces == NULL) {
        return 1;
    }

    name = conf->namespaces->elts;

    for (i = 0; i < conf->namespaces->nelts; i++) {
        if (name[i].len == namespace->len
            && ngx_memcmp(name[i].data, namespace->data, namespace->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static void
ngx_http_dispatcher_body_handler(ngx_http_request_t *r)
{
    dsp_buf                     why;
    ngx_int_t                   rc;
    dsp_problem_document        document;
    ngx_http_dispatcher_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_dispatcher_module);

    dsp_buf_init(&why, NGX_HTTP_DISPATCHER_MAX_WHY);

    ngx_memzero(&document, sizeof(document));

    /* without a template's name, nothing was looked at before the body */

    rc = ctx->template.len ? NGX_OK : ngx_http_dispatcher_check(r, ctx,
                                                       &document, &why);

    if (rc == NGX_OK) {
        rc = ngx_http_dispatcher_read_payload(r, ctx, &document, &why);
    }

    if (rc == NGX_OK) {
        dsp_buf_free(&why);

        if (ctx->conf->log_payloads) {
            ngx_http_dispatcher_log_payload(r, ctx);
        }

        ngx_http_dispatcher_converse(r, ctx);

        return;
    }

    if (rc == NGX_DECLINED) {
        document.detail = dsp_buf_str(&why);

        rc = ngx_http_dispatcher_send_problem(r, &document);

    } else {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    dsp_buf_free(&why);

    ngx_http_finalize_request(r, rc);
}


/* quoted, so that a payload cannot forge a line of the log; as much as a line takes */

static void
ngx_http_dispatcher_log_payload(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx)
{
    dsp_buf  text;

    dsp_buf_init(&text, NGX_MAX_ERROR_STR * 6);
    dsp_json_quote(&text, dsp_str_sub(ctx->payload, 0, NGX_MAX_ERROR_STR));

    ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                  "dispatcher payload for %V/%V, %uz bytes: %s",
                  &ctx->namespace, &ctx->template, ctx->payload.len,
                  dsp_buf_cstr(&text));

    dsp_buf_free(&text);
}
