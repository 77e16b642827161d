/* The reflector and the transport's streams against a scripted server. */
#include "kube_server.h"

#include "kube/reflector.h"

typedef struct fixture {
    dsp_reflector     *reflector;
    dsp_kube_env       env;
    char               log[8192];     /* what the reader saw */
    char               seen[16][512]; /* targets of the requests */
    unsigned           n_seen;
    conn              *watch; /* the last stream */
    int                failed;
    const char *const *script; /* one answer a request */
    bool               still;  /* the clock stands still */
} fixture;

static fixture *f;

static void note(const char *what, dsp_json object)
{
    dsp_json name = dsp_json_path(object, "metadata", "name", NULL);
    size_t   len = strlen(f->log);

    snprintf(f->log + len, sizeof(f->log) - len, "%s%s%.*s", len > 0 ? " " : "", what, DSP_STR_ARG(name));
}

static void on_begin(void *arg)
{
    (void) arg;
    note("begin", (dsp_json){ NULL, 0 });
}

static void on_item(void *arg, dsp_json object)
{
    (void) arg;
    note("i", object);
}

static void on_end(void *arg)
{
    (void) arg;
    note("end", (dsp_json){ NULL, 0 });
}

static void on_event(void *arg, enum dsp_reflector_event type, dsp_json object)
{
    (void) arg;
    note(type == DSP_REFLECTOR_ADDED ? "+" : type == DSP_REFLECTOR_DELETED ? "-" : "~", object);
}

static void on_failed(void *arg, int status, const char *message)
{
    (void) arg;
    (void) message;
    f->failed = status == 0 ? 1 : status;
}

static const dsp_reflector_handler reader = { on_begin, on_item, on_end, on_event, on_failed };

static int64_t test_now(void *arg)
{
    (void) arg;
    return f->still ? 1 : dsp_kube_env_system.now_ms(NULL);
}

static uint32_t test_random(void *arg)
{
    (void) arg;
    return 0; /* shortest delays */
}

/* An answer of the script is "STATUS body", or "~" and the lines of a stream; a stream stays open unless it ends in "!"
 * (clean end) or "^" (connection cut). */
static void handle(server *s, conn *c, const request *r)
{
    const char *step = f->script[f->n_seen];

    (void) s;
    assert_true(f->n_seen < 15);
    snprintf(f->seen[f->n_seen++], sizeof(f->seen[0]), "%s", r->target);
    if (step == NULL) {
        f->n_seen--;
        snprintf(f->seen[15], sizeof(f->seen[0]), "%s", r->target);
        return;
    }
    if (*step != '~') {
        reply(c, atoi(step), step + 4);
        return;
    }
    size_t len = strlen(step);
    char   last = step[len - 1], *text = strndup(step + 1, len - 1 - (last == '!' || last == '^'));

    f->watch = c;
    stream_begin(c);
    if (*text != '\0') {
        stream_chunk(c, text);
    }
    free(text);
    if (last == '!') {
        stream_finish(c);
    } else if (last == '^') {
        conn_finish(c);
    }
}

static void start(const char *const *script, dsp_reflector_options options)
{
    f->script = script;
    f->env = (dsp_kube_env){ test_now, dsp_kube_env_system.wall_us, test_random, NULL };
    rig.client = rig_client(rig_config("/test", "", ""), (dsp_kube_client_options){ .env = &f->env });
    options.path = "/apis/g/v1/things";
    f->reflector = dsp_reflector_new(rig.client, &options, &reader, NULL);
    dsp_reflector_start(f->reflector);
}

static bool has(const char *text)
{
    return strstr(f->log, text) != NULL;
}

static bool asked(unsigned n, const char *part)
{
    return n < f->n_seen && strstr(f->seen[n], part) != NULL;
}

#define OBJ(name, rv)        "{\"metadata\":{\"name\":" #name ",\"resourceVersion\":\"" #rv "\"}}"
#define LINE(type, name, rv) "{\"type\":\"" #type "\",\"object\":" OBJ(name, rv) "}\n"
#define LIST(rv, items)      "200 {\"kind\":\"L\",\"metadata\":{\"resourceVersion\":\"" #rv "\"},\"items\":[" items "]}"
#define END_MARK(rv)                                                                                                   \
    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"" #rv                                      \
    "\",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}}\n"
#define GONE                                                                                                           \
    "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\",\"message\":\"too "       \
    "old\"}}\n"

static const dsp_reflector_options list_only = { .no_watch_list = true };

static void lists_then_watches(void **state)
{
    const char *const script[] = { LIST(7, OBJ(1, 3) "," OBJ(2, 4)), "~" LINE(ADDED, 3, 8) LINE(DELETED, 1, 9), NULL };

    (void) state;
    start(script, list_only);
    run_until(has("-1"));
    assert_string_equal(f->log, "begin i1 i2 end +3 -1");
    assert_true(dsp_reflector_synced(f->reflector));
    assert_string_equal(dsp_reflector_version(f->reflector), "9");
    assert_true(asked(0, "limit=500"));
    assert_true(asked(1, "watch=1"));
    assert_true(asked(1, "resourceVersion=7&timeoutSeconds=300"));
    assert_true(asked(1, "allowWatchBookmarks=true"));
}

static void lists_by_watch_list(void **state)
{
    const char *const script[] = { "~" LINE(ADDED, 1, 3) LINE(ADDED, 2, 4) END_MARK(9) LINE(MODIFIED, 2, 10) "!", "~",
                                   NULL };

    (void) state;
    start(script, (dsp_reflector_options){ 0 });
    run_until(f->n_seen == 2);
    assert_string_equal(f->log, "begin i1 i2 end ~2");
    assert_true(asked(0, "sendInitialEvents=true"));
    assert_true(asked(0, "resourceVersionMatch=NotOlderThan"));
    assert_true(asked(1, "resourceVersion=10"));
    assert_false(asked(1, "sendInitialEvents"));
}

static void falls_back_to_lists_for_good(void **state)
{
    const char *const script[] = { "422 {}", LIST(7, OBJ(1, 3)), "~" GONE "!", LIST(9, ""), "~", NULL };

    (void) state;
    start(script, (dsp_reflector_options){ 0 });
    run_until(f->n_seen == 5);
    assert_string_equal(f->log, "begin i1 end begin end");
    assert_false(dsp_reflector_stats_get(f->reflector)->watch_list);
    assert_int_equal(f->failed, 0);
}

static void a_watch_list_without_end_mark_is_none(void **state)
{
    const char *const script[] = { "~" LINE(ADDED, 1, 3) "!", "~" LINE(ADDED, 1, 3) "!", LIST(7, OBJ(1, 3)), "~",
                                   NULL };

    (void) state;
    start(script, (dsp_reflector_options){ 0 });
    run_until(f->n_seen == 4);
    assert_string_equal(f->log, "begin i1 begin i1 begin i1 end");
}

static void gone_lists_from_the_last_version_then_from_none(void **state)
{
    const char *const script[] = { LIST(7, ""), "410 {}", "410 {}", LIST(20, OBJ(5, 19)), "~", NULL };

    (void) state;
    start(script, list_only);
    run_until(f->n_seen == 5);
    assert_true(asked(2, "resourceVersion=7"));
    assert_false(asked(2, "limit="));
    assert_false(asked(3, "resourceVersion="));
    assert_true(asked(4, "resourceVersion=20"));
    assert_string_equal(f->log, "begin end begin i5 end");
    assert_int_equal(dsp_reflector_stats_get(f->reflector)->gone, 2);
}

static void a_version_ahead_of_the_server_lists_anew(void **state)
{
    const char *const script[] = {
        LIST(7, ""), "~" GONE "!", "504 {\"details\":{\"causes\":[{\"reason\":\"ResourceVersionTooLarge\"}]}}",
        LIST(3, ""), "~",          NULL
    };

    (void) state;
    start(script, list_only);
    run_until(f->n_seen == 5);
    assert_true(asked(2, "resourceVersion=7"));
    assert_false(asked(3, "resourceVersion="));
    assert_true(asked(4, "resourceVersion=3&"));
}

static void reads_pages(void **state)
{
    const char *const script[] = {
        "200 {\"metadata\":{\"resourceVersion\":\"7\",\"continue\":\"a b\"},\"items\":[" OBJ(1, 3) "]}",
        "200 {\"items\":[" OBJ(2, 4) "],\"metadata\":{\"continue\":\"\",\"resourceVersion\":\"7\"}}", "~", NULL
    };

    (void) state;
    start(script, list_only);
    run_until(f->n_seen == 3);
    assert_true(asked(1, "continue=a%20b&limit=500"));
    assert_string_equal(f->log, "begin i1 i2 end");
}

/* What cannot be followed is no end: the reader would take all that did not come for deleted. */
static void a_page_whose_token_cannot_be_read_has_no_end(void **state)
{
    const char *const script[] = { "200 {\"metadata\":{\"resourceVersion\":\"7\",\"continue\":5},\"items\":[" OBJ(
                                       1, 3) "]}",
                                   LIST(8, OBJ(1, 3) "," OBJ(2, 4)), "~", NULL };

    (void) state;
    start(script, list_only);
    run_until(f->n_seen == 3);
    assert_string_equal(f->log, "begin i1 begin i1 i2 end");
    assert_int_equal(dsp_reflector_stats_get(f->reflector)->garbled, 1);
}

static void an_expired_page_starts_over(void **state)
{
    const char *const script[] = { "200 {\"metadata\":{\"resourceVersion\":\"7\",\"continue\":\"x\"},\"items\":[" OBJ(
                                       1, 3) "]}",
                                   "410 {}", LIST(9, OBJ(1, 3) "," OBJ(2, 8)), "~", NULL };

    (void) state;
    start(script, list_only);
    run_until(f->n_seen == 4);
    assert_false(asked(2, "limit="));
    assert_string_equal(f->log, "begin i1 begin i1 i2 end");
}

static void a_cut_watch_goes_on_where_it_was(void **state)
{
    const char *const script[] = { LIST(7, ""), "~" LINE(ADDED, 1, 8) "{\"type\":\"ADDED\",\"obj^",
                                   "~" LINE(ADDED, 2, 9), NULL };

    (void) state;
    start(script, list_only);
    run_until(has("+2"));
    assert_string_equal(f->log, "begin end +1 +2");
    assert_true(asked(2, "resourceVersion=8"));
    assert_int_equal(dsp_reflector_stats_get(f->reflector)->garbled, 0);
}

static void a_watch_list_that_is_gone_starts_from_none(void **state)
{
    const char *const script[] = { "~" LINE(ADDED, 1, 3) END_MARK(9) GONE "!", "~" GONE "!",
                                   "~" LINE(ADDED, 2, 30) END_MARK(40), NULL };

    (void) state;
    start(script, (dsp_reflector_options){ 0 });
    run_until(has("i2 end"));
    assert_true(asked(1, "resourceVersion=9&"));
    assert_false(asked(2, "resourceVersion="));
    assert_string_equal(f->log, "begin i1 end begin i2 end");
    assert_int_equal(dsp_reflector_stats_get(f->reflector)->gone, 2);
}

static void a_deletion_within_a_watch_list_is_told(void **state)
{
    const char *const script[] = { "~" LINE(ADDED, 1, 3) LINE(MODIFIED, 1, 4) LINE(DELETED, 1, 5) END_MARK(9), NULL };

    (void) state;
    start(script, (dsp_reflector_options){ 0 });
    run_until(has("end"));
    assert_string_equal(f->log, "begin i1 i1 -1 end");
}

static void bookmarks_move_the_version(void **state)
{
    const char *const script[] = { LIST(7, ""), "~" LINE(BOOKMARK, 0, 50) "!", "~", NULL };

    (void) state;
    start(script, list_only);
    run_until(f->n_seen == 3);
    assert_true(asked(2, "resourceVersion=50"));
    assert_string_equal(f->log, "begin end");
}

static void a_garbled_line_is_tried_again_then_listed(void **state)
{
    const char *const script[] = { LIST(7, ""), "~{\"type\":\"ADD\n", "~not json\n", LIST(8, OBJ(1, 8)), "~", NULL };

    (void) state;
    start(script, list_only);
    run_until(f->n_seen == 5);
    assert_true(asked(2, "watch=1"));
    assert_true(asked(3, "resourceVersion=7"));
    assert_false(asked(3, "watch=1"));
    assert_int_equal(dsp_reflector_stats_get(f->reflector)->garbled, 2);
}

static void a_line_over_the_cap_ends_the_watch(void **state)
{
    const char *const     script[] = { LIST(7, ""),
                                       "~" LINE(ADDED, 1, 8) LINE(ADDED, 1234567890123456789012345678901234567890, 9), "~",
                                       NULL };
    dsp_reflector_options options = list_only;

    (void) state;
    options.line_max = 80;
    start(script, options);
    run_until(f->n_seen == 3);
    assert_string_equal(f->log, "begin end +1");
    assert_true(asked(2, "resourceVersion=8"));
}

static void a_very_short_watch_backs_off(void **state)
{
    const char *const script[] = { LIST(7, ""), "~!", "~", NULL };

    (void) state;
    f->still = true; /* so the watch was short, however long it took */
    start(script, list_only);
    run_until(f->n_seen == 2 && f->failed != 0);
    assert_int_equal(f->failed, 200);
    run_until(f->n_seen == 3);
    assert_true(asked(2, "resourceVersion=7"));
}

static void a_refused_watch_keeps_its_version(void **state)
{
    const char *const script[] = { LIST(7, ""), "429 {}", "500 {}", "~", NULL };

    (void) state;
    start(script, list_only);
    run_until(f->n_seen == 4);
    assert_true(asked(2, "watch=1"));
    assert_true(asked(3, "resourceVersion=7"));
}

static void a_missing_resource_is_told(void **state)
{
    const char *const script[] = { "404 {\"message\":\"no such thing\"}", LIST(1, ""), "~", NULL };

    (void) state;
    start(script, list_only);
    run_until(f->failed != 0);
    assert_int_equal(f->failed, 404);
    run_until(f->n_seen == 3);
}

static void a_cut_list_has_no_end(void **state)
{
    const char *const script[] = { "~{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[" OBJ(1, 3) "^",
                                   "~{\"items\":[" OBJ(1, 3) "]}!", LIST(8, OBJ(2, 4)), "~", NULL };

    (void) state;
    start(script, list_only);
    run_until(f->n_seen == 4);
    assert_string_equal(f->log, "begin i1 begin i1 begin i2 end");
}

static void a_silent_watch_is_resumed(void **state)
{
    const char *const     script[] = { LIST(7, ""), "~" LINE(ADDED, 1, 8), "~" LINE(ADDED, 2, 9), NULL };
    dsp_reflector_options options = list_only;

    (void) state;
    options.quiet_ms = 300;
    f->still = true; /* so it is not silent before it has said something, however slow this machine is */
    start(script, options);
    run_until(has("+1"));
    f->still = false;
    run_until(has("+2"));
    assert_true(asked(2, "resourceVersion=8"));
}

static void a_server_that_comes_back_is_found(void **state)
{
    const char *const script[] = { LIST(7, ""), "~" LINE(ADDED, 1, 8), "~" LINE(ADDED, 2, 9), NULL };

    (void) state;
    start(script, list_only);
    run_until(has("+1"));
    server_refuse(rig.server);
    server_drop_all(rig.server);
    run_until(f->failed != 0);
    server_listen(rig.server);
    run_until(has("+2"));
    assert_true(asked(2, "resourceVersion=8"));
}

static void on_event_stop(void *arg, enum dsp_reflector_event type, dsp_json object)
{
    on_event(arg, type, object);
    dsp_reflector_stop(f->reflector);
}

static void may_be_stopped_from_inside(void **state)
{
    static const dsp_reflector_handler stopper = { on_begin, on_item, on_end, on_event_stop, on_failed };
    const char *const                  script[] = { LIST(7, ""), "~" LINE(ADDED, 1, 8) LINE(ADDED, 2, 9), NULL };

    (void) state;
    start(script, list_only);
    dsp_reflector_free(f->reflector);
    dsp_reflector_options options = list_only;
    options.path = "/x";
    f->reflector = dsp_reflector_new(rig.client, &options, &stopper, NULL);
    dsp_reflector_start(f->reflector);
    run_until(has("+1"));
    run_until(dsp_kube_client_stats_get(rig.client).streams == 0);
    assert_false(has("+2"));
}

static void encodes_selectors(void **state)
{
    const char *const     script[] = { LIST(7, ""), "~", NULL };
    dsp_reflector_options options = list_only;

    (void) state;
    options.label_selector = "a in (b,c),d";
    start(script, options);
    run_until(f->n_seen == 2);
    assert_true(asked(0, "labelSelector=a%20in%20%28b%2Cc%29%2Cd&"));
    assert_true(asked(1, "labelSelector=a%20in%20%28b%2Cc%29%2Cd&"));
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
    dsp_reflector_free(f->reflector);
    rig_close();
    free(f);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(lists_then_watches),
        CASE(lists_by_watch_list),
        CASE(falls_back_to_lists_for_good),
        CASE(a_watch_list_without_end_mark_is_none),
        CASE(gone_lists_from_the_last_version_then_from_none),
        CASE(a_version_ahead_of_the_server_lists_anew),
        CASE(reads_pages),
        CASE(a_page_whose_token_cannot_be_read_has_no_end),
        CASE(an_expired_page_starts_over),
        CASE(a_cut_watch_goes_on_where_it_was),
        CASE(a_watch_list_that_is_gone_starts_from_none),
        CASE(a_deletion_within_a_watch_list_is_told),
        CASE(bookmarks_move_the_version),
        CASE(a_garbled_line_is_tried_again_then_listed),
        CASE(a_line_over_the_cap_ends_the_watch),
        CASE(a_very_short_watch_backs_off),
        CASE(a_refused_watch_keeps_its_version),
        CASE(a_missing_resource_is_told),
        CASE(a_cut_list_has_no_end),
        CASE(a_silent_watch_is_resumed),
        CASE(a_server_that_comes_back_is_found),
        CASE(may_be_stopped_from_inside),
        CASE(encodes_selectors),
    };

    return cmocka_run_group_tests(tests, curl_begin, curl_end);
}
