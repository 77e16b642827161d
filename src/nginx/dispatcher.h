
/*
 * What the files of the nginx room share: the configuration of a location, and the state of one request.
 *
 * Memory is the request's pool unless said otherwise.
 */

#ifndef _NGX_HTTP_DISPATCHER_H_INCLUDED_
#define _NGX_HTTP_DISPATCHER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "base/json.h"
#include "model/api_answer.h"
#include "model/execution_request.h"
#include "model/problem.h"

#include "cache.h"
#include "call.h"
#include "stats.h"
#include "token.h"


/* kube-apiserver reads no more of a request (apiserver, pkg/server/config.go: MaxRequestBodyBytes) */
#define NGX_HTTP_DISPATCHER_MAX_OBJECT  (3 * 1024 * 1024)

/* our name in managedFields, and in the API server's log */
#define NGX_HTTP_DISPATCHER_AGENT       "dispatcher/" NGX_HTTP_DISPATCHER_VERSION


/* names that are tried; each takes its own digits of the request's id */
#define NGX_HTTP_DISPATCHER_MAX_NAMES   3


/* random bytes of this worker that were not given away yet: the first `left` */
typedef struct {
    size_t                     left;
    u_char                     bytes[256];    /* as many as getrandom() gives at once, always */
} ngx_http_dispatcher_random_t;


typedef struct {
    ngx_int_t                  request_id_index;
    ngx_http_dispatcher_random_t  random;
    ngx_array_t                tokens;       /* of ngx_http_dispatcher_token_t * */
    ngx_shm_zone_t            *zone;         /* NULL: nothing is counted */
    ngx_uint_t                 metrics;      /* a location shows the counts */
    ngx_str_t                  where;        /* "file:line" of it */
    ngx_http_dispatcher_cache_t  cache;      /* of this worker */
} ngx_http_dispatcher_main_conf_t;


typedef struct {
    ngx_flag_t                 execute;
    ngx_str_t                  where;        /* "file:line" of it */
    ngx_http_complex_value_t  *path;         /* NULL: the URI less the location */
    size_t                     prefix;       /* length of the location in the URI */
    ngx_str_t                  api;          /* internal prefix, "/" at both ends */
    ngx_str_t                  default_namespace;
    ngx_array_t               *namespaces;   /* of ngx_str_t; NULL: all */
    ngx_msec_t                 template_cache;
    ngx_flag_t                 log_payloads;
    ngx_http_dispatcher_token_t  *token;     /* NULL: none */
} ngx_http_dispatcher_loc_conf_t;


typedef enum {
    ngx_http_dispatcher_template_state = 0,        /* GET of the JobTemplate */
    ngx_http_dispatcher_create_state,        /* POST of the JobExecution */
    ngx_http_dispatcher_lookup_state         /* GET of the JobExecution that may be ours */
} ngx_http_dispatcher_state_e;


typedef struct {
    ngx_http_dispatcher_loc_conf_t  *conf;
    ngx_http_dispatcher_stats_t     *stats;        /* NULL: nothing is counted */
    ngx_http_dispatcher_state_e      state;
    ngx_http_dispatcher_call_t      *call;   /* the one that runs or ran last */

    ngx_str_t                        namespace;
    ngx_str_t                        template;
    ngx_str_t                        execution;    /* the name we chose */
    ngx_str_t                        request_id;   /* 32 hexadecimal digits */

    dsp_str                          payload;
    dsp_json                         labels;

    dsp_arena                        arena;        /* what was read of answers */
    ngx_uint_t                       names;        /* how many names were tried */
    ngx_uint_t                       creates;      /* POSTs of this name */
    ngx_uint_t                       token;        /* the tokens' generation when the call began */
    ngx_uint_t                       logins;       /* calls repeated with a newer token */
    dsp_api_answer                   answer;       /* to the last call */
    dsp_api_answer                   doubt;        /* why a lookup had to be made */

    ngx_chain_t                     *page;         /* instead of nginx's own, until it is sent */

    unsigned                         replaced:1;   /* nginx's own page is being replaced */
    unsigned                         answered:1;   /* the answer is ours, not nginx's */
    unsigned                         created:1;    /* the JobExecution is known to be stored */
} ngx_http_dispatcher_ctx_t;


extern ngx_module_t  ngx_http_dispatcher_module;


/* execute.c: the content handler */

ngx_int_t ngx_http_dispatcher_execute_handler(ngx_http_request_t *r);

/* whether this location serves the namespace */

ngx_uint_t ngx_http_dispatcher_serves(ngx_http_dispatcher_loc_conf_t *conf,
    ngx_str_t *namespace);

/* the state of a request that a location of ours began to serve, also after an error_page has led elsewhere; or NULL */

ngx_http_dispatcher_ctx_t *ngx_http_dispatcher_get_ctx(ngx_http_request_t *r);


/* request_id.c: the id of this request, made when nobody has asked for it before; lives as long as the request. NGX_OK; NGX_ERROR */

ngx_int_t ngx_http_dispatcher_get_request_id(ngx_http_request_t *r,
    ngx_str_t *id);


/* directives.c: what can be said of a location only when all of it was read; NGX_ERROR after saying so with its line */

ngx_int_t ngx_http_dispatcher_check_location(ngx_conf_t *cf,
    ngx_http_dispatcher_loc_conf_t *conf, ngx_http_core_loc_conf_t *clcf);


/* variables.c */

ngx_int_t ngx_http_dispatcher_add_variables(ngx_conf_t *cf);


/* converse.c: from the payload to the answer; ends the request */

void ngx_http_dispatcher_converse(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx);


/*
 * exchange.c: starts the call of this state (the POST has a body), and when it is done reads the answer into ctx->answer; ctx->created says that the
 * execution is stored. NGX_DONE: r->write_event_handler is called when the call is done; NGX_ERROR: there is no call.
 */

ngx_int_t ngx_http_dispatcher_start_call(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx, ngx_http_dispatcher_state_e state,
    ngx_str_t *body);

/* a number that changes when a token is replaced; with force their files are read now */

ngx_uint_t ngx_http_dispatcher_tokens(ngx_http_request_t *r, ngx_uint_t force);


/*
 * payload.c: the request's body as one span, in ctx->payload. NGX_OK; NGX_DECLINED when it cannot be a payload: the document gets the problem, and
 * why says at which byte; NGX_ERROR.
 */

ngx_int_t ngx_http_dispatcher_read_payload(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx, dsp_problem_document *document,
    dsp_buf *why);


/* answer.c: answers of our own; each returns what the output filters return */

ngx_int_t ngx_http_dispatcher_send_problem(ngx_http_request_t *r,
    dsp_problem_document *document);
ngx_int_t ngx_http_dispatcher_send_created(ngx_http_request_t *r,
    ngx_http_dispatcher_ctx_t *ctx, dsp_str uid, dsp_str created);
ngx_int_t ngx_http_dispatcher_send_options(ngx_http_request_t *r);
ngx_int_t ngx_http_dispatcher_add_header(ngx_http_request_t *r, char *name,
    ngx_str_t *value);

/* errors that nginx itself answers in our locations become problem documents, too */

ngx_int_t ngx_http_dispatcher_answer_header(ngx_http_request_t *r);
ngx_chain_t *ngx_http_dispatcher_answer_body(ngx_http_request_t *r,
    ngx_chain_t *in);


static ngx_inline dsp_str
ngx_http_dispatcher_str(ngx_str_t *s)
{
    return (dsp_str) { (char *) s->data, s->len };
}


#endif /* _NGX_HTTP_DISPATCHER_H_INCLUDED_ */
