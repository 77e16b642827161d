
#include "dispatcher.h"


static ngx_int_t ngx_http_dispatcher_name_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_dispatcher_token_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_http_variable_t  ngx_http_dispatcher_vars[] = {

    { ngx_string("dispatcher_namespace"), NULL,
      ngx_http_dispatcher_name_variable,
      offsetof(ngx_http_dispatcher_ctx_t, namespace),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("dispatcher_template"), NULL,
      ngx_http_dispatcher_name_variable,
      offsetof(ngx_http_dispatcher_ctx_t, template),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("dispatcher_execution"), NULL,
      ngx_http_dispatcher_name_variable,
      offsetof(ngx_http_dispatcher_ctx_t, execution),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("dispatcher_token"), NULL,
      ngx_http_dispatcher_token_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_dispatcher_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_dispatcher_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_dispatcher_name_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                  *name;
    ngx_http_dispatcher_ctx_t  *ctx;

    ctx = ngx_http_dispatcher_get_ctx(r);
    name = ctx ? (ngx_str_t *) ((char *) ctx + data) : NULL;

    if (name == NULL || name->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = name->data;
    v->len = name->len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_dispatcher_token_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                        token;
    ngx_http_dispatcher_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_dispatcher_module);

    if (conf->token == NULL
        || ngx_http_dispatcher_token_get(conf->token, r->connection->log, 0,
                                         &token)
           != NGX_OK)
    {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = ngx_pstrdup(r->pool, &token);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    v->len = token.len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}
