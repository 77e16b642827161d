#include "reflector.h"

#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "split.h"
#include "base/log.h"

#define LINE_MAX_BYTES (8u * 1024 * 1024)
#define QUIET_MS 50000
#define LIST_QUIET_MS 60000
#define PAGE 500
#define VERSION_MAX 128

/* A watch asks the server to end it after 5 to 10 minutes (client-go), and is cut when it has not done so. */
#define WATCH_MIN_S 300
#define WATCH_SPREAD_S 300
#define WATCH_GRACE_MS 30000

/* A watch that ends within this time and without an event backs off. */
#define SHORT_WATCH_MS 1000

/* So many failed watches in a row, without one line between them: list. */
#define WATCH_FAILURES_MAX 5

/* So many WatchLists that ended without their end mark: the server does not have it. */
#define WATCH_LIST_FAILURES_MAX 2

static const dsp_backoff_rule backoff_rule = {.base_ms = 800, .max_ms = 30000, .jitter = 1.0, .reset_ms = 120000};

enum state { STOPPED = 0, LISTING, WATCH_LISTING, WATCHING, WAITING };

/* What the lines of a stream have told about how it must go on; looked at when it has ended. */
enum verdict { NOTHING = 0, GONE, GARBLED, SERVER_ERROR };

struct dsp_reflector {
    dsp_kube_client             *client;
    const dsp_reflector_handler *handler;
    void                        *arg;
    char                        *path;
    char                        *label_selector;
    char                        *field_selector;
    size_t                       line_max;
    int64_t                      quiet_ms;
    int64_t                      page;

    enum state       state;
    bool             watch_next; /* WAITING: then WATCHING, else a set */
    dsp_kube_stream *stream;
    struct event    *timer;
    dsp_backoff      backoff;
    kube_lines       lines;
    kube_list        list;

    char     version[VERSION_MAX]; /* newest seen; "" none */
    bool     version_lost;         /* the server does not have it any more: list from "" */
    bool     whole_list;           /* a page's token expired: this list goes without pages */
    char    *token;                /* of the next page */
    bool     begun;                /* begin was called and no end since */
    bool     synced;
    unsigned watch_list_failures;

    int64_t  opened_at;
    uint64_t lines_seen; /* of this stream */
    unsigned watch_failures;
    char     garbled_at[VERSION_MAX]; /* the version at which a line was garbled last */

    enum verdict verdict;
    int          verdict_status;
    char         verdict_text[256];

    dsp_reflector_stats stats;
};

static const dsp_kube_stream_handler list_stream, watch_stream;

static int64_t now_ms(const dsp_reflector *r)
{
    const dsp_kube_env *env = dsp_kube_client_env(r->client);

    return env->now_ms(env->arg);
}

/* --- going on: at once or after a while --- */

static void open_set(dsp_reflector *r);
static void open_watch(dsp_reflector *r);

static void wait_for(dsp_reflector *r, bool watch_next, int64_t ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    r->state = WAITING;
    r->watch_next = watch_next;
    evtimer_add(r->timer, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    dsp_reflector *r = arg;

    (void) fd;
    (void) what;
    if (r->state != WAITING) {
        return;
    }
    if (r->watch_next) {
        open_watch(r);
    } else {
        open_set(r);
    }
}

static void back_off(dsp_reflector *r, bool watch_next, int64_t at_least_ms)
{
    int64_t ms = dsp_backoff_next(&r->backoff, &backoff_rule, dsp_kube_client_env(r->client));

    wait_for(r, watch_next, ms > at_least_ms ? ms : at_least_ms);
}

static void report(dsp_reflector *r, int status, const char *message)
{
    r->stats.failures++;
    dsp_log(DSP_LOG_DEBUG, "list or watch failed", DSP_LOG_Z("path", r->path), DSP_LOG_INT("status", status),
            DSP_LOG_Z("error", message));
    if (r->handler->failed != NULL) {
        r->handler->failed(r->arg, status, message);
    }
}

/* The message of a Status, else what stands in for it. */
static void status_text(dsp_str body, const char *otherwise, char *out, size_t size)
{
    dsp_arena arena;
    dsp_json  doc;
    dsp_str   text = {NULL, 0};

    dsp_arena_init(&arena, 64 * 1024);
    if (dsp_json_parse(body, &doc, NULL)) {
        dsp_json_string(dsp_json_get(doc, "message"), &arena, &text);
    }
    if (text.len > 0) {
        snprintf(out, size, "%.*s", DSP_STR_ARG(text));
    } else {
        snprintf(out, size, "%s", otherwise);
    }
    dsp_arena_free(&arena);
}

static void report_answer(dsp_reflector *r, const dsp_kube_answer *answer)
{
    char text[256];

    status_text(answer->body, answer->error != NULL ? answer->error : "refused", text, sizeof(text));
    report(r, answer->outcome == DSP_KUBE_ANSWERED ? answer->status : 0, text);
}

/* --- resourceVersions --- */

/* A string span without escapes, which a resourceVersion is, into memory of VERSION_MAX. false: it is not one. */
static bool version_of(dsp_json metadata, char out[VERSION_MAX])
{
    dsp_json value = dsp_json_get(metadata, "resourceVersion");

    if (dsp_json_kind(value) != DSP_JSON_STRING || value.len < 3 || value.len - 2 >= VERSION_MAX ||
        memchr(value.data, '\\', value.len) != NULL) {
        return false;
    }
    memcpy(out, value.data + 1, value.len - 2);
    out[value.len - 2] = '\0';
    return true;
}

static void set_complete(dsp_reflector *r, const char *version)
{
    if (version != r->version) {
        snprintf(r->version, sizeof(r->version), "%s", version);
    }
    r->version_lost = false;
    r->whole_list = false;
    r->synced = true;
    r->begun = false;
    r->handler->end(r->arg);
}

static void set_begin(dsp_reflector *r)
{
    r->begun = true;
    r->stats.lists++;
    r->handler->begin(r->arg);
}

/* --- opening streams --- */

static void add_selectors(dsp_reflector *r, dsp_buf *query)
{
    if (r->label_selector != NULL) {
        dsp_kube_query_add(query, "labelSelector", dsp_str_from(r->label_selector));
    }
    if (r->field_selector != NULL) {
        dsp_kube_query_add(query, "fieldSelector", dsp_str_from(r->field_selector));
    }
}

static void open_stream(dsp_reflector *r, dsp_buf *query, int64_t timeout_ms, int64_t quiet_ms,
                        const dsp_kube_stream_handler *handler)
{
    dsp_kube_request request = {.path = dsp_str_from(r->path), .query = dsp_buf_str(query), .timeout_ms = timeout_ms};

    r->verdict = NOTHING;
    r->lines_seen = 0;
    r->opened_at = now_ms(r);
    r->stream = query->failed ? NULL : dsp_kube_client_stream(r->client, &request, quiet_ms, handler, r);
    dsp_buf_free(query);
    if (r->stream == NULL) {
        report(r, 0, "out of memory");
        back_off(r, r->state == WATCHING, 0);
    }
}

static void open_list(dsp_reflector *r)
{
    dsp_buf query;
    bool    from_version = r->version[0] != '\0' && !r->version_lost;

    dsp_buf_init(&query, 64 * 1024);
    add_selectors(r, &query);
    if (r->token != NULL) {
        dsp_kube_query_add(&query, "continue", dsp_str_from(r->token));
    } else if (from_version) {
        dsp_kube_query_add(&query, "resourceVersion", dsp_str_from(r->version));
    }
    /* With a version the server's cache answers, which knows no pages; without, pages keep its memory low. */
    if ((r->token != NULL || !from_version) && !r->whole_list) {
        dsp_buf_addf(&query, "%slimit=%lld", query.len > 0 ? "&" : "", (long long) r->page);
    }
    r->state = LISTING;
    kube_list_free(&r->list);
    open_stream(r, &query, 0, LIST_QUIET_MS, &list_stream);
}

/* A set: by WatchList when the server has it. */
static void open_set(dsp_reflector *r)
{
    dsp_buf query;

    r->begun = false;
    free(r->token);
    r->token = NULL;
    if (!r->stats.watch_list) {
        open_list(r);
        return;
    }
    const dsp_kube_env *env = dsp_kube_client_env(r->client);
    unsigned            seconds = WATCH_MIN_S + env->random(env->arg) % WATCH_SPREAD_S;
    dsp_buf_init(&query, 64 * 1024);
    add_selectors(r, &query);
    dsp_buf_addf(&query, "%swatch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
                 query.len > 0 ? "&" : "");
    if (r->version[0] != '\0' && !r->version_lost) {
        dsp_kube_query_add(&query, "resourceVersion", dsp_str_from(r->version));
    }
    dsp_buf_addf(&query, "&timeoutSeconds=%u", seconds);
    r->state = WATCH_LISTING;
    kube_lines_free(&r->lines);
    open_stream(r, &query, (int64_t) seconds * 1000 + WATCH_GRACE_MS, r->quiet_ms, &watch_stream);
}

static void open_watch(dsp_reflector *r)
{
    const dsp_kube_env *env = dsp_kube_client_env(r->client);
    unsigned            seconds = WATCH_MIN_S + env->random(env->arg) % WATCH_SPREAD_S;
    dsp_buf             query;

    dsp_buf_init(&query, 64 * 1024);
    add_selectors(r, &query);
    dsp_buf_addf(&query, "%swatch=1&allowWatchBookmarks=true", query.len > 0 ? "&" : "");
    dsp_kube_query_add(&query, "resourceVersion", dsp_str_from(r->version));
    dsp_buf_addf(&query, "&timeoutSeconds=%u", seconds);
    r->state = WATCHING;
    r->stats.restarts += r->stats.watches > 0;
    r->stats.watches++;
    kube_lines_free(&r->lines);
    open_stream(r, &query, (int64_t) seconds * 1000 + WATCH_GRACE_MS, r->quiet_ms, &watch_stream);
}

/* --- a list --- */

static bool on_item(void *arg, dsp_str object)
{
    dsp_reflector *r = arg;

    if (!r->begun) {
        set_begin(r);
    }
    if (r->state == LISTING) {
        r->handler->item(r->arg, object);
    }
    return r->state == LISTING;
}

static void split_failed(dsp_reflector *r, enum kube_split_result result)
{
    if (result == KUBE_SPLIT_TOO_LONG || result == KUBE_SPLIT_GARBLED) {
        r->stats.garbled++;
        r->verdict = GARBLED;
        r->verdict_status = 0;
        snprintf(r->verdict_text, sizeof(r->verdict_text), "%s",
                 result == KUBE_SPLIT_TOO_LONG ? "an object is too long" : "the answer is garbled");
    }
}

static bool list_data(void *arg, dsp_str bytes)
{
    dsp_reflector         *r = arg;
    enum kube_split_result result = kube_list_feed(&r->list, bytes, on_item, r);

    r->stats.bytes += bytes.len;
    split_failed(r, result);
    return result == KUBE_SPLIT_OK;
}

/* The whole page has come. */
static void list_complete(dsp_reflector *r)
{
    dsp_json  metadata = kube_list_metadata(&r->list);
    dsp_arena arena;
    dsp_str   token = {NULL, 0};
    char      version[VERSION_MAX];

    if (!version_of(metadata, version)) {
        r->stats.garbled++;
        report(r, 200, "the list is cut off or has no resourceVersion");
        kube_list_free(&r->list);
        back_off(r, false, 0);
        return;
    }
    if (!r->begun) {
        set_begin(r);
    }
    free(r->token);
    r->token = NULL;
    dsp_arena_init(&arena, 64 * 1024);
    if (dsp_json_string(dsp_json_get(metadata, "continue"), &arena, &token) && token.len > 0) {
        r->token = dsp_str_dup(token);
    }
    dsp_arena_free(&arena);
    kube_list_free(&r->list);
    if (r->state != LISTING) {
        return; /* stopped by begin */
    }
    if (r->token != NULL) {
        open_list(r);
        return;
    }
    set_complete(r, version);
    if (r->state == LISTING) {
        open_watch(r);
    }
}

/* Whether the Status says that the resourceVersion is ahead of the server. */
static bool is_too_large(const dsp_kube_answer *answer)
{
    dsp_json      doc, cause;
    dsp_json_iter it;

    if (!dsp_json_parse(answer->body, &doc, NULL)) {
        return false;
    }
    it = dsp_json_iterate(dsp_json_path(doc, "details", "causes", NULL));
    while (dsp_json_next(&it, NULL, &cause)) {
        if (dsp_json_equals(dsp_json_get(cause, "reason"), DSP_STR("ResourceVersionTooLarge"))) {
            return true;
        }
    }
    return false;
}

/* A set was refused because of the resourceVersion: from "" at once, the first time. */
static bool version_refused(dsp_reflector *r, const dsp_kube_answer *answer)
{
    if (answer->status == 410 && r->token != NULL) {
        r->stats.gone++;
        r->whole_list = true; /* and what has been read so far is too old */
        r->version_lost = true;
        open_set(r);
        return true;
    }
    if (answer->status != 410 && !is_too_large(answer)) {
        return false;
    }
    r->stats.gone += answer->status == 410;
    if (r->version_lost || r->version[0] == '\0') {
        return false;
    }
    r->version_lost = true;
    open_set(r);
    return true;
}

static void list_end(void *arg, const dsp_kube_answer *answer)
{
    dsp_reflector *r = arg;

    r->stream = NULL;
    if (answer->outcome == DSP_KUBE_ANSWERED && answer->status == 200 && r->verdict == NOTHING) {
        list_complete(r);
        return;
    }
    kube_list_free(&r->list);
    if (answer->outcome == DSP_KUBE_ANSWERED && r->verdict == NOTHING && version_refused(r, answer)) {
        return;
    }
    if (r->verdict != NOTHING) {
        report(r, r->verdict_status, r->verdict_text);
    } else {
        report_answer(r, answer);
    }
    if (r->state == LISTING) {
        back_off(r, false, answer->retry_after_ms);
    }
}

static const dsp_kube_stream_handler list_stream = {list_data, list_end};

/* --- a watch --- */

static void error_event(dsp_reflector *r, dsp_json status)
{
    int64_t code = 0;

    dsp_json_int64(dsp_json_get(status, "code"), &code);
    r->verdict =
        code == 410 || dsp_json_equals(dsp_json_get(status, "reason"), DSP_STR("Expired")) ? GONE : SERVER_ERROR;
    r->verdict_status = (int) code;
    status_text(status, "the watch says ERROR", r->verdict_text, sizeof(r->verdict_text));
}

static bool is_initial_end(dsp_json metadata)
{
    dsp_json mark = dsp_json_path(metadata, "annotations", "k8s.io/initial-events-end", NULL);

    return dsp_json_equals(mark, DSP_STR("true"));
}

static void bookmark(dsp_reflector *r, dsp_json metadata)
{
    char version[VERSION_MAX];

    r->stats.bookmarks++;
    if (!version_of(metadata, version)) {
        return;
    }
    if (r->state == WATCHING) {
        memcpy(r->version, version, sizeof(version));
    } else if (is_initial_end(metadata)) {
        if (!r->begun) {
            set_begin(r);
        }
        if (r->state == WATCH_LISTING) {
            r->state = WATCHING;
            r->stats.restarts += r->stats.watches > 0;
            r->stats.watches++;
            r->watch_list_failures = 0;
            set_complete(r, version);
        }
    }
}

static void object_event(dsp_reflector *r, enum dsp_reflector_event type, dsp_json object)
{
    r->stats.events++;
    if (r->state == WATCHING) {
        version_of(dsp_json_get(object, "metadata"), r->version);
        r->handler->event(r->arg, type, object);
        return;
    }
    if (!r->begun) {
        set_begin(r);
    }
    if (r->state != WATCH_LISTING) {
        return;
    }
    if (type == DSP_REFLECTOR_DELETED) {
        r->handler->event(r->arg, type, object);
    } else {
        r->handler->item(r->arg, object);
    }
}

static bool garbled_line(dsp_reflector *r)
{
    split_failed(r, KUBE_SPLIT_GARBLED);
    return false;
}

static bool on_line(void *arg, dsp_str line)
{
    dsp_reflector *r = arg;
    dsp_json       doc, type, object;

    if (!dsp_json_parse(line, &doc, NULL)) {
        return garbled_line(r);
    }
    type = dsp_json_get(doc, "type");
    object = dsp_json_get(doc, "object");
    if (dsp_json_kind(object) != DSP_JSON_OBJECT) {
        return garbled_line(r);
    }
    if (dsp_json_equals(type, DSP_STR("ERROR"))) {
        error_event(r, object);
        return false;
    }
    if (dsp_json_equals(type, DSP_STR("BOOKMARK"))) {
        bookmark(r, dsp_json_get(object, "metadata"));
    } else if (dsp_json_equals(type, DSP_STR("ADDED"))) {
        object_event(r, DSP_REFLECTOR_ADDED, object);
    } else if (dsp_json_equals(type, DSP_STR("MODIFIED"))) {
        object_event(r, DSP_REFLECTOR_MODIFIED, object);
    } else if (dsp_json_equals(type, DSP_STR("DELETED"))) {
        object_event(r, DSP_REFLECTOR_DELETED, object);
    } else {
        return garbled_line(r);
    }
    r->lines_seen++;
    r->watch_failures = 0;
    dsp_backoff_reset(&r->backoff);
    return r->state == WATCHING || r->state == WATCH_LISTING;
}

static bool watch_data(void *arg, dsp_str bytes)
{
    dsp_reflector         *r = arg;
    enum kube_split_result result;

    r->stats.bytes += bytes.len;
    r->stats.watching = r->state == WATCHING;
    result = kube_lines_feed(&r->lines, bytes, on_line, r);
    if (r->state == STOPPED) {
        return false;
    }
    r->stats.watching = r->state == WATCHING;
    split_failed(r, result);
    return result == KUBE_SPLIT_OK;
}

/* The first part of a WatchList broke off, or was refused. */
static void watch_list_ended(dsp_reflector *r, const dsp_kube_answer *answer)
{
    bool answered = answer->outcome == DSP_KUBE_ANSWERED;

    if (answered && (answer->status == 422 || answer->status == 400)) {
        r->stats.watch_list = false; /* the server does not know it, for good */
        open_set(r);
        return;
    }
    if (r->verdict == GONE || (answered && version_refused(r, answer))) {
        if (r->verdict == GONE) {
            r->stats.gone++;
            bool first = !r->version_lost && r->version[0] != '\0';
            r->version_lost = true;
            if (first) {
                open_set(r);
                return;
            }
            report(r, 410, r->verdict_text);
            back_off(r, false, 0);
        }
        return;
    }
    /* Came to its end, or fell silent, without the mark: a server that takes it for a plain watch. */
    if (r->verdict == NOTHING && answer->status == 200 && ++r->watch_list_failures >= WATCH_LIST_FAILURES_MAX) {
        r->stats.watch_list = false;
    }
    if (r->verdict != NOTHING) {
        report(r, r->verdict_status, r->verdict_text);
    } else {
        report_answer(r, answer);
    }
    if (r->state == WATCH_LISTING) {
        back_off(r, false, answer->retry_after_ms);
    }
}

static void watch_gone(dsp_reflector *r)
{
    r->stats.gone++;
    dsp_log(DSP_LOG_DEBUG, "watch is too old, listing again", DSP_LOG_Z("path", r->path),
            DSP_LOG_Z("version", r->version));
    open_set(r);
}

/* A garbled line: once more from the same place, then a list. */
static void watch_garbled(dsp_reflector *r)
{
    bool twice = strcmp(r->garbled_at, r->version) == 0;

    memcpy(r->garbled_at, r->version, sizeof(r->version));
    report(r, 0, r->verdict_text);
    if (r->state == WATCHING) {
        back_off(r, !twice, 0);
    }
}

static void watch_failed(dsp_reflector *r, int64_t retry_after_ms)
{
    bool list = ++r->watch_failures >= WATCH_FAILURES_MAX;

    if (list) {
        r->watch_failures = 0;
    }
    if (r->state == WATCHING) {
        back_off(r, !list, retry_after_ms);
    }
}

/* A watch that was answered with 200 has ended, cleanly or not. */
static void watch_over(dsp_reflector *r)
{
    if (r->lines_seen == 0 && now_ms(r) - r->opened_at < SHORT_WATCH_MS) {
        report(r, 200, "the watch ended at once");
        watch_failed(r, 0);
        return;
    }
    open_watch(r);
}

static void watch_end(void *arg, const dsp_kube_answer *answer)
{
    dsp_reflector *r = arg;

    r->stream = NULL;
    r->stats.watching = false;
    kube_lines_free(&r->lines);
    if (r->state == WATCH_LISTING) {
        watch_list_ended(r, answer);
    } else if (r->verdict == GONE) {
        watch_gone(r);
    } else if (r->verdict == GARBLED) {
        watch_garbled(r);
    } else if (r->verdict == SERVER_ERROR) {
        report(r, r->verdict_status, r->verdict_text);
        watch_failed(r, answer->retry_after_ms);
    } else if (answer->status == 200) {
        watch_over(r);
    } else if (answer->outcome == DSP_KUBE_ANSWERED && answer->status == 410) {
        watch_gone(r);
    } else {
        bool refused = answer->outcome == DSP_KUBE_ANSWERED && answer->status < 500 && answer->status != 429;

        report_answer(r, answer);
        if (refused && r->state == WATCHING) {
            back_off(r, false, answer->retry_after_ms);
        } else {
            watch_failed(r, answer->retry_after_ms);
        }
    }
}

static const dsp_kube_stream_handler watch_stream = {watch_data, watch_end};

/* --- from outside --- */

dsp_reflector *dsp_reflector_new(dsp_kube_client *client, const dsp_reflector_options *options,
                                 const dsp_reflector_handler *handler, void *arg)
{
    dsp_reflector *r = calloc(1, sizeof(*r));

    if (r == NULL) {
        return NULL;
    }
    r->client = client;
    r->handler = handler;
    r->arg = arg;
    r->line_max = options->line_max > 0 ? options->line_max : LINE_MAX_BYTES;
    r->quiet_ms = options->quiet_ms > 0 ? options->quiet_ms : QUIET_MS;
    r->page = options->page > 0 ? options->page : PAGE;
    r->stats.watch_list = !options->no_watch_list;
    kube_lines_init(&r->lines, r->line_max);
    kube_list_init(&r->list, r->line_max);
    r->timer = evtimer_new(dsp_kube_client_base(client), on_timer, r);
    r->path = strdup(options->path);
    r->label_selector = options->label_selector != NULL ? strdup(options->label_selector) : NULL;
    r->field_selector = options->field_selector != NULL ? strdup(options->field_selector) : NULL;
    if (r->timer == NULL || r->path == NULL || (options->label_selector != NULL && r->label_selector == NULL) ||
        (options->field_selector != NULL && r->field_selector == NULL)) {
        dsp_reflector_free(r);
        return NULL;
    }
    return r;
}

void dsp_reflector_start(dsp_reflector *r)
{
    if (r->state == STOPPED) {
        open_set(r);
    }
}

void dsp_reflector_stop(dsp_reflector *r)
{
    r->state = STOPPED;
    r->stats.watching = false;
    if (r->stream != NULL) {
        dsp_kube_stream_close(r->stream);
        r->stream = NULL;
    }
    evtimer_del(r->timer);
}

void dsp_reflector_free(dsp_reflector *r)
{
    if (r == NULL) {
        return;
    }
    if (r->timer != NULL) {
        dsp_reflector_stop(r);
        event_free(r->timer);
    }
    kube_lines_free(&r->lines);
    kube_list_free(&r->list);
    free(r->token);
    free(r->path);
    free(r->label_selector);
    free(r->field_selector);
    free(r);
}

bool dsp_reflector_synced(const dsp_reflector *r)
{
    return r->synced;
}

const char *dsp_reflector_version(const dsp_reflector *r)
{
    return r->version;
}

const dsp_reflector_stats *dsp_reflector_stats_get(const dsp_reflector *r)
{
    return &r->stats;
}
