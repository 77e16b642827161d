/* The recorder of Events: what is stored, and that nothing waits for it. */
#include "kube_server.h"

#include "base/json.h"
#include "kube/events.h"

typedef struct fixture {
    dsp_recorder *recorder;
    char          target[512];
    char          body[8192];
    unsigned      n;
    const int    *statuses; /* one a request, 0: the connection is cut; the last one stays */
    bool          hold;
} fixture;

static fixture *f;

static void handle(server *s, conn *c, const request *r)
{
    int status = *f->statuses;

    (void) s;
    snprintf(f->target, sizeof(f->target), "%s", r->target);
    snprintf(f->body, sizeof(f->body), "%s", r->body);
    f->n++;
    if (f->statuses[1] != 0) {
        f->statuses++;
    }
    if (f->hold) {
        return;
    }
    if (status == -1) {
        conn_close(c);
    } else {
        reply(c, status, "{}");
    }
}

static const dsp_event_object object = {
    .api_version = { "g/v1", 4 },
    .kind = { "Thing", 5 },
    .namespace_ = { "a b", 3 },
    .name = { "My_thing", 8 },
    .uid = { "0123456789abcdef", 16 },
};

static void emit(const char *key)
{
    dsp_recorder_emit(f->recorder, &object, false, "Created", dsp_str_from(key), DSP_STR("it \"is\""));
}

static dsp_recorder_stats stats(void)
{
    return dsp_recorder_stats_get(f->recorder);
}

static void stores_an_event(void **state)
{
    dsp_json doc;

    (void) state;
    emit("Created");
    run_until(stats().sent == 1);
    assert_string_equal(f->target, "/api/v1/namespaces/a%20b/events");
    assert_true(dsp_json_parse(dsp_str_from(f->body), &doc, NULL));
    assert_str(dsp_json_path(doc, "metadata", "name", NULL), "\"my-thing.01234567.created\"");
    assert_str(dsp_json_path(doc, "metadata", "namespace", NULL), "\"a b\"");
    assert_str(dsp_json_path(doc, "involvedObject", "uid", NULL), "\"0123456789abcdef\"");
    assert_str(dsp_json_get(doc, "type"), "\"Normal\"");
    assert_str(dsp_json_get(doc, "reason"), "\"Created\"");
    assert_str(dsp_json_get(doc, "message"), "\"it \\\"is\\\"\"");
    assert_str(dsp_json_path(doc, "source", "component", NULL), "\"test\"");
    assert_str(dsp_json_get(doc, "reportingInstance"), "\"pod\"");
    assert_str(dsp_json_get(doc, "count"), "1");
}

static void an_event_that_is_there_is_stored(void **state)
{
    static const int statuses[] = { 409, 0 };

    (void) state;
    f->statuses = statuses;
    emit("x");
    run_until(stats().sent == 1);
    assert_int_equal(stats().failed, 0);
}

static void a_refusal_is_final(void **state)
{
    static const int statuses[] = { 403, 201, 0 };

    (void) state;
    f->statuses = statuses;
    emit("x");
    emit("y");
    run_until(stats().sent == 1);
    assert_int_equal(stats().failed, 1);
    assert_int_equal(f->n, 2);
}

static void trouble_is_tried_again(void **state)
{
    static const int statuses[] = { 503, -1, 201, 0 };

    (void) state;
    f->statuses = statuses;
    emit("x");
    run_until(stats().sent == 1);
    assert_int_equal(f->n, 3);
    assert_int_equal(stats().queued, 0);
}

static void the_queue_is_bounded(void **state)
{
    (void) state;
    f->hold = true;
    for (int i = 0; i < 20; i++) {
        emit("x");
    }
    assert_int_equal(stats().queued, 5);
    assert_int_equal(stats().dropped, 11); /* 4 are on their way */
}

static void none_while_off(void **state)
{
    (void) state;
    dsp_recorder_enable(f->recorder, false);
    emit("x");
    assert_int_equal(stats().queued, 0);
    assert_true(dsp_kube_client_is_idle(rig.client));
}

static void names_and_messages_fit(void **state)
{
    static char      name[300], message[2000];
    dsp_event_object long_ = object;
    dsp_json         doc;

    (void) state;
    memset(name, 'n', sizeof(name));
    memset(message, 'm', sizeof(message));
    message[1023] = '\xc3'; /* a letter of two bytes over the edge */
    message[1024] = '\xa9';
    long_.name = (dsp_str){ name, sizeof(name) };
    dsp_recorder_emit(f->recorder, &long_, true, "Failed", DSP_STR("failed"), (dsp_str){ message, sizeof(message) });
    run_until(stats().sent == 1);
    assert_true(dsp_json_parse(dsp_str_from(f->body), &doc, NULL));
    assert_int_equal(dsp_json_path(doc, "metadata", "name", NULL).len, 253 + 2);
    assert_int_equal(dsp_json_get(doc, "message").len, 1023 + 2);
    assert_str(dsp_json_get(doc, "type"), "\"Warning\"");
}

static int setup(void **state)
{
    static const int     created[] = { 201, 0 };
    dsp_recorder_options recorder = { "test", "pod", 5 };

    (void) state;
    f = calloc(1, sizeof(*f));
    f->statuses = created;
    rig_open(handle);
    rig.client = rig_client(rig_config("/t", "", ""), (dsp_kube_client_options){ 0 });
    f->recorder = dsp_recorder_new(rig.client, &recorder);
    return f->recorder == NULL;
}

static int teardown(void **state)
{
    (void) state;
    dsp_recorder_free(f->recorder);
    rig_close();
    free(f);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(stores_an_event),        CASE(an_event_that_is_there_is_stored),
        CASE(a_refusal_is_final),     CASE(trouble_is_tried_again),
        CASE(the_queue_is_bounded),   CASE(none_while_off),
        CASE(names_and_messages_fit),
    };

    return cmocka_run_group_tests(tests, curl_begin, curl_end);
}
