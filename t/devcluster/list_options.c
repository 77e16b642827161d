#include "list_options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_number(dc_request *r, const char *name, int64_t *out)
{
    const char *text = dc_query(r, name);
    char       *end;

    if (text == NULL || *text == '\0') {
        return true;
    }
    *out = strtoll(text, &end, 10);
    if (*end != '\0') {
        return dc_fail_set(&r->fail, 400, "BadRequest", "strconv.ParseInt: parsing \"%s\": invalid syntax", text);
    }
    return true;
}

static bool read_flag(dc_request *r, const char *name, bool *out)
{
    const char *text = dc_query(r, name);

    *out = text != NULL && strcmp(text, "0") != 0 && strcmp(text, "false") != 0;
    return text != NULL;
}

static const char forbidden[] = "FieldValueForbidden";

static void check_watch(dc_request *r, const dc_list_options *o, const char *match, bool asks_initial,
                        dc_errors *errors)
{
    bool not_older = match != NULL && strcmp(match, "NotOlderThan") == 0;

    if (asks_initial && !not_older) {
        dc_other_error(errors, forbidden, "resourceVersionMatch",
                       "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    }
    if (asks_initial && !r->cluster->options.watch_list) {
        dc_other_error(errors, forbidden, "sendInitialEvents",
                       "Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is "
                       "enabled");
    }
    if (match != NULL && !asks_initial) {
        dc_other_error(errors, forbidden, "resourceVersionMatch",
                       "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    }
    if (match != NULL && !not_older) {
        dc_other_error(errors, "FieldValueNotSupported", "resourceVersionMatch",
                       "Unsupported value: \"%s\": supported values: \"NotOlderThan\"", match);
    }
    if (match != NULL && o->token != NULL) {
        dc_other_error(errors, forbidden, "resourceVersionMatch",
                       "Forbidden: resourceVersionMatch is forbidden when continue is provided");
    }
}

static void check_list(const dc_list_options *o, const char *match, bool asks_initial, dc_errors *errors)
{
    if (match != NULL && !o->has_rv) {
        dc_other_error(errors, forbidden, "resourceVersionMatch",
                       "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided");
    }
    if (match != NULL && o->token != NULL) {
        dc_other_error(errors, forbidden, "resourceVersionMatch",
                       "Forbidden: resourceVersionMatch is forbidden when continue is provided");
    }
    if (match != NULL && !o->exact && strcmp(match, "NotOlderThan") != 0) {
        dc_other_error(errors, "FieldValueNotSupported", "resourceVersionMatch",
                       "Unsupported value: \"%s\": supported values: \"Exact\", \"NotOlderThan\", \"\"", match);
    }
    if (o->exact && o->has_rv && o->rv == 0) {
        dc_other_error(errors, forbidden, "resourceVersionMatch",
                       "Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
    }
    if (asks_initial) {
        dc_other_error(errors, forbidden, "sendInitialEvents", "Forbidden: sendInitialEvents is forbidden for list");
    }
}

/* A real server says 400 for a list and, having looked less closely, 500 for a get or a watch. */
bool dc_bad_revision(dc_request *r, const char *rv)
{
    bool list = r->name == NULL && !r->watch;

    return dc_fail_set(&r->fail, list ? 400 : 500, list ? "BadRequest" : "",
                       "%sresourceVersion: Invalid value: \"%s\": strconv.ParseUint: parsing \"%s\": invalid syntax",
                       list ? "invalid resource version: " : "", rv, rv);
}

bool dc_list_options_read(dc_request *r, dc_list_options *o)
{
    static const dc_name name = { "meta.k8s.io", "ListOptions", "listoptions", "" };
    const char          *rv = dc_query(r, "resourceVersion");
    const char          *match = dc_query(r, "resourceVersionMatch");
    dc_errors            errors = { NULL };
    bool                 initial;

    memset(o, 0, sizeof(*o));
    o->has_rv = rv != NULL && *rv != '\0';
    if (o->has_rv && !dsp_str_u64(dsp_str_from(rv), &o->rv)) {
        return dc_bad_revision(r, rv);
    }
    match = match != NULL && *match != '\0' ? match : NULL;
    o->exact = match != NULL && strcmp(match, "Exact") == 0;
    o->token = dc_query(r, "continue");
    if (o->token != NULL && *o->token == '\0') {
        o->token = NULL;
    }
    read_flag(r, "allowWatchBookmarks", &o->bookmarks);
    bool asks_initial = read_flag(r, "sendInitialEvents", &initial);
    o->initial_events = asks_initial && initial;
    o->no_initial_events = asks_initial && !initial;
    if (!read_number(r, "limit", &o->limit) || !read_number(r, "timeoutSeconds", &o->timeout_s)) {
        return false;
    }
    if (r->watch) {
        check_watch(r, o, match, asks_initial, &errors);
    } else {
        check_list(o, match, asks_initial, &errors);
    }
    if (!dc_errors_done(&errors, name, &r->fail)) {
        return false;
    }
    o->selector = dc_selector_new(r->kind, dc_query(r, "labelSelector"), dc_query(r, "fieldSelector"), &r->fail);
    return o->selector != NULL;
}

void dc_list_options_free(dc_list_options *o)
{
    dc_selector_free(o->selector);
    o->selector = NULL;
}

static void serve_again(evutil_socket_t fd, short what, void *arg)
{
    (void) fd;
    (void) what;
    dc_request_again(arg);
}

bool dc_revision_reached(dc_request *r, uint64_t rv)
{
    static const struct timeval patience = { 3, 0 };

    if (rv <= r->cluster->store.rv) {
        return true;
    }
    if (!r->waited) {
        r->waited = r->waiting = true;
        r->timer = evtimer_new(r->cluster->base, serve_again, r);
        evtimer_add(r->timer, &patience);
        return false;
    }
    dc_fail_set(&r->fail, 504, "Timeout", "Timeout: Too large resource version: %" PRIu64 ", current: %" PRIu64, rv,
                r->cluster->store.rv);
    dc_fail_retry_after(&r->fail, 1);
    dc_fail_cause(&r->fail, "ResourceVersionTooLarge", "", "Too large resource version");
    return false;
}
