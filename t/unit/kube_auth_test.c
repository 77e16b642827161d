/* Credentials on the wire: TLS, tokens, certificates, plugins, and how they change. */
#include "kube_pki.h"
#include "kube_server.h"

#include <ftw.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

typedef struct fixture {
    dsp_kube_env env;
    int64_t      shift; /* added to the clocks */
    char         dir[64];
    identity     ca;
    identity     other_ca;
    char        *ca_data;
    char         wanted[256]; /* header that is let in; "" any */
    char         head[8192];
    char         peer[64]; /* CN of the client's certificate */
    unsigned     answers;
    int          outcome;
    int          status;
    char         error[512];
    unsigned     stream_ends;
    unsigned     stream_bytes;
} fixture;

static fixture *f;
static char     nobody[1];

static void handle(server *s, conn *c, const request *r)
{
    SSL  *ssl = s->tls != NULL ? bufferevent_openssl_get_ssl(c->bev) : NULL;
    X509 *peer = ssl != NULL ? SSL_get1_peer_certificate(ssl) : NULL;

    snprintf(f->head, sizeof(f->head), "%s", r->head);
    f->peer[0] = '\0';
    if (peer != NULL) {
        X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, f->peer, sizeof(f->peer));
        X509_free(peer);
    }
    if (strcmp(r->target, "/hold") == 0) {
        stream_begin(c);
    } else if (f->wanted[0] != '\0' && !has_header(r, f->wanted)) {
        reply(c, 401, "{\"message\":\"Unauthorized\"}");
    } else {
        reply(c, 200, "{}");
    }
}

static void on_done(void *arg, const dsp_kube_answer *answer)
{
    (void) arg;
    f->answers++;
    f->outcome = (int) answer->outcome;
    f->status = answer->status;
    snprintf(f->error, sizeof(f->error), "%s", answer->error != NULL ? answer->error : "");
}

static void get(void)
{
    dsp_kube_request r = { .path = DSP_STR("/x") };
    unsigned         before = f->answers;

    dsp_kube_client_send(rig.client, &r, on_done, nobody);
    run_until(f->answers > before);
}

static int64_t test_now(void *arg)
{
    (void) arg;
    return dsp_kube_env_system.now_ms(NULL) + f->shift;
}

static int64_t test_wall(void *arg)
{
    (void) arg;
    return dsp_kube_env_system.wall_us(NULL) + f->shift * 1000;
}

static dsp_kube_config *config(const char *cluster, const char *user)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/config", f->dir);
    return rig_config(path, cluster, user);
}

static void start(const char *cluster, const char *user)
{
    rig.client = rig_client(config(cluster, user), (dsp_kube_client_options){ .env = &f->env });
}

/* With the right authority. */
static void start_as(const char *user)
{
    char cluster[4096];

    snprintf(cluster, sizeof(cluster), "certificate-authority-data: %s", f->ca_data);
    start(cluster, user);
}

static void serve(const char *san, const identity *clients)
{
    identity id = identity_new("server", &f->ca, san);

    SSL_CTX_free(rig.server->tls);
    rig.server->tls = server_tls(&id, clients);
    identity_free(&id);
}

/* Replaces the file as a kubelet does: in one step. */
static void write_file(const char *name, const char *text, mode_t mode)
{
    char path[128], fresh[128];

    snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    snprintf(fresh, sizeof(fresh), "%s/.%s", f->dir, name);
    FILE *out = fopen(fresh, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    chmod(fresh, mode);
    rename(fresh, path);
}

static size_t lines_of(const char *name)
{
    char   path[128];
    size_t n = 0;
    int    c;

    snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    FILE *in = fopen(path, "r");
    while (in != NULL && (c = fgetc(in)) != EOF) {
        n += c == '\n';
    }
    if (in != NULL) {
        fclose(in);
    }
    return n;
}

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
    assert_string_equal(dsp_buf_cstr(&err),
                        "client-certificate-data and client-key-data: are not a certificate and its key");
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
        const char *error;
    } cases[] = {
        { "certificate-authority: missing", "token: t", "missing: No such file or directory" },
        { "certificate-authority: empty", "token: t", "empty: holds no certificate" },
        { "tls-server-name: n", "tokenFile: missing", "missing: No such file or directory" },
        { "tls-server-name: n", "tokenFile: empty", "empty: is not a token" },
        { "tls-server-name: n", "client-certificate: missing, client-key: missing",
          "missing: No such file or directory" },
    };

    (void) state;
    write_file("empty", "\n", 0600);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dsp_kube_client_options options = { .user_agent = "test/1" };
        dsp_buf                 err;
        char                    expected[256];

        dsp_buf_init(&err, 4096);
        assert_null(dsp_kube_client_new(rig.base, config(cases[i].cluster, cases[i].user), &options, &err));
        snprintf(expected, sizeof(expected), "%s/%s", f->dir, cases[i].error);
        assert_string_equal(dsp_buf_cstr(&err), expected);
        dsp_buf_free(&err);
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

static bool on_stream_data(void *arg, dsp_str bytes)
{
    (void) arg;
    f->stream_bytes += (unsigned) bytes.len;
    return true;
}

static void on_stream_end(void *arg, const dsp_kube_answer *answer)
{
    f->stream_ends++;
    on_done(arg, answer);
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

/* --- plugins --- */

#define EXEC(name)                                                                                                     \
    "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./" name ", args: [a, 'b c'], env: [{name: PLUGIN, " \
    "value: seen}], installHint: get it}"
#define CREDENTIAL(members)                                                                                            \
    "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{" members "}}"
#define RUNS "echo run >> \"$(dirname \"$0\")/runs\"\n"

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

static void plugins_give_tokens(void **state)
{
    (void) state;
    write_file("login",
               "#!/bin/sh\n" RUNS "test \"$PLUGIN$1$2\" = 'seenab c' || exit 3\n"
               "case $KUBERNETES_EXEC_INFO in *'\"interactive\":false'*) ;; *) exit 4;; esac\n"
               "n=$(wc -l < \"$(dirname \"$0\")/runs\")\n"
               "echo '" CREDENTIAL("\"token\":\"t'$n'\"") "'\n",
               0700);
    snprintf(f->wanted, sizeof(f->wanted), "Authorization: Bearer t1");
    start_as(EXEC("login"));
    get();
    assert_string_equal(f->error, "");
    assert_int_equal(f->status, 200);
    get();
    assert_int_equal(lines_of("runs"), 1);

    /* A 401 runs it again, once; and not for every 401. */
    snprintf(f->wanted, sizeof(f->wanted), "Authorization: Bearer t2");
    f->shift += 60000;
    get();
    assert_int_equal(f->status, 200);
    snprintf(f->wanted, sizeof(f->wanted), "Authorization: Bearer never");
    get();
    assert_int_equal(f->status, 401);
    assert_int_equal(lines_of("runs"), 2);
    dsp_kube_client_reload(rig.client, NULL);
    get();
    assert_int_equal(lines_of("runs"), 3);
}

static void plugins_run_again_before_the_end(void **state)
{
    (void) state;
    write_file("login",
               "#!/bin/sh\n" RUNS
               "echo '" CREDENTIAL("\"token\":\"t\",\"expirationTimestamp\":\"2199-01-01T00:00:00Z\"") "'\n",
               0700);
    start_as(EXEC("login"));
    get();
    f->shift += (int64_t) 1000 * 86400 * 365 * 400; /* 400 years */
    get();
    assert_int_equal(lines_of("runs"), 2);
}

static void plugins_give_certificates(void **state)
{
    identity id = identity_new("from-plugin", &f->ca, NULL);
    char     script[8192], quoted[4096];
    dsp_buf  b;

    (void) state;
    serve("IP:127.0.0.1", &f->ca);
    dsp_buf_init(&b, 8192);
    for (int i = 0; i < 2; i++) {
        dsp_buf_addz(&b, i == 0 ? "\"clientCertificateData\":\"" : "\",\"clientKeyData\":\"");
        for (const char *p = i == 0 ? id.cert_pem : id.key_pem; *p != '\0'; p++) {
            if (*p == '\n') {
                dsp_buf_addz(&b, "\\n");
            } else {
                dsp_buf_addc(&b, *p);
            }
        }
    }
    snprintf(quoted, sizeof(quoted), "%s\"", dsp_buf_cstr(&b));
    snprintf(script, sizeof(script),
             "#!/bin/sh\ncat <<'END'\n"
             "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{%s}}\nEND\n",
             quoted);
    dsp_buf_free(&b);
    write_file("login", script, 0700);
    start_as(EXEC("login"));
    get();
    assert_string_equal(f->error, "");
    assert_string_equal(f->peer, "from-plugin");
    identity_free(&id);
}

static void failing_with(const char *script, const char *error)
{
    char expected[512];

    write_file("login", script, 0700);
    start_as(EXEC("login"));
    get();
    assert_int_equal(f->outcome, DSP_KUBE_NOT_SENT);
    snprintf(expected, sizeof(expected), "exec plugin %s/./login: %s. get it", f->dir, error);
    assert_string_equal(f->error, expected);
    /* Not run for every request. */
    get();
    assert_int_equal(f->outcome, DSP_KUBE_NOT_SENT);
    assert_string_equal(f->error, expected);
    dsp_kube_client_free(rig.client);
    rig.client = NULL;
}

static void plugins_that_fail_are_told(void **state)
{
    (void) state;
    failing_with("#!/bin/sh\n" RUNS "exit 5\n", "exited with code 5");
    assert_int_equal(lines_of("runs"), 1);
    failing_with("#!/bin/sh\nkill -9 $$\n", "was ended by signal 9");
    failing_with("#!/bin/sh\necho SECRET\n", "the output is not JSON: byte 0: not a JSON value");
    failing_with("#!/bin/sh\nexec head -c 100000 /dev/zero\n", "the output is too long");
    failing_with("#!/nowhere/sh\n", "No such file or directory");
}

/* Not there any more, or dead and not yet reaped. */
static bool is_gone(int pid)
{
    char  path[64], state = '?';
    FILE *in;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    in = fopen(path, "r");
    if (in == NULL) {
        return true;
    }
    bool read = fscanf(in, "%*d (%*[^)]) %c", &state) == 1;
    fclose(in);
    return !read || state == 'Z' || state == 'X';
}

static void a_plugin_ends_with_the_client(void **state)
{
    dsp_kube_request r = { .path = DSP_STR("/x") };

    (void) state;
    write_file("login", "#!/bin/sh\nsleep 1000 &\necho $! > \"$(dirname \"$0\")/pid\"\nwait\n", 0700);
    start_as(EXEC("login"));
    dsp_kube_client_send(rig.client, &r, on_done, nobody);
    run_until(lines_of("pid") == 1);
    char path[128];
    int  pid = 0;
    snprintf(path, sizeof(path), "%s/pid", f->dir);
    FILE *in = fopen(path, "r");
    assert_int_equal(fscanf(in, "%d", &pid), 1);
    fclose(in);
    dsp_kube_client_free(rig.client);
    rig.client = NULL;
    run_until(is_gone(pid)); /* what it started too; somebody else may have to reap that */
}

/* A stream that waits for credentials ends when there are none, wherever it stands among those that run. */
static void streams_that_wait_are_told_of_a_plugin_that_failed(void **state)
{
    static const dsp_kube_stream_handler handler = { on_stream_data, on_stream_end };
    dsp_kube_request                     r = { .path = DSP_STR("/hold") };

    (void) state;
    write_file("login", "#!/bin/sh\necho '" CREDENTIAL("\"token\":\"t\"") "'\n", 0700);
    start_as(EXEC("login"));
    for (int i = 0; i < 2; i++) {
        dsp_kube_client_stream(rig.client, &r, 0, &handler, nobody);
    }
    run_until(rig.server->requests == 2);
    write_file("login", "#!/bin/sh\nexit 5\n", 0700);
    dsp_kube_client_reload(rig.client, NULL);
    for (int i = 0; i < 3; i++) {
        dsp_kube_client_stream(rig.client, &r, 0, &handler, nobody);
    }
    run_until(f->stream_ends == 3);
    assert_int_equal(f->outcome, DSP_KUBE_NOT_SENT);
    assert_int_equal(dsp_kube_client_stats_get(rig.client).streams, 2);
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

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void) st;
    (void) flag;
    (void) ftw;
    return remove(path);
}

static int setup(void **state)
{
    (void) state;
    f = calloc(1, sizeof(*f));
    f->env = (dsp_kube_env){ test_now, test_wall, dsp_kube_env_system.random, NULL };
    f->ca = identity_new("ca", NULL, NULL);
    f->other_ca = identity_new("other ca", NULL, NULL);
    f->ca_data = base64(f->ca.cert_pem);
    snprintf(f->dir, sizeof(f->dir), "/tmp/kube_auth_test.XXXXXX");
    rig_open(handle);
    serve("IP:127.0.0.1", NULL);
    return mkdtemp(f->dir) == NULL;
}

static int teardown(void **state)
{
    (void) state;
    rig_close();
    identity_free(&f->ca);
    identity_free(&f->other_ca);
    free(f->ca_data);
    nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
        CASE(plugins_give_tokens),
        CASE(plugins_run_again_before_the_end),
        CASE(plugins_give_certificates),
        CASE(plugins_that_fail_are_told),
        CASE(a_plugin_ends_with_the_client),
        CASE(streams_that_wait_are_told_of_a_plugin_that_failed),
        CASE(tls_goes_through_a_proxy),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, curl_begin, curl_end);
}
