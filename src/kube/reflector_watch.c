#include <string.h>

#include "reflector_impl.h"
#include "base/log.h"

/* A watch that ends within this time and without an event backs off. */
#define SHORT_WATCH_MS 1000

/* So many failed watches in a row, without one line between them: list. */
#define WATCH_FAILURES_MAX 5

/* So many WatchLists that ended without their end mark: the server does not have it. */
#define WATCH_LIST_FAILURES_MAX 2

static void error_event(dsp_reflector *r, dsp_json status)
{
    int64_t code = 0;

    dsp_json_int64(dsp_json_get(status, "code"), &code);
    r->verdict = code == 410 || dsp_json_equals(dsp_json_get(status, "reason"), DSP_STR("Expired")) ? KUBE_GONE
                                                                                                    : KUBE_SERVER_ERROR;
    r->verdict_status = (int) code;
    kube_status_text(status, "the watch says ERROR", r->verdict_text, sizeof(r->verdict_text));
}

static bool is_initial_end(dsp_json metadata)
{
    dsp_json mark = dsp_json_path(metadata, "annotations", "k8s.io/initial-events-end", NULL);

    return dsp_json_equals(mark, DSP_STR("true"));
}

static void bookmark(dsp_reflector *r, dsp_json metadata)
{
    char version[KUBE_VERSION_MAX];

    r->stats.bookmarks++;
    if (!kube_version_of(metadata, version)) {
        return;
    }
    if (r->state == KUBE_WATCHING) {
        memcpy(r->version, version, sizeof(version));
    } else if (is_initial_end(metadata)) {
        if (!r->begun) {
            kube_set_begin(r);
        }
        if (r->state == KUBE_WATCH_LISTING) {
            r->state = KUBE_WATCHING;
            r->stats.restarts += r->stats.watches > 0;
            r->stats.watches++;
            r->watch_list_failures = 0;
            kube_set_complete(r, version);
        }
    }
}

static void object_event(dsp_reflector *r, enum dsp_reflector_event type, dsp_json object)
{
    r->stats.events++;
    if (r->state == KUBE_WATCHING) {
        kube_version_of(dsp_json_get(object, "metadata"), r->version);
        r->handler->event(r->arg, type, object);
        return;
    }
    if (!r->begun) {
        kube_set_begin(r);
    }
    if (r->state != KUBE_WATCH_LISTING) {
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
    kube_split_failed(r, KUBE_SPLIT_GARBLED);
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
    return r->state == KUBE_WATCHING || r->state == KUBE_WATCH_LISTING;
}

static bool watch_data(void *arg, dsp_str bytes)
{
    dsp_reflector         *r = arg;
    enum kube_split_result result;

    r->stats.bytes += bytes.len;
    r->stats.watching = r->state == KUBE_WATCHING;
    result = kube_lines_feed(&r->lines, bytes, on_line, r);
    if (r->state == KUBE_STOPPED) {
        return false;
    }
    r->stats.watching = r->state == KUBE_WATCHING;
    kube_split_failed(r, result);
    return result == KUBE_SPLIT_OK;
}

/* The first part of a WatchList broke off, or was refused. */
static void watch_list_ended(dsp_reflector *r, const dsp_kube_answer *answer)
{
    bool answered = answer->outcome == DSP_KUBE_ANSWERED;

    if (answered && (answer->status == 422 || answer->status == 400)) {
        r->stats.watch_list = false; /* the server does not know it, for good */
        kube_open_set(r);
        return;
    }
    if (r->verdict == KUBE_GONE || (answered && kube_version_refused(r, answer))) {
        if (r->verdict == KUBE_GONE) {
            r->stats.gone++;
            bool first = !r->version_lost && r->version[0] != '\0';
            r->version_lost = true;
            if (first) {
                kube_open_set(r);
                return;
            }
            kube_reflector_report(r, 410, r->verdict_text);
            kube_reflector_back_off(r, false, 0);
        }
        return;
    }
    /* Came to its end, or fell silent, without the mark: a server that takes it for a plain watch. */
    if (r->verdict == KUBE_NOTHING && answer->status == 200 && ++r->watch_list_failures >= WATCH_LIST_FAILURES_MAX) {
        r->stats.watch_list = false;
    }
    if (r->verdict != KUBE_NOTHING) {
        kube_reflector_report(r, r->verdict_status, r->verdict_text);
    } else {
        kube_reflector_report_answer(r, answer);
    }
    if (r->state == KUBE_WATCH_LISTING) {
        kube_reflector_back_off(r, false, answer->retry_after_ms);
    }
}

static void watch_gone(dsp_reflector *r)
{
    r->stats.gone++;
    dsp_log(DSP_LOG_DEBUG, "watch is too old, listing again", DSP_LOG_Z("path", r->path),
            DSP_LOG_Z("version", r->version));
    kube_open_set(r);
}

/* A garbled line: once more from the same place, then a list. */
static void watch_garbled(dsp_reflector *r)
{
    bool twice = strcmp(r->garbled_at, r->version) == 0;

    memcpy(r->garbled_at, r->version, sizeof(r->version));
    kube_reflector_report(r, 0, r->verdict_text);
    if (r->state == KUBE_WATCHING) {
        kube_reflector_back_off(r, !twice, 0);
    }
}

static void watch_failed(dsp_reflector *r, int64_t retry_after_ms)
{
    bool list = ++r->watch_failures >= WATCH_FAILURES_MAX;

    if (list) {
        r->watch_failures = 0;
    }
    if (r->state == KUBE_WATCHING) {
        kube_reflector_back_off(r, !list, retry_after_ms);
    }
}

/* A watch that was answered with 200 has ended, cleanly or not. */
static void watch_over(dsp_reflector *r)
{
    if (r->lines_seen == 0 && kube_reflector_now(r) - r->opened_at < SHORT_WATCH_MS) {
        kube_reflector_report(r, 200, "the watch ended at once");
        watch_failed(r, 0);
        return;
    }
    kube_open_watch(r);
}

static void watch_end(void *arg, const dsp_kube_answer *answer)
{
    dsp_reflector *r = arg;

    r->stream = NULL;
    r->stats.watching = false;
    kube_lines_free(&r->lines);
    if (r->state == KUBE_WATCH_LISTING) {
        watch_list_ended(r, answer);
    } else if (r->verdict == KUBE_GONE) {
        watch_gone(r);
    } else if (r->verdict == KUBE_GARBLED) {
        watch_garbled(r);
    } else if (r->verdict == KUBE_SERVER_ERROR) {
        kube_reflector_report(r, r->verdict_status, r->verdict_text);
        watch_failed(r, answer->retry_after_ms);
    } else if (answer->status == 200) {
        watch_over(r);
    } else if (answer->outcome == DSP_KUBE_ANSWERED && answer->status == 410) {
        watch_gone(r);
    } else {
        bool refused = answer->outcome == DSP_KUBE_ANSWERED && answer->status < 500 && answer->status != 429;

        kube_reflector_report_answer(r, answer);
        if (refused && r->state == KUBE_WATCHING) {
            kube_reflector_back_off(r, false, answer->retry_after_ms);
        } else {
            watch_failed(r, answer->retry_after_ms);
        }
    }
}

const dsp_kube_stream_handler kube_watch_stream = { watch_data, watch_end };
