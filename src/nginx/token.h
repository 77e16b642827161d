
/*
 * A bearer token in a file that somebody else replaces (kubelet: a projected ServiceAccount token).
 *
 * Each worker keeps its own copy. The file is looked at again after some seconds, and at once when the API server refuses the token. While it
 * cannot be read, the last good token stays. No token is ever logged.
 */

#ifndef _NGX_HTTP_DISPATCHER_TOKEN_H_INCLUDED_
#define _NGX_HTTP_DISPATCHER_TOKEN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_HTTP_DISPATCHER_TOKEN_MAX    (16 * 1024)
#define NGX_HTTP_DISPATCHER_TOKEN_CHECK  10    /* seconds */


typedef struct {
    ngx_str_t          path;       /* NUL-terminated */
    time_t             checked;    /* when the file was looked at, 0: never */
    time_t             mtime;
    ngx_file_uniq_t    uniq;
    ngx_uint_t         generation; /* how often another token was read */
    size_t             len;        /* of the token, 0: none yet */
    u_char            *data;       /* NGX_HTTP_DISPATCHER_TOKEN_MAX bytes */
} ngx_http_dispatcher_token_t;


/*
 * The token in force, which lives until the next call. NGX_OK; NGX_ERROR: there is none, and the reason is logged. With force the
 * file is read even when it was just looked at.
 */
ngx_int_t ngx_http_dispatcher_token_get(ngx_http_dispatcher_token_t *token,
    ngx_log_t *log, ngx_uint_t force, ngx_str_t *value);


#endif /* _NGX_HTTP_DISPATCHER_TOKEN_H_INCLUDED_ */
