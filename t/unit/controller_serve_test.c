/*
 * The probes' and metrics' servers, spoken to over real sockets in the same event loop: what they answer to good and bad
 * requests, to slow and greedy clients.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "controller/serve.h"

static struct event_base *base;
static dsp_servers       *servers;
static const char        *health = "", *ready = "";
static uint16_t           metrics_port, probe_port;

static void source_metrics(void *context, dsp_buf *out)
{
    (void) context;
    dsp_buf_addz(out, "# HELP x_total x\n# TYPE x_total counter\nx_total 1\n");
}

static void source_health(void *context, dsp_buf *out)
{
    (void) context;
    dsp_buf_addz(out, health);
}

static void source_ready(void *context, dsp_buf *out)
{
    (void) context;
    dsp_buf_addz(out, ready);
}

static const dsp_serve_source source = { NULL, source_metrics, source_health, source_ready };

/* A port that was free a moment ago. */
static uint16_t free_port(void)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t          len = sizeof(addr);
    int                fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *) &addr, sizeof(addr)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *) &addr, &len), 0);
    close(fd);
    return ntohs(addr.sin_port);
}

static int setup(void **state)
{
    char    metrics[64], probes[64];
    dsp_buf error;

    (void) state;
    health = ready = "";
    base = event_base_new();
    dsp_buf_init(&error, 1024);
    for (int i = 0; servers == NULL && i < 50; i++) { /* somebody else may take the port first */
        dsp_buf_reset(&error);
        metrics_port = free_port();
        probe_port = free_port();
        snprintf(metrics, sizeof(metrics), "127.0.0.1:%d", metrics_port);
        snprintf(probes, sizeof(probes), "127.0.0.1:%d", probe_port);
        servers = dsp_serve_start(base, &(dsp_serve_options){ .metrics_bind = metrics, .probe_bind = probes }, &source,
                                  &error);
    }
    assert_non_null(servers);
    dsp_buf_free(&error);
    return 0;
}

static int teardown(void **state)
{
    (void) state;
    dsp_serve_stop(servers);
    servers = NULL;
    event_base_free(base);
    return 0;
}

static int dial(uint16_t port)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };
    int                fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (struct sockaddr *) &addr, sizeof(addr)), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Sends what fits; the server may have closed already. */
static void say(int fd, const char *text, size_t len)
{
    (void) !send(fd, text, len, MSG_NOSIGNAL);
}

/* Turns the loop until the answer holds `until`, or the server has closed (until NULL). */
static const char *hear(int fd, const char *until)
{
    static char text[65536];
    size_t      len = 0;

    for (;;) {
        ssize_t n = read(fd, text + len, sizeof(text) - 1 - len);

        if (n > 0) {
            len += (size_t) n;
        }
        text[len] = '\0';
        if (n == 0 || (n < 0 && errno != EAGAIN) || (until != NULL && strstr(text, until) != NULL)) {
            return text;
        }
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
}

static const char *ask(uint16_t port, const char *request)
{
    int fd = dial(port);

    say(fd, request, strlen(request));
    const char *text = hear(fd, NULL);
    close(fd);
    return text;
}

#define CLOSE "Host: x\r\nConnection: close\r\n\r\n"

static void expect(const char *got, const char *status, const char *body)
{
    if (strncmp(got, status, strlen(status)) != 0 || strstr(got, body) == NULL) {
        fail_msg("wanted %s … %s, got:\n%s", status, body, got);
    }
}

static void well_and_ready(void **state)
{
    (void) state;
    expect(ask(probe_port, "GET /healthz HTTP/1.1\r\n" CLOSE), "HTTP/1.1 200 ", "\r\n\r\nok");
    expect(ask(probe_port, "GET /readyz HTTP/1.1\r\n" CLOSE), "HTTP/1.1 200 ", "\r\n\r\nok");
}

static void what_is_wrong_is_said(void **state)
{
    (void) state;
    health = "the event loop stood still";
    ready = "jobs are not listed yet";
    expect(ask(probe_port, "GET /healthz HTTP/1.1\r\n" CLOSE), "HTTP/1.1 500 ", "\r\n\r\nthe event loop stood still\n");
    expect(ask(probe_port, "GET /readyz HTTP/1.1\r\n" CLOSE), "HTTP/1.1 500 ", "\r\n\r\njobs are not listed yet\n");
    expect(ask(metrics_port, "GET /metrics HTTP/1.1\r\n" CLOSE), "HTTP/1.1 200 ", "x_total 1");
}

static void metrics_have_their_type(void **state)
{
    (void) state;
    const char *got = ask(metrics_port, "GET /metrics?a=b HTTP/1.1\r\n" CLOSE);

    expect(got, "HTTP/1.1 200 ", "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    expect(got, "HTTP/1.1 200 ", "\r\nX-Content-Type-Options: nosniff\r\n");
}

static void each_port_serves_its_own_only(void **state)
{
    (void) state;
    expect(ask(metrics_port, "GET /healthz HTTP/1.1\r\n" CLOSE), "HTTP/1.1 404 ", "");
    expect(ask(probe_port, "GET /metrics HTTP/1.1\r\n" CLOSE), "HTTP/1.1 404 ", "");
    expect(ask(probe_port, "GET / HTTP/1.1\r\n" CLOSE), "HTTP/1.1 404 ", "");
}

static void head_has_no_body(void **state)
{
    (void) state;
    const char *got = ask(metrics_port, "HEAD /metrics HTTP/1.1\r\n" CLOSE);

    expect(got, "HTTP/1.1 200 ", "");
    assert_null(strstr(got, "x_total"));
}

static void other_methods_are_refused(void **state)
{
    static const char *const methods[] = { "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW" };

    (void) state;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        char request[256];

        snprintf(request, sizeof(request), "%s /metrics HTTP/1.1\r\nContent-Length: 0\r\n" CLOSE, methods[i]);
        const char *got = ask(metrics_port, request);
        if (strncmp(got, "HTTP/1.1 ", 9) != 0 || (got[9] != '4' && got[9] != '5') || strstr(got, "x_total") != NULL) {
            fail_msg("%s: %s", methods[i], got);
        }
    }
}

static void several_requests_on_one_connection(void **state)
{
    const char *both = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.1\r\n" CLOSE;

    (void) state;
    ready = "not yet";
    const char *got = ask(probe_port, both);
    expect(got, "HTTP/1.1 200 ", "HTTP/1.1 500 ");
    expect(got, "HTTP/1.1 200 ", "not yet");
}

static void too_much_is_refused(void **state)
{
    size_t len = 200 * 1024;
    char  *big = malloc(len);

    (void) state;
    memset(big, 'a', len);
    memcpy(big, "GET /metrics HTTP/1.1\r\nX: ", 26);
    int fd = dial(metrics_port);
    say(fd, big, len);
    assert_null(strstr(hear(fd, NULL), "x_total")); /* it hangs up on the header */
    close(fd);

    fd = dial(metrics_port);
    say(fd, "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", 61);
    assert_null(strstr(hear(fd, NULL), "x_total"));
    close(fd);
    free(big);
    expect(ask(metrics_port, "GET /metrics HTTP/1.1\r\n" CLOSE), "HTTP/1.1 200 ", "x_total 1"); /* and goes on */
}

static void garbage_is_refused(void **state)
{
    static const char *const texts[] = { "\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
                                         "GET /metrics HTTP/9.9\r\n\r\n", ("GET http://[ HTTP/1.1\r\n" CLOSE) };

    (void) state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int fd = dial(metrics_port);

        say(fd, texts[i], strlen(texts[i]));
        shutdown(fd, SHUT_WR);
        assert_null(strstr(hear(fd, NULL), "x_total"));
        close(fd);
    }
    expect(ask(metrics_port, "GET /metrics HTTP/1.1\r\n" CLOSE), "HTTP/1.1 200 ", "x_total 1");
}

/* Many clients that send a byte and wait do not keep the probes from being answered. */
static void slow_clients_disturb_nobody(void **state)
{
    int slow[100];

    (void) state;
    for (int i = 0; i < 100; i++) {
        slow[i] = dial(probe_port);
        say(slow[i], "G", 1);
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    expect(ask(probe_port, "GET /healthz HTTP/1.1\r\n" CLOSE), "HTTP/1.1 200 ", "ok");
    say(slow[7], "ET /healthz HTTP/1.1\r\n" CLOSE, strlen("ET /healthz HTTP/1.1\r\n" CLOSE));
    expect(hear(slow[7], NULL), "HTTP/1.1 200 ", "ok"); /* slow, but not wrong */
    for (int i = 0; i < 100; i++) {
        close(slow[i]);
    }
}

static void a_client_that_leaves_is_no_harm(void **state)
{
    (void) state;
    for (int i = 0; i < 20; i++) {
        int           fd = dial(metrics_port);
        struct linger now = { .l_onoff = 1, .l_linger = 0 };

        say(fd, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 34);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        close(fd); /* a reset */
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    expect(ask(metrics_port, "GET /metrics HTTP/1.1\r\n" CLOSE), "HTTP/1.1 200 ", "x_total 1");
}

/* --- start ---------------------------------------------------------------------------------------------------- */

static void cannot_start(const dsp_serve_options *options, const char *why)
{
    dsp_buf error;

    dsp_buf_init(&error, 1024);
    assert_null(dsp_serve_start(base, options, &source, &error));
    if (strstr(dsp_buf_cstr(&error), why) == NULL) {
        fail_msg("%s, not %s", dsp_buf_cstr(&error), why);
    }
    assert_null(strchr(dsp_buf_cstr(&error), '\n')); /* one line */
    dsp_buf_free(&error);
}

static void errors_at_the_start_name_the_address(void **state)
{
    char taken[64];

    (void) state;
    snprintf(taken, sizeof(taken), "127.0.0.1:%d", metrics_port);
    cannot_start(&(dsp_serve_options){ .metrics_bind = taken }, taken);
    cannot_start(&(dsp_serve_options){ .probe_bind = taken }, "Address already in use");
    cannot_start(&(dsp_serve_options){ .metrics_bind = "nonsense" }, "\"nonsense\": not HOST:PORT");
    cannot_start(&(dsp_serve_options){ .probe_bind = "::1:80" }, "not HOST:PORT");
    cannot_start(&(dsp_serve_options){ .metrics_bind = "127.0.0.1:0", .cert_file = "/no/cert", .key_file = "/no/key" },
                 "/no/cert");
}

static void none_wanted_none_served(void **state)
{
    dsp_buf error;

    (void) state;
    dsp_buf_init(&error, 1024);
    dsp_servers *s = dsp_serve_start(base, &(dsp_serve_options){ .metrics_bind = "0", .probe_bind = "" }, &source, &error);
    assert_non_null(s);
    dsp_serve_stop(s);
    dsp_serve_stop(NULL);
    dsp_buf_free(&error);
}

static void addresses(void **state)
{
    static const struct {
        const char *text;
        bool        ok;
        const char *host;
        uint16_t    port;
    } rows[] = {
        { ":8080", true, "", 8080 },          { "127.0.0.1:0", true, "127.0.0.1", 0 },
        { "[::1]:65535", true, "::1", 65535 }, { "localhost:1", true, "localhost", 1 },
        { "", false, "", 0 },                 { "8080", false, "", 0 },
        { ":65536", false, "", 0 },           { ":-1", false, "", 0 },
        { ":", false, "", 0 },                { "::1:8080", false, "", 0 },
        { ":80x", false, "", 0 },             { ":99999999999999999999", false, "", 0 },
    };
    char     host[256], longer[600];
    uint16_t port;

    (void) state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool ok = dsp_serve_address(rows[i].text, host, &port);

        if (ok != rows[i].ok || (ok && (strcmp(host, rows[i].host) != 0 || port != rows[i].port))) {
            fail_msg("%s", rows[i].text);
        }
    }
    memset(longer, 'h', sizeof(longer));
    memcpy(longer + 500, ":1", 3);
    assert_false(dsp_serve_address(longer, host, &port));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    static const struct CMUnitTest tests[] = {
        T(well_and_ready),
        T(what_is_wrong_is_said),
        T(metrics_have_their_type),
        T(each_port_serves_its_own_only),
        T(head_has_no_body),
        T(other_methods_are_refused),
        T(several_requests_on_one_connection),
        T(too_much_is_refused),
        T(garbage_is_refused),
        T(slow_clients_disturb_nobody),
        T(a_client_that_leaves_is_no_harm),
        T(errors_at_the_start_name_the_address),
        T(none_wanted_none_served),
        cmocka_unit_test(addresses),
    };

    dsp_log_setup(DSP_LOG_ERROR, DSP_LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
