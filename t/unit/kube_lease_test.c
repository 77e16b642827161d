/* The rule of leader election, driven by hand; then the whole thing against a server that keeps one Lease. */
#include "kube_server.h"

#include "kube/lease.h"
#include "kube/lease_rule.h"

static kube_lease_rule rule(const char *identity)
{
    kube_lease_rule l = { .duration_ms = 15000, .renew_ms = 10000, .retry_ms = 2000 };

    snprintf(l.identity, sizeof(l.identity), "%s", identity);
    return l;
}

static kube_lease_record record(const char *holder, const char *version)
{
    kube_lease_record r = { .duration_ms = 15000, .transitions = 3, .acquired = "A", .renewed = "R" };

    snprintf(r.holder, sizeof(r.holder), "%s", holder);
    snprintf(r.version, sizeof(r.version), "%s", version);
    return r;
}

/* A rule that leads since `now`. */
static kube_lease_rule leader(int64_t now)
{
    kube_lease_rule   l = rule("me");
    kube_lease_record mine = record("me", "2");

    l.next_at = now;
    kube_lease_step(&l, KUBE_LEASE_TICK, NULL, now, 0);
    kube_lease_step(&l, KUBE_LEASE_MISSING, NULL, now, 0);
    assert_true(kube_lease_step(&l, KUBE_LEASE_FOUND, &mine, now, 0).started);
    return l;
}

static void takes_what_is_not_there(void **state)
{
    kube_lease_rule   l = rule("me");
    kube_lease_record mine = record("me", "1");
    kube_lease_output out = kube_lease_step(&l, KUBE_LEASE_TICK, NULL, 100, 0);

    (void) state;
    assert_int_equal(out.send, KUBE_LEASE_SEND_GET);
    out = kube_lease_step(&l, KUBE_LEASE_MISSING, NULL, 110, 0);
    assert_int_equal(out.send, KUBE_LEASE_SEND_POST);
    assert_string_equal(out.holder, "me");
    assert_int_equal(out.transitions, 0);
    assert_null(out.acquired);
    out = kube_lease_step(&l, KUBE_LEASE_FOUND, &mine, 120, 0);
    assert_true(out.started);
    assert_true(kube_lease_leads(&l, 120));
    assert_int_equal(out.wait_until, 2120);
    out = kube_lease_step(&l, KUBE_LEASE_TICK, NULL, 2120, 0);
    assert_int_equal(out.send, KUBE_LEASE_SEND_PUT); /* optimistic: no GET before it */
    assert_string_equal(out.acquired, "A");
    assert_int_equal(out.transitions, 3);
}

static void waits_until_anothers_lease_has_not_changed_for_its_duration(void **state)
{
    kube_lease_rule   l = rule("me");
    kube_lease_record other = record("other", "5");
    kube_lease_output out;

    (void) state;
    kube_lease_step(&l, KUBE_LEASE_TICK, NULL, 0, 0);
    out = kube_lease_step(&l, KUBE_LEASE_FOUND, &other, 10, 0xFFFFFFFF);
    assert_int_equal(out.send, KUBE_LEASE_SEND_NOTHING);
    assert_in_range(out.wait_until, 4300, 4410); /* 2.2 times the retry period at most */
    /* It is renewed at 14 s, so 15 s after the first sight it is still held. */
    snprintf(other.version, sizeof(other.version), "6");
    kube_lease_step(&l, KUBE_LEASE_TICK, NULL, 14000, 0);
    kube_lease_step(&l, KUBE_LEASE_FOUND, &other, 14010, 0);
    kube_lease_step(&l, KUBE_LEASE_TICK, NULL, 17000, 0);
    out = kube_lease_step(&l, KUBE_LEASE_FOUND, &other, 17010, 0);
    assert_int_equal(out.send, KUBE_LEASE_SEND_NOTHING);
    kube_lease_step(&l, KUBE_LEASE_TICK, NULL, 29000, 0);
    out = kube_lease_step(&l, KUBE_LEASE_FOUND, &other, 29010, 0);
    assert_int_equal(out.send, KUBE_LEASE_SEND_PUT);
    assert_int_equal(out.transitions, 4);
    assert_null(out.acquired);
}

static void takes_a_released_lease_at_once(void **state)
{
    kube_lease_rule   l = rule("me");
    kube_lease_record released = record("", "5");

    (void) state;
    kube_lease_step(&l, KUBE_LEASE_TICK, NULL, 0, 0);
    kube_lease_output out = kube_lease_step(&l, KUBE_LEASE_FOUND, &released, 10, 0);
    assert_int_equal(out.send, KUBE_LEASE_SEND_PUT);
    assert_int_equal(out.transitions, 4);
    /* Another was faster. */
    out = kube_lease_step(&l, KUBE_LEASE_CONFLICT, NULL, 20, 0);
    assert_int_equal(out.send, KUBE_LEASE_SEND_NOTHING);
    assert_false(l.leading);
}

static void a_failed_renewal_reads_at_once_and_renews(void **state)
{
    kube_lease_rule   l = leader(0);
    kube_lease_record mine = record("me", "9");

    (void) state;
    assert_int_equal(kube_lease_step(&l, KUBE_LEASE_TICK, NULL, 2000, 0).send, KUBE_LEASE_SEND_PUT);
    assert_int_equal(kube_lease_step(&l, KUBE_LEASE_FAILED, NULL, 2100, 0).send, KUBE_LEASE_SEND_GET);
    /* It had been stored: the answer was lost. */
    assert_int_equal(kube_lease_step(&l, KUBE_LEASE_FOUND, &mine, 2200, 0).send, KUBE_LEASE_SEND_PUT);
    snprintf(mine.version, sizeof(mine.version), "10");
    kube_lease_step(&l, KUBE_LEASE_FOUND, &mine, 2300, 0);
    assert_true(kube_lease_leads(&l, 12199)); /* counted from when the good one was sent */
    assert_false(kube_lease_leads(&l, 12200));
}

static void is_lost_when_no_renewal_is_confirmed(void **state)
{
    kube_lease_rule   l = leader(0);
    kube_lease_output out = { 0 };
    int64_t           now = 2000;

    (void) state;
    for (; now < 10000; now += 100) {
        out = kube_lease_step(&l, KUBE_LEASE_TICK, NULL, now, 0);
        assert_false(out.stopped);
        if (out.send != KUBE_LEASE_SEND_NOTHING) {
            out = kube_lease_step(&l, KUBE_LEASE_FAILED, NULL, now + 10, 0);
            assert_false(out.stopped);
        }
        assert_true(out.wait_until <= 10000);
    }
    out = kube_lease_step(&l, KUBE_LEASE_TICK, NULL, 10000, 0);
    assert_true(out.stopped);
    assert_true(out.over);
    assert_int_equal(l.state, KUBE_LEASE_OVER);
}

/* Frozen beyond the lease: the answer that waits in the socket must not make us lead again. */
static void an_answer_after_the_deadline_does_not_help(void **state)
{
    kube_lease_rule   l = leader(0);
    kube_lease_record mine = record("me", "3");

    (void) state;
    kube_lease_step(&l, KUBE_LEASE_TICK, NULL, 2000, 0);
    assert_false(kube_lease_leads(&l, 60000));
    kube_lease_output out = kube_lease_step(&l, KUBE_LEASE_FOUND, &mine, 60000, 0);
    assert_true(out.stopped);
    assert_false(out.started);
    assert_false(kube_lease_leads(&l, 60000));
}

static void a_late_first_answer_does_not_lead(void **state)
{
    kube_lease_rule   l = rule("me");
    kube_lease_record mine = record("me", "3");

    (void) state;
    kube_lease_step(&l, KUBE_LEASE_TICK, NULL, 0, 0);
    kube_lease_step(&l, KUBE_LEASE_MISSING, NULL, 1, 0);
    assert_false(kube_lease_step(&l, KUBE_LEASE_FOUND, &mine, 20000, 0).started);
    /* The next round finds it ours and renews it. */
    kube_lease_output out = kube_lease_step(&l, KUBE_LEASE_TICK, NULL, 30000, 0);
    assert_int_equal(out.send, KUBE_LEASE_SEND_GET);
    assert_int_equal(kube_lease_step(&l, KUBE_LEASE_FOUND, &mine, 30010, 0).send, KUBE_LEASE_SEND_PUT);
    assert_true(kube_lease_step(&l, KUBE_LEASE_FOUND, &mine, 30020, 0).started);
}

static void is_lost_when_another_holds_it(void **state)
{
    kube_lease_rule   l = leader(0);
    kube_lease_record other = record("other", "9");

    (void) state;
    kube_lease_step(&l, KUBE_LEASE_TICK, NULL, 2000, 0);
    kube_lease_step(&l, KUBE_LEASE_CONFLICT, NULL, 2010, 0);
    assert_true(kube_lease_step(&l, KUBE_LEASE_FOUND, &other, 2020, 0).stopped);
}

static void is_given_back(void **state)
{
    kube_lease_rule   l = leader(0);
    kube_lease_record empty = record("", "9"), mine = record("me", "8");
    kube_lease_output out = kube_lease_step(&l, KUBE_LEASE_RELEASE, NULL, 100, 0);

    (void) state;
    assert_true(out.stopped);
    assert_int_equal(out.send, KUBE_LEASE_SEND_PUT);
    assert_string_equal(out.holder, "");
    assert_int_equal(out.duration_ms, 1000);
    /* One more try after a conflict. */
    out = kube_lease_step(&l, KUBE_LEASE_CONFLICT, NULL, 110, 0);
    assert_int_equal(out.send, KUBE_LEASE_SEND_GET);
    out = kube_lease_step(&l, KUBE_LEASE_FOUND, &mine, 120, 0);
    assert_string_equal(out.holder, "");
    out = kube_lease_step(&l, KUBE_LEASE_FOUND, &empty, 130, 0);
    assert_true(out.over);
}

static void is_given_back_after_the_renewal_in_flight(void **state)
{
    kube_lease_rule   l = leader(0);
    kube_lease_record mine = record("me", "8");

    (void) state;
    kube_lease_step(&l, KUBE_LEASE_TICK, NULL, 2000, 0);
    kube_lease_output out = kube_lease_step(&l, KUBE_LEASE_RELEASE, NULL, 2010, 0);
    assert_true(out.stopped);
    assert_int_equal(out.send, KUBE_LEASE_SEND_NOTHING);
    out = kube_lease_step(&l, KUBE_LEASE_FOUND, &mine, 2020, 0);
    assert_false(out.started);
    assert_int_equal(out.send, KUBE_LEASE_SEND_PUT);
    assert_string_equal(out.holder, "");
}

static void a_candidate_that_ends_writes_nothing(void **state)
{
    kube_lease_rule   l = rule("me");
    kube_lease_record other = record("other", "8");

    (void) state;
    kube_lease_step(&l, KUBE_LEASE_TICK, NULL, 0, 0);
    kube_lease_step(&l, KUBE_LEASE_FOUND, &other, 10, 0);
    kube_lease_output out = kube_lease_step(&l, KUBE_LEASE_RELEASE, NULL, 20, 0);
    assert_true(out.over);
    assert_false(out.stopped);
    assert_int_equal(out.send, KUBE_LEASE_SEND_NOTHING);
}

/* --- against a server --- */

typedef struct fixture {
    char     spec[1024]; /* "" there is no Lease */
    int      version;
    unsigned puts;
    bool     frozen; /* nothing is answered */
} fixture;

typedef struct candidate {
    dsp_kube_client *client;
    dsp_lease       *lease;
    bool             leads;
    bool             stopped;
    bool             released;
    char             holder[64];
} candidate;

static fixture *f;

static void answer_lease(conn *c, int status)
{
    char body[2048];

    snprintf(body, sizeof(body),
             "{\"kind\":\"Lease\",\"metadata\":{\"name\":\"l\",\"namespace\":\"n\",\"labels\":{\"a\":\"b\"},"
             "\"resourceVersion\":\"%d\"},\"spec\":%s}",
             f->version, f->spec);
    reply(c, status, body);
}

static void handle(server *s, conn *c, const request *r)
{
    const char *spec = strstr(r->body, "\"spec\":");
    char        wanted[64];

    (void) s;
    if (f->frozen) {
        return;
    }
    if (strcmp(r->method, "GET") == 0 && f->spec[0] == '\0') {
        reply(c, 404, "{}");
        return;
    }
    if (strcmp(r->method, "GET") == 0) {
        answer_lease(c, 200);
        return;
    }
    snprintf(wanted, sizeof(wanted), "\"resourceVersion\":\"%d\"", f->version);
    bool post = strcmp(r->method, "POST") == 0;
    if (post ? f->spec[0] != '\0' : strstr(r->body, wanted) == NULL) {
        reply(c, 409, "{}");
        return;
    }
    if (!post) {
        assert_non_null(strstr(r->body, "\"labels\":{\"a\":\"b\"}"));
        f->puts++;
    }
    f->version++;
    snprintf(f->spec, sizeof(f->spec), "%.*s", (int) (strlen(spec) - 8), spec + 7);
    answer_lease(c, post ? 201 : 200);
}

static void on_started(void *arg)
{
    ((candidate *) arg)->leads = true;
}

static void on_stopped(void *arg)
{
    candidate *one = arg;

    one->leads = false;
    one->stopped = true;
}

static void on_holder(void *arg, const char *identity)
{
    candidate *one = arg;

    snprintf(one->holder, sizeof(one->holder), "%s", identity);
}

static void on_released(void *arg)
{
    ((candidate *) arg)->released = true;
}

static const dsp_lease_handler handler = { on_started, on_stopped, on_holder };

static candidate candidate_new(void)
{
    return (candidate){ .client = rig_client(rig_config("/t", "", ""), (dsp_kube_client_options){ 0 }) };
}

/* renew_ms: how long a loop that is starved may stand still without losing the lease. */
static void candidate_start(candidate *one, const char *identity, int64_t renew_ms)
{
    dsp_buf           err;
    dsp_lease_options options = { "n", "l", identity, (renew_ms / 1000 + 1) * 1000, renew_ms, 50 };

    dsp_buf_init(&err, 4096);
    one->lease = dsp_lease_new(one->client, &options, &handler, one, &err);
    assert_non_null(one->lease);
    dsp_lease_start(one->lease);
    dsp_buf_free(&err);
}

static void candidate_free(candidate *one)
{
    dsp_lease_free(one->lease);
    dsp_kube_client_free(one->client);
}

static void two_candidates_hand_over(void **state)
{
    candidate a = candidate_new(), b = candidate_new();

    (void) state;
    candidate_start(&a, "a", 15000);
    run_until(a.leads);
    assert_true(dsp_lease_is_leader(a.lease));
    candidate_start(&b, "b", 15000);
    run_until(strcmp(b.holder, "a") == 0);
    run_until(f->puts > 3);
    assert_false(b.leads);
    dsp_lease_release(a.lease, on_released, &a);
    run_until(a.released && b.leads);
    assert_true(a.stopped);
    assert_false(dsp_lease_is_leader(a.lease));
    assert_non_null(strstr(f->spec, "\"holderIdentity\":\"b\""));
    assert_non_null(strstr(f->spec, "\"leaseTransitions\":1"));
    candidate_free(&a);
    candidate_free(&b);
}

static void a_silent_server_ends_it(void **state)
{
    candidate a = candidate_new();

    (void) state;
    candidate_start(&a, "a", 600);
    run_until(a.leads);
    f->frozen = true;
    run_until(a.stopped);
    assert_false(dsp_lease_is_leader(a.lease));
    candidate_free(&a);
}

static void a_release_of_nothing_says_so(void **state)
{
    candidate a = candidate_new();

    (void) state;
    f->frozen = true;
    candidate_start(&a, "a", 600);
    dsp_lease_release(a.lease, on_released, &a);
    run_until(a.released);
    candidate_free(&a);
}

static void settings_must_fit(void **state)
{
    candidate         a = candidate_new();
    dsp_buf           err;
    dsp_lease_options options = { "n", "l", "me", 10000, 10000, 2000 };

    (void) state;
    dsp_buf_init(&err, 4096);
    assert_null(dsp_lease_new(a.client, &options, &handler, &a, &err));
    assert_true(err.len > 0);
    dsp_buf_free(&err);
    candidate_free(&a);
}

static void identities_differ(void **state)
{
    dsp_buf a, b;

    (void) state;
    dsp_buf_init(&a, 1024);
    dsp_buf_init(&b, 1024);
    assert_true(dsp_lease_identity(&a, &dsp_kube_env_system));
    assert_true(dsp_lease_identity(&b, &dsp_kube_env_system));
    assert_string_not_equal(dsp_buf_cstr(&a), dsp_buf_cstr(&b));
    assert_non_null(strchr(dsp_buf_cstr(&a), '_'));
    dsp_buf_free(&a);
    dsp_buf_free(&b);
}

static int setup(void **state)
{
    (void) state;
    f = calloc(1, sizeof(*f));
    rig_open(handle);
    return 0;
}

static int teardown(void **state)
{
    (void) state;
    rig_close();
    free(f);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_is_not_there),
        cmocka_unit_test(waits_until_anothers_lease_has_not_changed_for_its_duration),
        cmocka_unit_test(takes_a_released_lease_at_once),
        cmocka_unit_test(a_failed_renewal_reads_at_once_and_renews),
        cmocka_unit_test(is_lost_when_no_renewal_is_confirmed),
        cmocka_unit_test(an_answer_after_the_deadline_does_not_help),
        cmocka_unit_test(a_late_first_answer_does_not_lead),
        cmocka_unit_test(is_lost_when_another_holds_it),
        cmocka_unit_test(is_given_back),
        cmocka_unit_test(is_given_back_after_the_renewal_in_flight),
        cmocka_unit_test(a_candidate_that_ends_writes_nothing),
        CASE(two_candidates_hand_over),
        CASE(a_silent_server_ends_it),
        CASE(a_release_of_nothing_says_so),
        CASE(settings_must_fit),
        cmocka_unit_test(identities_differ),
    };

    return cmocka_run_group_tests(tests, curl_begin, curl_end);
}
