/* Exec credential plugins: what they give, when they run, how they fail and end. */
#include "kube_credentials.h"

#define EXEC(name)                                                                                                     \
    "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./" name ", args: [a, 'b c'], env: [{name: PLUGIN, " \
    "value: seen}], installHint: get it}"
#define CREDENTIAL(members)                                                                                            \
    "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{" members "}}"
#define RUNS "echo run >> \"$(dirname \"$0\")/runs\"\n"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(plugins_give_tokens),           CASE(plugins_run_again_before_the_end),
        CASE(plugins_give_certificates),     CASE(plugins_that_fail_are_told),
        CASE(a_plugin_ends_with_the_client), CASE(streams_that_wait_are_told_of_a_plugin_that_failed),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, curl_begin, curl_end);
}
