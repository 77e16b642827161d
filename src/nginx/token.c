
#include "token.h"


static void ngx_http_dispatcher_token_read(ngx_http_dispatcher_token_t *token,
    ngx_log_t *log, ngx_uint_t force);
static ssize_t ngx_http_dispatcher_token_read_fd(
    ngx_http_dispatcher_token_t *token, ngx_fd_t fd, u_char *buf,
    ngx_file_info_t *fi, ngx_log_t *log);
static void ngx_http_dispatcher_token_set(ngx_http_dispatcher_token_t *token,
    u_char *buf, size_t len, ngx_log_t *log);


ngx_int_t
ngx_http_dispatcher_token_get(ngx_http_dispatcher_token_t *token,
    ngx_log_t *log, ngx_uint_t force, ngx_str_t *value)
{
    time_t  now;

    now = ngx_time();

    if (force || token->len == 0
        || now - token->checked >= NGX_HTTP_DISPATCHER_TOKEN_CHECK)
    {
        token->checked = now;
        ngx_http_dispatcher_token_read(token, log, force);
    }

    value->data = token->data;
    value->len = token->len;

    return token->len ? NGX_OK : NGX_ERROR;
}


static void
ngx_http_dispatcher_token_read(ngx_http_dispatcher_token_t *token,
    ngx_log_t *log, ngx_uint_t force)
{
    ssize_t          n;
    u_char           buf[NGX_HTTP_DISPATCHER_TOKEN_MAX + 1];
    ngx_fd_t         fd;
    ngx_file_info_t  fi;

    if (!force && token->len
        && ngx_file_info(token->path.data, &fi) != NGX_FILE_ERROR
        && ngx_file_mtime(&fi) == token->mtime
        && ngx_file_uniq(&fi) == token->uniq)
    {
        return;
    }

    /* a FIFO must not hold up the worker */

    fd = ngx_open_file(token->path.data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "dispatcher_token_file: " ngx_open_file_n " \"%V\" failed",
                      &token->path);
        return;
    }

    n = ngx_http_dispatcher_token_read_fd(token, fd, buf, &fi, log);

    if (n > 0) {
        ngx_http_dispatcher_token_set(token, buf, n, log);
        token->mtime = ngx_file_mtime(&fi);
        token->uniq = ngx_file_uniq(&fi);
    }

    ngx_explicit_memzero(buf, sizeof(buf));

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", &token->path);
    }
}


/* the file's length less the white space at its end, 0 when it is of no use */

static ssize_t
ngx_http_dispatcher_token_read_fd(ngx_http_dispatcher_token_t *token,
    ngx_fd_t fd, u_char *buf, ngx_file_info_t *fi, ngx_log_t *log)
{
    size_t   len;
    ssize_t  n;

    if (ngx_fd_info(fd, fi) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "dispatcher_token_file: " ngx_fd_info_n " \"%V\" failed",
                      &token->path);
        return 0;
    }

    for (len = 0; len <= NGX_HTTP_DISPATCHER_TOKEN_MAX; len += n) {

        n = ngx_read_fd(fd, buf + len, NGX_HTTP_DISPATCHER_TOKEN_MAX + 1 - len);

        if (n == -1) {
            ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                          "dispatcher_token_file: " ngx_read_fd_n
                          " \"%V\" failed", &token->path);
            return 0;
        }

        if (n == 0) {
            break;
        }
    }

    if (len > NGX_HTTP_DISPATCHER_TOKEN_MAX) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "dispatcher_token_file: \"%V\" is longer than %d bytes",
                      &token->path, NGX_HTTP_DISPATCHER_TOKEN_MAX);
        return 0;
    }

    while (len && (buf[len - 1] == LF || buf[len - 1] == CR
                   || buf[len - 1] == ' ' || buf[len - 1] == '\t'))
    {
        len--;
    }

    if (len == 0) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "dispatcher_token_file: \"%V\" is empty", &token->path);
    }

    return len;
}


/* a token becomes part of a header: nothing else may get in with it */

static void
ngx_http_dispatcher_token_set(ngx_http_dispatcher_token_t *token, u_char *buf,
    size_t len, ngx_log_t *log)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (buf[i] <= 0x20 || buf[i] >= 0x7f) {
            ngx_log_error(NGX_LOG_ERR, log, 0,
                          "dispatcher_token_file: \"%V\" has a character at "
                          "byte %uz that no token has", &token->path, i + 1);
            return;
        }
    }

    if (len == token->len && ngx_memcmp(buf, token->data, len) == 0) {
        return;
    }

    token->generation++;

    ngx_explicit_memzero(token->data, token->len);
    ngx_memcpy(token->data, buf, len);
    token->len = len;
}
