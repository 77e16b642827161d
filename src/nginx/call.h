
/*
 * One call of the Kubernetes API: one foreground subrequest of an internal location. Knows nothing of JobTemplates.
 *
 * The caller fills in the first part and calls ngx_http_dispatcher_call() from the main request, with r->write_event_handler set to
 * what is to go on when the call is done; that handler may be called spuriously and looks at `done`. Nothing of the client's request
 * is seen by the API server, and nothing of the API server's answer by the client. One call at a time.
 */

#ifndef _NGX_HTTP_DISPATCHER_CALL_H_INCLUDED_
#define _NGX_HTTP_DISPATCHER_CALL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* more than any object that etcd holds, quoted; a longer answer is nonsense */
#define NGX_HTTP_DISPATCHER_MAX_ANSWER  (4 * 1024 * 1024)


typedef struct ngx_http_dispatcher_call_s  ngx_http_dispatcher_call_t;


struct ngx_http_dispatcher_call_s {
    /* in */

    ngx_str_t     uri;            /* unescaped */
    ngx_str_t     args;
    ngx_uint_t    method;         /* NGX_HTTP_GET or NGX_HTTP_POST */
    ngx_str_t     body;           /* of a POST; must live until it is done */

    /* when it is done, also if the client has gone and nothing wakes the request any more: to take note, not to go on */
    void        (*handler)(ngx_http_request_t *r, ngx_http_dispatcher_call_t *call);

    /* out, when done */

    ngx_uint_t    status;         /* 0: no answer, see rc */
    ngx_int_t     rc;             /* of the subrequest: 502, 504, 499, … */
    u_char       *data;           /* the answer's body */
    size_t        len;
    time_t        retry_after;    /* seconds; -1: not said */

    unsigned      done:1;
    unsigned      complete:1;     /* the body came to its end */
    unsigned      overflow:1;     /* the body was longer than the maximum */
    unsigned      sent:1;         /* some of it may have reached the API server */
    unsigned      misconfigured:1; /* the location is missing or unsafe */

    /* private */

    size_t        size;
    ngx_pool_t   *pool;
    void         *location;       /* that it reached */
};


/* NGX_OK: it will be done; NGX_ERROR */
ngx_int_t ngx_http_dispatcher_call(ngx_http_request_t *r,
    ngx_http_dispatcher_call_t *call);

/* the call that this subrequest is, or NULL */
ngx_http_dispatcher_call_t *ngx_http_dispatcher_call_of(ngx_http_request_t *r);

/* for the module's filters and its preaccess handler, when the request is a call */
void ngx_http_dispatcher_call_capture(ngx_http_dispatcher_call_t *call,
    ngx_chain_t *in);
ngx_int_t ngx_http_dispatcher_call_located(ngx_http_request_t *r,
    ngx_http_dispatcher_call_t *call);


#endif /* _NGX_HTTP_DISPATCHER_CALL_H_INCLUDED_ */
