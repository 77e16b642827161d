
/*
 * The request's id, which is $request_id as well: the access log, the JobExecution's name and its annotation say the same. nginx makes one from the
 * TLS library's random generator, at some thousand instructions and a system call each; here the kernel gives the bytes of some at once.
 */


#include "dispatcher.h"

#include <sys/random.h>


#define NGX_HTTP_DISPATCHER_REQUEST_ID  16    /* bytes, as nginx's own */


static u_char *ngx_http_dispatcher_random_bytes(
    ngx_http_dispatcher_random_t *random);


ngx_int_t
ngx_http_dispatcher_get_request_id(ngx_http_request_t *r, ngx_str_t *id)
{
    u_char                           *bytes;
    ngx_http_variable_value_t        *v;
    ngx_http_dispatcher_main_conf_t  *dmcf;

    dmcf = ngx_http_get_module_main_conf(r, ngx_http_dispatcher_module);
    v = &r->variables[dmcf->request_id_index];

    if (!v->valid) {

        /* nobody has asked for it before us */

        bytes = ngx_http_dispatcher_random_bytes(&dmcf->random);

        if (bytes) {
            v->data = ngx_pnalloc(r->pool, 2 * NGX_HTTP_DISPATCHER_REQUEST_ID);
            if (v->data == NULL) {
                return NGX_ERROR;
            }

            ngx_hex_dump(v->data, bytes, NGX_HTTP_DISPATCHER_REQUEST_ID);

            v->len = 2 * NGX_HTTP_DISPATCHER_REQUEST_ID;
            v->valid = 1;
            v->no_cacheable = 0;
            v->not_found = 0;

        } else {
            v = ngx_http_get_indexed_variable(r, dmcf->request_id_index);
        }
    }

    if (v == NULL || v->not_found
        || v->len < NGX_HTTP_DISPATCHER_MAX_NAMES * DSP_EXECUTION_ID_LEN)
    {
        return NGX_ERROR;
    }

    id->data = v->data;
    id->len = v->len;

    return NGX_OK;
}


/* that were never given before, until the next call; or NULL */

static u_char *
ngx_http_dispatcher_random_bytes(ngx_http_dispatcher_random_t *random)
{
    if (random->left < NGX_HTTP_DISPATCHER_REQUEST_ID) {

        if (getrandom(random->bytes, sizeof(random->bytes), GRND_NONBLOCK)
            != (ssize_t) sizeof(random->bytes))
        {
            return NULL;
        }

        random->left = sizeof(random->bytes);
    }

    random->left -= NGX_HTTP_DISPATCHER_REQUEST_ID;

    return random->bytes + random->left;
}
