#include "reflector_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define LINE_MAX_BYTES (8u * 1024 * 1024)

/* A server sends a bookmark about every minute (apiserver, cacher: defaultBookmarkFrequency): a shorter patience would
 * open each watch of a quiet cluster again and again. A dead peer is found sooner, by the kernel (target.c). */
#define QUIET_MS 90000

#define LIST_QUIET_MS 60000
#define PAGE          500

/* A watch asks the server to end it after 5 to 10 minutes (client-go), and is cut when it has not done so. */
#define WATCH_MIN_S    300
#define WATCH_SPREAD_S 300
#define WATCH_GRACE_MS 30000

static const dsp_backoff_rule backoff_rule = { .base_ms = 800, .max_ms = 30000, .jitter = 1.0, .reset_ms = 120000 };

int64_t kube_reflector_now(const dsp_reflector *r)
{
    const dsp_kube_env *env = dsp_kube_client_env(r->client);

    return env->now_ms(env->arg);
}

/* --- going on: at once or after a while --- */

static void wait_for(dsp_reflector *r, bool watch_next, int64_t ms)
{
    struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

    r->state = KUBE_WAITING;
    r->watch_next = watch_next;
    evtimer_add(r->timer, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    dsp_reflector *r = arg;

    (void) fd;
    (void) what;
    if (r->state != KUBE_WAITING) {
        return;
    }
    if (r->watch_next) {
        kube_open_watch(r);
    } else {
        kube_open_set(r);
    }
}

void kube_reflector_back_off(dsp_reflector *r, bool watch_next, int64_t at_least_ms)
{
    int64_t ms = dsp_backoff_next(&r->backoff, &backoff_rule, dsp_kube_client_env(r->client));

    wait_for(r, watch_next, ms > at_least_ms ? ms : at_least_ms);
}

void kube_reflector_report(dsp_reflector *r, int status, const char *message)
{
    r->stats.failures++;
    dsp_log(DSP_LOG_DEBUG, "list or watch failed", DSP_LOG_Z("path", r->path), DSP_LOG_INT("status", status),
            DSP_LOG_Z("error", message));
    if (r->handler->failed != NULL) {
        r->handler->failed(r->arg, status, message);
    }
}

/* The message of a Status, else what stands in for it. */
void kube_status_text(dsp_str body, const char *otherwise, char *out, size_t size)
{
    dsp_arena arena;
    dsp_json  doc;
    dsp_str   text = { NULL, 0 };

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

void kube_reflector_report_answer(dsp_reflector *r, const dsp_kube_answer *answer)
{
    char text[256];

    kube_status_text(answer->body, answer->error != NULL ? answer->error : "refused", text, sizeof(text));
    kube_reflector_report(r, answer->outcome == DSP_KUBE_ANSWERED ? answer->status : 0, text);
}

void kube_split_failed(dsp_reflector *r, enum kube_split_result result)
{
    if (result == KUBE_SPLIT_TOO_LONG || result == KUBE_SPLIT_GARBLED) {
        r->stats.garbled++;
        r->verdict = KUBE_GARBLED;
        r->verdict_status = 0;
        snprintf(r->verdict_text, sizeof(r->verdict_text), "%s",
                 result == KUBE_SPLIT_TOO_LONG ? "an object is too long" : "the answer is garbled");
    }
}

/* --- resourceVersions --- */

/* A string span without escapes, which a resourceVersion is, into memory of KUBE_VERSION_MAX. false: it is not one. */
bool kube_version_of(dsp_json metadata, char out[KUBE_VERSION_MAX])
{
    dsp_json value = dsp_json_get(metadata, "resourceVersion");

    if (dsp_json_kind(value) != DSP_JSON_STRING || value.len < 3 || value.len - 2 >= KUBE_VERSION_MAX ||
        memchr(value.data, '\\', value.len) != NULL) {
        return false;
    }
    memcpy(out, value.data + 1, value.len - 2);
    out[value.len - 2] = '\0';
    return true;
}

void kube_set_complete(dsp_reflector *r, const char *version)
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

void kube_set_begin(dsp_reflector *r)
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
    dsp_kube_request request = { .path = dsp_str_from(r->path), .query = dsp_buf_str(query), .timeout_ms = timeout_ms };

    r->verdict = KUBE_NOTHING;
    r->lines_seen = 0;
    r->opened_at = kube_reflector_now(r);
    r->stream = query->failed ? NULL : dsp_kube_client_stream(r->client, &request, quiet_ms, handler, r);
    dsp_buf_free(query);
    if (r->stream == NULL) {
        kube_reflector_report(r, 0, "out of memory");
        kube_reflector_back_off(r, r->state == KUBE_WATCHING, 0);
    }
}

void kube_open_list(dsp_reflector *r)
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
    r->state = KUBE_LISTING;
    kube_list_free(&r->list);
    open_stream(r, &query, 0, LIST_QUIET_MS, &kube_list_stream);
}

/* A set: by WatchList when the server has it. */
void kube_open_set(dsp_reflector *r)
{
    dsp_buf query;

    r->begun = false;
    free(r->token);
    r->token = NULL;
    if (!r->stats.watch_list) {
        kube_open_list(r);
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
    r->state = KUBE_WATCH_LISTING;
    kube_lines_free(&r->lines);
    open_stream(r, &query, (int64_t) seconds * 1000 + WATCH_GRACE_MS, r->quiet_ms, &kube_watch_stream);
}

void kube_open_watch(dsp_reflector *r)
{
    const dsp_kube_env *env = dsp_kube_client_env(r->client);
    unsigned            seconds = WATCH_MIN_S + env->random(env->arg) % WATCH_SPREAD_S;
    dsp_buf             query;

    dsp_buf_init(&query, 64 * 1024);
    add_selectors(r, &query);
    dsp_buf_addf(&query, "%swatch=1&allowWatchBookmarks=true", query.len > 0 ? "&" : "");
    dsp_kube_query_add(&query, "resourceVersion", dsp_str_from(r->version));
    dsp_buf_addf(&query, "&timeoutSeconds=%u", seconds);
    r->state = KUBE_WATCHING;
    r->stats.restarts += r->stats.watches > 0;
    r->stats.watches++;
    kube_lines_free(&r->lines);
    open_stream(r, &query, (int64_t) seconds * 1000 + WATCH_GRACE_MS, r->quiet_ms, &kube_watch_stream);
}

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
    if (r->state == KUBE_STOPPED) {
        kube_open_set(r);
    }
}

void dsp_reflector_stop(dsp_reflector *r)
{
    r->state = KUBE_STOPPED;
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
