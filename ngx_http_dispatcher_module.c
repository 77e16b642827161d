
/*
 * Dispatcher: an HTTP request becomes a JobExecution.
 *
 * The module's face: the table of directives, configuration, initialisation, and where nginx calls us. What the directives mean is in docs/directives.md;
 * how their parameters are read, in src/nginx/directives.c; what they do, in the rest of src/nginx/.
 */


#include "nginx/directives.h"
#include "nginx/dispatcher.h"


static ngx_int_t ngx_http_dispatcher_preaccess_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_dispatcher_log_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_dispatcher_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_dispatcher_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);

static void *ngx_http_dispatcher_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_dispatcher_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_dispatcher_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_dispatcher_init_main_conf(ngx_conf_t *cf, void *conf);
static ngx_int_t ngx_http_dispatcher_init_process(ngx_cycle_t *cycle);
static void ngx_http_dispatcher_exit_process(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_dispatcher_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_dispatcher_postconfiguration(ngx_conf_t *cf);


static ngx_conf_post_handler_pt  ngx_http_dispatcher_api_p =
    ngx_http_dispatcher_check_api;
static ngx_conf_post_handler_pt  ngx_http_dispatcher_default_namespace_p =
    ngx_http_dispatcher_check_default_namespace;


static ngx_command_t  ngx_http_dispatcher_commands[] = {

    { ngx_string("dispatcher_execute"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_dispatcher_set_execute,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("dispatcher_api"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_dispatcher_loc_conf_t, api),
      &ngx_http_dispatcher_api_p },

    { ngx_string("dispatcher_default_namespace"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_dispatcher_loc_conf_t, default_namespace),
      &ngx_http_dispatcher_default_namespace_p },

    { ngx_string("dispatcher_namespaces"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_dispatcher_set_namespaces,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("dispatcher_template_cache"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_dispatcher_set_template_cache,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("dispatcher_token_file"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_dispatcher_set_token_file,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("dispatcher_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_dispatcher_set_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("dispatcher_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_dispatcher_set_metrics,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("dispatcher_log_payloads"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_dispatcher_loc_conf_t, log_payloads),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_dispatcher_module_ctx = {
    ngx_http_dispatcher_preconfiguration,  /* preconfiguration */
    ngx_http_dispatcher_postconfiguration, /* postconfiguration */

    ngx_http_dispatcher_create_main_conf,  /* create main configuration */
    ngx_http_dispatcher_init_main_conf,    /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_dispatcher_create_loc_conf,   /* create location configuration */
    ngx_http_dispatcher_merge_loc_conf     /* merge location configuration */
};


ngx_module_t  ngx_http_dispatcher_module = {
    NGX_MODULE_V1,
    &ngx_http_dispatcher_module_ctx,       /* module context */
    ngx_http_dispatcher_commands,          /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_dispatcher_init_process,      /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_dispatcher_exit_process,      /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


static ngx_int_t
ngx_http_dispatcher_preaccess_handler(ngx_http_request_t *r)
{
    ngx_http_dispatcher_call_t  *call;

    call = ngx_http_dispatcher_call_of(r);

    return call ? ngx_http_dispatcher_call_located(r, call) : NGX_DECLINED;
}


/* every request that one of our locations answered, once */

static ngx_int_t
ngx_http_dispatcher_log_handler(ngx_http_request_t *r)
{
    ngx_time_t                       *tp;
    ngx_msec_int_t                    msec;
    ngx_http_dispatcher_ctx_t        *ctx;
    ngx_http_dispatcher_loc_conf_t   *conf;
    ngx_http_dispatcher_main_conf_t  *dmcf;

    dmcf = ngx_http_get_module_main_conf(r, ngx_http_dispatcher_module);

    if (r != r->main || dmcf->zone == NULL) {
        return NGX_OK;
    }

    conf = ngx_http_get_module_loc_conf(r, ngx_http_dispatcher_module);
    ctx = ngx_http_dispatcher_get_ctx(r);

    if (ctx == NULL && conf->execute != 1) {
        return NGX_OK;
    }

    tp = ngx_timeofday();
    msec = (ngx_msec_int_t) ((tp->sec - r->start_sec) * 1000
                             + (tp->msec - r->start_msec));

    ngx_http_dispatcher_stats_request(dmcf->zone->data,
                             r->err_status ? r->err_status
                                           : r->headers_out.status,
                             ctx && ctx->created, ngx_max(msec, 0));
    return NGX_OK;
}


static ngx_int_t
ngx_http_dispatcher_header_filter(ngx_http_request_t *r)
{
    ngx_http_dispatcher_ctx_t       *ctx;
    ngx_http_dispatcher_loc_conf_t  *conf;

    if (ngx_http_dispatcher_call_of(r)) {

        /* no filter has anything to do with an answer of the API server */

        r->header_sent = 1;
        return NGX_OK;
    }

    if (r->headers_out.status < NGX_HTTP_BAD_REQUEST || r != r->main) {
        return ngx_http_next_header_filter(r);
    }

    conf = ngx_http_get_module_loc_conf(r, ngx_http_dispatcher_module);

    if (conf->execute == 1) {
        ctx = ngx_http_get_module_ctx(r, ngx_http_dispatcher_module);

        if ((ctx == NULL || !ctx->answered)
            && ngx_http_dispatcher_answer_header(r) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_http_dispatcher_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_http_dispatcher_ctx_t   *ctx;
    ngx_http_dispatcher_call_t  *call;

    call = ngx_http_dispatcher_call_of(r);

    if (call) {
        ngx_http_dispatcher_call_capture(call, in);
        return NGX_OK;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_dispatcher_module);

    if (ctx && ctx->replaced && in) {
        in = ngx_http_dispatcher_answer_body(r, in);

        if (in == NULL) {
            return NGX_OK;
        }
    }

    return ngx_http_next_body_filter(r, in);
}


static void *
ngx_http_dispatcher_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_dispatcher_main_conf_t  *dmcf;

    dmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_dispatcher_main_conf_t));
    if (dmcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     dmcf->random.left = 0;
     *     dmcf->zone = NULL;
     *     dmcf->metrics = 0;
     */

    if (ngx_array_init(&dmcf->tokens, cf->pool, 2,
                       sizeof(ngx_http_dispatcher_token_t *))
        != NGX_OK)
    {
        return NULL;
    }

    ngx_http_dispatcher_cache_init(&dmcf->cache);

    return dmcf;
}


static char *
ngx_http_dispatcher_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_dispatcher_main_conf_t *dmcf = conf;

    if (dmcf->metrics && dmcf->zone == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"dispatcher_metrics\" has nothing to show: add "
                      "\"dispatcher_zone zone=dispatcher:64k;\" to http{} in %V",
                      &dmcf->where);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static void *
ngx_http_dispatcher_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_dispatcher_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_dispatcher_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->path = NULL;
     *     conf->prefix = 0;
     *     conf->api = { 0, NULL };
     *     conf->default_namespace = { 0, NULL };
     */

    conf->execute = NGX_CONF_UNSET;
    conf->namespaces = NGX_CONF_UNSET_PTR;
    conf->template_cache = NGX_CONF_UNSET_MSEC;
    conf->log_payloads = NGX_CONF_UNSET;
    conf->token = NGX_CONF_UNSET_PTR;

    return conf;
}


static char *
ngx_http_dispatcher_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_dispatcher_loc_conf_t *prev = parent;
    ngx_http_dispatcher_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    ngx_conf_merge_str_value(conf->api, prev->api, "");
    ngx_conf_merge_str_value(conf->default_namespace, prev->default_namespace,
                             "default");
    ngx_conf_merge_ptr_value(conf->namespaces, prev->namespaces, NULL);
    ngx_conf_merge_msec_value(conf->template_cache, prev->template_cache, 5000);
    ngx_conf_merge_value(conf->log_payloads, prev->log_payloads, 0);
    ngx_conf_merge_ptr_value(conf->token, prev->token, NULL);

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->noname && clcf->handler == NULL && conf->execute != 1
        && prev->execute == 1)
    {
        /* "if" and "limit_except" are the same location */

        conf->execute = 1;
        conf->where = prev->where;
        conf->path = prev->path;
        conf->prefix = prev->prefix;
        clcf->handler = ngx_http_dispatcher_execute_handler;
    }

    if (conf->execute == 1
        && ngx_http_dispatcher_check_location(cf, conf, clcf) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_dispatcher_init_process(ngx_cycle_t *cycle)
{
    ngx_http_dispatcher_main_conf_t  *dmcf;

    dmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_dispatcher_module);

    if (dmcf && dmcf->zone) {
        ngx_http_dispatcher_stats_worker(dmcf->zone->data);
    }

    return NGX_OK;
}


static void
ngx_http_dispatcher_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_dispatcher_main_conf_t  *dmcf;

    dmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_dispatcher_module);

    if (dmcf) {
        ngx_http_dispatcher_cache_free(&dmcf->cache);
    }
}


static ngx_int_t
ngx_http_dispatcher_preconfiguration(ngx_conf_t *cf)
{
    ngx_str_t                         name = ngx_string("request_id");
    ngx_http_dispatcher_main_conf_t  *dmcf;

    dmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_dispatcher_module);

    dmcf->request_id_index = ngx_http_get_variable_index(cf, &name);

    if (dmcf->request_id_index == NGX_ERROR) {
        return NGX_ERROR;
    }

    return ngx_http_dispatcher_add_variables(cf);
}


static ngx_int_t
ngx_http_dispatcher_postconfiguration(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PREACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_dispatcher_preaccess_handler;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_dispatcher_log_handler;

    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_dispatcher_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_dispatcher_body_filter;

    return NGX_OK;
}
