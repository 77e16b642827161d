/*
 * Reading the three kinds, the conditions' rules, the status patch.
 */
#include "unit.h"

#include "base/clock.h"
#include "model/jobexecution.h"
#include "model/jobtemplate.h"
#include "model/object.h"

#define T0 1000000000000000 /* 2001-09-09T01:46:40Z */

static dsp_arena arena;

static dsp_json parse(const char *text)
{
    dsp_json       value;
    dsp_json_error err;

    if (!dsp_json_parse(dsp_str_from(text), &value, &err)) {
        fail_msg("%s at %zu of %s", err.message, err.offset, text);
    }
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

static void transition_time_moves_with_status_only(void **state)
{
    dsp_conditions c = { 0 };

    (void) state;
    dsp_condition_set(&c, DSP_WAITING, DSP_COND_TRUE, DSP_STR("JobCreated"), DSP_STR("a"), 5);
    assert_int_equal(c.of[DSP_WAITING].since_us, 5);
    dsp_condition_set(&c, DSP_WAITING, DSP_COND_TRUE, DSP_STR("Suspended"), DSP_STR("b"), 9);
    assert_int_equal(c.of[DSP_WAITING].since_us, 5);
    assert_str(c.of[DSP_WAITING].reason, "Suspended");
    assert_str(c.of[DSP_WAITING].message, "b");
    dsp_condition_set(&c, DSP_WAITING, DSP_COND_FALSE, DSP_STR("JobRunning"), DSP_STR(""), 10);
    assert_int_equal(c.of[DSP_WAITING].since_us, 10);
}

static void equality_ignores_times(void **state)
{
    dsp_conditions a = { 0 }, b = { 0 };

    (void) state;
    dsp_condition_set(&a, DSP_RUNNING, DSP_COND_TRUE, DSP_STR("JobRunning"), DSP_STR("m"), 5);
    dsp_condition_set(&b, DSP_RUNNING, DSP_COND_TRUE, DSP_STR("JobRunning"), DSP_STR("m"), 6);
    assert_true(dsp_conditions_equal(&a, &b));
    dsp_condition_set(&b, DSP_RUNNING, DSP_COND_TRUE, DSP_STR("JobRunning"), DSP_STR("n"), 6);
    assert_false(dsp_conditions_equal(&a, &b));
}

static void conditions_of_others_survive(void **state)
{
    const char *stored =
        "[{\"type\":\"Ready\",\"n\":9007199254740993},"
        "{\"type\":\"Waiting\",\"status\":\"True\",\"reason\":\"JobCreated\",\"message\":\"m\","
        "\"lastTransitionTime\":\"2001-09-09T01:46:40Z\",\"observedGeneration\":1}, {\"type\" : \"X\"}]";
    dsp_conditions c;
    dsp_buf        out;

    (void) state;
    dsp_buf_init(&out, 4096);
    assert_true(dsp_conditions_read(parse(stored), &arena, &c));
    assert_int_equal(c.of[DSP_WAITING].since_us, T0);
    assert_int_equal(c.of[DSP_RUNNING].status, DSP_COND_ABSENT);
    dsp_condition_set(&c, DSP_WAITING, DSP_COND_FALSE, DSP_STR("JobRunning"), DSP_STR("r"), T0 + 1000000);
    dsp_condition_set(&c, DSP_RUNNING, DSP_COND_TRUE, DSP_STR("JobRunning"), DSP_STR("\"r\""), T0 + 1999999);
    dsp_conditions_write(&out, parse(stored), &c);
    assert_string_equal(dsp_buf_cstr(&out),
                        "[{\"type\":\"Ready\",\"n\":9007199254740993},"
                        "{\"type\":\"Waiting\",\"status\":\"False\",\"reason\":\"JobRunning\",\"message\":\"r\","
                        "\"lastTransitionTime\":\"2001-09-09T01:46:41Z\"},{\"type\" : \"X\"},"
                        "{\"type\":\"Running\",\"status\":\"True\",\"reason\":\"JobRunning\",\"message\":\"\\\"r\\\"\","
                        "\"lastTransitionTime\":\"2001-09-09T01:46:41Z\"}]");
    dsp_buf_free(&out);
}

static void unusable_conditions_count_as_absent(void **state)
{
    dsp_conditions c;

    (void) state;
    assert_true(dsp_conditions_read(parse("[{\"type\":\"Waiting\",\"status\":\"Maybe\"},7,null,{\"type\":3},"
                                          "{\"type\":\"Running\",\"status\":\"True\"},"
                                          "{\"type\":\"Running\",\"status\":\"False\",\"reason\":5}]"),
                                    &arena, &c));
    assert_int_equal(c.of[DSP_WAITING].status, DSP_COND_ABSENT);
    assert_int_equal(c.of[DSP_RUNNING].status, DSP_COND_FALSE);
    assert_int_equal(c.of[DSP_RUNNING].reason.len, 0);
    assert_true(dsp_conditions_read(parse("{\"type\":\"Waiting\"}"), &arena, &c));
    assert_int_equal(c.of[DSP_WAITING].status, DSP_COND_ABSENT);
}

static void reasons_are_checked_and_messages_cut(void **state)
{
    dsp_conditions c = { 0 };
    dsp_buf        out;
    size_t         len = DSP_CONDITION_MAX_MESSAGE + 10;
    char          *text = malloc(len);
    dsp_conditions back;

    (void) state;
    assert_true(dsp_condition_reason_ok(DSP_STR("A_1,b:c")));
    assert_false(dsp_condition_reason_ok(DSP_STR("")));
    assert_false(dsp_condition_reason_ok(DSP_STR("1a")));
    assert_false(dsp_condition_reason_ok(DSP_STR("a:")));
    assert_false(dsp_condition_reason_ok(DSP_STR("a-b")));

    assert_non_null(text);
    memset(text, 'a', len);
    memcpy(text + DSP_CONDITION_MAX_MESSAGE - 1, "\xc3\xa9", 2); /* one rune over the edge */
    dsp_condition_set(&c, DSP_WAITING, DSP_COND_TRUE, DSP_STR("not ok"), (dsp_str){ text, len }, T0);
    dsp_buf_init(&out, 1 << 20);
    dsp_conditions_write(&out, (dsp_json){ NULL, 0 }, &c);
    assert_true(dsp_conditions_read(parse(dsp_buf_cstr(&out)), &arena, &back));
    assert_str(back.of[DSP_WAITING].reason, "Unknown");
    assert_int_equal(back.of[DSP_WAITING].message.len, DSP_CONDITION_MAX_MESSAGE - 1);
    assert_true(dsp_conditions_equal(&c, &back)); /* else it would be written again and again */

    dsp_jobexecution        stored = { .name = DSP_STR("je") };
    dsp_jobexecution_status status = { .failure_reason = DSP_STR("InvalidJob"), .failure_message = { text, len } };
    dsp_buf_reset(&out);
    dsp_jobexecution_status_patch(&out, &stored, &status);
    assert_true(out.len < DSP_CONDITION_MAX_MESSAGE + 1000);
    dsp_buf_free(&out);
    free(text);
}

static const char je_text[] =
    "{\"metadata\":{\"name\":\"je\",\"namespace\":\"ns\",\"uid\":\"u1\",\"resourceVersion\":\"41\","
    "\"creationTimestamp\":\"2001-09-09T01:46:40Z\"},\"spec\":{\"jobTemplateName\":\"t\",\"payload\":\"a\\nb\"},"
    "\"status\":{\"job\":{\"name\":\"j\",\"uid\":\"ju\"},\"conditions\":[{\"type\":\"Succeeded\",\"status\":\"False\","
    "\"reason\":\"JobFailed\",\"message\":\"x\\ty\"}]}}";

static void jobexecution_is_read(void **state)
{
    dsp_jobexecution  je, bare;
    dsp_jobexecution *copy;

    (void) state;
    assert_true(dsp_jobexecution_read(parse(je_text), &arena, &je));
    copy = dsp_jobexecution_dup(&je);
    assert_non_null(copy);
    assert_str(copy->ns, "ns");
    assert_str(copy->name, "je");
    assert_str(copy->uid, "u1");
    assert_str(copy->resource_version, "41");
    assert_int_equal(copy->created_us, T0);
    assert_false(copy->deleting);
    assert_str(copy->template_name, "t");
    assert_str(copy->payload, "\"a\\nb\"");
    assert_str(copy->job_name, "j");
    assert_str(copy->job_uid, "ju");
    assert_str(copy->conditions.of[DSP_SUCCEEDED].message, "x\ty");
    assert_true(dsp_jobexecution_finished(copy));
    free(copy);

    assert_true(dsp_jobexecution_read(parse("{\"metadata\":{\"name\":\"n\",\"uid\":\"u\",\"deletionTimestamp\":"
                                            "\"2001-09-09T01:46:40Z\"},\"spec\":{\"payload\":null}}"),
                                      &arena, &bare));
    assert_true(bare.deleting);
    assert_null(bare.payload.data);
    assert_int_equal(bare.template_name.len, 0);
    assert_false(dsp_jobexecution_finished(&bare));
    assert_false(dsp_jobexecution_read(parse("{\"metadata\":{\"name\":\"n\"}}"), &arena, &bare));
    assert_false(dsp_jobexecution_read(parse("[1]"), &arena, &bare));
}

static void status_patch_is_complete(void **state)
{
    dsp_jobexecution        je;
    dsp_jobexecution_status s = { .attempts = -1 };
    dsp_buf                 out;

    (void) state;
    dsp_buf_init(&out, 65536);
    assert_true(dsp_jobexecution_read(parse("{\"metadata\":{\"name\":\"je\",\"namespace\":\"ns\",\"uid\":\"u\","
                                            "\"resourceVersion\":\"41\"}}"),
                                      &arena, &je));
    dsp_condition_set(&s.conditions, DSP_WAITING, DSP_COND_UNKNOWN, DSP_STR("Reconciling"), DSP_STR(""), T0);
    dsp_jobexecution_status_patch(&out, &je, &s);
    assert_string_equal(dsp_buf_cstr(&out),
                        "{\"metadata\":{\"resourceVersion\":\"41\"},\"status\":{\"conditions\":[{\"type\":\"Waiting\","
                        "\"status\":\"Unknown\",\"reason\":\"Reconciling\",\"message\":\"\",\"lastTransitionTime\":"
                        "\"2001-09-09T01:46:40Z\"}],\"state\":\"Waiting\",\"reason\":\"Reconciling\"}}");
    dsp_buf_reset(&out);
    s = (dsp_jobexecution_status){
        .job_name = DSP_STR("j"),
        .job_uid = DSP_STR("ju"),
        .start_us = T0,
        .completion_us = T0 + 2000000,
        .attempts = 3,
        .failure_reason = DSP_STR("BackoffLimitExceeded"),
        .failure_message = DSP_STR("no \"luck\""),
        .failure = { .pod = DSP_STR("p"), .container = DSP_STR("c"), .reason = DSP_STR("OOMKilled"), .exit_code = 137 }
    };
    dsp_jobexecution_status_patch(&out, &je, &s);
    assert_string_equal(
        dsp_buf_cstr(&out),
        "{\"metadata\":{\"resourceVersion\":\"41\"},\"status\":{\"conditions\":[],\"job\":{\"apiVersion\":\"batch/v1\","
        "\"kind\":\"Job\",\"namespace\":\"ns\",\"name\":\"j\",\"uid\":\"ju\"},\"startTime\":\"2001-09-09T01:46:40Z\","
        "\"completionTime\":\"2001-09-09T01:46:42Z\",\"attempts\":3,\"failure\":{\"reason\":\"BackoffLimitExceeded\","
        "\"message\":\"no \\\"luck\\\"\",\"pod\":\"p\",\"container\":\"c\",\"containerReason\":\"OOMKilled\","
        "\"exitCode\":137}}}");
    dsp_buf_free(&out);
}

static void patched_state(const dsp_jobexecution *je, dsp_jobexecution_status *s, const char *expected)
{
    dsp_buf out;

    dsp_buf_init(&out, 65536);
    dsp_jobexecution_status_patch(&out, je, s);
    const char *found = strstr(dsp_buf_cstr(&out), "\"state\"");
    assert_non_null(found);
    assert_string_equal(found, expected);
    dsp_buf_free(&out);
}

static void state_says_the_conditions_in_one_word(void **state)
{
    dsp_jobexecution        je;
    dsp_jobexecution_status s = { .attempts = -1 };

    (void) state;
    assert_true(dsp_jobexecution_read(parse("{\"metadata\":{\"name\":\"je\",\"uid\":\"u\"}}"), &arena, &je));
    dsp_condition_set(&s.conditions, DSP_WAITING, DSP_COND_TRUE, DSP_STR("JobCreated"), DSP_STR(""), T0);
    patched_state(&je, &s, "\"state\":\"Waiting\",\"reason\":\"JobCreated\"}}");
    dsp_condition_set(&s.conditions, DSP_WAITING, DSP_COND_FALSE, DSP_STR("JobRunning"), DSP_STR(""), T0);
    dsp_condition_set(&s.conditions, DSP_RUNNING, DSP_COND_TRUE, DSP_STR("not a reason"), DSP_STR(""), T0);
    patched_state(&je, &s, "\"state\":\"Running\",\"reason\":\"Unknown\"}}");
    dsp_condition_set(&s.conditions, DSP_SUCCEEDED, DSP_COND_FALSE, DSP_STR("DeadlineExceeded"), DSP_STR(""), T0);
    patched_state(&je, &s, "\"state\":\"Failed\",\"reason\":\"DeadlineExceeded\"}}");
    dsp_condition_set(&s.conditions, DSP_SUCCEEDED, DSP_COND_TRUE, DSP_STR("JobSucceeded"), DSP_STR(""), T0);
    patched_state(&je, &s, "\"state\":\"Succeeded\",\"reason\":\"JobSucceeded\"}}");
}

static void jobtemplate_is_read(void **state)
{
    dsp_jobtemplate jt;

    (void) state;
    assert_true(
        dsp_jobtemplate_read(parse("{\"metadata\":{\"name\":\"t\",\"namespace\":\"ns\",\"resourceVersion\":\"7\","
                                   "\"annotations\":{\"dispatcher.ivan.vc/expand-output\":\"true\"}},"
                                   "\"spec\":{\"jobTemplate\":{\"spec\": {\"x\":1e3}}}}"),
                             &arena, &jt));
    assert_str(jt.name, "t");
    assert_str(jt.job_template, "{\"spec\": {\"x\":1e3}}");
    assert_str(jt.resource_version, "7");
    assert_true(jt.expand_output);
    assert_true(dsp_jobtemplate_read(parse("{\"metadata\":{\"name\":\"t\",\"annotations\":"
                                           "{\"dispatcher.ivan.vc/expand-output\":\"yes\"}}}"),
                                     &arena, &jt));
    assert_false(jt.expand_output);
    assert_null(jt.job_template.data);
    assert_false(dsp_jobtemplate_read(parse("{}"), &arena, &jt));
}

static void resource_versions_compare_as_numbers(void **state)
{
    (void) state;
    assert_true(dsp_resource_version_cmp(DSP_STR("9"), DSP_STR("10")) < 0);
    assert_true(dsp_resource_version_cmp(DSP_STR("10"), DSP_STR("9")) > 0);
    assert_true(dsp_resource_version_cmp(DSP_STR("123"), DSP_STR("123")) == 0);
    assert_true(dsp_resource_version_cmp(DSP_STR("99999999999999999999999"), DSP_STR("100000000000000000000000")) < 0);
    assert_true(dsp_resource_version_cmp(DSP_STR(""), DSP_STR("1")) < 0);
    assert_true(dsp_resource_version_cmp(DSP_STR("x"), DSP_STR("0")) < 0);
    assert_true(dsp_resource_version_cmp(DSP_STR("x"), DSP_STR("")) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transition_time_moves_with_status_only),
        cmocka_unit_test(equality_ignores_times),
        cmocka_unit_test_setup_teardown(conditions_of_others_survive, setup, teardown),
        cmocka_unit_test_setup_teardown(unusable_conditions_count_as_absent, setup, teardown),
        cmocka_unit_test_setup_teardown(reasons_are_checked_and_messages_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(jobexecution_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(status_patch_is_complete, setup, teardown),
        cmocka_unit_test_setup_teardown(state_says_the_conditions_in_one_word, setup, teardown),
        cmocka_unit_test_setup_teardown(jobtemplate_is_read, setup, teardown),
        cmocka_unit_test(resource_versions_compare_as_numbers),
    };

    return cmocka_run_group_tests_name("model_jobexecution", tests, NULL, NULL);
}
