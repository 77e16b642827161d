
/*
 * How the parameters of our directives are read: the set functions of the commands' table, and the post handlers of the string slots. A bad value is refused with
 * a message that names the directive and the value; nginx adds the line.
 */

#ifndef _NGX_HTTP_DISPATCHER_DIRECTIVES_H_INCLUDED_
#define _NGX_HTTP_DISPATCHER_DIRECTIVES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


char *ngx_http_dispatcher_set_execute(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_dispatcher_check_api(ngx_conf_t *cf, void *post, void *data);
char *ngx_http_dispatcher_check_default_namespace(ngx_conf_t *cf, void *post,
    void *data);
char *ngx_http_dispatcher_set_namespaces(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_dispatcher_set_template_cache(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
char *ngx_http_dispatcher_set_token_file(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_dispatcher_set_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_dispatcher_set_metrics(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_HTTP_DISPATCHER_DIRECTIVES_H_INCLUDED_ */
