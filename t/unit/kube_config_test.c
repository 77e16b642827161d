/* kubeconfigs and where they come from; exec credentials; the splitter; backoff. No network. */
#include "unit.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kube/backoff.h"
#include "kube/config.h"
#include "kube/exec.h"

static dsp_buf err;
static char    dir[64];

#define CLUSTER "clusters: [{name: c, cluster: {server: 'https://h:6443/'}}]\n"
#define CONTEXT "contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n"
#define USER(u) "users: [{name: u, user: {" u "}}]\n"

static dsp_kube_config *parse(const char *text)
{
    dsp_buf_reset(&err);
    return dsp_kube_config_parse(dsp_str_from(text), "/etc/kube/config", NULL, &err);
}

static void refuse(const char *text, const char *message)
{
    dsp_kube_config *c = parse(text);

    assert_null(c);
    assert_string_equal(dsp_buf_cstr(&err), message);
}

static char *path_of(const char *name)
{
    static char path[4][256];
    static int  n;

    n = (n + 1) % 4;
    snprintf(path[n], sizeof(path[n]), "%s/%s", dir, name);
    return path[n];
}

static void write_file(const char *name, const char *text)
{
    FILE *out = fopen(path_of(name), "w");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void reads_every_field(void **state)
{
    dsp_kube_config *c =
        parse("apiVersion: v1\nkind: Config\ncurrent-context: x\n"
              "contexts: [{name: x, context: {cluster: c, user: u, namespace: work}}]\n"
              "clusters: [{name: c, cluster: {server: 'https://h:6443/k8s/', certificate-authority: ca.pem, "
              "tls-server-name: n,\n"
              "  proxy-url: 'socks5://p:1', disable-compression: true, extensions: []}}]\n"
              "users: [{name: u, user: {client-certificate: ../c.pem, client-key: /k.pem, token: 012, tokenFile: t,\n"
              "  act-as: who, act-as-uid: '7', act-as-groups: [g, h], act-as-user-extra: {k: [v, w]}}}]\n");

    (void) state;
    assert_string_equal(dsp_buf_cstr(&err), "");
    assert_non_null(c);
    assert_string_equal(c->source, "/etc/kube/config");
    assert_string_equal(c->namespace_, "work");
    assert_string_equal(c->server, "https://h:6443/k8s");
    assert_string_equal(c->ca_file, "/etc/kube/ca.pem");
    assert_string_equal(c->tls_server_name, "n");
    assert_string_equal(c->proxy_url, "socks5://p:1");
    assert_string_equal(c->client_cert_file, "/etc/kube/../c.pem");
    assert_string_equal(c->client_key_file, "/k.pem");
    assert_string_equal(c->token, "012");
    assert_string_equal(c->token_file, "/etc/kube/t");
    assert_string_equal(c->impersonate_user, "who");
    assert_string_equal(c->impersonate_uid, "7");
    assert_string_equal(c->impersonate_groups[1], "h");
    assert_null(c->impersonate_groups[2]);
    assert_int_equal(c->n_impersonate_extra, 2);
    assert_string_equal(c->impersonate_extra[1].value, "w");
    dsp_kube_config_free(c);
}

static void reads_data_and_basic_auth(void **state)
{
    dsp_kube_config *c =
        parse(CONTEXT "clusters: [{name: c, cluster: {server: h, certificate-authority-data: \"aGVs\\nbG8=\"}}]\n" USER(
            "username: me, password: 'p:w'"));

    (void) state;
    assert_string_equal(dsp_buf_cstr(&err), "");
    assert_non_null(c);
    assert_int_equal(c->ca_data.len, 5);
    assert_string_equal(c->ca_data.data, "hello");
    assert_string_equal(c->server, "https://h"); /* a bare host with TLS settings */
    assert_string_equal(c->password, "p:w");
    assert_string_equal(c->namespace_, "default");
    dsp_kube_config_free(c);
}

static void understands_anchors_and_merges(void **state)
{
    dsp_kube_config *c = parse("base: &b {server: 'https://h', tls-server-name: n}\n"
                               "clusters:\n- name: c\n  cluster: {<<: *b, tls-server-name: own}\n"
                               "users: [{name: u, user: &u {token: t}}, {name: v, user: *u}]\n"
                               "contexts: [{name: x, context: {cluster: c, user: v}}]\ncurrent-context: x\n");

    (void) state;
    assert_string_equal(dsp_buf_cstr(&err), "");
    assert_non_null(c);
    assert_string_equal(c->server, "https://h");
    assert_string_equal(c->tls_server_name, "own");
    assert_string_equal(c->token, "t");
    dsp_kube_config_free(c);
}

static void survives_rings_and_bombs(void **state)
{
    (void) state;
    refuse("contexts: [{name: x, context: &a {<<: *a}}]\ncurrent-context: x\n",
           "/etc/kube/config: context \"x\": cluster: is missing");
    refuse("a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\ncontexts: *c\ncurrent-context: x\n",
           "/etc/kube/config: context \"x\" is not defined");
}

static void reads_json(void **state)
{
    dsp_kube_config *c =
        parse("{\"current-context\":\"x\",\"contexts\":[{\"name\":\"x\",\"context\":{\"cluster\":\"c\"}}],"
              "\"clusters\":[{\"name\":\"c\",\"cluster\":{\"server\":\"http://h:1\"}}]}");

    (void) state;
    assert_non_null(c);
    assert_string_equal(c->server, "http://h:1");
    assert_null(c->user);
    dsp_kube_config_free(c);
}

static void says_what_is_wrong_and_where(void **state)
{
    (void) state;
    refuse("a: [", "/etc/kube/config: line 2: did not find expected node content");
    refuse("just text", "/etc/kube/config: is not a kubeconfig: a mapping is expected");
    refuse("kind: Pod", "/etc/kube/config: is not a kubeconfig: kind must be Config and apiVersion v1");
    refuse("", "/etc/kube/config: current-context: is not set");
    refuse("current-context: q\n", "/etc/kube/config: context \"q\" is not defined");
    refuse(CONTEXT, "/etc/kube/config: context \"x\": cluster \"c\" is not defined");
    refuse(CONTEXT CLUSTER, "/etc/kube/config: context \"x\": user \"u\" is not defined");
    refuse(CONTEXT "clusters: [{name: c, cluster: {}}]\n", "/etc/kube/config: cluster \"c\": server: is missing");
    refuse(CONTEXT "clusters: [{name: c, cluster: {server: 'ftp://h'}}]\n",
           "/etc/kube/config: cluster \"c\": server: must be https:// or http://");
    refuse(CONTEXT "clusters: [{name: c, cluster: {server: 'https://u:p@h'}}]\n",
           "/etc/kube/config: cluster \"c\": server: must not contain a user");
    refuse(CONTEXT "clusters: [{name: c, cluster: {server: 'https://h', insecure-skip-tls-verify: yes}}]\n",
           "/etc/kube/config: cluster \"c\": insecure-skip-tls-verify: must be true or false");
    refuse(CONTEXT "clusters: [{name: c, cluster: {server: 'https://h', insecure-skip-tls-verify: true, "
                   "certificate-authority: x}}]\n",
           "/etc/kube/config: cluster \"c\": insecure-skip-tls-verify: does not go with a certificate-authority");
    refuse(CONTEXT "clusters: [{name: c, cluster: {server: 'https://h', certificate-authority-data: '%%'}}]\n",
           "/etc/kube/config: cluster \"c\": certificate-authority-data: is not base64");
    refuse(CONTEXT "clusters: [{name: c, cluster: {server: 'https://h', proxy-url: 'h:1'}}]\n",
           "/etc/kube/config: cluster \"c\": proxy-url: must be http://, https:// or socks5://");
    refuse(CONTEXT "clusters: [{name: c, cluster: {server: h}}, {name: c, cluster: {server: h}}]\n",
           "/etc/kube/config: cluster \"c\": is defined more than once in this file");
    refuse(CONTEXT CLUSTER USER("token: {a: SECRET}"), "/etc/kube/config: user \"u\": token: must be a string");
    refuse(CONTEXT CLUSTER USER("token: \"SEC\\nRET\""),
           "/etc/kube/config: user \"u\": token: must not contain control characters");
    refuse(CONTEXT CLUSTER USER("token: a, username: b"),
           "/etc/kube/config: user \"u\": username: does not go with a token: only one of them can be sent");
    refuse(CONTEXT CLUSTER USER("client-certificate: a"),
           "/etc/kube/config: user \"u\": client-key: is missing beside its other half");
    refuse(CONTEXT CLUSTER USER("act-as-groups: [g]"), "/etc/kube/config: user \"u\": act-as: is missing, but "
                                                       "act-as-uid, act-as-groups or act-as-user-extra is given");
    refuse(CONTEXT CLUSTER USER("act-as: a, act-as-groups: [\"g\\r\\nEvil: 1\"]"),
           "/etc/kube/config: user \"u\": act-as-groups: must not contain control characters");
    refuse(CONTEXT CLUSTER USER("act-as: a, act-as-user-extra: {k: [\"g\\nEvil: 1\"]}"),
           "/etc/kube/config: user \"u\": act-as-user-extra: must not contain control characters");
    refuse(CONTEXT CLUSTER USER("auth-provider: {name: gcp}"),
           "/etc/kube/config: user \"u\": auth-provider: has been removed from Kubernetes; use exec");
    refuse(CONTEXT CLUSTER USER("exec: {apiVersion: v1, command: x}"),
           "/etc/kube/config: user \"u\": exec.apiVersion: must be client.authentication.k8s.io/v1 or /v1beta1");
    refuse(CONTEXT CLUSTER USER("exec: {apiVersion: client.authentication.k8s.io/v1}"),
           "/etc/kube/config: user \"u\": exec.command: is missing");
    refuse(CONTEXT CLUSTER USER(
               "exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Always}"),
           "/etc/kube/config: user \"u\": exec.interactiveMode: Always cannot work in a daemon");
}

static void reads_exec(void **state)
{
    dsp_kube_config *c = parse(CONTEXT CLUSTER USER(
        "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: bin/login, args: [a, 'b c', ''],"
        "env: [{name: A, value: B}], provideClusterInfo: true, installHint: get it, interactiveMode: IfAvailable}"));

    (void) state;
    assert_string_equal(dsp_buf_cstr(&err), "");
    assert_non_null(c);
    assert_string_equal(c->exec->command, "/etc/kube/bin/login");
    assert_int_equal(c->exec->n_args, 3);
    assert_string_equal(c->exec->args[1], "b c");
    assert_string_equal(c->exec->args[2], "");
    assert_string_equal(c->exec->env[0].value, "B");
    assert_true(c->exec->provide_cluster_info);

    dsp_buf info;
    dsp_buf_init(&info, 4096);
    assert_true(kube_exec_info(c, DSP_STR("PEM"), &info));
    assert_string_equal(dsp_buf_cstr(&info),
                        "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"spec\":"
                        "{\"cluster\":{\"server\":\"https://h:6443\",\"certificate-authority-data\":\"UEVN\"},"
                        "\"interactive\":false}}");
    dsp_buf_free(&info);
    dsp_kube_config_free(c);
}

/* client-go (plugin/pkg/client/auth/exec, UpdateTransportConfig): it is for those who have nothing else. */
static void a_plugin_does_not_run_beside_other_credentials(void **state)
{
    static const char *const others[] = { "token: t", "tokenFile: t", "username: u",
                                          "client-certificate: c, client-key: k" };

    (void) state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        char text[1024];

        snprintf(text, sizeof(text),
                 CONTEXT CLUSTER USER("%s, exec: {apiVersion: client.authentication.k8s.io/v1, command: x}"),
                 others[i]);
        dsp_kube_config *c = parse(text);
        assert_string_equal(dsp_buf_cstr(&err), "");
        assert_non_null(c);
        assert_null(c->exec);
        dsp_kube_config_free(c);
    }
}

/* --- several files --- */

static dsp_kube_config *load(dsp_kube_sources sources)
{
    dsp_buf_reset(&err);
    return dsp_kube_config_load(&sources, &err);
}

static void merges_a_list_of_files(void **state)
{
    char list[1024];

    (void) state;
    write_file("a", "contexts: [{name: x, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: "
                    "'https://a'}}]\n");
    write_file("b", "current-context: x\nusers: [{name: u, user: {token: t, client-certificate: c, client-key: k}}]\n"
                    "clusters: [{name: c, cluster: {server: 'https://b', tls-server-name: n}}]\n");
    snprintf(list, sizeof(list), "%s::%s:%s:%s", path_of("a"), path_of("missing"), path_of("b"), path_of("a"));
    dsp_kube_config *c = load((dsp_kube_sources){ .env_kubeconfig = list });
    assert_string_equal(dsp_buf_cstr(&err), "");
    assert_string_equal(c->server, "https://a"); /* the first file that has the name, whole */
    assert_null(c->tls_server_name);
    assert_string_equal(c->client_cert_file, path_of("c"));
    assert_string_equal(c->source, path_of("b"));
    dsp_kube_config_free(c);

    write_file("b", "]");
    assert_null(load((dsp_kube_sources){ .env_kubeconfig = list }));
    assert_non_null(strstr(dsp_buf_cstr(&err), path_of("b")));
    assert_null(load((dsp_kube_sources){ .env_kubeconfig = "/nowhere/a:/nowhere/b" }));
    assert_string_equal(dsp_buf_cstr(&err), "no kubeconfig: none of these files exists: /nowhere/a:/nowhere/b");
}

static void the_flag_beats_all_and_must_exist(void **state)
{
    (void) state;
    write_file("flag", CONTEXT USER("token: t") CLUSTER);
    write_file("env", "]");
    dsp_kube_config *c = load((dsp_kube_sources){ .kubeconfig = path_of("flag"), .env_kubeconfig = path_of("env") });
    assert_non_null(c);
    dsp_kube_config_free(c);
    assert_null(load((dsp_kube_sources){ .kubeconfig = "/nowhere/x" }));
    assert_string_equal(dsp_buf_cstr(&err), "/nowhere/x: No such file or directory");
}

static void finds_the_service_account(void **state)
{
    dsp_kube_sources sources = { .service_host = "fd00::1", .service_port = "443", .service_account_dir = dir };

    (void) state;
    assert_null(load(sources));
    assert_non_null(strstr(dsp_buf_cstr(&err), "/token: No such file"));
    write_file("token", "tok\n");
    write_file("ca.crt", "ca");
    write_file("namespace", "ours\n");
    dsp_kube_config *c = load(sources);
    assert_non_null(c);
    assert_string_equal(c->server, "https://[fd00::1]:443");
    assert_string_equal(c->namespace_, "ours");
    assert_string_equal(c->token_file, path_of("token"));
    assert_string_equal(c->ca_file, path_of("ca.crt"));
    assert_string_equal(c->source, "in-cluster");
    dsp_kube_config_free(c);
}

static void finds_the_home_directory(void **state)
{
    (void) state;
    assert_null(load((dsp_kube_sources){ .home = dir }));
    assert_non_null(strstr(dsp_buf_cstr(&err), "no cluster to talk to"));
    mkdir(path_of(".kube"), 0700);
    write_file(".kube/config", CONTEXT USER("token: t") CLUSTER);
    dsp_kube_config *c = load((dsp_kube_sources){ .home = dir });
    assert_non_null(c);
    dsp_kube_config_free(c);
}

/* --- exec credentials --- */

#define V1 "client.authentication.k8s.io/v1"

static void credential_refused(const char *text, const char *message)
{
    kube_exec_credential c;

    dsp_buf_reset(&err);
    assert_false(kube_exec_parse(dsp_str_from(text), V1, &c, &err));
    assert_string_equal(dsp_buf_cstr(&err), message);
}

static void reads_exec_credentials(void **state)
{
    kube_exec_credential c;

    (void) state;
    assert_true(kube_exec_parse(DSP_STR("{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
                                        "\",\"status\":{\"token\":\"t\\u0041\","
                                        "\"expirationTimestamp\":\"1970-01-01T00:00:07Z\"}}\n"),
                                V1, &c, &err));
    assert_string_equal(c.token, "tA");
    assert_int_equal(c.expires_us, 7000000);
    kube_exec_credential_free(&c);
    credential_refused("nope", "the output is not JSON: byte 0: not a JSON value");
    credential_refused("{\"kind\":\"Pod\"}", "the output's kind is not ExecCredential");
    credential_refused("{\"kind\":\"ExecCredential\",\"apiVersion\":\"v1\"}", "the output's apiVersion is not " V1);
#define HEAD "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\""
    credential_refused(HEAD "}", "the output has no status");
    credential_refused(HEAD ",\"status\":{}}", "status has neither a token nor a client certificate");
    credential_refused(HEAD ",\"status\":{\"token\":7}}", "status.token is not a string");
    credential_refused(HEAD ",\"status\":{\"token\":\"a\\nb\"}}", "status.token contains control characters");
    credential_refused(HEAD ",\"status\":{\"token\":\"a\",\"clientKeyData\":\"k\"}}",
                       "status has only one of clientCertificateData and clientKeyData");
    credential_refused(HEAD ",\"status\":{\"token\":\"a\",\"expirationTimestamp\":\"soon\"}}",
                       "status.expirationTimestamp is not a time");
}

/* --- backoff --- */

static int64_t  test_now;
static uint32_t test_chance;

static int64_t fake_now(void *arg)
{
    (void) arg;
    return test_now;
}

static uint32_t fake_random(void *arg)
{
    (void) arg;
    return test_chance;
}

static void backs_off(void **state)
{
    const dsp_kube_env     env = { fake_now, fake_now, fake_random, NULL };
    const dsp_backoff_rule rule = { .base_ms = 800, .max_ms = 30000, .jitter = 1.0, .reset_ms = 120000 };
    dsp_backoff            b = { 0 };
    const int64_t          expected[] = { 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000 };

    (void) state;
    test_now = 5;
    test_chance = 0;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_int_equal(dsp_backoff_next(&b, &rule, &env), expected[i]);
    }
    for (int i = 0; i < 100; i++) {
        assert_int_equal(dsp_backoff_next(&b, &rule, &env), 30000); /* no overflow */
    }
    test_chance = UINT32_MAX;
    assert_in_range(dsp_backoff_next(&b, &rule, &env), 59999, 60000);
    test_now += 120001;
    assert_in_range(dsp_backoff_next(&b, &rule, &env), 1599, 1600);
    dsp_backoff_reset(&b);
    assert_in_range(dsp_backoff_next(&b, &rule, &env), 1599, 1600);
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
    dsp_buf_init(&err, 4096);
    snprintf(dir, sizeof(dir), "/tmp/kube_config_test.XXXXXX");
    return mkdtemp(dir) == NULL;
}

static int teardown(void **state)
{
    (void) state;
    dsp_buf_free(&err);
    return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(reads_every_field),
        CASE(reads_data_and_basic_auth),
        CASE(understands_anchors_and_merges),
        CASE(survives_rings_and_bombs),
        CASE(reads_json),
        CASE(says_what_is_wrong_and_where),
        CASE(reads_exec),
        CASE(a_plugin_does_not_run_beside_other_credentials),
        CASE(merges_a_list_of_files),
        CASE(the_flag_beats_all_and_must_exist),
        CASE(finds_the_service_account),
        CASE(finds_the_home_directory),
        CASE(reads_exec_credentials),
        CASE(backs_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
