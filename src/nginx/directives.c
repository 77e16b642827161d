
#include "directives.h"

#include "dispatcher.h"

#include "model/execute_path.h"
#include "model/name.h"


static ngx_int_t ngx_http_dispatcher_check_path(ngx_conf_t *cf,
    ngx_str_t *path);
static ngx_int_t ngx_http_dispatcher_note_where(ngx_conf_t *cf,
    ngx_str_t *where);
static ngx_uint_t ngx_http_dispatcher_static_namespace(
    ngx_http_dispatcher_loc_conf_t *conf, ngx_str_t *name);
static ngx_uint_t ngx_http_dispatcher_plain_prefix(ngx_str_t *prefix);
static ngx_int_t ngx_http_dispatcher_check_namespace(ngx_conf_t *cf,
    char *directive, ngx_str_t *name);


char *
ngx_http_dispatcher_set_execute(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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

        if (ngx_http_compile_complex_value(&ccv) != NGX_OK
            || (dlcf->path->lengths == NULL
                && ngx_http_dispatcher_check_path(cf, &value[1]) != NGX_OK))
        {
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

    if (clcf->handler) {
        return "cannot share its location with another directive that answers "
               "(\"proxy_pass\", \"dispatcher_metrics\", ...)";
    }

    dlcf->execute = 1;
    dlcf->prefix = clcf->name.len;
    clcf->handler = ngx_http_dispatcher_execute_handler;

    return ngx_http_dispatcher_note_where(cf, &dlcf->where) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* a path without variables is the same in each request */

static ngx_int_t
ngx_http_dispatcher_check_path(ngx_conf_t *cf, ngx_str_t *path)
{
    dsp_buf           why;
    ngx_int_t         rc;
    dsp_execute_path  parts;

    if (ngx_strcmp(path->data, "on") == 0) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"dispatcher_execute on\" executes a template of the name \"on\": "
                           "without a parameter the template is what follows the location");
    }

    dsp_buf_init(&why, 512);
    rc = NGX_OK;

    if (dsp_execute_path_parse(ngx_http_dispatcher_str(path), &parts, &why)
        != DSP_EXECUTE_PATH_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"dispatcher_execute\" value \"%V\" must be \"[namespace/]template\": %s",
                           path, dsp_buf_cstr(&why));
        rc = NGX_ERROR;
    }

    dsp_buf_free(&why);

    return rc;
}


/* for what is known only when all has been read, as ngx_conf_log_error() says it */

static ngx_int_t
ngx_http_dispatcher_note_where(ngx_conf_t *cf, ngx_str_t *where)
{
    ngx_str_t  *file;

    file = &cf->conf_file->file.name;

    where->data = ngx_pnalloc(cf->pool, file->len + 1 + NGX_INT_T_LEN);
    if (where->data == NULL) {
        return NGX_ERROR;
    }

    where->len = ngx_sprintf(where->data, "%V:%ui", file, cf->conf_file->line)
                 - where->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_dispatcher_check_location(ngx_conf_t *cf,
    ngx_http_dispatcher_loc_conf_t *conf, ngx_http_core_loc_conf_t *clcf)
{
    ngx_str_t  name;

    if (clcf->handler != ngx_http_dispatcher_execute_handler) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"dispatcher_execute\" cannot share location \"%V\" with another directive that answers "
                      "(\"proxy_pass\", \"dispatcher_metrics\", ...) in %V",
                      &clcf->name, &conf->where);
        return NGX_ERROR;
    }

    if (conf->api.len == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "location \"%V\" has \"dispatcher_execute\" but no \"dispatcher_api\": "
                      "set it to the prefix of an internal location with \"proxy_pass\" to the API server, "
                      "as in dispatcher_api.conf, in %V", &clcf->name, &conf->where);
        return NGX_ERROR;
    }

    if (ngx_http_dispatcher_static_namespace(conf, &name)) {

        if (!ngx_http_dispatcher_serves(conf, &name)) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "the namespace \"%V\" of \"dispatcher_execute\" in location \"%V\" "
                          "is not among its \"dispatcher_namespaces\", in %V",
                          &name, &clcf->name, &conf->where);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    if (!ngx_http_dispatcher_serves(conf, &conf->default_namespace)) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"dispatcher_default_namespace\" \"%V\" of location \"%V\" is not among its \"dispatcher_namespaces\": "
                      "add it there, or set another default, in %V",
                      &conf->default_namespace, &clcf->name, &conf->where);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* of a path without variables, which was checked when it was read */

static ngx_uint_t
ngx_http_dispatcher_static_namespace(ngx_http_dispatcher_loc_conf_t *conf,
    ngx_str_t *name)
{
    u_char  *slash;

    if (conf->path == NULL || conf->path->lengths) {
        return 0;
    }

    *name = conf->path->value;
    slash = ngx_strlchr(name->data, name->data + name->len, '/');

    if (slash == NULL) {
        return 0;
    }

    name->len = slash - name->data;

    return 1;
}


char *
ngx_http_dispatcher_check_api(ngx_conf_t *cf, void *post, void *data)
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

    if (!ngx_http_dispatcher_plain_prefix(api)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"dispatcher_api\" value \"%V\" must be a plain path, without variables, query, blanks, "
                           "\"//\" and \".\" segments: it is the prefix of an internal location", api);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* what a location's name can match as it stands */

static ngx_uint_t
ngx_http_dispatcher_plain_prefix(ngx_str_t *prefix)
{
    char  *p = (char *) prefix->data;

    return strpbrk(p, "$?#% \t") == NULL && ngx_strstr(p, "//") == NULL
           && ngx_strstr(p, "/./") == NULL && ngx_strstr(p, "/../") == NULL;
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


char *
ngx_http_dispatcher_check_default_namespace(ngx_conf_t *cf, void *post, void *data)
{
    return ngx_http_dispatcher_check_namespace(cf,
                                      "dispatcher_default_namespace", data)
           == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_http_dispatcher_set_namespaces(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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


char *
ngx_http_dispatcher_set_template_cache(ngx_conf_t *cf, ngx_command_t *cmd,
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


char *
ngx_http_dispatcher_set_token_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_dispatcher_loc_conf_t *dlcf = conf;

    ngx_str_t                         *value;
    ngx_file_info_t                    fi;
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

    if (value[1].len == 0) {
        return "needs the name of a file, or \"off\"";
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

    if (ngx_file_info(token->path.data, &fi) == NGX_FILE_ERROR
        || !ngx_is_file(&fi))
    {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"dispatcher_token_file\" \"%V\" is not a file yet: no call can be made before it is",
                           &token->path);
    }

    *slot = token;
    dlcf->token = token;

    return NGX_CONF_OK;
}


char *
ngx_http_dispatcher_set_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
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


char *
ngx_http_dispatcher_set_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_dispatcher_main_conf_t *dmcf = conf;

    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler == ngx_http_dispatcher_metrics_handler) {
        return "is duplicate";
    }

    if (clcf->handler) {
        return "cannot share its location with another directive that answers "
               "(\"proxy_pass\", \"dispatcher_execute\", ...)";
    }

    clcf->handler = ngx_http_dispatcher_metrics_handler;
    dmcf->metrics = 1;

    return ngx_http_dispatcher_note_where(cf, &dmcf->where) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}
