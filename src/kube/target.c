#include "target.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/json.h"

#define CONNECT_TIMEOUT_MS 10000

/* A peer that is gone is noticed within 20 s, idle (a probe after 15 s, one more after 5) or not: TCP_USER_TIMEOUT
 * counts for both, tcp(7). Sooner than a request's own 30 s, so that what is sent next does not take another connection
 * of the same dead path. */
#define KEEPALIVE_IDLE_S  15L
#define KEEPALIVE_EVERY_S 5L
#define KEEPALIVE_PROBES  2
#define USER_TIMEOUT_MS   20000

/* Nobody waits longer for a server that may have been mended long since. */
#define RETRY_AFTER_MAX_S 3600

/* --- the server's address --- */

static bool is_loopback(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 || strcmp(host, "[::1]") == 0;
}

/* tls-server-name is what the certificate must say and what SNI says: the URL gets that name, the connection goes to
 * the server, and the Host header stays the server's. */
static bool rename_server(kube_target *t, CURLU *url, const char *host, const char *port, const char *name)
{
    char *line = NULL, *whole = NULL;
    bool  ok = curl_url_set(url, CURLUPART_HOST, name, 0) == CURLUE_OK &&
              curl_url_set(url, CURLUPART_PORT, port, 0) == CURLUE_OK;

    ok = ok && asprintf(&t->host, "Host: %s:%s", host, port) > 0 && asprintf(&line, "::%s:%s", host, port) > 0;
    if (ok) {
        t->connect_to = curl_slist_append(NULL, line);
        ok = t->connect_to != NULL && curl_url_get(url, CURLUPART_URL, &whole, 0) == CURLUE_OK;
    }
    if (ok) {
        size_t len = strlen(whole);

        free(t->base);
        t->base = strndup(whole, len > 0 && whole[len - 1] == '/' ? len - 1 : len);
        ok = t->base != NULL;
    }
    curl_free(whole);
    free(line);
    return ok;
}

/* Go takes "socks5" as name resolution by the proxy, which libcurl calls socks5h. */
static char *proxy_name(const char *url)
{
    char *out = NULL;

    if (strncmp(url, "socks5://", 9) != 0) {
        return strdup(url);
    }
    return asprintf(&out, "socks5h://%s", url + 9) < 0 ? NULL : out;
}

bool kube_target_init(kube_target *t, const dsp_kube_config *c, const dsp_kube_client_options *options, dsp_buf *err)
{
    CURLU *url = curl_url();
    char  *host = NULL, *port = NULL;
    bool   ok;

    *t = (kube_target){ .insecure = c->insecure_skip_tls_verify };
    t->connect_timeout_ms = options->connect_timeout_ms > 0 ? (long) options->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    t->base = strdup(c->server);
    t->user_agent = strdup(options->user_agent != NULL ? options->user_agent : "dispatcher");
    ok = url != NULL && t->base != NULL && t->user_agent != NULL &&
         curl_url_set(url, CURLUPART_URL, c->server, 0) == CURLUE_OK &&
         curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
         curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;
    if (ok && c->tls_server_name != NULL && strncmp(c->server, "https://", 8) == 0) {
        ok = rename_server(t, url, host, port, c->tls_server_name);
    }
    if (ok && c->proxy_url != NULL) {
        ok = (t->proxy = proxy_name(c->proxy_url)) != NULL;
    }
    if (ok) {
        t->no_proxy = c->proxy_url == NULL && is_loopback(host);
    } else {
        dsp_buf_addf(err, "server %s: cannot be used as an address", c->server);
        kube_target_free(t);
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
    return ok;
}

void kube_target_free(kube_target *t)
{
    free(t->base);
    free(t->host);
    free(t->proxy);
    free(t->user_agent);
    curl_slist_free_all(t->connect_to);
    *t = (kube_target){ 0 };
}

/* --- a request --- */

static dsp_str put(char **at, dsp_str s)
{
    dsp_str copy = { *at, s.len };

    if (s.data == NULL) {
        return s;
    }
    memcpy(*at, s.data, s.len);
    *at += s.len;
    *(*at)++ = '\0';
    return copy;
}

bool kube_request_copy(kube_request *out, const dsp_kube_request *in)
{
    size_t size = in->path.len + in->query.len + in->content_type.len + in->accept.len + in->body.len + 5;
    char  *at = malloc(size);

    *out = (kube_request){ .what = *in, .bytes = at };
    if (at == NULL) {
        return false;
    }
    out->what.path = put(&at, in->path);
    out->what.query = put(&at, in->query);
    out->what.content_type = put(&at, in->content_type);
    out->what.accept = put(&at, in->accept);
    out->what.body = put(&at, in->body);
    return true;
}

void kube_request_free(kube_request *r)
{
    free(r->bytes);
    curl_slist_free_all(r->headers);
    *r = (kube_request){ 0 };
}

/* --- a handle --- */

static int on_new_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    unsigned timeout = USER_TIMEOUT_MS;
    int      probes = KEEPALIVE_PROBES;

    (void) arg;
    (void) purpose;
    fcntl(fd, F_SETFD, FD_CLOEXEC); /* not for credential plugins */
    /* Best effort: fails on what is not TCP. */
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
    return CURL_SOCKOPT_OK;
}

static bool header(kube_request *r, const char *name, dsp_str value, const char *otherwise)
{
    char              *line = NULL;
    struct curl_slist *more;

    if (asprintf(&line, "%s %.*s", name, value.len > 0 ? (int) value.len : (int) strlen(otherwise),
                 value.len > 0 ? value.data : otherwise) < 0) {
        return false;
    }
    more = curl_slist_append(r->headers, line);
    free(line);
    if (more != NULL) {
        r->headers = more;
    }
    return more != NULL;
}

static bool plain_header(kube_request *r, const char *line)
{
    struct curl_slist *more = curl_slist_append(r->headers, line);

    if (more != NULL) {
        r->headers = more;
    }
    return more != NULL;
}

static bool set_headers(const kube_target *t, kube_request *r, const dsp_kube_credentials *credentials)
{
    bool ok;

    curl_slist_free_all(r->headers);
    r->headers = NULL;
    ok = header(r, "Accept:", r->what.accept, "application/json") && plain_header(r, "Expect:");
    if (r->what.body.data != NULL) {
        ok = ok && header(r, "Content-Type:", r->what.content_type, "application/json");
    }
    if (t->host != NULL) {
        ok = ok && plain_header(r, t->host);
    }
    for (size_t i = 0; credentials->headers != NULL && credentials->headers[i] != NULL; i++) {
        ok = ok && plain_header(r, credentials->headers[i]);
    }
    return ok;
}

static struct curl_blob blob(dsp_str s)
{
    return (struct curl_blob){ .data = (void *) (uintptr_t) s.data, .len = s.len, .flags = CURL_BLOB_COPY };
}

static void set_tls(const kube_target *t, CURL *easy, const dsp_kube_credentials *credentials)
{
    if (credentials->ca.len > 0) {
        struct curl_blob ca = blob(credentials->ca);

        curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &ca);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
        curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO_BLOB, &ca); /* as Go: an https proxy is checked like the server */
        curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
    }
    if (credentials->cert.len > 0) {
        struct curl_blob cert = blob(credentials->cert), key = blob(credentials->key);

        curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &cert);
        curl_easy_setopt(easy, CURLOPT_SSLCERTTYPE, "PEM");
        curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &key);
        curl_easy_setopt(easy, CURLOPT_SSLKEYTYPE, "PEM");
    }
    if (t->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
        curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 0L);
    }
}

static void set_connection(const kube_target *t, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, t->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_EVERY_S);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_new_socket);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, t->user_agent);
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, t->connect_to);
    if (t->proxy != NULL) {
        curl_easy_setopt(easy, CURLOPT_PROXY, t->proxy);
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    } else if (t->no_proxy) {
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    }
}

bool kube_target_apply(const kube_target *t, CURL *easy, kube_request *r, const dsp_kube_credentials *credentials)
{
    char *url = NULL;
    bool  has_body = r->what.body.data != NULL;

    if (asprintf(&url, "%s%s%s%s", t->base, r->what.path.data, r->what.query.len > 0 ? "?" : "",
                 r->what.query.len > 0 ? r->what.query.data : "") < 0) {
        return false;
    }
    CURLcode rc = curl_easy_setopt(easy, CURLOPT_URL, url);
    free(url);
    if (rc != CURLE_OK || !set_headers(t, r, credentials)) {
        return false;
    }
    set_connection(t, easy);
    set_tls(t, easy, credentials);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, r->headers);
    if (has_body || r->what.method == DSP_KUBE_POST) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, has_body ? r->what.body.data : "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) r->what.body.len);
    }
    if (r->what.method != DSP_KUBE_GET && r->what.method != DSP_KUBE_POST) {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, dsp_kube_method_name(r->what.method));
    }
    if (r->what.timeout_ms > 0) {
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) r->what.timeout_ms);
    }
    return true;
}

/* --- an answer --- */

static int64_t retry_after(CURL *easy, int status, dsp_str body)
{
    curl_off_t seconds = 0;
    int64_t    in_body;
    dsp_json   doc;

    if (status == 429 || status >= 500) {
        if (curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0) {
            return (seconds < RETRY_AFTER_MAX_S ? (int64_t) seconds : RETRY_AFTER_MAX_S) * 1000;
        }
        if (dsp_json_parse(body, &doc, NULL) &&
            dsp_json_int64(dsp_json_path(doc, "details", "retryAfterSeconds", NULL), &in_body) && in_body > 0) {
            return (in_body < RETRY_AFTER_MAX_S ? in_body : RETRY_AFTER_MAX_S) * 1000;
        }
    }
    return -1;
}

void kube_answer_fill(dsp_kube_answer *answer, CURL *easy, CURLcode result, const char *errors, dsp_str body)
{
    curl_off_t took = 0;
    long       status = 0, sent = 0;

    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent);
    curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &took);
    answer->status = (int) status;
    answer->took_us = took;
    answer->retry_after_ms = -1;
    if (result == CURLE_OK && status >= 200) {
        answer->outcome = DSP_KUBE_ANSWERED;
        answer->retry_after_ms = retry_after(easy, answer->status, body);
        answer->body = body;
        return;
    }
    answer->outcome = sent > 0 ? DSP_KUBE_UNCLEAR : DSP_KUBE_NOT_SENT;
    answer->error = errors != NULL && *errors != '\0' ? errors
                    : result == CURLE_OK              ? "no answer"
                                                      : curl_easy_strerror(result);
}
