/*
 * Names of Jobs, reading Jobs and the pods of a failed one.
 */
#include "unit.h"

#include "model/job.h"
#include "model/jobname.h"

#define T0 1000000000000000 /* 2001-09-09T01:46:40Z */

static dsp_arena arena;

static dsp_json parse(const char *text)
{
    dsp_json value;

    assert_true(dsp_json_parse(dsp_str_from(text), &value, NULL));
    return value;
}

static int setup(void **state)
{
    (void) state;
    dsp_arena_init(&arena, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void) state;
    dsp_arena_free(&arena);
    return 0;
}

/* printf 5f0c6bd0-1f3c-4a5e-9b1c-0123456789ab | sha256sum | xxd -r -p | base32 | tr A-Z a-z | cut -c1-10 */
static void hash_is_base32_of_sha256(void **state)
{
    char hash[DSP_UID_HASH_LEN + 1];

    (void) state;
    dsp_uid_hash(DSP_STR("5f0c6bd0-1f3c-4a5e-9b1c-0123456789ab"), hash);
    assert_string_equal(hash, "fzfg3b5scl");
    dsp_uid_hash(DSP_STR(""), hash);
    assert_string_equal(hash, "4oymiquy7q");
}

static void names_are_labels(void **state)
{
    static const struct {
        const char *prefix, *want;
    } cases[] = {
        { "hello-", "hello-4oymiquy7q" },
        { "hello", "hello-4oymiquy7q" },
        { "he.llo--", "he-llo-4oymiquy7q" },
        { "Hello_World", "hello-world-4oymiquy7q" },
        { "-x", "x-4oymiquy7q" },
        { "", "job-4oymiquy7q" },
        { "...", "job-4oymiquy7q" },
        { "\xc3\xa9t\xc3\xa9", "t-4oymiquy7q" },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-4oymiquy7q" },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbb",
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-4oymiquy7q" },
    };

    (void) state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char name[DSP_JOB_NAME_MAX + 1];

        dsp_job_name(dsp_str_from(cases[i].prefix), DSP_STR(""), name);
        assert_string_equal(name, cases[i].want);
        assert_true(strlen(name) <= 63);
    }
}

static void label_values_are_cut_validly(void **state)
{
    char out[DSP_JOB_NAME_MAX + 1];

    (void) state;
    dsp_label_value(DSP_STR("short.name"), out);
    assert_string_equal(out, "short.name");
    dsp_label_value(DSP_STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.-bbbbbbbbbbbb"), out);
    assert_string_equal(out, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

static void job_is_read(void **state)
{
    dsp_job  job;
    dsp_job *copy;

    (void) state;
    assert_true(dsp_job_read(
        parse(
            "{\"metadata\":{\"name\":\"j\",\"namespace\":\"ns\",\"uid\":\"ju\",\"resourceVersion\":\"9\","
            "\"annotations\":{\"dispatcher.ivan.vc/ttl-seconds-after-finished\":\"0\"},"
            "\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"JobExecution\",\"controller\":true,\"uid\":\"no\"},"
            "{\"apiVersion\":\"dispatcher.ivan.vc/v1alpha1\",\"kind\":\"JobExecution\",\"uid\":\"no\"},"
            "{\"apiVersion\":\"dispatcher.ivan.vc/"
            "v1alpha1\",\"kind\":\"JobExecution\",\"controller\":true,\"uid\":\"ou\"}]},"
            "\"spec\":{\"suspend\":false},\"status\":{\"startTime\":\"2001-09-09T01:46:40Z\",\"active\":1,\"failed\":2,"
            "\"conditions\":[{\"type\":\"FailureTarget\",\"status\":\"True\",\"reason\":\"X\"},"
            "{\"type\":\"Failed\",\"status\":\"False\"}]}}"),
        &arena, &job));
    copy = dsp_job_dup(&job);
    assert_non_null(copy);
    assert_str(copy->owner_uid, "ou");
    assert_str(copy->name, "j");
    assert_int_equal(copy->ttl_wanted, 0);
    assert_false(copy->has_ttl);
    assert_int_equal(copy->start_us, T0);
    assert_int_equal(copy->active, 1);
    assert_int_equal(copy->failed, 2);
    assert_int_equal(copy->end, DSP_JOB_UNFINISHED);
    free(copy);
}

static void the_end_of_a_job_is_seen(void **state)
{
    dsp_job job;

    (void) state;
    assert_true(
        dsp_job_read(parse("{\"metadata\":{\"name\":\"j\",\"uid\":\"u\"},\"spec\":{\"ttlSecondsAfterFinished\":0},"
                           "\"status\":{\"completionTime\":\"2001-09-09T01:46:41Z\",\"succeeded\":1,\"conditions\":["
                           "{\"type\":\"SuccessCriteriaMet\",\"status\":\"True\"},"
                           "{\"type\":\"Complete\",\"status\":\"True\"}]}}"),
                     &arena, &job));
    assert_int_equal(job.end, DSP_JOB_COMPLETE);
    assert_int_equal(job.end_us, T0 + 1000000);
    assert_true(job.has_ttl);
    assert_int_equal(job.ttl_wanted, -1);
    assert_int_equal(job.owner_uid.len, 0);

    assert_true(
        dsp_job_read(parse("{\"metadata\":{\"name\":\"j\",\"uid\":\"u\"},\"spec\":{\"suspend\":true,"
                           "\"ttlSecondsAfterFinished\":null},\"status\":{\"conditions\":["
                           "{\"type\":\"Failed\",\"status\":\"True\",\"reason\":\"DeadlineExceeded\",\"message\":\"m\","
                           "\"lastTransitionTime\":\"2001-09-09T01:46:42Z\"}]}}"),
                     &arena, &job));
    assert_int_equal(job.end, DSP_JOB_FAILED);
    assert_str(job.reason, "DeadlineExceeded");
    assert_int_equal(job.end_us, T0 + 2000000);
    assert_true(job.suspended);
    assert_false(job.has_ttl);
}

static void first_failed_container_is_found(void **state)
{
    dsp_job_failure f;

    (void) state;
    assert_true(dsp_job_failure_read(
        parse(
            "{\"items\":["
            "{\"metadata\":{\"name\":\"evicted\"},\"status\":{\"phase\":\"Failed\",\"reason\":\"Evicted\"}},"
            "{\"metadata\":{\"name\":\"late\"},\"status\":{\"phase\":\"Failed\",\"containerStatuses\":["
            "{\"name\":\"c\",\"state\":{\"terminated\":{\"exitCode\":1,\"reason\":\"Error\",\"finishedAt\":"
            "\"2001-09-09T01:46:45Z\"}}}]}},"
            "{\"metadata\":{\"name\":\"early\"},\"status\":{\"phase\":\"Failed\",\"containerStatuses\":["
            "{\"name\":\"ok\",\"state\":{\"terminated\":{\"exitCode\":0,\"finishedAt\":\"2001-09-09T01:46:40Z\"}}},"
            "{\"name\":\"bad\",\"lastState\":{\"terminated\":{\"exitCode\":137,\"reason\":\"OOMKilled\",\"finishedAt\":"
            "\"2001-09-09T01:46:41Z\"}},\"state\":{\"terminated\":{\"exitCode\":2,\"finishedAt\":"
            "\"2001-09-09T01:46:43Z\"}}}]}}]}"),
        &arena, &f));
    assert_str(f.pod, "early");
    assert_str(f.container, "bad");
    assert_str(f.reason, "OOMKilled");
    assert_int_equal(f.exit_code, 137);

    assert_true(
        dsp_job_failure_read(parse("{\"items\":[{\"metadata\":{\"name\":\"p\"},\"status\":{\"phase\":\"Failed\","
                                   "\"reason\":\"Evicted\"}}]}"),
                             &arena, &f));
    assert_str(f.pod, "p");
    assert_int_equal(f.container.len, 0);
    assert_int_equal(f.exit_code, -1);
    assert_str(f.reason, "Evicted");

    assert_true(
        dsp_job_failure_read(parse("{\"items\":[{\"metadata\":{\"name\":\"p\"},\"status\":{\"initContainerStatuses\":"
                                   "[{\"name\":\"init\",\"state\":{\"terminated\":{\"exitCode\":3}}}]}}]}"),
                             &arena, &f));
    assert_str(f.container, "init");

    assert_false(dsp_job_failure_read(
        parse("{\"items\":[{\"metadata\":{\"name\":\"p\"},\"status\":{\"phase\":\"Running\"}}]}"), &arena, &f));
    assert_false(dsp_job_failure_read(parse("{\"kind\":\"Status\"}"), &arena, &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_is_base32_of_sha256),
        cmocka_unit_test(names_are_labels),
        cmocka_unit_test(label_values_are_cut_validly),
        cmocka_unit_test_setup_teardown(job_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_of_a_job_is_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(first_failed_container_is_found, setup, teardown),
    };

    return cmocka_run_group_tests_name("model_job", tests, NULL, NULL);
}
