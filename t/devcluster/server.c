#include "server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http_struct.h>

#include "api.h"
#include "base/clock.h"
#include "control.h"
#include "fault.h"

#define BODY_ROOM (64 << 20) /* what is read before 413 is said; the rule is DC_MAX_BODY */

/* Every open request, so that a shutdown can end them. */
struct link {
    LIST_ENTRY(link) all;
    dc_request       r;
    struct event    *closed; /* sees a client that leaves while we stream */
    void (*gone)(dc_request *r);
    void (*drained)(dc_request *r);
};

struct dc_server {
    dc_cluster    *cluster;
    SSL_CTX       *tls;
    struct evhttp *http; /* NULL while it is down */
    char           host[64];
    int            port;
    bool           control; /* serves the control paths and nothing else */
    uint64_t       numbers;
    LIST_HEAD(, link) requests;
};

static struct link *link_of(const dc_request *r)
{
    return DSP_CONTAINER(r, struct link, r);
}

static void free_request(dc_request *r)
{
    struct link *l = link_of(r);

    LIST_REMOVE(l, all);
    if (l->closed != NULL) {
        event_free(l->closed);
    }
    if (r->timer != NULL) {
        event_free(r->timer);
    }
    dc_fault_forget(r);
    evhttp_clear_headers(&r->query);
    evhttp_clear_headers(&r->headers);
    dsp_buf_free(&r->answer);
    dc_fail_free(&r->fail);
    free(r->target);
    free(r->path);
    free(l);
}

/* The connection is being freed, by libevent or by us. */
static void on_connection_closed(struct evhttp_connection *connection, void *arg)
{
    dc_request  *r = arg;
    struct link *l = link_of(r);

    (void) connection;
    if (evhttp_request_get_connection(r->http) == NULL) {
        evhttp_request_free(r->http); /* libevent has let go of a request that was not answered: it is ours */
    }
    r->http = NULL;
    if (l->gone != NULL) {
        l->gone(r);
    }
    free_request(r);
}

static void decode_path(dc_request *r)
{
    const char *mark = strchr(r->target, '?');
    char       *rest, *segment;

    r->path = strndup(r->target, mark != NULL ? (size_t) (mark - r->target) : strlen(r->target));
    evhttp_parse_query_str(mark != NULL ? mark + 1 : "", &r->query);
    rest = r->path;
    while ((segment = strsep(&rest, "/")) != NULL) {
        if (*segment == '\0') {
            continue;
        }
        if (r->n_segments == DC_MAX_SEGMENTS) {
            r->n_segments = 0; /* nothing that we serve is that deep: 404 */
            return;
        }
        if (strchr(segment, '%') != NULL) {
            size_t len;
            char  *decoded = evhttp_uridecode(segment, 0, &len);
            if (decoded != NULL && len <= strlen(segment)) {
                memcpy(segment, decoded, len + 1);
            }
            free(decoded);
        }
        r->segments[r->n_segments++] = segment;
    }
}

static void on_request(struct evhttp_request *http, void *arg)
{
    dc_server       *s = arg;
    struct link     *l = calloc(1, sizeof(*l));
    dc_request      *r = &l->r;
    struct evbuffer *input = evhttp_request_get_input_buffer(http);

    LIST_INSERT_HEAD(&s->requests, l, all);
    r->cluster = s->cluster;
    r->http = http;
    r->number = ++s->numbers;
    r->method = evhttp_request_get_command(http);
    r->target = strdup(evhttp_request_get_uri(http));
    r->started_us = dsp_wall_us();
    TAILQ_INIT(&r->query);
    TAILQ_INIT(&r->headers);
    dsp_buf_init(&r->answer, (size_t) 2 << 30);
    decode_path(r);
    size_t len = evbuffer_get_length(input);
    r->body = (dsp_str){ len > 0 ? (const char *) evbuffer_pullup(input, -1) : "", len };
    evhttp_connection_set_closecb(evhttp_request_get_connection(http), on_connection_closed, r);
    if (s->control) {
        dc_control_serve(r); /* never subject to faults */
        return;
    }
    dc_fault_arrived(r);
}

void dc_server_serve(dc_request *r)
{
    dc_api_serve(r);
    if (r->waiting) {
        return;
    }
    dc_fault_served(r);
    if (r->streaming && r->http != NULL) {
        dc_fault_answered(r);
    }
}

void dc_request_again(dc_request *r)
{
    event_free(r->timer);
    r->timer = NULL;
    r->waiting = false;
    dc_server_serve(r);
}

static void on_sent(struct evhttp_request *http, void *arg)
{
    dc_request *r = arg;

    evhttp_connection_set_closecb(evhttp_request_get_connection(http), NULL, NULL);
    if (!r->control && !r->streaming) {
        dc_fault_answered(r);
    }
    free_request(r);
}

static void put_headers(dc_request *r)
{
    struct evkeyvalq *out = evhttp_request_get_output_headers(r->http);
    struct evkeyval  *h;

    evhttp_add_header(out, "Content-Type", r->content_type);
    evhttp_add_header(out, "Cache-Control", "no-cache, private");
    TAILQ_FOREACH(h, &r->headers, next) {
        evhttp_add_header(out, h->key, h->value);
    }
}

static void free_bytes(const void *data, size_t len, void *arg)
{
    (void) len;
    (void) arg;
    free((void *) data);
}

/* The phrase of the status line. */
static const char *phrase(int code)
{
    static const struct {
        int         code;
        const char *text;
    } known[] = {
        { 200, "OK" },           { 201, "Created" },          { 202, "Accepted" },
        { 307, "Temporary Redirect" }, { 400, "Bad Request" }, { 401, "Unauthorized" },
        { 403, "Forbidden" },    { 404, "Not Found" },        { 405, "Method Not Allowed" },
        { 406, "Not Acceptable" }, { 409, "Conflict" },       { 410, "Gone" },
        { 413, "Request Entity Too Large" }, { 415, "Unsupported Media Type" }, { 422, "Unprocessable Entity" },
        { 429, "Too Many Requests" }, { 500, "Internal Server Error" }, { 502, "Bad Gateway" },
        { 503, "Service Unavailable" }, { 504, "Gateway Timeout" },
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].code == code) {
            return known[i].text;
        }
    }
    return "Status";
}

void dc_server_on_gone(dc_request *r, void (*gone)(dc_request *r))
{
    link_of(r)->gone = gone;
}

void dc_server_answer(dc_request *r)
{
    struct evbuffer *body = evbuffer_new();
    size_t           len = r->answer.len;
    char            *bytes = dsp_buf_take(&r->answer);

    link_of(r)->gone = NULL;
    put_headers(r);
    if (bytes != NULL) {
        evbuffer_add_reference(body, bytes, len, free_bytes, NULL);
    }
    evhttp_request_set_on_complete_cb(r->http, on_sent, r);
    evhttp_send_reply(r->http, r->code, phrase(r->code), body);
    evbuffer_free(body);
}

/* From a timer, because libevent does not expect a connection to vanish inside its own callbacks. */
static void close_now(evutil_socket_t fd, short what, void *arg)
{
    dc_request *r = arg;

    (void) fd;
    (void) what;
    evhttp_connection_free(evhttp_request_get_connection(r->http)); /* comes back as on_connection_closed() */
}

static void close_soon(dc_request *r)
{
    if (r->timer != NULL) {
        event_free(r->timer);
    }
    r->timer = evtimer_new(r->cluster->base, close_now, r);
    event_active(r->timer, EV_TIMEOUT, 0);
}

static void on_cut(struct evhttp_connection *connection, void *arg)
{
    (void) connection;
    close_soon(arg);
}

void dc_server_answer_cut(dc_request *r, size_t bytes)
{
    struct evbuffer *part = evbuffer_new();
    char             length[24];

    snprintf(length, sizeof(length), "%zu", r->answer.len);
    put_headers(r);
    evhttp_add_header(evhttp_request_get_output_headers(r->http), "Content-Length", length);
    evbuffer_add(part, r->answer.data, bytes < r->answer.len ? bytes : r->answer.len);
    evhttp_send_reply_start(r->http, r->code, phrase(r->code));
    evhttp_send_reply_chunk_with_cb(r->http, part, on_cut, r);
    if (bytes == 0) {
        close_soon(r);
    }
    evbuffer_free(part);
}

static int socket_of(const dc_request *r)
{
    return bufferevent_getfd(evhttp_connection_get_bufferevent(evhttp_request_get_connection(r->http)));
}

void dc_server_drop(dc_request *r)
{
    struct linger hard = { 1, 0 };

    setsockopt(socket_of(r), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close_soon(r);
}

static void on_client_left(evutil_socket_t fd, short what, void *arg)
{
    (void) fd;
    (void) what;
    close_soon(arg);
}

void dc_stream_begin(dc_request *r, const char *content_type, void (*gone)(dc_request *r))
{
    struct link *l = link_of(r);

    r->streaming = true;
    r->code = 200;
    r->content_type = content_type;
    l->gone = gone;
    put_headers(r);
    evhttp_send_reply_start(r->http, 200, "OK");
    l->closed = event_new(r->cluster->base, socket_of(r), EV_CLOSED, on_client_left, r);
    event_add(l->closed, NULL);
}

static void on_drained(struct evhttp_connection *connection, void *arg)
{
    struct link *l = link_of(arg);

    (void) connection;
    if (l->drained != NULL) {
        l->drained(arg);
    }
}

void dc_stream_send(dc_request *r, struct evbuffer *data)
{
    evhttp_send_reply_chunk_with_cb(r->http, data, on_drained, r);
}

size_t dc_stream_pending(const dc_request *r)
{
    struct bufferevent *bev = evhttp_connection_get_bufferevent(evhttp_request_get_connection(r->http));

    return evbuffer_get_length(bufferevent_get_output(bev));
}

void dc_stream_on_drain(dc_request *r, void (*drained)(dc_request *r))
{
    link_of(r)->drained = drained;
}

void dc_stream_cut(dc_request *r)
{
    link_of(r)->drained = close_soon;
    if (dc_stream_pending(r) == 0) {
        close_soon(r);
    }
}

void dc_stream_end(dc_request *r)
{
    struct link *l = link_of(r);

    l->gone = NULL;
    l->drained = NULL;
    event_free(l->closed);
    l->closed = NULL;
    evhttp_request_set_on_complete_cb(r->http, on_sent, r);
    evhttp_send_reply_end(r->http);
}

static struct bufferevent *new_tls_connection(struct event_base *base, void *arg)
{
    return bufferevent_openssl_socket_new(base, -1, SSL_new(arg), BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
}

static bool start_listening(dc_server *s)
{
    struct sockaddr_storage address;
    socklen_t               len = sizeof(address);

    s->http = evhttp_new(s->cluster->base);
    evhttp_set_allowed_methods(s->http, 0xFFFF);
    evhttp_set_max_headers_size(s->http, 1 << 20);
    evhttp_set_max_body_size(s->http, BODY_ROOM);
    evhttp_set_default_content_type(s->http, NULL);
    evhttp_set_gencb(s->http, on_request, s);
    if (s->tls != NULL) {
        evhttp_set_bevcb(s->http, new_tls_connection, s->tls);
    }
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(s->http, s->host, (ev_uint16_t) s->port);
    if (bound == NULL) {
        evhttp_free(s->http);
        s->http = NULL;
        return false;
    }
    /* Linux hands this on to accepted sockets. TLS sends an answer in several pieces, and without it the last of them waits
     * 40 ms for an ACK. */
    setsockopt(evhttp_bound_socket_get_fd(bound), IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *) &address, &len);
    s->port = ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *) &address)->sin6_port
                                                  : ((struct sockaddr_in *) &address)->sin_port);
    return true;
}

dc_server *dc_server_new(dc_cluster *c, const char *host, int port, SSL_CTX *tls, bool control, char *error,
                         size_t error_size)
{
    dc_server *s = calloc(1, sizeof(*s));

    s->cluster = c;
    s->tls = tls;
    s->control = control;
    s->port = port;
    snprintf(s->host, sizeof(s->host), "%s", host);
    LIST_INIT(&s->requests);
    if (!start_listening(s)) {
        snprintf(error, error_size, "cannot listen on %s port %d: %s", host, port, strerror(errno));
        free(s);
        return NULL;
    }
    return s;
}

int dc_server_port(const dc_server *s)
{
    return s->port;
}

void dc_server_forget_rule(dc_server *s, const struct dc_rule *rule)
{
    struct link *l;

    if (s == NULL) {
        return;
    }
    LIST_FOREACH(l, &s->requests, all) {
        if (l->r.rule == rule) {
            l->r.rule = NULL;
        }
    }
}

void dc_server_down(dc_server *s)
{
    if (s->http != NULL) {
        evhttp_free(s->http); /* ends every connection, and so every request */
        s->http = NULL;
    }
}

bool dc_server_up(dc_server *s)
{
    return s->http != NULL || start_listening(s);
}

void dc_server_free(dc_server *s)
{
    if (s != NULL) {
        dc_server_down(s);
        free(s);
    }
}
