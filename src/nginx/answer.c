
#include "dispatcher.h"


static ngx_int_t ngx_http_dispatcher_send(ngx_http_request_t *r,
    ngx_uint_t status, char *type, ngx_buf_t *b);
static ngx_buf_t *ngx_http_dispatcher_answer_buf(ngx_http_request_t *r,
    dsp_buf *body);
static void ngx_http_dispatcher_describe(ngx_http_request_t *r,
    dsp_problem_document *document);
static ngx_int_t ngx_http_dispatcher_allow(ngx_http_request_t *r);
static ngx_http_dispatcher_ctx_t *ngx_http_dispatcher_page_ctx(
    ngx_http_request_t *r);


/* the API server's message (as much of it as helps), the path and the name, each quoted, which may make six bytes of one */
#define NGX_HTTP_DISPATCHER_MAX_DETAIL    4096
#define NGX_HTTP_DISPATCHER_MAX_INSTANCE  2048
#define NGX_HTTP_DISPATCHER_MAX_BODY      (64 * 1024)


ngx_int_t
ngx_http_dispatcher_send_problem(ngx_http_request_t *r,
    dsp_problem_document *document)
{
    dsp_buf     body;
    ngx_int_t   rc;
    ngx_uint_t  status;

    ngx_http_dispatcher_describe(r, document);

    status = document->status ? document->status
                    : dsp_problem_kind_of(document->problem)->status;

    if (document->problem == DSP_PROBLEM_METHOD_NOT_ALLOWED
        && ngx_http_dispatcher_allow(r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    dsp_buf_init(&body, NGX_HTTP_DISPATCHER_MAX_BODY);
    dsp_problem_write(&body, document);

    rc = ngx_http_dispatcher_send(r, status, DSP_PROBLEM_CONTENT_TYPE,
                               ngx_http_dispatcher_answer_buf(r, &body));

    dsp_buf_free(&body);

    return rc;
}


/* the usual answer: written into its buffer at once */

ngx_int_t
ngx_http_dispatcher_send_created(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx, dsp_str uid, dsp_str created)
{
    size_t      len;
    ngx_buf_t  *b;
    ngx_uint_t  i;

    struct {
        ngx_str_t  name;
        dsp_str    value;
    } member[] = {
        { ngx_string("{\"namespace\":"),
          ngx_http_dispatcher_str(&ctx->namespace) },
        { ngx_string(",\"name\":"),
          ngx_http_dispatcher_str(&ctx->execution) },
        { ngx_string(",\"uid\":"), uid },
        { ngx_string(",\"jobTemplateName\":"),
          ngx_http_dispatcher_str(&ctx->template) },
        { ngx_string(",\"creationTimestamp\":"), created }
    };

    len = sizeof("}\n") - 1;

    for (i = 0; i < sizeof(member) / sizeof(member[0]); i++) {
        len += member[i].name.len + dsp_json_quoted_len(member[i].value);
    }

    b = ngx_create_temp_buf(r->pool, len);
    if (b == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < sizeof(member) / sizeof(member[0]); i++) {
        b->last = ngx_cpymem(b->last, member[i].name.data, member[i].name.len);
        b->last = (u_char *) dsp_json_quote_to((char *) b->last,
                                               member[i].value);
    }

    b->last = ngx_cpymem(b->last, "}\n", sizeof("}\n") - 1);
    b->last_buf = 1;
    b->last_in_chain = 1;

    return ngx_http_dispatcher_send(r, NGX_HTTP_CREATED, "application/json",
                                    b);
}


ngx_int_t
ngx_http_dispatcher_send_options(ngx_http_request_t *r)
{
    dsp_buf  body;

    if (ngx_http_dispatcher_allow(r) != NGX_OK) {
        return NGX_ERROR;
    }

    dsp_buf_init(&body, 0);

    return ngx_http_dispatcher_send(r, NGX_HTTP_NO_CONTENT, NULL,
                                    ngx_http_dispatcher_answer_buf(r, &body));
}


/* with no buffer (it could not be had), an error */

static ngx_int_t
ngx_http_dispatcher_send(ngx_http_request_t *r, ngx_uint_t status, char *type,
    ngx_buf_t *b)
{
    ngx_int_t                   rc;
    ngx_chain_t                 out;
    ngx_http_dispatcher_ctx_t  *ctx;

    if (b == NULL) {
        return NGX_ERROR;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_dispatcher_module);
    ctx->answered = 1;

    r->headers_out.status = status;
    r->headers_out.content_length_n = status == NGX_HTTP_NO_CONTENT
                                      ? -1 : b->last - b->pos;

    if (type) {
        r->headers_out.content_type.data = (u_char *) type;
        r->headers_out.content_type.len = ngx_strlen(type);
        r->headers_out.content_type_len = r->headers_out.content_type.len;
        r->headers_out.content_type_lowcase = NULL;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static ngx_buf_t *
ngx_http_dispatcher_answer_buf(ngx_http_request_t *r, dsp_buf *body)
{
    ngx_buf_t  *b;

    if (body->failed) {
        return NULL;
    }

    b = ngx_create_temp_buf(r->pool, body->len ? body->len : 1);
    if (b == NULL) {
        return NULL;
    }

    if (body->len) {
        b->last = ngx_cpymem(b->pos, body->data, body->len);

    } else {
        b->temporary = 0;
    }

    b->last_buf = 1;
    b->last_in_chain = 1;

    return b;
}


/* the parts that are the same in all problems of a request */

static void
ngx_http_dispatcher_describe(ngx_http_request_t *r,
    dsp_problem_document *document)
{
    u_char                     *args;
    ngx_str_t                   path;
    ngx_http_dispatcher_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_dispatcher_module);

    /* the query is left out: it may hold a secret of the client's */

    path = r->unparsed_uri;
    args = path.len ? ngx_strlchr(path.data, path.data + path.len, '?') : NULL;

    if (args) {
        path.len = args - path.data;
    }

    path.len = ngx_min(path.len, NGX_HTTP_DISPATCHER_MAX_INSTANCE);
    document->instance = ngx_http_dispatcher_str(&path);
    document->detail = dsp_str_sub(document->detail, 0,
                                   NGX_HTTP_DISPATCHER_MAX_DETAIL);

    if (ctx) {
        document->request_id = ngx_http_dispatcher_str(&ctx->request_id);
    }
}


static ngx_int_t
ngx_http_dispatcher_allow(ngx_http_request_t *r)
{
    static ngx_str_t  methods = ngx_string("PUT, POST");

    return ngx_http_dispatcher_add_header(r, "Allow", &methods);
}


ngx_int_t
ngx_http_dispatcher_add_header(ngx_http_request_t *r, char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;

    return NGX_OK;
}


/* where nginx refused the request before our handler saw it, there is none yet */

static ngx_http_dispatcher_ctx_t *
ngx_http_dispatcher_page_ctx(ngx_http_request_t *r)
{
    ngx_http_dispatcher_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_dispatcher_module);

    if (ctx) {
        return ctx;
    }

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_dispatcher_ctx_t));

    if (ctx == NULL
        || ngx_http_dispatcher_get_request_id(r, &ctx->request_id) != NGX_OK)
    {
        return NULL;
    }

    ngx_http_set_ctx(r, ctx, ngx_http_dispatcher_module);

    return ctx;
}


/*
 * Errors that nginx answers itself in a location of ours (a body that is too
 * large, a bad chunk, auth_basic, limit_req) keep their status and headers,
 * and get a problem document for a body. An error_page leads out of the
 * location, and so goes before this.
 */

ngx_int_t
ngx_http_dispatcher_answer_header(ngx_http_request_t *r)
{
    dsp_buf                     body;
    ngx_buf_t                  *b;
    ngx_chain_t                *cl;
    dsp_problem_document        document;
    ngx_http_dispatcher_ctx_t  *ctx;

    ctx = ngx_http_dispatcher_page_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&document, sizeof(document));

    document.status = r->headers_out.status;
    document.problem = DSP_PROBLEM_OTHER;

    if (document.status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
        document.problem = DSP_PROBLEM_PAYLOAD_TOO_LARGE;
        document.detail = DSP_STR("The payload is larger than this server "
                                  "accepts (client_max_body_size).");
    }

    ngx_http_dispatcher_describe(r, &document);

    dsp_buf_init(&body, NGX_HTTP_DISPATCHER_MAX_BODY);
    dsp_problem_write(&body, &document);

    cl = ngx_alloc_chain_link(r->pool);
    b = ngx_http_dispatcher_answer_buf(r, &body);

    dsp_buf_free(&body);

    if (cl == NULL || b == NULL) {
        return NGX_ERROR;
    }

    cl->buf = b;
    cl->next = NULL;

    ngx_http_clear_content_length(r);
    ngx_http_clear_accept_ranges(r);

    r->headers_out.content_length_n = b->last - b->pos;
    ngx_str_set(&r->headers_out.content_type, DSP_PROBLEM_CONTENT_TYPE);
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    ctx->page = cl;
    ctx->replaced = 1;

    return NGX_OK;
}


/* nginx's page is dropped; ours is given once, with the first of it */

ngx_chain_t *
ngx_http_dispatcher_answer_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_chain_t                *cl;
    ngx_http_dispatcher_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_dispatcher_module);

    for ( /* void */ ; in; in = in->next) {
        in->buf->pos = in->buf->last;
        in->buf->file_pos = in->buf->file_last;
    }

    cl = ctx->page;
    ctx->page = NULL;

    return cl;
}
