#include "fault_rule.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "request_log.h"
#include "server.h"
#include "tree.h"

/* ---- which requests a rule is about ---- */

static bool matches(const dc_rule *rule, const dc_request *r)
{
    const char *mark = strchr(r->target, '?');
    size_t      len = mark != NULL ? (size_t) (mark - r->target) : strlen(r->target);
    const char *agent = dc_header(r, "User-Agent");
    char        path[4096];

    if (rule->method != NULL && strcmp(rule->method, dc_method_name(r->method)) != 0) {
        return false;
    }
    snprintf(path, sizeof(path), "%.*s", (int) len, r->target);
    if (rule->path != NULL && fnmatch(rule->path, path, FNM_PATHNAME) != 0) {
        return false;
    }
    if (rule->query != NULL && fnmatch(rule->query, mark != NULL ? mark + 1 : "", 0) != 0) {
        return false;
    }
    return rule->agent == NULL || fnmatch(rule->agent, agent != NULL ? agent : "", 0) == 0;
}

/* Counts the request; true: this rule is for it. */
static bool takes(dc_rule *rule, const dc_request *r)
{
    if (!matches(rule, r)) {
        return false;
    }
    rule->seen++;
    return rule->seen > rule->skip && (rule->count == 0 || rule->seen <= rule->skip + rule->count);
}

static void hit(dc_faults *f, dc_rule *rule)
{
    rule->hits++;
    if (f->on_hit != NULL) {
        f->on_hit(f->on_hit_arg);
    }
}

/* ---- holding and delaying ---- */

void dc_rule_go_on(dc_request *r)
{
    if (r->held_at == ARRIVED) {
        dc_server_serve(r);
    } else {
        dc_server_answer(r);
    }
}

static void on_delay_over(evutil_socket_t fd, short what, void *arg)
{
    dc_request *r = arg;

    (void) fd;
    (void) what;
    event_free(r->timer);
    r->timer = NULL;
    dc_rule_go_on(r);
}

static void delay(dc_request *r, enum stage stage, int64_t ms)
{
    struct timeval time = { ms / 1000, (ms % 1000) * 1000 };

    r->held_at = (int) stage;
    r->timer = evtimer_new(r->cluster->base, on_delay_over, r);
    evtimer_add(r->timer, &time);
}

static void hold(dc_rule *rule, dc_request *r, enum stage stage)
{
    r->held_at = (int) stage;
    r->held_by = rule;
    TAILQ_INSERT_TAIL(&rule->held, r, held);
}

/* ---- the answer that a rule puts in the place of the real one ---- */

static void put_status(dc_request *r, const dc_rule *rule)
{
    static const struct {
        int         code;
        const char *reason, *message;
    } known[] = {
        { 401, "Unauthorized", "Unauthorized" },
        { 403, "Forbidden", "forbidden by a fault of devcluster" },
        { 404, "NotFound", "the server could not find the requested resource" },
        { 409, "Conflict", "Operation cannot be fulfilled: the object has been modified; please apply your changes to "
                           "the latest version and try again" },
        { 410, "Expired", "The resourceVersion for the provided list is too old." },
        { 422, "Invalid", "invalid by a fault of devcluster" },
        { 429, "TooManyRequests", "The server has received too many requests and has asked us to try again later" },
        { 500, "InternalError", "Internal error occurred: a fault of devcluster" },
        { 503, "ServiceUnavailable", "the server is currently unable to handle the request" },
        { 504, "Timeout", "Timeout: request did not complete within the allotted timeout" },
    };
    const char *reason = dc_str(rule->text, "reason"), *message = dc_str(rule->text, "message");

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].code == rule->code) {
            reason = reason != NULL ? reason : known[i].reason;
            message = message != NULL ? message : known[i].message;
        }
    }
    dc_fail_free(&r->fail);
    dc_fail_set(&r->fail, (int) rule->code, reason != NULL ? reason : "", "%s", message != NULL ? message : "a fault");
    if (rule->retry_after >= 0) {
        dc_fail_retry_after(&r->fail, (int) rule->retry_after);
    }
    dc_answer_fail(r);
    if (rule->retry_after == 0) {
        dc_answer_header(r, "Retry-After", "0");
    }
}

static void put_html(dc_request *r, const dc_rule *rule)
{
    dc_answer_text(r, (int) rule->code, "text/html",
                   DSP_STR("<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1>"
                           "</center></body></html>\r\n"));
}

static void put_redirect(dc_request *r, const dc_rule *rule)
{
    const char *location = dc_str(rule->text, "location");

    dc_answer_text(r, (int) rule->code, "text/plain", DSP_STR("redirected by a fault of devcluster\n"));
    dc_answer_header(r, "Location", location != NULL ? location : "http://127.0.0.1:1/elsewhere");
}

/* Overwrites bytes in the middle, so that the text is no JSON any more. */
static void garble(char *text, size_t len)
{
    for (size_t i = len / 3; i < len && i < len / 3 + 8; i++) {
        text[i] = "\x01}{\"\xff]:,"[i - len / 3];
    }
}

/* ---- the stages ---- */

/* true: the request goes no further now. */
static bool act_on_arrival(dc_request *r, dc_rule *rule)
{
    switch (rule->what) {
    case HOLD:
        if (rule->released) {
            return false;
        }
        hold(rule, r, ARRIVED);
        return true;
    case DELAY:
        delay(r, ARRIVED, rule->ms);
        return true;
    case DROP:
        dc_server_drop(r);
        return true;
    case STATUS:
        put_status(r, rule);
        break;
    case HTML:
        put_html(r, rule);
        break;
    case REDIRECT:
        put_redirect(r, rule);
        break;
    default:
        return false;
    }
    dc_server_answer(r);
    return true;
}

void dc_fault_arrived(dc_request *r)
{
    dc_faults *f = r->cluster->faults;
    dc_rule   *rule;

    dc_request_log_arrived(r);
    TAILQ_FOREACH(rule, &f->rules, all) {
        if (rule->frozen && matches(rule, r)) {
            hold(rule, r, ARRIVED);
            return;
        }
        if (r->rule == NULL && takes(rule, r)) {
            r->rule = rule;
        }
    }
    rule = r->rule;
    if (rule == NULL || rule->stage != ARRIVED) {
        dc_server_serve(r);
        return;
    }
    hit(f, rule);
    if (!act_on_arrival(r, rule)) {
        dc_server_serve(r);
    }
}

static bool act_on_answer(dc_request *r, dc_rule *rule)
{
    switch (rule->what) {
    case HOLD:
        if (rule->released) {
            return false;
        }
        hold(rule, r, SERVED);
        return true;
    case DELAY:
        delay(r, SERVED, rule->ms);
        return true;
    case DROP:
        dc_server_drop(r);
        return true;
    case CUT:
        dc_server_answer_cut(r, rule->bytes >= 0 ? (size_t) rule->bytes : r->answer.len / 2);
        return true;
    case STATUS:
        put_status(r, rule);
        return false;
    case HTML:
        put_html(r, rule);
        return false;
    case REDIRECT:
        put_redirect(r, rule);
        return false;
    case GARBLE:
        garble(r->answer.data, r->answer.len);
        return false;
    default:
        return false;
    }
}

void dc_fault_served(dc_request *r)
{
    dc_rule *rule = r->rule;

    dc_request_log_served(r);
    if (rule != NULL && rule->stage == SERVED) {
        hit(r->cluster->faults, rule);
        if (r->streaming) {
            if (rule->what == DROP) {
                dc_server_drop(r);
            }
            return;
        }
        if (act_on_answer(r, rule)) {
            return;
        }
    }
    if (!r->streaming) {
        dc_server_answer(r);
    }
}

void dc_fault_answered(dc_request *r)
{
    dc_rule *rule = r->rule;

    if (rule != NULL && rule->stage == ANSWERED && rule->what == HOLD && !rule->released) {
        rule->frozen = true;
        hit(r->cluster->faults, rule);
    }
}

void dc_fault_forget(dc_request *r)
{
    if (r->held_by != NULL) {
        TAILQ_REMOVE(&r->held_by->held, r, held);
        r->held_by = NULL;
    }
}

/* ---- watches and stale state ---- */

int dc_fault_watch_lag(const dc_request *r)
{
    return r->rule != NULL && r->rule->what == LAG ? (int) r->rule->ms : 0;
}

static void double_lines(dsp_buf *out)
{
    dsp_buf twice;
    size_t  from = 0;

    dsp_buf_init(&twice, out->max);
    for (size_t i = 0; i < out->len; i++) {
        if (out->data[i] == '\n') {
            for (int n = 0; n < 2; n++) {
                dsp_buf_add(&twice, out->data + from, i + 1 - from);
            }
            from = i + 1;
        }
    }
    dsp_buf_free(out);
    *out = twice;
}

/* Finds the rule's line in what is to be sent. */
static bool find_line(const dc_rule *rule, const dsp_buf *out, uint64_t *lines, size_t *from, size_t *len)
{
    size_t at = 0;

    for (size_t i = 0; i < out->len; i++) {
        if (out->data[i] == '\n') {
            if ((int64_t) ++*lines == rule->line) {
                *from = at;
                *len = i - at;
                return true;
            }
            at = i + 1;
        }
    }
    return false;
}

bool dc_fault_watch_text(dc_request *r, dsp_buf *out, uint64_t *lines)
{
    dc_rule *rule = r->rule;
    size_t   from, len;

    if (rule == NULL) {
        return false;
    }
    if (rule->what == DUPLICATE) {
        hit(r->cluster->faults, rule);
        double_lines(out);
    } else if ((rule->what == CUT_LINE || rule->what == GARBLE_LINE) && find_line(rule, out, lines, &from, &len)) {
        hit(r->cluster->faults, rule);
        if (rule->what == GARBLE_LINE) {
            garble(out->data + from, len);
            return false;
        }
        size_t keep = rule->bytes >= 0 && (size_t) rule->bytes < len ? (size_t) rule->bytes : len / 2;
        out->len = from + keep;
        return true;
    }
    return false;
}

const dc_page *dc_fault_stale_list(const dc_request *r)
{
    const dc_rule *rule = r->rule;
    const dc_kind *kind = dc_kind_stored(r->kind);

    for (dc_page **p = rule != NULL && rule->what == STALE ? rule->stale : NULL; p != NULL && *p != NULL; p++) {
        if ((*p)->kind == kind) {
            return *p;
        }
    }
    return NULL;
}

const dc_object *dc_fault_stale_object(const dc_request *r)
{
    const dc_page *page = dc_fault_stale_list(r);

    for (size_t i = 0; page != NULL && i < page->n; i++) {
        const dc_object *o = page->objects[i];
        if (strcmp(o->name, r->name) == 0 && strcmp(o->ns, r->ns != NULL ? r->ns : "") == 0) {
            return o;
        }
    }
    return NULL;
}
