/* The transport's calls: what goes out, what comes of it, in which order. Plain http. */
#include "kube_server.h"

typedef struct fixture {
    char            order[256]; /* first letter of the path of each request, as the server got them */
    char            done[256];  /* the same, as they ended */
    dsp_kube_answer answer;     /* the last one; body and error are copied */
    char            body[4096];
    char            error[512];
    unsigned        answers;
    unsigned        observed;
    int             observed_status;
    conn           *held[64]; /* requests to /h…: not answered yet */
    unsigned        n_held;
    char            head[2048]; /* of the last request */
    char            got_body[2048];
} fixture;

static fixture *f;
static char     nobody[1];

static void handle(server *s, conn *c, const request *r)
{
    size_t      len = strlen(f->order);
    const char *what = r->target + 1;

    (void) s;
    snprintf(f->order + len, sizeof(f->order) - len, "%c", *what);
    snprintf(f->head, sizeof(f->head), "%s", r->head);
    snprintf(f->got_body, sizeof(f->got_body), "%s", r->body);
    if (*what == 'h') {
        f->held[f->n_held++] = c;
    } else if (strcmp(what, "cut-before") == 0) {
        conn_close(c);
    } else if (strcmp(what, "cut-body") == 0) {
        send_text(c, "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"a\":");
        conn_finish(c);
    } else if (strcmp(what, "nonsense") == 0) {
        send_text(c, "SSH-2.0-OpenSSH\r\n\r\n");
        conn_finish(c);
    } else if (strcmp(what, "busy") == 0) {
        reply_with(c, 429, "Retry-After: 7\r\n", "{}");
    } else if (strcmp(what, "busy-forever") == 0) {
        reply_with(c, 503, "Retry-After: 99999999\r\n", "{}");
    } else if (strcmp(what, "busy-body") == 0) {
        reply(c, 504, "{\"details\":{\"retryAfterSeconds\":3}}");
    } else if (strcmp(what, "stream") == 0) {
        stream_begin(c);
        conn_finish(c);
    } else if (strcmp(what, "long") == 0) {
        reply(c, 200, "0123456789");
    } else if (strcmp(what, "last") == 0) {
        /* Answered; the next request on this connection is read and then everything is gone. */
        reply(c, 200, "{}");
    } else if (strcmp(what, "vanish") == 0) {
        server_refuse(s);
        server_drop_all(s);
    } else {
        reply(c, 200, "{\"ok\":1}");
    }
}

static void on_done(void *arg, const dsp_kube_answer *answer)
{
    size_t len = strlen(f->done);

    snprintf(f->done + len, sizeof(f->done) - len, "%s", (const char *) arg);
    f->answer = *answer;
    snprintf(f->body, sizeof(f->body), "%.*s", DSP_STR_ARG(answer->body));
    snprintf(f->error, sizeof(f->error), "%s", answer->error != NULL ? answer->error : "");
    f->answers++;
}

static void observe(void *arg, enum dsp_kube_method method, int status, int64_t took_us)
{
    (void) arg;
    (void) method;
    (void) took_us;
    f->observed++;
    f->observed_status = status;
}

static void connect_with(dsp_kube_client_options options, const char *cluster)
{
    options.observe = observe;
    rig.client = rig_client(
        rig_config("/t", cluster, "token: SECRET, act-as: a, act-as-groups: [g, h], act-as-user-extra: {K/v: [x]}"),
        options);
}

static void connect_to(dsp_kube_client_options options)
{
    connect_with(options, "");
}

static dsp_kube_call *send_as(const char *path, enum dsp_kube_priority priority)
{
    static char      names[64][2];
    static unsigned  n;
    dsp_kube_request r = { .path = dsp_str_from(path), .priority = priority };
    char            *name = names[n++ % 64];

    name[0] = path[1];
    dsp_kube_call *call = dsp_kube_client_send(rig.client, &r, on_done, name);
    assert_non_null(call);
    return call;
}

static void get_within(const char *path, int64_t timeout_ms)
{
    dsp_kube_request r = { .path = dsp_str_from(path), .timeout_ms = timeout_ms };
    unsigned         before = f->answers;

    assert_non_null(dsp_kube_client_send(rig.client, &r, on_done, nobody));
    run_until(f->answers > before);
}

static void get(const char *path)
{
    get_within(path, 0);
}

static void sends_what_it_is_told(void **state)
{
    dsp_kube_request r = { .method = DSP_KUBE_PATCH,
                           .path = DSP_STR("/x"),
                           .query = DSP_STR("a=b&c"),
                           .content_type = DSP_STR("application/merge-patch+json"),
                           .accept = DSP_STR("text/x"),
                           .body = DSP_STR("{\"a\":1}") };

    (void) state;
    connect_to((dsp_kube_client_options){ 0 });
    dsp_kube_client_send(rig.client, &r, on_done, nobody);
    assert_int_equal(f->answers, 0);
    run_until(f->answers == 1);
    assert_int_equal(f->answer.outcome, DSP_KUBE_ANSWERED);
    assert_int_equal(f->answer.status, 200);
    assert_int_equal(f->answer.retry_after_ms, -1);
    assert_string_equal(f->body, "{\"ok\":1}");
    request got = { .head = f->head };
    assert_int_equal(strncmp(f->head, "PATCH /x?a=b&c HTTP/1.1\r\n", 25), 0);
    assert_true(has_header(&got, "Content-Type: application/merge-patch+json"));
    assert_true(has_header(&got, "Accept: text/x"));
    assert_true(has_header(&got, "User-Agent: dispatcher-controller/1"));
    assert_true(has_header(&got, "Impersonate-User: a"));
    assert_true(has_header(&got, "Impersonate-Group: g"));
    assert_true(has_header(&got, "Impersonate-Group: h"));
    assert_true(has_header(&got, "Impersonate-Extra-k%2Fv: x"));
    assert_null(strcasestr(f->head, "Expect:"));
    assert_null(strcasestr(f->head, "Accept-Encoding"));
    assert_null(strstr(f->head, "SECRET")); /* plain http: no credentials */
    assert_string_equal(f->got_body, "{\"a\":1}");
    assert_int_equal(f->observed, 1);
    assert_int_equal(f->observed_status, 200);

    static const struct {
        enum dsp_kube_method method;
        const char          *line;
    } methods[] = { { DSP_KUBE_GET, "GET /x " },
                    { DSP_KUBE_POST, "POST /x " },
                    { DSP_KUBE_PUT, "PUT /x " },
                    { DSP_KUBE_DELETE, "DELETE /x " } };
    for (size_t i = 0; i < 4; i++) {
        dsp_kube_request one = { .method = methods[i].method, .path = DSP_STR("/x") };
        unsigned         before = f->answers;

        one.body = i == 0 || i == 3 ? (dsp_str){ NULL, 0 } : DSP_STR("B");
        dsp_kube_client_send(rig.client, &one, on_done, nobody);
        run_until(f->answers > before);
        assert_int_equal(strncmp(f->head, methods[i].line, strlen(methods[i].line)), 0);
        assert_string_equal(f->got_body, one.body.data != NULL ? "B" : "");
    }
    assert_int_equal(rig.server->accepted, 1); /* one connection for all */
}

static void tells_what_became_of_it(void **state)
{
    (void) state;
    connect_to((dsp_kube_client_options){ 0 });
    get("/cut-before");
    assert_int_equal(f->answer.outcome, DSP_KUBE_UNCLEAR);
    assert_int_equal(f->answer.status, 0);
    assert_string_not_equal(f->error, "");
    assert_int_equal(f->observed_status, 0);
    get("/cut-body");
    assert_int_equal(f->answer.outcome, DSP_KUBE_UNCLEAR);
    assert_int_equal(f->answer.status, 201);
    assert_int_equal(f->answer.body.len, 0);
    get("/nonsense");
    assert_int_equal(f->answer.outcome, DSP_KUBE_UNCLEAR);
    get_within("/hold", 300);
    assert_int_equal(f->answer.outcome, DSP_KUBE_UNCLEAR);
    server_refuse(rig.server);
    server_drop_all(rig.server);
    get("/x");
    assert_int_equal(f->answer.outcome, DSP_KUBE_NOT_SENT);
    server_listen(rig.server);
    get("/x");
    assert_int_equal(f->answer.outcome, DSP_KUBE_ANSWERED);
}

/* libcurl sends again what a dying kept-alive connection may have swallowed; when that fails to connect, the first one
 * may still have been carried out. */
static void a_swallowed_request_is_unclear(void **state)
{
    (void) state;
    connect_to((dsp_kube_client_options){ 0 });
    get("/last");
    get("/vanish");
    assert_int_equal(f->answer.outcome, DSP_KUBE_UNCLEAR);
}

static void knows_retry_after(void **state)
{
    (void) state;
    connect_to((dsp_kube_client_options){ 0 });
    get("/busy");
    assert_int_equal(f->answer.status, 429);
    assert_int_equal(f->answer.retry_after_ms, 7000);
    get("/busy-body");
    assert_int_equal(f->answer.status, 504);
    assert_int_equal(f->answer.retry_after_ms, 3000);
    get("/busy-forever");
    assert_int_equal(f->answer.retry_after_ms, 3600 * 1000);
}

static void answers_have_a_cap(void **state)
{
    dsp_kube_request r = { .path = DSP_STR("/long"), .answer_max = 9 };

    (void) state;
    connect_to((dsp_kube_client_options){ 0 });
    dsp_kube_client_send(rig.client, &r, on_done, nobody);
    run_until(f->answers == 1);
    assert_int_equal(f->answer.outcome, DSP_KUBE_UNCLEAR);
    assert_string_equal(f->error, "the answer is too long");
    r.answer_max = 10;
    dsp_kube_client_send(rig.client, &r, on_done, nobody);
    run_until(f->answers == 2);
    assert_string_equal(f->body, "0123456789");
}

static void queues_by_priority(void **state)
{
    (void) state;
    connect_to((dsp_kube_client_options){ .max_in_flight = 2 });
    send_as("/h1", DSP_KUBE_NORMAL);
    send_as("/h2", DSP_KUBE_NORMAL);
    run_until(f->n_held == 2);
    send_as("/i", DSP_KUBE_IDLE);
    send_as("/l", DSP_KUBE_LOW);
    send_as("/n", DSP_KUBE_NORMAL);
    send_as("/m", DSP_KUBE_NORMAL);
    assert_int_equal(dsp_kube_client_stats_get(rig.client).in_flight, 2);
    assert_int_equal(dsp_kube_client_stats_get(rig.client).queued, 4);
    send_as("/u", DSP_KUBE_URGENT); /* past the cap */
    run_until(f->answers == 1);
    assert_string_equal(f->order, "hhu");
    reply(f->held[0], 200, "{}");
    run_until(f->answers == 6);
    assert_string_equal(f->order, "hhunmli");
    assert_string_equal(f->done, "uhnmli");
    reply(f->held[1], 200, "{}");
    run_until(dsp_kube_client_is_idle(rig.client));
}

/* Events never take all of the wire. */
static void idle_ones_leave_room(void **state)
{
    (void) state;
    connect_to((dsp_kube_client_options){ .max_in_flight = 8 });
    for (int i = 0; i < 8; i++) {
        send_as("/h", DSP_KUBE_IDLE);
    }
    run_until(f->n_held == 2);
    send_as("/n", DSP_KUBE_NORMAL);
    run_until(f->answers == 1);
    assert_int_equal(f->n_held, 2);
    assert_string_equal(f->done, "n");
}

static void cancels(void **state)
{
    (void) state;
    connect_to((dsp_kube_client_options){ .max_in_flight = 1 });
    dsp_kube_call *running = send_as("/h", DSP_KUBE_NORMAL), *queued = send_as("/q", DSP_KUBE_NORMAL);
    run_until(f->n_held == 1);
    assert_true(dsp_kube_call_sent(running));
    assert_false(dsp_kube_call_sent(queued));
    send_as("/n", DSP_KUBE_NORMAL);
    dsp_kube_call_cancel(queued);
    dsp_kube_call_cancel(running);
    run_until(f->answers == 1);
    assert_string_equal(f->done, "n");
    assert_string_equal(f->order, "hn");
}

static bool say_newest(void *arg, dsp_kube_request *out)
{
    out->path = dsp_str_from(arg);
    return true;
}

static bool not_wanted(void *arg, dsp_kube_request *out)
{
    (void) out;
    snprintf(arg, 8, "asked");
    return false;
}

static void prepares_when_the_turn_comes(void **state)
{
    char path[8] = "/old", asked[8] = "";

    (void) state;
    connect_to((dsp_kube_client_options){ .max_in_flight = 1 });
    send_as("/h", DSP_KUBE_NORMAL);
    dsp_kube_client_queue(rig.client, DSP_KUBE_NORMAL, not_wanted, on_done, asked);
    dsp_kube_client_queue(rig.client, DSP_KUBE_NORMAL, say_newest, on_done, path);
    run_until(f->n_held == 1);
    assert_string_equal(asked, "");
    snprintf(path, sizeof(path), "/new");
    reply(f->held[0], 200, "{}");
    run_until(f->answers == 2);
    assert_string_equal(asked, "asked");
    assert_string_equal(f->order, "hn");
    assert_string_equal(f->done, "h/new");
}

static int64_t clock_ms;

static int64_t fake_now(void *arg)
{
    (void) arg;
    return clock_ms;
}

static void keeps_to_its_rate(void **state)
{
    dsp_kube_env env = dsp_kube_env_system;

    (void) state;
    env.now_ms = fake_now;
    clock_ms = 1000;
    connect_to((dsp_kube_client_options){ .qps = 2, .env = &env });
    for (int i = 0; i < 6; i++) {
        send_as("/n", DSP_KUBE_NORMAL);
    }
    send_as("/u", DSP_KUBE_URGENT);
    run_until(f->answers == 5);
    assert_int_equal(dsp_kube_client_stats_get(rig.client).queued, 2); /* a burst of 4, and the urgent one */
    clock_ms += 500;
    run_until(f->answers == 6);
    clock_ms += 500;
    run_until(f->answers == 7);
}

/* A call that is not wanted any more when its turn comes costs nothing. */
static void what_is_not_sent_costs_no_rate(void **state)
{
    dsp_kube_env env = dsp_kube_env_system;
    char         asked[8] = "";

    (void) state;
    env.now_ms = fake_now;
    clock_ms = 1000;
    connect_to((dsp_kube_client_options){ .qps = 0.5, .env = &env });
    dsp_kube_client_queue(rig.client, DSP_KUBE_NORMAL, not_wanted, on_done, asked);
    send_as("/n", DSP_KUBE_NORMAL);
    run_until(f->answers == 1);
    assert_string_equal(asked, "asked");
}

static void on_done_again(void *arg, const dsp_kube_answer *answer)
{
    on_done(nobody, answer);
    if (f->answers < 50) {
        dsp_kube_request r = { .path = DSP_STR("/again") };

        dsp_kube_client_send(rig.client, &r, on_done_again, arg);
    }
}

static void starts_more_from_a_callback(void **state)
{
    dsp_kube_request r = { .path = DSP_STR("/again") };

    (void) state;
    connect_to((dsp_kube_client_options){ 0 });
    dsp_kube_client_send(rig.client, &r, on_done_again, NULL);
    run_until(f->answers == 50);
    assert_int_equal(rig.server->accepted, 1);
}

static void goes_through_a_proxy(void **state)
{
    char cluster[128];

    (void) state;
    snprintf(cluster, sizeof(cluster), "server: 'http://example.invalid:81', proxy-url: 'http://127.0.0.1:%d'",
             rig.server->port);
    connect_with((dsp_kube_client_options){ 0 }, cluster);
    get("/x");
    assert_int_equal(f->answer.status, 200);
    assert_int_equal(strncmp(f->head, "GET http://example.invalid:81/x HTTP/1.1\r\n", 41), 0);
}

/* As Go: a proxy of the environment is not for this machine itself. */
static void needs_no_proxy_to_itself(void **state)
{
    (void) state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    connect_to((dsp_kube_client_options){ 0 });
    get("/x");
    unsetenv("http_proxy");
    assert_int_equal(f->answer.outcome, DSP_KUBE_ANSWERED);
}

static bool on_bytes(void *arg, dsp_str bytes)
{
    (void) arg;
    (void) bytes;
    return true;
}

/* A watch of a quiet cluster that is cut is an answer, and no failed request: the head had come. */
static void a_stream_without_a_byte_is_observed_as_answered(void **state)
{
    static const dsp_kube_stream_handler handler = { on_bytes, on_done };
    dsp_kube_request                     r = { .path = DSP_STR("/stream") };

    (void) state;
    connect_to((dsp_kube_client_options){ 0 });
    dsp_kube_client_stream(rig.client, &r, 0, &handler, nobody);
    run_until(f->answers == 1);
    assert_int_equal(f->answer.outcome, DSP_KUBE_UNCLEAR);
    assert_int_equal(f->observed, 1);
    assert_int_equal(f->observed_status, 200);
}

static void encodes(void **state)
{
    dsp_buf b;

    (void) state;
    dsp_buf_init(&b, 100);
    dsp_kube_query_add(&b, "a", DSP_STR("b c/d=\xc3\xa9~"));
    dsp_kube_query_add(&b, "e", DSP_STR(""));
    assert_string_equal(dsp_buf_cstr(&b), "a=b%20c%2Fd%3D%C3%A9~&e=");
    dsp_buf_reset(&b);
    dsp_kube_path_add(&b, DSP_STR("../x"));
    assert_string_equal(dsp_buf_cstr(&b), "/..%2Fx");
    dsp_buf_free(&b);
}

static void may_be_freed_at_any_time(void **state)
{
    (void) state;
    connect_to((dsp_kube_client_options){ .max_in_flight = 1 });
    send_as("/h", DSP_KUBE_NORMAL);
    send_as("/q", DSP_KUBE_NORMAL);
    run_until(f->n_held == 1);
    dsp_kube_client_free(rig.client);
    rig.client = NULL;
    assert_int_equal(f->answers, 0);
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
        CASE(sends_what_it_is_told),
        CASE(tells_what_became_of_it),
        CASE(a_swallowed_request_is_unclear),
        CASE(knows_retry_after),
        CASE(answers_have_a_cap),
        CASE(queues_by_priority),
        CASE(idle_ones_leave_room),
        CASE(cancels),
        CASE(prepares_when_the_turn_comes),
        CASE(keeps_to_its_rate),
        CASE(what_is_not_sent_costs_no_rate),
        CASE(starts_more_from_a_callback),
        CASE(goes_through_a_proxy),
        CASE(needs_no_proxy_to_itself),
        CASE(a_stream_without_a_byte_is_observed_as_answered),
        CASE(encodes),
        CASE(may_be_freed_at_any_time),
    };

    return cmocka_run_group_tests(tests, curl_begin, curl_end);
}
