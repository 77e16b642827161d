
#include "cache.h"


typedef struct {
    dsp_map_node    node;
    ngx_queue_t     queue;
    ngx_msec_t      expires;
    size_t          size;       /* of this block */
    dsp_str         labels;
    u_char          text[1];    /* the key, then the labels */
} ngx_http_dispatcher_cache_entry_t;


/* the server's address, the API's prefix, the namespace and the name */
#define NGX_HTTP_DISPATCHER_CACHE_KEY_MAX  1024

#define NGX_HTTP_DISPATCHER_CACHE_GRACE    1000    /* ms */


static size_t ngx_http_dispatcher_cache_key(
    ngx_http_dispatcher_cache_key_t *key, u_char *buf);
static ngx_http_dispatcher_cache_entry_t *ngx_http_dispatcher_cache_find(
    ngx_http_dispatcher_cache_t *cache, ngx_http_dispatcher_cache_key_t *key);
static void ngx_http_dispatcher_cache_drop(ngx_http_dispatcher_cache_t *cache,
    ngx_http_dispatcher_cache_entry_t *entry);


void
ngx_http_dispatcher_cache_init(ngx_http_dispatcher_cache_t *cache)
{
    dsp_map_init(&cache->map);
    ngx_queue_init(&cache->queue);
    cache->bytes = 0;
}


void
ngx_http_dispatcher_cache_free(ngx_http_dispatcher_cache_t *cache)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&cache->queue)) {
        q = ngx_queue_head(&cache->queue);
        ngx_http_dispatcher_cache_drop(cache,
            ngx_queue_data(q, ngx_http_dispatcher_cache_entry_t, queue));
    }

    dsp_map_free(&cache->map);
}


ngx_int_t
ngx_http_dispatcher_cache_get(ngx_http_dispatcher_cache_t *cache,
    ngx_http_dispatcher_cache_key_t *key, ngx_pool_t *pool, dsp_str *labels)
{
    char                               *copy;
    ngx_http_dispatcher_cache_entry_t  *entry;

    entry = ngx_http_dispatcher_cache_find(cache, key);
    if (entry == NULL) {
        return NGX_DECLINED;
    }

    if ((ngx_msec_int_t) (entry->expires - ngx_current_msec) <= 0) {
        entry->expires = ngx_current_msec + NGX_HTTP_DISPATCHER_CACHE_GRACE;
        return NGX_DECLINED;
    }

    ngx_queue_remove(&entry->queue);
    ngx_queue_insert_head(&cache->queue, &entry->queue);

    *labels = entry->labels;

    if (labels->len == 0) {
        return NGX_OK;
    }

    copy = ngx_pnalloc(pool, labels->len);
    if (copy == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(copy, labels->data, labels->len);
    labels->data = copy;

    return NGX_OK;
}


void
ngx_http_dispatcher_cache_put(ngx_http_dispatcher_cache_t *cache,
    ngx_http_dispatcher_cache_key_t *key, dsp_str labels, ngx_msec_t valid,
    ngx_log_t *log)
{
    u_char                              buf[NGX_HTTP_DISPATCHER_CACHE_KEY_MAX];
    size_t                              len, size;
    ngx_queue_t                        *q;
    ngx_http_dispatcher_cache_entry_t  *entry;

    ngx_http_dispatcher_cache_forget(cache, key);

    len = ngx_http_dispatcher_cache_key(key, buf);
    size = offsetof(ngx_http_dispatcher_cache_entry_t, text) + len + labels.len;

    if (len == 0 || labels.len > NGX_HTTP_DISPATCHER_CACHE_LABELS) {
        return;
    }

    while (!ngx_queue_empty(&cache->queue)
           && (cache->map.len >= NGX_HTTP_DISPATCHER_CACHE_ENTRIES
               || cache->bytes + size > NGX_HTTP_DISPATCHER_CACHE_BYTES))
    {
        q = ngx_queue_last(&cache->queue);
        ngx_http_dispatcher_cache_drop(cache,
            ngx_queue_data(q, ngx_http_dispatcher_cache_entry_t, queue));
    }

    /* offsetof() may lie before the end of the struct's padding */

    entry = ngx_alloc(ngx_max(size, sizeof(ngx_http_dispatcher_cache_entry_t)),
                      log);
    if (entry == NULL) {
        return;
    }

    ngx_memcpy(entry->text, buf, len);

    if (labels.len) {
        ngx_memcpy(entry->text + len, labels.data, labels.len);
    }

    entry->node.key = (dsp_str) { (char *) entry->text, len };
    entry->labels = (dsp_str) { labels.len ? (char *) entry->text + len : NULL,
                                labels.len };
    entry->expires = ngx_current_msec + valid;
    entry->size = size;

    if (!dsp_map_insert(&cache->map, &entry->node)) {
        ngx_free(entry);
        return;
    }

    ngx_queue_insert_head(&cache->queue, &entry->queue);
    cache->bytes += size;
}


void
ngx_http_dispatcher_cache_forget(ngx_http_dispatcher_cache_t *cache,
    ngx_http_dispatcher_cache_key_t *key)
{
    ngx_http_dispatcher_cache_entry_t  *entry;

    entry = ngx_http_dispatcher_cache_find(cache, key);

    if (entry) {
        ngx_http_dispatcher_cache_drop(cache, entry);
    }
}


/* the length, 0 when it does not fit; "/" cannot stand in a name */

static size_t
ngx_http_dispatcher_cache_key(ngx_http_dispatcher_cache_key_t *key, u_char *buf)
{
    u_char  *p;

    if (key->api.len + key->namespace.len + key->name.len
        > NGX_HTTP_DISPATCHER_CACHE_KEY_MAX - sizeof(void *) - 1)
    {
        return 0;
    }

    p = ngx_cpymem(buf, &key->server, sizeof(void *));
    p = ngx_cpymem(p, key->api.data, key->api.len);
    p = ngx_cpymem(p, key->namespace.data, key->namespace.len);
    *p++ = '/';
    p = ngx_cpymem(p, key->name.data, key->name.len);

    return p - buf;
}


static ngx_http_dispatcher_cache_entry_t *
ngx_http_dispatcher_cache_find(ngx_http_dispatcher_cache_t *cache,
    ngx_http_dispatcher_cache_key_t *key)
{
    u_char         buf[NGX_HTTP_DISPATCHER_CACHE_KEY_MAX];
    size_t         len;
    dsp_map_node  *node;

    len = ngx_http_dispatcher_cache_key(key, buf);
    node = dsp_map_find(&cache->map, (dsp_str) { (char *) buf, len });

    return node ? DSP_CONTAINER(node, ngx_http_dispatcher_cache_entry_t, node)
                : NULL;
}


static void
ngx_http_dispatcher_cache_drop(ngx_http_dispatcher_cache_t *cache,
    ngx_http_dispatcher_cache_entry_t *entry)
{
    (void) dsp_map_remove(&cache->map, entry->node.key);
    ngx_queue_remove(&entry->queue);
    cache->bytes -= entry->size;

    ngx_free(entry);
}
