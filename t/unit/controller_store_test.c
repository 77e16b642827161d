/*
 * What the store makes of lists, watches and our own writes.
 */
#include "unit.h"

#include "controller/store.h"
#include "model/jobname.h"

static dsp_store store;
static size_t    n_changed;
static char      last_changed[64];
static int64_t   clock_ms;

static void on_changed(void *context, dsp_execution *e)
{
    (void) context;
    n_changed++;
    snprintf(last_changed, sizeof(last_changed), "%.*s", DSP_STR_ARG(dsp_execution_uid(e)));
    assert_non_null(e->live);
}

static int64_t now(void *context)
{
    (void) context;
    return clock_ms;
}

static int setup(void **state)
{
    (void) state;
    dsp_store_init(&store);
    store.changed = on_changed;
    store.now_ms = now;
    n_changed = 0;
    for (int k = 0; k < DSP_KINDS; k++) {
        dsp_store_synced(&store, (enum dsp_kind) k);
    }
    return 0;
}

static int teardown(void **state)
{
    (void) state;
    dsp_store_free(&store);
    return 0;
}

static dsp_json parse(const char *text)
{
    dsp_json value;

    if (!dsp_json_parse(dsp_str_from(text), &value, NULL)) {
        fail_msg("%s", text);
    }
    return value;
}

static const char *je(const char *name, const char *uid, int rv, const char *status)
{
    static char text[1024];

    snprintf(text, sizeof(text),
             "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"uid\":\"%s\",\"resourceVersion\":\"%d\"},\"spec\":{"
             "\"jobTemplateName\":\"t\"},"
             "\"status\":{%s}}",
             name, uid, rv, status);
    return text;
}

#define SUCCEEDED                                                                                                      \
    "\"job\":{\"name\":\"j\",\"uid\":\"ju\"},\"conditions\":[{\"type\":\"Succeeded\",\"status\":\"True\",\"reason\":"  \
    "\"JobSucceeded\"}]"
#define DELETED                                                                                                        \
    "\"job\":{\"name\":\"j\",\"uid\":\"ju\"},\"conditions\":[{\"type\":\"Succeeded\",\"status\":\"False\",\"reason\":" \
    "\"JobDeleted\"}]"

static const char *job(const char *name, const char *uid, const char *owner, int rv, const char *more)
{
    static char text[1024];

    snprintf(text, sizeof(text),
             "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"uid\":\"%s\",\"resourceVersion\":\"%d\",%"
             "s\"ownerReferences\":[{\"apiVersion\":"
             "\"dispatcher.ivan.vc/v1beta1\",\"kind\":\"JobExecution\",\"controller\":true,\"uid\":\"%s\"}]}}",
             name, uid, rv, more, owner);
    return text;
}

#define TTL "\"annotations\":{\"dispatcher.ivan.vc/ttl-seconds-after-finished\":\"5\"},"

static void put(enum dsp_kind kind, const char *text)
{
    assert_true(dsp_store_put(&store, kind, parse(text)));
}

static void drop(enum dsp_kind kind, const char *text)
{
    assert_true(dsp_store_drop(&store, kind, parse(text)));
}

#define EXECUTION DSP_KIND_EXECUTION
#define JOB DSP_KIND_JOB
#define TEMPLATE DSP_KIND_TEMPLATE

static dsp_execution *find(const char *uid)
{
    return dsp_store_find_uid(&store, dsp_str_from(uid));
}

static void an_execution_is_found_both_ways(void **state)
{
    (void) state;
    put(EXECUTION, je("a", "u1", 5, ""));
    assert_int_equal(n_changed, 1);
    assert_ptr_equal(find("u1"), dsp_store_find_key(&store, DSP_STR("ns"), DSP_STR("a")));
    assert_str(dsp_execution_name(find("u1")), "a");
    assert_str(dsp_execution_ns(find("u1")), "ns");
    assert_str(find("u1")->live->je->template_name, "t");
    assert_null(dsp_store_find_key(&store, DSP_STR("ns"), DSP_STR("b")));
}

static void old_news_are_ignored(void **state)
{
    (void) state;
    put(EXECUTION, je("a", "u1", 9, SUCCEEDED));
    assert_true(find("u1")->finished);
    put(EXECUTION, je("a", "u1", 8, ""));
    put(EXECUTION, je("a", "u1", 9, ""));
    assert_true(find("u1")->finished);
    put(EXECUTION, je("a", "u1", 100, "")); /* numbers, not text */
    assert_false(find("u1")->finished);
}

static void a_finished_one_is_asleep(void **state)
{
    (void) state;
    put(JOB, job("j", "ju", "u1", 3, ""));
    put(EXECUTION, je("a", "u1", 9, SUCCEEDED));
    dsp_store_settle(&store, find("u1"));
    assert_null(find("u1")->live);
    n_changed = 0;
    put(EXECUTION, je("a", "u1", 10, SUCCEEDED)); /* a label was edited, say */
    put(JOB, job("j", "ju", "u1", 4, ""));
    assert_int_equal(n_changed, 0);
    assert_null(find("u1")->live);
    drop(JOB, job("j", "ju", "u1", 11, ""));
    assert_int_equal(n_changed, 1);
    assert_int_equal(find("u1")->job_known, DSP_JOB_DOUBTFUL);
    assert_str(find("u1")->live->je->job_name, "j");
    assert_str(find("u1")->live->je->job_uid, "ju");
    assert_true(dsp_jobexecution_finished(find("u1")->live->je));
}

static void a_finished_one_wakes_for_its_ttl(void **state)
{
    (void) state;
    put(EXECUTION, je("a", "u1", 9, SUCCEEDED));
    if (find("u1")->live != NULL) {
        find("u1")->job_known = DSP_JOB_PRESENT;
        dsp_store_settle(&store, find("u1"));
    }
    put(JOB, job("j", "ju", "u1", 3, TTL));
    assert_non_null(find("u1")->live);
    assert_int_equal(find("u1")->live->job->ttl_wanted, 5);
}

static void one_that_reports_its_deleted_job_stays_asleep(void **state)
{
    (void) state;
    put(EXECUTION, je("a", "u1", 9, DELETED));
    assert_null(find("u1")->live);
    assert_int_equal(n_changed, 0);
}

static void a_usual_job_name_costs_nothing(void **state)
{
    char name[DSP_JOB_NAME_MAX + 1], status[512];

    (void) state;
    dsp_job_name(DSP_STR("a"), DSP_STR("u1"), name);
    snprintf(status, sizeof(status),
             "\"job\":{\"name\":\"%s\",\"uid\":\"ju\"},\"conditions\":[{\"type\":\"Succeeded\",\"status\":\"True\"}]",
             name);
    put(JOB, job(name, "ju", "u1", 3, ""));
    put(EXECUTION, je("a", "u1", 9, status));
    assert_int_equal(find("u1")->job_name_len, 0);
    dsp_store_settle(&store, find("u1"));
    drop(JOB, job(name, "ju", "u1", 11, ""));
    assert_str(find("u1")->live->je->job_name, name);
}

static void a_job_may_come_first(void **state)
{
    dsp_view v;

    (void) state;
    clock_ms = 50;
    put(JOB, job("j", "ju", "u1", 3, ""));
    assert_non_null(find("u1"));
    assert_null(find("u1")->live->je);
    put(EXECUTION, je("a", "u1", 5, ""));
    v = dsp_store_view(&store, find("u1"), 1000000, 60);
    assert_int_equal(v.job_known, DSP_JOB_PRESENT);
    assert_str(v.job->name, "j");
    assert_int_equal(v.job_seen_us, 1000000 - 10000);
}

static void jobs_of_others_do_not_count(void **state)
{
    (void) state;
    put(JOB, "{\"metadata\":{\"name\":\"j\",\"namespace\":\"ns\",\"uid\":\"x\",\"resourceVersion\":\"1\"}}");
    assert_int_equal(store.by_uid.len, 0);
    put(EXECUTION, je("a", "u1", 5, "\"job\":{\"name\":\"j\",\"uid\":\"ju\"}"));
    put(JOB, job("k", "second", "u1", 3, ""));
    assert_int_not_equal(find("u1")->job_known, DSP_JOB_PRESENT);
    put(JOB, job("j", "ju", "u1", 3, ""));
    assert_int_equal(find("u1")->job_known, DSP_JOB_PRESENT);
    drop(JOB, job("k", "second", "u1", 9, ""));
    assert_int_equal(find("u1")->job_known, DSP_JOB_PRESENT);
}

/* Two Jobs of one JobExecution, and the one that was seen first is not the one that somebody recorded. */
static void the_recorded_job_is_the_one(void **state)
{
    (void) state;
    put(EXECUTION, je("a", "u1", 5, ""));
    put(JOB, job("k", "second", "u1", 9, ""));
    put(EXECUTION, je("a", "u1", 10, "\"job\":{\"name\":\"j\",\"uid\":\"ju\"}"));
    assert_int_not_equal(find("u1")->job_known, DSP_JOB_PRESENT);
    put(JOB, job("k", "second", "u1", 11, ""));
    assert_int_not_equal(find("u1")->job_known, DSP_JOB_PRESENT);
    put(JOB, job("j", "ju", "u1", 7, "")); /* older than the other one was */
    assert_int_equal(find("u1")->job_known, DSP_JOB_PRESENT);
    assert_true(dsp_str_is(find("u1")->live->job->uid, "ju"));
}

static void an_execution_goes_before_its_job(void **state)
{
    (void) state;
    put(EXECUTION, je("a", "u1", 5, "\"job\":{\"name\":\"j\",\"uid\":\"ju\"}"));
    put(JOB, job("j", "ju", "u1", 3, ""));
    drop(EXECUTION, je("a", "u1", 6, ""));
    assert_null(dsp_store_find_key(&store, DSP_STR("ns"), DSP_STR("a")));
    assert_non_null(find("u1"));
    dsp_store_settle(&store, find("u1"));
    drop(JOB, job("j", "ju", "u1", 7, ""));
    dsp_store_settle(&store, find("u1"));
    assert_null(find("u1"));
    assert_int_equal(store.n_lives, 0);
}

static void the_same_name_with_another_uid_is_another(void **state)
{
    (void) state;
    put(EXECUTION, je("a", "u1", 5, ""));
    put(EXECUTION, je("a", "u2", 7, ""));
    assert_ptr_equal(dsp_store_find_key(&store, DSP_STR("ns"), DSP_STR("a")), find("u2"));
    assert_null(find("u1")->live->je);
    dsp_store_settle(&store, find("u1"));
    assert_null(find("u1"));
}

static void a_list_replaces(void **state)
{
    (void) state;
    put(EXECUTION, je("a", "u1", 5, ""));
    put(EXECUTION, je("b", "u2", 6, ""));
    put(JOB, job("j1", "ju1", "u1", 3, ""));
    put(JOB, job("j2", "ju2", "u2", 4, ""));
    dsp_store_replace_begin(&store, EXECUTION, DSP_STR(""));
    put(EXECUTION, je("b", "u2", 6, ""));
    assert_true(dsp_store_replace_end(&store, EXECUTION, DSP_STR("")));
    assert_null(dsp_store_find_key(&store, DSP_STR("ns"), DSP_STR("a")));
    assert_non_null(dsp_store_find_key(&store, DSP_STR("ns"), DSP_STR("b")));
    dsp_store_replace_begin(&store, JOB, DSP_STR("other"));
    assert_true(dsp_store_replace_end(&store, JOB, DSP_STR("other")));
    assert_int_equal(find("u2")->job_known, DSP_JOB_PRESENT);
    dsp_store_replace_begin(&store, JOB, DSP_STR("ns"));
    assert_true(dsp_store_replace_end(&store, JOB, DSP_STR("ns")));
    assert_int_equal(find("u2")->job_known, DSP_JOB_DOUBTFUL);
    assert_str(find("u2")->live->job->name, "j2"); /* what was seen last stays */
    /* a broken list: begin without end, and again */
    dsp_store_replace_begin(&store, EXECUTION, DSP_STR(""));
    dsp_store_replace_begin(&store, EXECUTION, DSP_STR(""));
    put(EXECUTION, je("b", "u2", 6, ""));
    assert_true(dsp_store_replace_end(&store, EXECUTION, DSP_STR("")));
    assert_non_null(dsp_store_find_key(&store, DSP_STR("ns"), DSP_STR("b")));
}

/* Of a Job whose JobExecution is gone, the namespace is the Job's. */
static void a_list_of_a_namespace_replaces_jobs_without_execution(void **state)
{
    (void) state;
    put(JOB, job("j", "ju", "u1", 3, ""));
    put(JOB, "{\"metadata\":{\"name\":\"j\",\"namespace\":\"other\",\"uid\":\"ou\",\"resourceVersion\":\"4\","
             "\"ownerReferences\":[{\"apiVersion\":\"dispatcher.ivan.vc/v1beta1\",\"kind\":\"JobExecution\",\"controller\":true,"
             "\"uid\":\"u2\"}]}}");
    dsp_store_replace_begin(&store, JOB, DSP_STR("ns"));
    assert_true(dsp_store_replace_end(&store, JOB, DSP_STR("ns")));
    if (find("u1") != NULL) {
        dsp_store_settle(&store, find("u1"));
    }
    assert_null(find("u1"));
    assert_non_null(find("u2"));
}

static void a_doubtful_job_is_brought_back_by_a_read(void **state)
{
    (void) state;
    put(EXECUTION, je("a", "u1", 5, ""));
    put(JOB, job("j", "ju", "u1", 3, ""));
    drop(JOB, job("j", "ju", "u1", 9, "")); /* its label was taken off */
    assert_int_equal(find("u1")->job_known, DSP_JOB_DOUBTFUL);
    put(JOB, job("j", "ju", "u1", 3, "")); /* a late event */
    assert_int_equal(find("u1")->job_known, DSP_JOB_DOUBTFUL);
    put(JOB, job("j", "ju", "u1", 9, ""));
    assert_int_equal(find("u1")->job_known, DSP_JOB_PRESENT);
    drop(JOB, job("j", "ju", "u1", 8, "")); /* an old deletion */
    assert_int_equal(find("u1")->job_known, DSP_JOB_PRESENT);
    dsp_store_job_gone(&store, find("u1"));
    assert_int_equal(find("u1")->job_known, DSP_JOB_GONE);
}

static void templates_wake_those_who_wait(void **state)
{
    dsp_view v;

    (void) state;
    put(EXECUTION, je("a", "u1", 5, ""));
    v = dsp_store_view(&store, find("u1"), 0, 0);
    assert_int_equal(v.template_known, DSP_TEMPLATE_ABSENT);
    n_changed = 0;
    put(TEMPLATE, "{\"metadata\":{\"name\":\"other\",\"namespace\":\"ns\",\"resourceVersion\":\"1\"}}");
    put(TEMPLATE, "{\"metadata\":{\"name\":\"t\",\"namespace\":\"elsewhere\",\"resourceVersion\":\"1\"}}");
    assert_int_equal(n_changed, 0);
    put(TEMPLATE, "{\"metadata\":{\"name\":\"t\",\"namespace\":\"ns\",\"resourceVersion\":\"2\"}}");
    assert_int_equal(n_changed, 1);
    v = dsp_store_view(&store, find("u1"), 0, 0);
    assert_int_equal(v.template_known, DSP_TEMPLATE_PRESENT);
    drop(TEMPLATE, "{\"metadata\":{\"name\":\"t\",\"namespace\":\"ns\",\"resourceVersion\":\"1\"}}"); /* old */
    assert_non_null(dsp_store_template(&store, find("u1")->live->je).data);
    drop(TEMPLATE, "{\"metadata\":{\"name\":\"t\",\"namespace\":\"ns\",\"resourceVersion\":\"3\"}}");
    assert_null(dsp_store_template(&store, find("u1")->live->je).data);
}

static void a_name_that_becomes_free_wakes_the_next(void **state)
{
    (void) state;
    put(EXECUTION, je("a", "u1", 5, ""));
    put(EXECUTION, je("b", "u2", 6, ""));
    put(JOB, job("only", "ju", "u1", 3, ""));
    assert_true(dsp_store_attempt(&store, find("u2"), DSP_ATTEMPT_WAITING, DSP_STR("only"), DSP_STR("JobNameConflict"),
                                  DSP_STR("m")));
    find("u2")->live->create_ms = 1000;
    drop(JOB, job("only", "ju", "u1", 9, ""));
    assert_int_equal(find("u2")->live->create_ms, 0);
    assert_true(dsp_store_attempt(&store, find("u2"), DSP_ATTEMPT_NONE, DSP_STR(""), DSP_STR(""), DSP_STR("")));
    assert_int_equal(store.n_conflicts, 0);
}

static void garbage_does_no_harm(void **state)
{
    static const char *const texts[] = {
        "{}", "[]", "null", "{\"metadata\":{\"name\":1}}", "{\"metadata\":{\"name\":\"x\"}}", "7"
    };

    (void) state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        for (int k = 0; k < DSP_KINDS; k++) {
            put((enum dsp_kind) k, texts[i]);
            drop((enum dsp_kind) k, texts[i]);
        }
    }
    assert_int_equal(store.by_uid.len, 0);
}

/* Whoever may create Jobs writes their labels and owner references: no such text may end the process. */
static void overlong_texts_are_passed_over(void **state)
{
    static char uid[301], text[80000], name[70001];

    (void) state;
    memset(uid, 'u', 300);
    uid[300] = '\0';
    assert_true(dsp_store_put(&store, DSP_KIND_JOB, parse(job("j", "ju", uid, 5, ""))));
    assert_null(dsp_store_find_uid(&store, dsp_str_from(uid)));
    assert_true(dsp_store_put(&store, DSP_KIND_JOB, parse(job("j", uid, "owner", 5, ""))));
    snprintf(text, sizeof(text),
             "{\"metadata\":{\"name\":\"a\",\"namespace\":\"ns\",\"uid\":\"ua\",\"resourceVersion\":\"6\"},"
             "\"spec\":{\"jobTemplateName\":\"t\"},\"status\":{\"job\":{\"name\":\"j\",\"uid\":\"%s\"}}}",
             uid);
    assert_true(dsp_store_put(&store, DSP_KIND_EXECUTION, parse(text)));
    memset(name, 'n', 70000);
    name[70000] = '\0';
    snprintf(text, sizeof(text),
             "{\"metadata\":{\"name\":\"b\",\"namespace\":\"ns\",\"uid\":\"ub\",\"resourceVersion\":\"7\"},"
             "\"spec\":{\"jobTemplateName\":\"t\"},\"status\":{\"job\":{\"name\":\"%s\",\"uid\":\"ju\"}}}",
             name);
    assert_true(dsp_store_put(&store, DSP_KIND_EXECUTION, parse(text)));
    assert_true(dsp_store_drop(&store, DSP_KIND_JOB, parse(job("j", "ju", uid, 9, ""))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_execution_is_found_both_ways, setup, teardown),
        cmocka_unit_test_setup_teardown(old_news_are_ignored, setup, teardown),
        cmocka_unit_test_setup_teardown(a_finished_one_is_asleep, setup, teardown),
        cmocka_unit_test_setup_teardown(a_finished_one_wakes_for_its_ttl, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_reports_its_deleted_job_stays_asleep, setup, teardown),
        cmocka_unit_test_setup_teardown(a_usual_job_name_costs_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_job_may_come_first, setup, teardown),
        cmocka_unit_test_setup_teardown(jobs_of_others_do_not_count, setup, teardown),
        cmocka_unit_test_setup_teardown(the_recorded_job_is_the_one, setup, teardown),
        cmocka_unit_test_setup_teardown(an_execution_goes_before_its_job, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_name_with_another_uid_is_another, setup, teardown),
        cmocka_unit_test_setup_teardown(a_list_replaces, setup, teardown),
        cmocka_unit_test_setup_teardown(a_list_of_a_namespace_replaces_jobs_without_execution, setup, teardown),
        cmocka_unit_test_setup_teardown(a_doubtful_job_is_brought_back_by_a_read, setup, teardown),
        cmocka_unit_test_setup_teardown(templates_wake_those_who_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_that_becomes_free_wakes_the_next, setup, teardown),
        cmocka_unit_test_setup_teardown(overlong_texts_are_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(garbage_does_no_harm, setup, teardown),
    };

    return cmocka_run_group_tests_name("controller_store", tests, NULL, NULL);
}
