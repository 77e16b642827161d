#include "serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"

#define PAGE_MAX (4u * 1024 * 1024)

/* What tells one version of a file from the next; a Secret's update swaps a symlink, so the inode changes. */
struct file_mark {
    ino_t           inode;
    struct timespec mtime;
    off_t           size;
};

struct dsp_servers {
    struct evhttp    *metrics;
    struct evhttp    *probes;
    dsp_serve_source  source;
    dsp_serve_options options;
    SSL_CTX          *tls;
    struct file_mark  cert_mark;
    struct file_mark  key_mark;
};

/* --- addresses ------------------------------------------------------------------------------------------------ */

bool dsp_serve_address(const char *text, char host[256], uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    uint64_t    n;

    if (colon == NULL || !dsp_str_u64(dsp_str_from(colon + 1), &n) || n > UINT16_MAX) {
        return false;
    }
    size_t len = (size_t) (colon - text);
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    } else if (memchr(text, ':', len) != NULL) {
        return false; /* an IPv6 address needs its brackets */
    }
    if (len > 255) {
        return false;
    }
    memcpy(host, text, len);
    host[len] = '\0';
    *port = (uint16_t) n;
    return true;
}

/* Where a socket listens, as "host:port". */
static void print_bound(struct evhttp_bound_socket *bound, char *out, size_t size)
{
    struct sockaddr_storage addr;
    socklen_t               len = sizeof(addr);
    char                    ip[INET6_ADDRSTRLEN] = "";

    if (getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *) &addr, &len) != 0) {
        snprintf(out, size, "?");
    } else if (addr.ss_family == AF_INET6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) &addr;

        inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof(ip));
        snprintf(out, size, "[%s]:%d", ip, ntohs(in6->sin6_port));
    } else {
        struct sockaddr_in *in = (struct sockaddr_in *) &addr;

        inet_ntop(AF_INET, &in->sin_addr, ip, sizeof(ip));
        snprintf(out, size, "%s:%d", ip, ntohs(in->sin_port));
    }
}

/* Whether the host means an address at all: what libevent says about it reaches nobody. */
static bool resolves(const char *host, const char **why)
{
    struct addrinfo  hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found = NULL;
    int              error = host[0] != '\0' ? getaddrinfo(host, NULL, &hints, &found) : 0;

    if (found != NULL) {
        freeaddrinfo(found);
    }
    *why = gai_strerror(error);
    return error == 0;
}

/* ":8080" is every address: one socket for both families where the machine has IPv6. */
static bool bind_to(struct evhttp *http, const char *what, const char *address, dsp_buf *error)
{
    struct evhttp_bound_socket *bound = NULL;
    char                        host[256], text[80];
    const char                 *why;
    uint16_t                    port;

    if (!dsp_serve_address(address, host, &port)) {
        dsp_buf_addf(error, "cannot serve %s on \"%s\": not HOST:PORT", what, address);
        return false;
    }
    if (!resolves(host, &why)) {
        dsp_buf_addf(error, "cannot serve %s on %s: %s", what, address, why);
        return false;
    }
    if (host[0] == '\0') {
        bound = evhttp_bind_socket_with_handle(http, "::", port);
    }
    if (bound == NULL) {
        bound = evhttp_bind_socket_with_handle(http, host[0] != '\0' ? host : "0.0.0.0", port);
    }
    if (bound == NULL) {
        dsp_buf_addf(error, "cannot serve %s on %s: %s", what, address, strerror(errno));
        return false;
    }
    print_bound(bound, text, sizeof(text));
    dsp_log(DSP_LOG_INFO, "serving", DSP_LOG_Z("what", what), DSP_LOG_Z("address", text));
    return true;
}

/* --- TLS ------------------------------------------------------------------------------------------------------ */

static bool mark_of(const char *path, struct file_mark *out)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        return false;
    }
    *out = (struct file_mark){ .inode = st.st_ino, .mtime = st.st_mtim, .size = st.st_size };
    return true;
}

static bool same_mark(const struct file_mark *a, const struct file_mark *b)
{
    return a->inode == b->inode && a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec &&
           a->size == b->size;
}

static SSL_CTX *load_tls(const dsp_serve_options *o, dsp_buf *error)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    char     why[256] = "?";

    if (ctx != NULL && SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
        SSL_CTX_use_certificate_chain_file(ctx, o->cert_file) == 1 &&
        SSL_CTX_use_PrivateKey_file(ctx, o->key_file, SSL_FILETYPE_PEM) == 1 && SSL_CTX_check_private_key(ctx) == 1) {
        return ctx;
    }
    ERR_error_string_n(ERR_peek_last_error(), why, sizeof(why));
    ERR_clear_error();
    dsp_buf_addf(error, "cannot use %s and %s for the metrics: %s", o->cert_file, o->key_file, why);
    SSL_CTX_free(ctx);
    return NULL;
}

/* New files are taken when they fit together; until then the old pair serves. */
static void reload_tls(dsp_servers *s)
{
    struct file_mark cert, key;
    dsp_buf          error;

    if (!mark_of(s->options.cert_file, &cert) || !mark_of(s->options.key_file, &key) ||
        (same_mark(&cert, &s->cert_mark) && same_mark(&key, &s->key_mark))) {
        return;
    }
    s->cert_mark = cert;
    s->key_mark = key;
    dsp_buf_init(&error, 1024);
    SSL_CTX *ctx = load_tls(&s->options, &error);
    if (ctx != NULL) {
        SSL_CTX_free(s->tls);
        s->tls = ctx;
    } else {
        dsp_log(DSP_LOG_WARN, "new certificate not taken", DSP_LOG_Z("error", dsp_buf_cstr(&error)));
    }
    dsp_buf_free(&error);
}

static struct bufferevent *tls_connection(struct event_base *base, void *context)
{
    dsp_servers *s = context;
    SSL         *ssl;

    reload_tls(s);
    ssl = SSL_new(s->tls);
    if (ssl == NULL) {
        return NULL;
    }
    return bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
}

/* --- answers -------------------------------------------------------------------------------------------------- */

static void reply(struct evhttp_request *req, int status, const char *type, dsp_buf *text)
{
    struct evbuffer *body = evbuffer_new();

    evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type", type);
    evhttp_add_header(evhttp_request_get_output_headers(req), "X-Content-Type-Options", "nosniff");
    if (body == NULL || text->failed) {
        evhttp_send_error(req, HTTP_INTERNAL, NULL);
    } else if (evhttp_request_get_command(req) == EVHTTP_REQ_HEAD) { /* libevent would send the body as well */
        char len[32];

        snprintf(len, sizeof(len), "%zu", text->len);
        evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Length", len);
        evhttp_send_reply(req, status, NULL, NULL);
    } else {
        evbuffer_add(body, text->data != NULL ? text->data : "", text->len);
        evhttp_send_reply(req, status, NULL, body);
    }
    if (body != NULL) {
        evbuffer_free(body);
    }
}

static void on_metrics(struct evhttp_request *req, void *context)
{
    dsp_servers *s = context;
    dsp_buf      text;

    dsp_buf_init(&text, PAGE_MAX);
    s->source.metrics(s->source.context, &text);
    reply(req, HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &text);
    dsp_buf_free(&text);
}

/* A probe's answer: "ok", or what is wrong with status 500, as controller-runtime gives it. */
static void probe(struct evhttp_request *req, void *context, void (*ask)(void *, dsp_buf *))
{
    dsp_buf text;
    int     status = HTTP_OK;

    dsp_buf_init(&text, PAGE_MAX);
    ask(context, &text);
    if (text.len > 0) {
        status = HTTP_INTERNAL;
        dsp_buf_addc(&text, '\n');
    } else {
        dsp_buf_addz(&text, "ok");
    }
    reply(req, status, "text/plain; charset=utf-8", &text);
    dsp_buf_free(&text);
}

static void on_health(struct evhttp_request *req, void *context)
{
    dsp_servers *s = context;

    probe(req, s->source.context, s->source.health);
}

static void on_ready(struct evhttp_request *req, void *context)
{
    dsp_servers *s = context;

    probe(req, s->source.context, s->source.ready);
}

/* --- start and stop ------------------------------------------------------------------------------------------- */

static struct evhttp *new_http(struct event_base *base)
{
    struct evhttp *http = evhttp_new(base);

    if (http != NULL) {
        evhttp_set_timeout(http, 10);
        evhttp_set_max_headers_size(http, 8192);
        evhttp_set_max_body_size(http, 4096);
        evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
    }
    return http;
}

static bool wanted(const char *address)
{
    return address != NULL && address[0] != '\0' && strcmp(address, "0") != 0;
}

static bool start_metrics(dsp_servers *s, struct event_base *base, dsp_buf *error)
{
    const dsp_serve_options *o = &s->options;

    s->metrics = new_http(base);
    if (s->metrics == NULL) {
        dsp_buf_addz(error, "out of memory");
        return false;
    }
    if (o->cert_file != NULL && o->key_file != NULL) {
        (void) mark_of(o->cert_file, &s->cert_mark);
        (void) mark_of(o->key_file, &s->key_mark);
        s->tls = load_tls(o, error);
        if (s->tls == NULL) {
            return false;
        }
        evhttp_set_bevcb(s->metrics, tls_connection, s);
    }
    evhttp_set_cb(s->metrics, "/metrics", on_metrics, s);
    return bind_to(s->metrics, "metrics", o->metrics_bind, error);
}

static bool start_probes(dsp_servers *s, struct event_base *base, dsp_buf *error)
{
    s->probes = new_http(base);
    if (s->probes == NULL) {
        dsp_buf_addz(error, "out of memory");
        return false;
    }
    evhttp_set_cb(s->probes, "/healthz", on_health, s);
    evhttp_set_cb(s->probes, "/readyz", on_ready, s);
    return bind_to(s->probes, "probes", s->options.probe_bind, error);
}

dsp_servers *dsp_serve_start(struct event_base *base, const dsp_serve_options *options, const dsp_serve_source *source,
                             dsp_buf *error)
{
    dsp_servers *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        dsp_buf_addz(error, "out of memory");
        return NULL;
    }
    s->source = *source;
    s->options = *options;
    if ((wanted(options->metrics_bind) && !start_metrics(s, base, error)) ||
        (wanted(options->probe_bind) && !start_probes(s, base, error))) {
        dsp_serve_stop(s);
        return NULL;
    }
    return s;
}

void dsp_serve_stop(dsp_servers *s)
{
    if (s == NULL) {
        return;
    }
    if (s->metrics != NULL) {
        evhttp_free(s->metrics);
    }
    if (s->probes != NULL) {
        evhttp_free(s->probes);
    }
    SSL_CTX_free(s->tls);
    free(s);
}
