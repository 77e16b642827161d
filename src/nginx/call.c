
#include "call.h"

#include "dispatcher.h"


static ngx_int_t ngx_http_dispatcher_call_headers(ngx_http_request_t *r,
    ngx_list_t *headers, ngx_uint_t with_body);
static ngx_int_t ngx_http_dispatcher_call_push(ngx_list_t *headers,
    char *name, char *lowcase, char *value);
static ngx_http_request_body_t *ngx_http_dispatcher_call_body(
    ngx_http_request_t *r, ngx_str_t *body);
static void ngx_http_dispatcher_call_append(ngx_http_dispatcher_call_t *call,
    u_char *bytes, size_t n);
static void ngx_http_dispatcher_call_redirected(ngx_http_request_t *r,
    ngx_http_dispatcher_call_t *call);
static ngx_int_t ngx_http_dispatcher_call_done(ngx_http_request_t *r,
    void *data, ngx_int_t rc);
static ngx_uint_t ngx_http_dispatcher_call_sent(ngx_http_request_t *r);
static time_t ngx_http_dispatcher_call_retry_after(ngx_http_request_t *r);
static time_t ngx_http_dispatcher_call_seconds(ngx_str_t *value);


static ngx_str_t  ngx_http_dispatcher_get = ngx_string("GET ");
static ngx_str_t  ngx_http_dispatcher_post = ngx_string("POST ");


/*
 * A subrequest that exists cannot be taken back: all that may fail comes
 * before ngx_http_subrequest(), and only assignments after it.
 */

ngx_int_t
ngx_http_dispatcher_call(ngx_http_request_t *r,
    ngx_http_dispatcher_call_t *call)
{
    ngx_list_t                   headers;
    ngx_http_request_t          *sr;
    ngx_http_request_body_t     *rb;
    ngx_http_post_subrequest_t  *ps;

    call->pool = r->pool;
    call->retry_after = -1;

    ps = ngx_palloc(r->pool, sizeof(ngx_http_post_subrequest_t));
    rb = ngx_http_dispatcher_call_body(r, &call->body);

    if (ps == NULL || rb == NULL
        || ngx_http_dispatcher_call_headers(r, &headers,
                                            call->method == NGX_HTTP_POST)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ps->handler = ngx_http_dispatcher_call_done;
    ps->data = call;

    if (ngx_http_subrequest(r, &call->uri, call->args.len ? &call->args : NULL,
                            &sr, ps, NGX_HTTP_SUBREQUEST_IN_MEMORY)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* the method of the request decides whether it may be sent twice */

    sr->method = call->method;
    sr->method_name = call->method == NGX_HTTP_POST ? ngx_http_dispatcher_post
                                                    : ngx_http_dispatcher_get;
    sr->method_name.len--;
    sr->request_body = rb;

    ngx_memzero(&sr->headers_in, sizeof(ngx_http_headers_in_t));

    sr->headers_in.content_length_n = call->method == NGX_HTTP_POST
                                      ? (off_t) call->body.len : -1;
    sr->headers_in.keep_alive_n = -1;
    sr->headers_in.headers = headers;
    sr->headers_in.headers.last = &sr->headers_in.headers.part;

    return NGX_OK;
}


static ngx_int_t
ngx_http_dispatcher_call_headers(ngx_http_request_t *r, ngx_list_t *headers,
    ngx_uint_t with_body)
{
    if (ngx_list_init(headers, r->pool, 4, sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* the names and labels are all that is looked at; no payload comes back */

    if (ngx_http_dispatcher_call_push(headers, "Accept", "accept",
                                      "application/json;as=PartialObjectMetadata"
                                      ";g=meta.k8s.io;v=v1,application/json")
        != NGX_OK
        || ngx_http_dispatcher_call_push(headers, "User-Agent", "user-agent",
                                         NGX_HTTP_DISPATCHER_AGENT)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return with_body ? ngx_http_dispatcher_call_push(headers, "Content-Type",
                                                     "content-type",
                                                     "application/json")
                     : NGX_OK;
}


static ngx_int_t
ngx_http_dispatcher_call_push(ngx_list_t *headers, char *name, char *lowcase,
    char *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->lowcase_key = (u_char *) lowcase;
    h->hash = ngx_hash_key(h->lowcase_key, h->key.len);
    h->value.data = (u_char *) value;
    h->value.len = ngx_strlen(value);

    return NGX_OK;
}


/* without one of its own the subrequest would send the client's body */

static ngx_http_request_body_t *
ngx_http_dispatcher_call_body(ngx_http_request_t *r, ngx_str_t *body)
{
    ngx_buf_t                *b;
    ngx_chain_t              *cl;
    ngx_http_request_body_t  *rb;

    rb = ngx_pcalloc(r->pool, sizeof(ngx_http_request_body_t));
    if (rb == NULL || body->len == 0) {
        return rb;
    }

    b = ngx_calloc_buf(r->pool);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL) {
        return NULL;
    }

    b->start = b->pos = body->data;
    b->end = b->last = body->data + body->len;
    b->memory = 1;
    b->last_buf = 1;

    cl->buf = b;
    cl->next = NULL;
    rb->bufs = cl;

    return rb;
}


ngx_http_dispatcher_call_t *
ngx_http_dispatcher_call_of(ngx_http_request_t *r)
{
    /* not by the module's context: an internal redirect would clear it */

    if (r == r->main || r->post_subrequest == NULL
        || r->post_subrequest->handler != ngx_http_dispatcher_call_done)
    {
        return NULL;
    }

    return r->post_subrequest->data;
}


/*
 * In the preaccess phase: nothing was sent yet. A second time means that the
 * answer (X-Accel-Redirect) led elsewhere.
 */

ngx_int_t
ngx_http_dispatcher_call_located(ngx_http_request_t *r,
    ngx_http_dispatcher_call_t *call)
{
    ngx_str_t                        token;
    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_dispatcher_loc_conf_t  *dlcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    dlcf = ngx_http_get_module_loc_conf(r, ngx_http_dispatcher_module);

    if (call->location) {
        ngx_http_dispatcher_call_redirected(r, call);
        return NGX_HTTP_BAD_GATEWAY;
    }

    call->location = clcf;

    if (clcf->handler == NULL || dlcf->execute == 1) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "the API call \"%V\" ends in location \"%V\" without a proxy_pass: "
                      "set \"dispatcher_api\" to an internal location with \"proxy_pass\" to the API server, "
                      "as in dispatcher_api.conf", &r->uri, &clcf->name);

    } else if (!clcf->internal) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "location \"%V\" leads to the API server with our credentials but is open to clients: "
                      "add \"internal;\" to it", &clcf->name);

    } else if (dlcf->token == NULL
               || ngx_http_dispatcher_token_get(dlcf->token,
                                      r->connection->log, 0, &token) == NGX_OK)
    {
        return NGX_DECLINED;
    }

    call->misconfigured = 1;

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static void
ngx_http_dispatcher_call_redirected(ngx_http_request_t *r,
    ngx_http_dispatcher_call_t *call)
{
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "an API call was redirected to \"%V\": "
                  "add \"proxy_ignore_headers X-Accel-Redirect;\" to the location of \"dispatcher_api\"",
                  &r->uri);
    call->misconfigured = 1;
}


/*
 * The body is taken before any other filter sees it: the in-memory
 * subrequest's own buffer kills the client's connection when it is too small,
 * and cannot tell a cut answer from a whole one.
 */

void
ngx_http_dispatcher_call_capture(ngx_http_dispatcher_call_t *call,
    ngx_chain_t *in)
{
    ngx_buf_t  *b;

    for ( /* void */ ; in; in = in->next) {
        b = in->buf;

        if (b->last_in_chain || b->last_buf) {
            call->complete = 1;
        }

        if (ngx_buf_in_memory(b)) {
            ngx_http_dispatcher_call_append(call, b->pos, b->last - b->pos);
            b->pos = b->last;

        } else if (b->in_file) {
            call->overflow = 1;
            b->file_pos = b->file_last;
        }
    }
}


static void
ngx_http_dispatcher_call_append(ngx_http_dispatcher_call_t *call,
    u_char *bytes, size_t n)
{
    size_t   size;
    u_char  *data;

    if (n == 0) {
        return;
    }

    if (call->done || n > NGX_HTTP_DISPATCHER_MAX_ANSWER - call->len) {
        call->overflow = 1;
        return;
    }

    if (n > call->size - call->len) {
        size = ngx_max(call->len + n, call->size * 2);

        data = ngx_palloc(call->pool, size);
        if (data == NULL) {
            call->overflow = 1;
            return;
        }

        if (call->len) {
            ngx_memcpy(data, call->data, call->len);
            ngx_pfree(call->pool, call->data);
        }

        call->data = data;
        call->size = size;
    }

    ngx_memcpy(call->data + call->len, bytes, n);
    call->len += n;
}


/*
 * Called when the subrequest ends. Returning NGX_OK keeps nginx from
 * generating an error page into it, and from calling this twice; but when the
 * client has gone, the whole request must end with that.
 */

static ngx_int_t
ngx_http_dispatcher_call_done(ngx_http_request_t *r, void *data, ngx_int_t rc)
{
    ngx_http_dispatcher_call_t  *call = data;

    if (call->done) {
        return NGX_OK;
    }

    call->done = 1;
    call->rc = rc;
    call->sent = ngx_http_dispatcher_call_sent(r);

    if (call->location == NULL && rc != NGX_HTTP_CLIENT_CLOSED_REQUEST) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "the API call \"%V\" ended with %i before it reached its location: "
                      "check \"client_max_body_size 0;\" there, and \"return\", \"rewrite\" and \"if\" of the server",
                      &r->uri, rc);
        call->misconfigured = 1;

    } else if (rc >= NGX_HTTP_SPECIAL_RESPONSE
               && rc < NGX_HTTP_CLIENT_CLOSED_REQUEST)
    {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "nginx itself answered the API call \"%V\" with %i: "
                      "no \"proxy_intercept_errors\", limits or access rules in the location of \"dispatcher_api\"",
                      &r->uri, rc);
        call->misconfigured = 1;

    } else if (call->location
               != ngx_http_get_module_loc_conf(r, ngx_http_core_module)
               && !call->misconfigured)
    {
        ngx_http_dispatcher_call_redirected(r, call);
    }

    if (rc == NGX_OK) {
        call->status = r->headers_out.status;
        call->retry_after = ngx_http_dispatcher_call_retry_after(r);
    }

    ngx_log_debug5(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "dispatcher call done: rc:%i status:%ui len:%uz complete:%d overflow:%d",
                   rc, call->status, call->len, call->complete, call->overflow);

    call->handler(r->main, call);

    if (r->connection->error || rc == NGX_HTTP_CLIENT_CLOSED_REQUEST) {

        /* with NGX_OK the access log would say 000 */

        return rc == NGX_OK ? NGX_HTTP_CLIENT_CLOSED_REQUEST : rc;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_dispatcher_call_sent(ngx_http_request_t *r)
{
    ngx_uint_t                  i;
    ngx_http_upstream_state_t  *state;

    if (r->upstream == NULL) {
        return 0;
    }

    if (r->upstream->request_sent) {
        return 1;
    }

    /* that is of the last server; "non_idempotent" lets a POST be sent to more */

    if (r->upstream_states) {
        state = r->upstream_states->elts;

        for (i = 0; i < r->upstream_states->nelts; i++) {
            if (state[i].bytes_sent) {
                return 1;
            }
        }
    }

    return 0;
}


static time_t
ngx_http_dispatcher_call_retry_after(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_out.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return -1;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].hash && h[i].key.len == sizeof("Retry-After") - 1
            && ngx_strncasecmp(h[i].key.data, (u_char *) "Retry-After",
                               sizeof("Retry-After") - 1)
               == 0)
        {
            return ngx_http_dispatcher_call_seconds(&h[i].value);
        }
    }
}


/* -1: neither seconds nor a date (RFC 9110, 10.2.3), which a proxy before the API server may send */

static time_t
ngx_http_dispatcher_call_seconds(ngx_str_t *value)
{
    time_t  t;

    t = ngx_atotm(value->data, value->len);

    if (t != NGX_ERROR) {
        return t;
    }

    t = ngx_parse_http_time(value->data, value->len);

    return t == NGX_ERROR ? NGX_ERROR : ngx_max(t - ngx_time(), 0);
}
