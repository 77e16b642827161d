
#include "dispatcher.h"

#include "base/utf8.h"


static ngx_uint_t ngx_http_dispatcher_body_is_whole(ngx_http_request_t *r);
static ngx_int_t ngx_http_dispatcher_gather(ngx_http_request_t *r,
    ngx_str_t *body);
static ngx_int_t ngx_http_dispatcher_copy_file(ngx_http_request_t *r,
    u_char *dst, ngx_buf_t *b);


ngx_int_t
ngx_http_dispatcher_read_payload(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx, dsp_problem_document *document,
    dsp_buf *why)
{
    size_t      at;
    u_char     *nul;
    ngx_int_t   rc;
    ngx_str_t   body;

    if (!ngx_http_dispatcher_body_is_whole(r)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "the body of the request was thrown away before \"dispatcher_execute\" was reached: "
                      "no \"error_page 413\" may lead to it");

        document->problem = DSP_PROBLEM_MISCONFIGURED;
        dsp_buf_addz(why, "The error log says what is missing.");
        return NGX_DECLINED;
    }

    rc = ngx_http_dispatcher_gather(r, &body);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {
        document->problem = DSP_PROBLEM_PAYLOAD_TOO_LARGE;
        dsp_buf_addf(why, "The payload has more than the %d bytes that a Kubernetes API server takes.",
                     NGX_HTTP_DISPATCHER_MAX_OBJECT);
        return NGX_DECLINED;
    }

    document->problem = DSP_PROBLEM_INVALID_PAYLOAD;

    ctx->payload = ngx_http_dispatcher_str(&body);

    at = dsp_utf8_invalid_at(ctx->payload);

    if (at < body.len) {
        dsp_buf_addf(why, "The payload is not UTF-8: byte %zu is 0x%02x.",
                     at + 1, body.data[at]);
        return NGX_DECLINED;
    }

    nul = body.len ? ngx_strlchr(body.data, body.data + body.len, '\0') : NULL;

    if (nul) {
        dsp_buf_addf(why, "The payload has a NUL at byte %zu, which no Job "
                     "can be given.", (size_t) (nul - body.data) + 1);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/*
 * It is not where nginx has refused the body, and an error_page led here all the
 * same. What nginx discards it takes off content_length_n, not off the header.
 */

static ngx_uint_t
ngx_http_dispatcher_body_is_whole(ngx_http_request_t *r)
{
    off_t             length;
    ngx_table_elt_t  *h;

    h = r->headers_in.content_length;
    length = h ? ngx_atoof(h->value.data, h->value.len) : 0;

    if (!r->headers_in.chunked) {

        if (length == 0) {
            return 1;
        }

        if (length != r->headers_in.content_length_n) {
            return 0;
        }
    }

    return r->request_body && r->request_body->rest == 0;
}


/* the usual body, which lies in one buffer, is not copied; NGX_DECLINED: no API server would take it */

static ngx_int_t
ngx_http_dispatcher_gather(ngx_http_request_t *r, ngx_str_t *body)
{
    off_t         len;
    u_char       *p;
    ngx_buf_t    *b;
    ngx_chain_t  *cl, *bufs;

    ngx_str_set(body, "");

    bufs = r->request_body ? r->request_body->bufs : NULL;
    len = 0;

    for (cl = bufs; cl; cl = cl->next) {
        len += ngx_buf_size(cl->buf);
    }

    if (len == 0) {
        return NGX_OK;
    }

    if (len > NGX_HTTP_DISPATCHER_MAX_OBJECT) {
        return NGX_DECLINED;
    }

    body->len = (size_t) len;

    if (bufs->next == NULL && ngx_buf_in_memory(bufs->buf)) {
        body->data = bufs->buf->pos;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, body->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    body->data = p;

    for (cl = bufs; cl; cl = cl->next) {
        b = cl->buf;

        if (ngx_buf_in_memory(b)) {
            p = ngx_cpymem(p, b->pos, b->last - b->pos);

        } else if (b->in_file) {

            if (ngx_http_dispatcher_copy_file(r, p, b) != NGX_OK) {
                return NGX_ERROR;
            }

            p += b->file_last - b->file_pos;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_dispatcher_copy_file(ngx_http_request_t *r, u_char *dst, ngx_buf_t *b)
{
    off_t    at;
    ssize_t  n;

    for (at = b->file_pos; at < b->file_last; at += n) {

        n = ngx_read_file(b->file, dst, (size_t) (b->file_last - at), at);

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (n == 0) {
            ngx_log_error(NGX_LOG_CRIT, r->connection->log, 0,
                          "the temporary file \"%V\" of a request body is "
                          "shorter than it should be", &b->file->name);
            return NGX_ERROR;
        }

        dst += n;
    }

    return NGX_OK;
}
