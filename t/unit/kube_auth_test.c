/* Credentials on the wire: TLS, tokens, certificates, a proxy, and how they change. */
#include "kube_credentials.h"

static void drop_connections(void)
{
    server_drop_all(rig.server);
    for (int i = 0; i < 3; i++) {
        event_base_loop(rig.base, EVLOOP_NONBLOCK);
    }
}

/* --- TLS --- */

static void trusts_its_authority_only(void **state)
{
    (void) state;
    start_as("token: t");
    get();
    assert_int_equal(f->status, 200);
    dsp_kube_client_free(rig.client);

    char cluster[4096], *other = base64(f->other_ca.cert_pem);
    snprintf(cluster, sizeof(cluster), "certificate-authority-data: %s", other);
    free(other);
    start(cluster, "token: SECRET");
    get();
    assert_int_equal(f->outcome, DSP_KUBE_NOT_SENT);
    assert_non_null(strstr(f->error, "certificate"));
    dsp_kube_client_free(rig.client);

    start("insecure-skip-tls-verify: true", "token: t");
    get();
    assert_int_equal(f->status, 200);
}

static void the_servers_name_counts(void **state)
{
    char cluster[4096];

    (void) state;
    serve("DNS:api.example", NULL);
    start_as("token: t");
    get();
    assert_int_equal(f->outcome, DSP_KUBE_NOT_SENT);
    dsp_kube_client_free(rig.client);
    snprintf(cluster, sizeof(cluster), "certificate-authority-data: %s, tls-server-name: api.example", f->ca_data);
    start(cluster, "token: t");
    get();
    assert_int_equal(f->status, 200);
    snprintf(cluster, sizeof(cluster), "\r\nHost: 127.0.0.1:%d\r\n", rig.server->port);
    assert_non_null(strstr(f->head, cluster));
}

static void shows_its_certificate(void **state)
{
    identity id = identity_new("kube-me", &f->ca, NULL), other = identity_new("other", &f->ca, NULL);
    char     user[8192], *cert = base64(id.cert_pem), *key = base64(id.key_pem), *wrong = base64(other.key_pem);
    dsp_buf  err;

    (void) state;
    serve("IP:127.0.0.1", &f->ca);
    snprintf(user, sizeof(user), "client-certificate-data: %s, client-key-data: %s", cert, key);
    start_as(user);
    get();
    assert_int_equal(f->status, 200);
    assert_string_equal(f->peer, "kube-me");

    /* A key that is not the certificate's is told at the start. */
    dsp_kube_client_options options = { .user_agent = "test/1" };
    snprintf(user, sizeof(user), "client-certificate-data: %s, client-key-data: %s", cert, wrong);
    dsp_buf_init(&err, 4096);
    assert_null(dsp_kube_client_new(rig.base, config("tls-server-name: n", user), &options, &err));
    assert_non_null(strstr(dsp_buf_cstr(&err), "/config: user \"t\": client-key: client-certificate-data and client-key-data "
                                               "are not a certificate and its key"));
    dsp_buf_free(&err);
    identity_free(&id);
    identity_free(&other);
    free(cert);
    free(key);
    free(wrong);
}

static void certificate_files_rotate(void **state)
{
    identity one = identity_new("one", &f->ca, NULL), two = identity_new("two", &f->ca, NULL);

    (void) state;
    serve("IP:127.0.0.1", &f->ca);
    write_file("cert", one.cert_pem, 0600);
    write_file("key", one.key_pem, 0600);
    write_file("ca", f->ca.cert_pem, 0600);
    start("certificate-authority: ca", "client-certificate: cert, client-key: key");
    get();
    assert_string_equal(f->peer, "one");
    write_file("cert", two.cert_pem, 0600); /* not its key yet: the old pair stays */
    f->shift += 60000;
    get();
    assert_string_equal(f->peer, "one");
    write_file("key", two.key_pem, 0600);
    f->shift += 60000;
    get(); /* on a connection of its own, though the old one is still open */
    assert_string_equal(f->peer, "two");
    identity_free(&one);
    identity_free(&two);

    /* The authority, too. */
    identity server_id = identity_new("server", &f->other_ca, "IP:127.0.0.1");
    SSL_CTX_free(rig.server->tls);
    rig.server->tls = server_tls(&server_id, NULL);
    identity_free(&server_id);
    drop_connections();
    get();
    assert_int_equal(f->outcome, DSP_KUBE_NOT_SENT);
    write_file("ca", f->other_ca.cert_pem, 0600);
    dsp_kube_client_reload(rig.client, NULL);
    get();
    assert_int_equal(f->status, 200);
}

static void says_what_is_wrong_with_files(void **state)
{
    static const struct {
        const char *cluster;
        const char *user;
        const char *where;
        const char *file; /* NULL: the text stands in the configuration */
        const char *problem;
    } cases[] = {
        { "certificate-authority: missing", "token: t", "cluster \"t\": certificate-authority", "missing",
          "No such file or directory" },
        { "certificate-authority: empty", "token: t", "cluster \"t\": certificate-authority", "empty",
          "holds no certificate" },
        { "certificate-authority-data: aGk=", "token: t", "cluster \"t\": certificate-authority-data", NULL,
          "holds no certificate" },
        { "tls-server-name: n", "tokenFile: missing", "user \"t\": tokenFile", "missing", "No such file or directory" },
        { "tls-server-name: n", "tokenFile: empty", "user \"t\": tokenFile", "empty", "is not a token" },
        { "tls-server-name: n", "client-certificate: missing, client-key: missing", "user \"t\": client-certificate",
          "missing", "No such file or directory" },
        { "tls-server-name: n", "client-certificate: empty, client-key: missing", "user \"t\": client-key", "missing",
          "No such file or directory" },
    };

    (void) state;
    write_file("empty", "\n", 0600);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dsp_kube_client_options options = { .user_agent = "test/1" };
        dsp_buf                 err, expected;

        dsp_buf_init(&err, 4096);
        dsp_buf_init(&expected, 4096);
        assert_null(dsp_kube_client_new(rig.base, config(cases[i].cluster, cases[i].user), &options, &err));
        dsp_buf_addf(&expected, "%s/config: %s: ", f->dir, cases[i].where);
        if (cases[i].file != NULL) {
            dsp_buf_addf(&expected, "%s/%s: ", f->dir, cases[i].file);
        }
        dsp_buf_addz(&expected, cases[i].problem);
        assert_string_equal(dsp_buf_cstr(&err), dsp_buf_cstr(&expected));
        dsp_buf_free(&err);
        dsp_buf_free(&expected);
    }
}

/* --- headers --- */

static void sends_a_token_or_a_password(void **state)
{
    (void) state;
    start_as("token: SECRET");
    get();
    request got = { .head = f->head };
    assert_true(has_header(&got, "Authorization: Bearer SECRET"));
    dsp_kube_client_free(rig.client);
    start_as("username: me, password: 'p:w'");
    get();
    assert_true(has_header(&got, "Authorization: Basic bWU6cDp3"));
}

static void token_files_rotate(void **state)
{
    (void) state;
    write_file("token", "one\n", 0600);
    start_as("tokenFile: token");
    snprintf(f->wanted, sizeof(f->wanted), "Authorization: Bearer one");
    get();
    assert_int_equal(f->status, 200);

    /* Changed behind our back: the 401 makes us look, and the request goes out again. */
    write_file("token", "two\n", 0600);
    snprintf(f->wanted, sizeof(f->wanted), "Authorization: Bearer two");
    get();
    assert_int_equal(f->status, 200);
    assert_int_equal(f->answers, 2);
    assert_int_equal(dsp_kube_client_stats_get(rig.client).refreshed, 1);

    /* Nothing newer is there: 401 it is. */
    snprintf(f->wanted, sizeof(f->wanted), "Authorization: Bearer three");
    get();
    assert_int_equal(f->status, 401);

    /* Looked at after a while by itself, and gone for a moment: the old one stays. */
    write_file("token", "three", 0600);
    f->shift += 60000;
    unsigned before = rig.server->requests;
    get();
    assert_int_equal(f->status, 200);
    assert_int_equal(rig.server->requests, before + 1);
    char path[128];
    snprintf(path, sizeof(path), "%s/token", f->dir);
    unlink(path);
    f->shift += 60000;
    get();
    assert_int_equal(f->status, 200);
}

static void streams_refresh_too(void **state)
{
    static const dsp_kube_stream_handler handler = { on_stream_data, on_stream_end };
    dsp_kube_request                     r = { .path = DSP_STR("/s") };

    (void) state;
    write_file("token", "one\n", 0600);
    start_as("tokenFile: token");
    write_file("token", "two\n", 0600);
    snprintf(f->wanted, sizeof(f->wanted), "Authorization: Bearer two");
    dsp_kube_client_stream(rig.client, &r, 0, &handler, nobody);
    run_until(f->stream_ends == 1);
    assert_int_equal(f->status, 200);
    assert_int_equal(f->stream_bytes, 2);
}

static void a_new_configuration_takes_over(void **state)
{
    char cluster[4096];

    (void) state;
    snprintf(cluster, sizeof(cluster), "certificate-authority-data: %s", f->ca_data);
    start_as("token: one");
    get();
    dsp_kube_client_reload(rig.client, config(cluster, "token: two"));
    get();
    request got = { .head = f->head };
    assert_true(has_header(&got, "Authorization: Bearer two"));
    assert_string_equal(dsp_kube_client_config(rig.client)->token, "two");
}

/* A request that is on its way keeps what it was sent with. */
static void a_new_configuration_leaves_requests_alone(void **state)
{
    dsp_kube_request r = { .path = DSP_STR("/x") };
    char             cluster[4096];

    (void) state;
    serve("DNS:api.example", NULL);
    snprintf(cluster, sizeof(cluster), "certificate-authority-data: %s, tls-server-name: api.example", f->ca_data);
    start(cluster, "token: one");
    unsigned accepted = rig.server->accepted;
    dsp_kube_client_send(rig.client, &r, on_done, nobody);
    run_until(rig.server->accepted > accepted); /* connecting */
    dsp_kube_client_reload(rig.client, config(cluster, "token: two"));
    run_until(f->answers == 1);
    assert_int_equal(f->status, 200);
    get();
    assert_int_equal(f->status, 200);
}

/* The old one serves until there is one that can. */
static void a_new_configuration_that_cannot_be_used_changes_nothing(void **state)
{
    (void) state;
    start_as("token: one");
    get();
    dsp_kube_client_reload(rig.client, config("certificate-authority: missing", "token: two"));
    get();
    assert_int_equal(f->status, 200);
    request got = { .head = f->head };
    assert_true(has_header(&got, "Authorization: Bearer one"));
    assert_string_equal(dsp_kube_client_config(rig.client)->token, "one");
}

/* --- a proxy for https --- */

static void connect_is_tunneled(struct bufferevent *from, void *arg)
{
    struct bufferevent *to = *(struct bufferevent **) arg;

    bufferevent_write_buffer(to, bufferevent_get_input(from));
}

typedef struct tunnel {
    struct bufferevent *client;
    struct bufferevent *server;
} tunnel;

static tunnel t_state;
static char   t_head[1024];

static void on_proxy_request(server *s, conn *c, const request *r)
{
    struct sockaddr_in addr = { .sin_family = AF_INET };

    (void) s;
    snprintf(t_head, sizeof(t_head), "%s %s", r->method, r->target);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    addr.sin_port = htons((uint16_t) rig.server->port);
    t_state.client = c->bev;
    t_state.server = bufferevent_socket_new(rig.base, -1, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(t_state.server, connect_is_tunneled, NULL, NULL, &t_state.client);
    bufferevent_enable(t_state.server, EV_READ | EV_WRITE);
    bufferevent_socket_connect(t_state.server, (struct sockaddr *) &addr, sizeof(addr));
    send_text(c, "HTTP/1.1 200 OK\r\n\r\n");
    bufferevent_setcb(c->bev, connect_is_tunneled, NULL, NULL, &t_state.server);
}

static void tls_goes_through_a_proxy(void **state)
{
    server *proxy = server_new(rig.base, on_proxy_request);
    char    cluster[4096], expected[64];

    (void) state;
    snprintf(cluster, sizeof(cluster), "certificate-authority-data: %s, proxy-url: 'http://127.0.0.1:%d'", f->ca_data,
             proxy->port);
    start(cluster, "token: SECRET");
    get();
    assert_int_equal(f->status, 200);
    snprintf(expected, sizeof(expected), "CONNECT 127.0.0.1:%d", rig.server->port);
    assert_string_equal(t_head, expected);
    dsp_kube_client_free(rig.client);
    rig.client = NULL;
    bufferevent_free(t_state.server);
    server_free(proxy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(trusts_its_authority_only),
        CASE(the_servers_name_counts),
        CASE(shows_its_certificate),
        CASE(certificate_files_rotate),
        CASE(says_what_is_wrong_with_files),
        CASE(sends_a_token_or_a_password),
        CASE(token_files_rotate),
        CASE(streams_refresh_too),
        CASE(a_new_configuration_takes_over),
        CASE(a_new_configuration_leaves_requests_alone),
        CASE(a_new_configuration_that_cannot_be_used_changes_nothing),
        CASE(tls_goes_through_a_proxy),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, curl_begin, curl_end);
}
