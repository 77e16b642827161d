/*
 * The command line.
 */
#include "unit.h"

#include "controller/options.h"

static dsp_options o;
static dsp_buf     error;

static bool parse(const char *const *argv)
{
    int argc = 0;

    while (argv[argc] != NULL) {
        argc++;
    }
    dsp_buf_free(&error);
    dsp_buf_init(&error, 4096);
    return dsp_options_parse(argc, argv, &o, &error);
}

#define ARGS(...) ((const char *const[]){ "dispatcher-controller", ##__VA_ARGS__, NULL })

static void defaults(void **state)
{
    (void) state;
    assert_true(parse(ARGS()));
    assert_string_equal(o.metrics_bind, ":8080");
    assert_string_equal(o.probe_bind, ":8081");
    assert_string_equal(o.leader_name, "b7a548ab.ivan.vc");
    assert_int_equal(o.max_in_flight, 16);
    assert_int_equal(o.qps, 0);
    assert_false(o.leader_elect);
    assert_false(o.log_payloads);
    assert_false(o.allow_env);
    assert_null(o.kubeconfig);
    assert_int_equal(o.log_level, DSP_LOG_INFO);
}

static void go_syntax(void **state)
{
    (void) state;
    assert_true(parse(ARGS("-metrics-bind-address=:0", "--health-probe-bind-address", "127.0.0.1:1", "--leader-elect",
                           "-log-level", "debug", "--log-job-execution-payloads=T", "--kubeconfig=/k=v", "--namespace",
                           "a", "--namespace=b", "--namespace=a")));
    assert_string_equal(o.metrics_bind, ":0");
    assert_string_equal(o.probe_bind, "127.0.0.1:1");
    assert_true(o.leader_elect);
    assert_true(o.log_payloads);
    assert_string_equal(o.kubeconfig, "/k=v");
    assert_int_equal(o.n_namespaces, 2);
    assert_string_equal(o.namespaces[1], "b");
    assert_int_equal(o.log_level, DSP_LOG_DEBUG);
    assert_true(parse(ARGS("--leader-elect", "--leader-elect=false", "--")));
    assert_false(o.leader_elect);
    assert_true(parse(ARGS("--log-format=json", "--max-in-flight=256", "--kube-api-qps=0")));
    assert_int_equal(o.log_format, DSP_LOG_JSON);
    assert_true(parse(ARGS("--leader-elect-lease-duration=1m", "--leader-elect-renew-deadline=40s",
                           "--leader-elect-retry-period=500ms")));
    assert_int_equal(o.lease_ms, 60000);
    assert_int_equal(o.renew_ms, 40000);
    assert_int_equal(o.retry_ms, 500);
}

/* The arguments of the original's manifests. */
static void flags_of_the_original(void **state)
{
    (void) state;
    assert_true(
        parse(ARGS("--health-probe-bind-address=:8081", "--metrics-bind-address=127.0.0.1:8080", "--leader-elect",
                   "--default-namespace=jobs", "--zap-devel=false", "--zap-encoder=json", "--zap-log-level", "error",
                   "--zap-stacktrace-level=panic", "--web-server-bind-address=:8000")));
    assert_string_equal(o.default_namespace, "jobs");
    assert_int_equal(o.log_format, DSP_LOG_JSON);
    assert_int_equal(o.log_level, DSP_LOG_ERROR);
}

static void errors_name_the_argument(void **state)
{
    static const struct {
        const char *argv[4];
        const char *error;
    } cases[] = {
        { { "x", "--nope=1", NULL }, "flag provided but not defined: --nope=1 (see --help)" },
        { { "x", "--kubeconfig", NULL }, "flag needs an argument: --kubeconfig" },
        { { "x", "--leader-elect=maybe", NULL }, "invalid value \"maybe\" for flag --leader-elect: true or false is wanted" },
        { { "x", "--max-in-flight=0", NULL }, "invalid value \"0\" for flag --max-in-flight: a number from 1 to 256 is wanted" },
        { { "x", "--max-in-flight=257", NULL }, "invalid value \"257\" for flag --max-in-flight: a number from 1 to 256 is wanted" },
        { { "x", "--kube-api-qps", "-1", NULL }, "invalid value \"-1\" for flag --kube-api-qps: a number from 0 to 1000000 is wanted" },
        { { "x", "--leader-elect-renew-deadline=10", NULL }, "invalid value \"10\" for flag --leader-elect-renew-deadline: a time such as 15s, 500ms or 1m is wanted" },
        { { "x", "--leader-elect-renew-deadline=0s", NULL }, "invalid value \"0s\" for flag --leader-elect-renew-deadline: a time such as 15s, 500ms or 1m is wanted" },
        { { "x", "--log-level=loud", NULL }, "invalid value \"loud\" for flag --log-level: debug, info, warn or error is wanted" },
        { { "x", "--namespace=", NULL }, "invalid value \"\" for flag --namespace: must not be empty" },
        { { "x", "--leader-elect-namespace=", NULL }, "invalid value \"\" for flag --leader-elect-namespace: must not be empty" },
        { { "x", "serve", NULL }, "unexpected argument: serve (see --help)" },
        { { "x", "--", "serve", NULL }, "unexpected argument: serve (see --help)" },
        { { "x", "-", NULL }, "unexpected argument: - (see --help)" },
        { { "x", "---leader-elect", NULL }, "flag provided but not defined: ---leader-elect (see --help)" },
        { { "x", "--metrics-secure", NULL }, "--metrics-secure needs --metrics-cert-file and --metrics-key-file" },
    };

    (void) state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_false(parse(cases[i].argv));
        assert_string_equal(dsp_buf_cstr(&error), cases[i].error);
    }
}

/* They become a path of the API and a label in the metrics. */
static void names_are_names(void **state)
{
    static const char *const flags[] = { "--namespace", "--leader-elect-namespace", "--leader-elect-resource-name" };

    (void) state;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        assert_true(parse(ARGS(flags[i], "team-a")));
        assert_false(parse(ARGS(flags[i], "Team A")));
        if (strstr(dsp_buf_cstr(&error), flags[i]) == NULL || strstr(dsp_buf_cstr(&error), "'T'") == NULL) {
            fail_msg("%s", dsp_buf_cstr(&error));
        }
        assert_false(parse(ARGS(flags[i], "a\"b")));
    }
    assert_true(parse(ARGS("--leader-elect-resource-name=b7a548ab.ivan.vc")));
    assert_false(parse(ARGS("--namespace=a.b")));
}

/* controller-runtime's pkg/log/zap/flags.go: debug, info, error, panic, or a number over 0, which is the verbosity. */
static void levels_of_zap(void **state)
{
    static const struct {
        const char        *text;
        enum dsp_log_level level;
    } rows[] = { { "debug", DSP_LOG_DEBUG }, { "info", DSP_LOG_INFO }, { "error", DSP_LOG_ERROR },
                 { "panic", DSP_LOG_ERROR }, { "1", DSP_LOG_DEBUG },   { "10", DSP_LOG_DEBUG } };

    (void) state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(parse(ARGS("--zap-log-level", rows[i].text)));
        assert_int_equal(o.log_level, rows[i].level);
        assert_true(i < 3 || !parse(ARGS("--log-level", rows[i].text)));
    }
    assert_false(parse(ARGS("--zap-log-level=0")));
    assert_false(parse(ARGS("--zap-log-level=loud")));
}

static void help_and_version_end_the_reading(void **state)
{
    (void) state;
    assert_true(parse(ARGS("-h", "--nope")));
    assert_true(o.help);
    assert_true(parse(ARGS("--version")));
    assert_true(o.version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(go_syntax),
        cmocka_unit_test(flags_of_the_original),
        cmocka_unit_test(errors_name_the_argument),
        cmocka_unit_test(names_are_names),
        cmocka_unit_test(levels_of_zap),
        cmocka_unit_test(help_and_version_end_the_reading),
    };
    int failed = cmocka_run_group_tests_name("controller_options", tests, NULL, NULL);

    dsp_buf_free(&error);
    return failed;
}
