
/*
 * Dispatcher: an HTTP request becomes a JobExecution.
 *
 * The module's face: directives, configuration, initialisation. What they mean is in docs/directives.md; what they do, in src/nginx/.
 */


#include "nginx/dispatcher.h"

#include "model/name.h"


static ngx_int_t ngx_http_dispatcher_preaccess_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_dispatcher_log_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_dispatcher_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_dispatcher_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);

static void *ngx_http_dispatcher_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_dispatcher_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_dispatcher_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_dispatcher_execute(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_dispatcher_api(ngx_conf_t *cf, void *post, void *data);
static char *ngx_http_dispatcher_default_namespace(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_dispatcher_namespaces(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_dispatcher_template_cache(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_dispatcher_token_file(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_dispatcher_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_dispatcher_metrics(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_dispatcher_init_main_conf(ngx_conf_t *cf, void *conf);
static ngx_int_t ngx_http_dispatcher_init_process(ngx_cycle_t *cycle);
static void ngx_http_dispatcher_exit_process(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_dispatcher_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_dispatcher_postconfiguration(ngx_conf_t *cf);


static ngx_conf_post_handler_pt  ngx_http_dispatcher_api_p =
    ngx_http_dispatcher_api;
static ngx_conf_post_handler_pt  ngx_http_dispatcher_default_namespace_p =
    ngx_http_dispatcher_default_namespace;


static ngx_command_t  ngx_http_dispatcher_commands[] = {

    { ngx_string("dispatcher_execute"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_dispatcher_execute,
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
      ngx_http_dispatcher_namespaces,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("dispatcher_template_cache"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_dispatcher_template_cache,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("dispatcher_token_file"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_dispatcher_token_file,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("dispatcher_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_dispatcher_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("dispatcher_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_dispatcher_metrics,
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
                      "\"dispatcher_zone zone=dispatcher:64k;\" to http{}");
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

    if (clcf->noname && conf->execute != 1 && prev->execute == 1) {

        /* "if" and "limit_except" are the same location */

        conf->execute = 1;
        conf->path = prev->path;
        conf->prefix = prev->prefix;
        clcf->handler = ngx_http_dispatcher_execute_handler;
    }

    if (conf->execute == 1 && conf->api.len == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "location \"%V\" has \"dispatcher_execute\" but no \"dispatcher_api\": "
                      "set it to the prefix of an internal location with \"proxy_pass\" to the API server, "
                      "as in dispatcher_api.conf", &clcf->name);
        return NGX_CONF_ERROR;
    }

    if (conf->execute == 1
        && !ngx_http_dispatcher_serves(conf, &conf->default_namespace))
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"dispatcher_default_namespace\" \"%V\" of location \"%V\" is not among its \"dispatcher_namespaces\"",
                      &conf->default_namespace, &clcf->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_dispatcher_execute(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_dispatcher_loc_conf_t *dlcf = conf;

    ngx_str_t                         *value;
    ngx_http_core_loc_conf_t          *clcf;
    ngx_http_compile_complex_value_t   ccv;

    if (dlcf->execute != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (cf->args->nelts == 2) {
        ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

        dlcf->path = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
        if (dlcf->path == NULL) {
            return NGX_CONF_ERROR;
        }

        ccv.cf = cf;
        ccv.value = &value[1];
        ccv.complex_value = dlcf->path;

        if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

    } else if (clcf->named || clcf->exact_match
#if (NGX_PCRE)
               || clcf->regex
#endif
               )
    {
        return "needs a parameter here, what to execute: "
               "\"dispatcher_execute [namespace/]template\", variables allowed, "
               "as only a prefix location leaves something behind it";

    } else if (clcf->name.len == 0
               || clcf->name.data[clcf->name.len - 1] != '/')
    {
        return "needs a location that ends with \"/\"";
    }

    dlcf->execute = 1;
    dlcf->prefix = clcf->name.len;
    clcf->handler = ngx_http_dispatcher_execute_handler;

    return NGX_CONF_OK;
}


static char *
ngx_http_dispatcher_api(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t  *api = data;

    if (api->len == 0 || api->data[0] != '/'
        || api->data[api->len - 1] != '/')
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"dispatcher_api\" value \"%V\" must begin and end with \"/\": "
                           "it is the prefix of an internal location", api);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_dispatcher_check_namespace(ngx_conf_t *cf, char *directive,
    ngx_str_t *name)
{
    dsp_buf  why;

    dsp_buf_init(&why, 512);

    if (dsp_name_is_label(ngx_http_dispatcher_str(name), &why)) {
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"%s\": the namespace \"%V\" %s", directive, name,
                       dsp_buf_cstr(&why));
    dsp_buf_free(&why);

    return NGX_ERROR;
}


static char *
ngx_http_dispatcher_default_namespace(ngx_conf_t *cf, void *post, void *data)
{
    return ngx_http_dispatcher_check_namespace(cf,
                                      "dispatcher_default_namespace", data)
           == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_dispatcher_namespaces(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_dispatcher_loc_conf_t *dlcf = conf;

    ngx_str_t   *value, *name;
    ngx_uint_t   i;

    if (dlcf->namespaces != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    dlcf->namespaces = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                        sizeof(ngx_str_t));
    if (dlcf->namespaces == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_dispatcher_check_namespace(cf, "dispatcher_namespaces",
                                                &value[i])
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

        name = ngx_array_push(dlcf->namespaces);
        if (name == NULL) {
            return NGX_CONF_ERROR;
        }

        *name = value[i];
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_dispatcher_template_cache(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_dispatcher_loc_conf_t *dlcf = conf;

    ngx_str_t  *value;

    if (dlcf->template_cache != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        dlcf->template_cache = 0;
        return NGX_CONF_OK;
    }

    dlcf->template_cache = ngx_parse_time(&value[1], 0);

    if (dlcf->template_cache == (ngx_msec_t) NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"dispatcher_template_cache\" value \"%V\" must be a time or \"off\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_dispatcher_token_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_dispatcher_loc_conf_t *dlcf = conf;

    ngx_str_t                         *value;
    ngx_http_dispatcher_token_t       *token, **slot;
    ngx_http_dispatcher_main_conf_t   *dmcf;

    if (dlcf->token != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        dlcf->token = NULL;
        return NGX_CONF_OK;
    }

    dmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_dispatcher_module);

    token = ngx_pcalloc(cf->pool, sizeof(ngx_http_dispatcher_token_t));
    slot = ngx_array_push(&dmcf->tokens);

    if (token == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    token->data = ngx_pcalloc(cf->pool, NGX_HTTP_DISPATCHER_TOKEN_MAX);
    if (token->data == NULL) {
        return NGX_CONF_ERROR;
    }

    token->path = value[1];

    if (ngx_conf_full_name(cf->cycle, &token->path, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    *slot = token;
    dlcf->token = token;

    return NGX_CONF_OK;
}


static char *
ngx_http_dispatcher_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_dispatcher_main_conf_t *dmcf = conf;

    u_char     *colon;
    ssize_t     size;
    ngx_str_t  *value, name, text;

    if (dmcf->zone) {
        return "is duplicate";
    }

    value = cf->args->elts;
    size = NGX_ERROR;
    name = value[1];

    if (ngx_strncmp(name.data, "zone=", 5) == 0) {
        name.data += 5;
        name.len -= 5;

        colon = ngx_strlchr(name.data, name.data + name.len, ':');

        if (colon && colon > name.data) {
            text.data = colon + 1;
            text.len = name.data + name.len - text.data;
            name.len = colon - name.data;
            size = ngx_parse_size(&text);
        }
    }

    if (size == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"dispatcher_zone\" value \"%V\" must be \"zone=name:size\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    if (size < (ssize_t) (8 * ngx_pagesize)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"dispatcher_zone\" zone \"%V\" is too small: at least %uz bytes",
                           &name, (size_t) (8 * ngx_pagesize));
        return NGX_CONF_ERROR;
    }

    dmcf->zone = ngx_shared_memory_add(cf, &name, size,
                                       &ngx_http_dispatcher_module);
    if (dmcf->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    dmcf->zone->init = ngx_http_dispatcher_stats_init_zone;

    return NGX_CONF_OK;
}


static char *
ngx_http_dispatcher_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_dispatcher_main_conf_t *dmcf = conf;

    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler == ngx_http_dispatcher_metrics_handler) {
        return "is duplicate";
    }

    clcf->handler = ngx_http_dispatcher_metrics_handler;
    dmcf->metrics = 1;

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
