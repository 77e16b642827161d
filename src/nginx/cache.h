
/*
 * The labels of JobTemplates that are known to exist, per worker: bounded in number and bytes, each for a time. What does not exist is never
 * remembered.
 */

#ifndef _NGX_HTTP_DISPATCHER_CACHE_H_INCLUDED_
#define _NGX_HTTP_DISPATCHER_CACHE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "base/map.h"


#define NGX_HTTP_DISPATCHER_CACHE_ENTRIES  1024
#define NGX_HTTP_DISPATCHER_CACHE_LABELS   (64 * 1024)    /* longer ones are not kept */
#define NGX_HTTP_DISPATCHER_CACHE_BYTES    (4 * 1024 * 1024)


typedef struct {
    dsp_map        map;
    ngx_queue_t    queue;      /* used last first */
    size_t         bytes;
} ngx_http_dispatcher_cache_t;


/* whose template: names alone may mean another cluster in another server{} */
typedef struct {
    void          *server;
    ngx_str_t      api;
    ngx_str_t      namespace;
    ngx_str_t      name;
} ngx_http_dispatcher_cache_key_t;


void ngx_http_dispatcher_cache_init(ngx_http_dispatcher_cache_t *cache);
void ngx_http_dispatcher_cache_free(ngx_http_dispatcher_cache_t *cache);

/*
 * NGX_OK, with a copy of the labels from the pool; NGX_DECLINED: the template is not known, or it is time to ask again; NGX_ERROR. When it is time,
 * one caller is sent to ask, and for a second the others get what there is.
 */
ngx_int_t ngx_http_dispatcher_cache_get(ngx_http_dispatcher_cache_t *cache,
    ngx_http_dispatcher_cache_key_t *key, ngx_pool_t *pool, dsp_str *labels);

/* remembers it for so many milliseconds; out of memory it is just not remembered */
void ngx_http_dispatcher_cache_put(ngx_http_dispatcher_cache_t *cache,
    ngx_http_dispatcher_cache_key_t *key, dsp_str labels, ngx_msec_t valid,
    ngx_log_t *log);

void ngx_http_dispatcher_cache_forget(ngx_http_dispatcher_cache_t *cache,
    ngx_http_dispatcher_cache_key_t *key);


#endif /* _NGX_HTTP_DISPATCHER_CACHE_H_INCLUDED_ */
