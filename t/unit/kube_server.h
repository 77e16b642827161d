/*
 * What the kube room's tests stand on: a server of a test's own in the same event loop as what it tests, HTTP/1.1 by
 * hand, so that it can also answer nonsense, half of it, or not at all (plain or TLS); and a client of that server.
 */
#ifndef DSP_T_KUBE_SERVER_H
#define DSP_T_KUBE_SERVER_H

#include <arpa/inet.h>
#include <strings.h>
#include <time.h>

#include <curl/curl.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/ssl.h>

#include "unit.h"
#include "kube/client.h"

typedef struct server server;

typedef struct conn {
    server             *server;
    struct bufferevent *bev;
    struct conn        *next;
    unsigned            requests; /* that came on it */
    bool                gone;
} conn;

typedef struct request {
    char   method[16];
    char   target[512]; /* path?query */
    char  *head;        /* from the request line to the empty line */
    char  *body;
    size_t body_len;
} request;

struct server {
    struct event_base     *base;
    struct evconnlistener *listener;
    SSL_CTX               *tls;
    int                    port;
    conn                  *conns;
    unsigned               accepted;
    unsigned               requests;
    void (*handle)(server *s, conn *c, const request *r);
};

static inline void conn_close(conn *c)
{
    if (c->bev != NULL) {
        bufferevent_free(c->bev);
        c->bev = NULL;
    }
    c->gone = true;
}

/* Sent out, then closed. */
static inline void on_flushed(struct bufferevent *bev, void *arg)
{
    (void) bev;
    conn_close(arg);
}

static inline void conn_finish(conn *c)
{
    bufferevent_setcb(c->bev, NULL, on_flushed, NULL, c);
}

static inline void send_text(conn *c, const char *text)
{
    if (c->bev != NULL) {
        bufferevent_write(c->bev, text, strlen(text));
    }
}

static inline void reply_with(conn *c, int status, const char *headers, const char *body)
{
    if (c->bev != NULL) {
        evbuffer_add_printf(bufferevent_get_output(c->bev),
                            "HTTP/1.1 %d Status\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n%s",
                            status, headers, strlen(body), body);
    }
}

static inline void reply(conn *c, int status, const char *body)
{
    reply_with(c, status, "", body);
}

static inline void stream_begin(conn *c)
{
    send_text(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
}

static inline void stream_chunk(conn *c, const char *text)
{
    if (c->bev != NULL) {
        evbuffer_add_printf(bufferevent_get_output(c->bev), "%zx\r\n%s\r\n", strlen(text), text);
    }
}

static inline void stream_finish(conn *c)
{
    send_text(c, "0\r\n\r\n");
}

static inline bool has_header(const request *r, const char *line)
{
    char wanted[1024];

    snprintf(wanted, sizeof(wanted), "\r\n%s\r\n", line);
    return strcasestr(r->head, wanted) != NULL;
}

static inline bool read_request(conn *c)
{
    struct evbuffer    *in = bufferevent_get_input(c->bev);
    struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
    request             r = { 0 };
    size_t              head_len, body_len = 0;

    if (end.pos < 0) {
        return false;
    }
    head_len = (size_t) end.pos + 4;
    r.head = calloc(1, head_len + 1);
    evbuffer_copyout(in, r.head, head_len);
    const char *length = strcasestr(r.head, "\r\nContent-Length:");
    if (length != NULL) {
        body_len = strtoul(length + 17, NULL, 10);
    }
    if (evbuffer_get_length(in) < head_len + body_len) {
        free(r.head);
        return false;
    }
    evbuffer_drain(in, head_len);
    r.body = calloc(1, body_len + 1);
    r.body_len = body_len;
    evbuffer_remove(in, r.body, body_len);
    sscanf(r.head, "%15s %511s", r.method, r.target);
    c->requests++;
    c->server->requests++;
    c->server->handle(c->server, c, &r);
    free(r.head);
    free(r.body);
    return c->bev != NULL;
}

static inline void on_server_read(struct bufferevent *bev, void *arg)
{
    (void) bev;
    while (read_request(arg)) {
    }
}

static inline void on_server_event(struct bufferevent *bev, short what, void *arg)
{
    (void) bev;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) {
        conn_close(arg);
    }
}

static inline void on_server_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *addr, int len,
                                    void *arg)
{
    server *s = arg;
    conn   *c = calloc(1, sizeof(*c));

    (void) l;
    (void) addr;
    (void) len;
    c->server = s;
    c->next = s->conns;
    s->conns = c;
    s->accepted++;
    c->bev = s->tls != NULL ? bufferevent_openssl_socket_new(s->base, fd, SSL_new(s->tls), BUFFEREVENT_SSL_ACCEPTING,
                                                             BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS)
                            : bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    bufferevent_setcb(c->bev, on_server_read, NULL, on_server_event, c);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

static inline void server_listen(server *s)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t) s->port) };
    socklen_t          len = sizeof(addr);

    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->listener = evconnlistener_new_bind(s->base, on_server_accept, s, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 64,
                                          (struct sockaddr *) &addr, sizeof(addr));
    assert_non_null(s->listener);
    getsockname(evconnlistener_get_fd(s->listener), (struct sockaddr *) &addr, &len);
    s->port = ntohs(addr.sin_port);
}

/* Nobody is listening any more; the port stays the server's for a later server_listen(). */
static inline void server_refuse(server *s)
{
    evconnlistener_free(s->listener);
    s->listener = NULL;
}

static inline server *server_new(struct event_base *base, void (*handle)(server *, conn *, const request *))
{
    server *s = calloc(1, sizeof(*s));

    s->base = base;
    s->handle = handle;
    server_listen(s);
    return s;
}

static inline void server_drop_all(server *s)
{
    for (conn *c = s->conns; c != NULL; c = c->next) {
        conn_close(c);
    }
}

static inline void server_free(server *s)
{
    while (s->conns != NULL) {
        conn *c = s->conns;

        s->conns = c->next;
        conn_close(c);
        free(c);
    }
    if (s->listener != NULL) {
        evconnlistener_free(s->listener);
    }
    SSL_CTX_free(s->tls);
    free(s);
}

/* --- the loop, the server and its client --- */

static struct rig {
    struct event_base *base;
    server            *server;
    dsp_kube_client   *client;
} rig;

static inline void rig_open(void (*handle)(server *, conn *, const request *))
{
    rig.base = event_base_new();
    rig.server = server_new(rig.base, handle);
}

static inline void rig_close(void)
{
    dsp_kube_client_free(rig.client);
    server_free(rig.server);
    event_base_free(rig.base);
    rig = (struct rig){ 0 };
}

/* cluster and user: what the kubeconfig says of them besides the server's address (a later "server:" wins); file: what
 * relative paths in it belong to. */
static inline dsp_kube_config *rig_config(const char *file, const char *cluster, const char *user)
{
    dsp_kube_config *config;
    dsp_buf          yaml, err;

    dsp_buf_init(&yaml, 64 * 1024);
    dsp_buf_init(&err, 4096);
    dsp_buf_addf(&yaml,
                 "{current-context: t, contexts: [{name: t, context: {cluster: t, user: t}}], "
                 "clusters: [{name: t, cluster: {server: '%s://127.0.0.1:%d', %s}}], users: [{name: t, user: {%s}}]}",
                 rig.server->tls != NULL ? "https" : "http", rig.server->port, cluster, user);
    config = dsp_kube_config_parse(dsp_buf_str(&yaml), file, NULL, &err);
    assert_string_equal(dsp_buf_cstr(&err), "");
    dsp_buf_free(&yaml);
    dsp_buf_free(&err);
    return config;
}

/* Time limits that a test does not set are patient ones. */
static inline dsp_kube_client *rig_client(dsp_kube_config *config, dsp_kube_client_options options)
{
    dsp_kube_client *client;
    dsp_buf          err;

    options.user_agent = "dispatcher-controller/1";
    options.timeout_ms = options.timeout_ms > 0 ? options.timeout_ms : PATIENT_MS;
    options.connect_timeout_ms = options.connect_timeout_ms > 0 ? options.connect_timeout_ms : PATIENT_MS;
    dsp_buf_init(&err, 4096);
    client = dsp_kube_client_new(rig.base, config, &options, &err);
    assert_string_equal(dsp_buf_cstr(&err), "");
    assert_non_null(client);
    dsp_buf_free(&err);
    return client;
}

/* A group's beginning and end. */
static inline int curl_begin(void **state)
{
    (void) state;
    return curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK;
}

static inline int curl_end(void **state)
{
    (void) state;
    curl_global_cleanup();
    return 0;
}

/* Runs the loop until the condition holds; a test that waits two minutes for it has failed. */
static inline void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void) fd;
    (void) what;
    (void) arg;
}

#define run_until(condition)                                                                                           \
    do {                                                                                                               \
        struct timeval tick_ = { .tv_usec = 20000 };                                                                   \
        struct event  *ticker_ = event_new(rig.base, -1, EV_PERSIST, on_tick, NULL);                                   \
        time_t         end_ = time(NULL) + 120;                                                                        \
        event_add(ticker_, &tick_);                                                                                    \
        while (!(condition) && time(NULL) < end_) {                                                                    \
            event_base_loop(rig.base, EVLOOP_ONCE);                                                                    \
        }                                                                                                              \
        event_free(ticker_);                                                                                           \
        assert_true(condition);                                                                                        \
    } while (0)

#endif
