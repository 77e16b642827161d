/*
 * The server of the model check (controller_model_test.c): one JobTemplate, one JobExecution and its Job in memory, a
 * log of their changes, and what a request does to them. It refuses what a real one refuses, and fails the test on what
 * must never be asked of it.
 */
#ifndef DSP_T_CONTROLLER_MODEL_SERVER_H
#define DSP_T_CONTROLLER_MODEL_SERVER_H

#include "unit.h"

#include "controller/act.h"

#define TEXT_MAX 4096
#define LOG_MAX 64
#define CALLS_MAX 48 /* one per step of the longest walk */
#define TEMPLATE                                                                                                       \
    "{\"metadata\":{\"name\":\"tmpl\",\"namespace\":\"ns\",\"resourceVersion\":\"%d\"},\"spec\":{\"jobTemplate\":{"    \
    "\"spec\":{%s\"a\":\"{{ .Payload }}\"}}}}"

enum job_phase { PHASE_NEW, PHASE_STARTED, PHASE_COMPLETE, PHASE_FAILED };

struct event {
    bool          deleted;
    enum dsp_kind kind;
    char          text[TEXT_MAX];
};

struct call {
    char          method[8];
    char          path[256];
    char          body[TEXT_MAX];
    dsp_answer_fn done; /* NULL: whoever asked is dead */
    void         *context;
    bool          carried_out; /* and this is its answer, on the way */
    int           status;
    char          answer[TEXT_MAX];
};

static struct world {
    int     rv;
    int64_t now_ms;

    bool je_exists;
    int  je_rv;
    char conditions[2048];
    char job_ref[256];

    bool           job_exists;
    int            job_rv, job_n; /* job_n: Jobs ever made */
    char           job_name[80], job_ttl[8];
    bool           job_has_ttl;
    enum job_phase phase;
    bool           ended_seen_by_server; /* it ended while it existed */

    bool template_exists;
    int  template_rv;

    struct event log[LOG_MAX]; /* all changes, in order */
    size_t       n_log;
    size_t       cursor[DSP_KINDS]; /* how far each watch is */

    struct call calls[CALLS_MAX];
    size_t      n_calls;

    bool unsafe;  /* the Job was deleted before it was recorded: only the running process knows that it was there */
    bool gone_seen; /* the controller's watch has said that the JobExecution is deleted */
    bool touched; /* somebody deleted the Job or the JobExecution: other ends are right */
    char final_condition[2048];
    char recorded_job[256];
} w;

static bool      with_ttl; /* of the template */
static dsp_arena arena;

/* Ends the test with what is wrong and the steps that led there (controller_model_steps.h). */
static void fail_world(const char *what);

static void je_text(char *out, int rv)
{
    snprintf(out, TEXT_MAX,
             "{\"metadata\":{\"name\":\"je\",\"namespace\":\"ns\",\"uid\":\"je-uid\",\"resourceVersion\":\"%d\"},"
             "\"spec\":{\"jobTemplateName\":\"tmpl\","
             "\"payload\":\"p\"},\"status\":{\"conditions\":%s%s%s}}",
             rv, w.conditions[0] != '\0' ? w.conditions : "[]", w.job_ref[0] != '\0' ? ",\"job\":" : "", w.job_ref);
}

static void job_text(char *out, int rv)
{
    static const char *const status[] = {
        "{}", "{\"startTime\":\"2026-01-01T00:00:00Z\",\"active\":1}",
        "{\"startTime\":\"2026-01-01T00:00:00Z\",\"completionTime\":\"2026-01-01T00:00:01Z\",\"succeeded\":1,"
        "\"conditions\":[{\"type\":\"Complete\",\"status\":\"True\"}]}",
        "{\"startTime\":\"2026-01-01T00:00:00Z\",\"failed\":1,\"conditions\":[{\"type\":\"Failed\",\"status\":\"True\","
        "\"reason\":\"BackoffLimitExceeded\"}]}"
    };

    snprintf(
        out, TEXT_MAX,
        "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"uid\":\"job-%d\",\"resourceVersion\":\"%d\",%s%s%"
        "s\"ownerReferences\":[{\"apiVersion\":"
        "\"dispatcher.ivan.vc/"
        "v1beta1\",\"kind\":\"JobExecution\",\"controller\":true,\"uid\":\"je-uid\"}]},\"spec\":{%s},\"status\":%s}",
        w.job_name, w.job_n, rv,
        w.job_ttl[0] != '\0' ? "\"annotations\":{\"dispatcher.ivan.vc/ttl-seconds-after-finished\":\"" : "", w.job_ttl,
        w.job_ttl[0] != '\0' ? "\"}," : "", w.job_has_ttl ? "\"ttlSecondsAfterFinished\":0" : "", status[w.phase]);
}

static void template_text(char *out, int rv)
{
    snprintf(out, TEXT_MAX, TEMPLATE, rv, with_ttl ? "\"ttlSecondsAfterFinished\":0," : "");
}

static void log_change(enum dsp_kind kind, bool deleted)
{
    struct event *e = &w.log[w.n_log++];

    assert_true(w.n_log < LOG_MAX);
    w.rv++;
    e->kind = kind;
    e->deleted = deleted;
    if (kind == DSP_KIND_EXECUTION) {
        w.je_rv = w.rv;
        je_text(e->text, w.rv);
    } else if (kind == DSP_KIND_JOB) {
        w.job_rv = w.rv;
        job_text(e->text, w.rv);
    } else {
        w.template_rv = w.rv;
        template_text(e->text, w.rv);
    }
}

static dsp_json parse(const char *text)
{
    dsp_json value;

    if (!dsp_json_parse(dsp_str_from(text), &value, NULL)) {
        fail_msg("bad JSON: %s", text);
    }
    return value;
}

/* --- carrying out a request: the answer's status, its body in out --------------------------------------------- */

static int status_answer(char *out, int code, const char *reason)
{
    snprintf(out, TEXT_MAX, "{\"kind\":\"Status\",\"reason\":\"%s\",\"message\":\"no\",\"code\":%d}", reason, code);
    return code;
}

static void copy_json(char *to, size_t size, dsp_json from)
{
    snprintf(to, size, "%.*s", DSP_STR_ARG(from));
}

static int commit_create(const struct call *c, char *out)
{
    dsp_json body = parse(c->body);
    char     name[80];

    copy_json(name, sizeof(name), dsp_json_path(body, "metadata", "name", NULL));
    if (w.job_exists && strncmp(w.job_name, name + 1, strlen(w.job_name)) == 0) {
        return status_answer(out, 409, "AlreadyExists");
    }
    w.job_n++;
    if (w.job_n > 1) {
        fail_world("a second Job");
    }
    w.job_exists = true;
    w.job_has_ttl = false;
    w.phase = PHASE_NEW;
    snprintf(w.job_name, sizeof(w.job_name), "%.*s", (int) strlen(name) - 2, name + 1);
    snprintf(
        w.job_ttl, sizeof(w.job_ttl), "%s",
        dsp_json_path(body, "metadata", "annotations", "dispatcher.ivan.vc/ttl-seconds-after-finished", NULL).data !=
                NULL
            ? "0"
            : "");
    if (dsp_json_path(body, "spec", "ttlSecondsAfterFinished", NULL).data != NULL) {
        fail_world("a Job with a TTL before its end is recorded");
    }
    log_change(DSP_KIND_JOB, false);
    job_text(out, w.job_rv);
    return 201;
}

static int commit_status(const struct call *c, char *out)
{
    dsp_json body = parse(c->body), job = dsp_json_path(body, "status", "job", NULL);
    dsp_str  rv;
    char     now[16];

    if (!w.je_exists) {
        return status_answer(out, 404, "NotFound");
    }
    snprintf(now, sizeof(now), "%d", w.je_rv);
    assert_true(dsp_json_string(dsp_json_path(body, "metadata", "resourceVersion", NULL), &arena, &rv));
    if (!dsp_str_is(rv, now)) {
        return status_answer(out, 409, "Conflict");
    }
    if (w.final_condition[0] != '\0') {
        fail_world("a status after the end");
    }
    copy_json(w.conditions, sizeof(w.conditions), dsp_json_path(body, "status", "conditions", NULL));
    if (job.data != NULL) {
        if (w.recorded_job[0] != '\0') {
            fail_world("a second reference");
        }
        copy_json(w.job_ref, sizeof(w.job_ref), job);
        copy_json(w.recorded_job, sizeof(w.recorded_job), job);
    }
    if (strstr(w.conditions, "\"Succeeded\"") != NULL) {
        memcpy(w.final_condition, w.conditions, sizeof(w.conditions));
    }
    log_change(DSP_KIND_EXECUTION, false);
    je_text(out, w.je_rv);
    return 200;
}

static int commit(const struct call *c, char *out)
{
    bool of_job = strstr(c->path, "/jobs") != NULL && strstr(c->path, "/jobexecutions") == NULL;

    if (strcmp(c->method, "POST") == 0) {
        return commit_create(c, out);
    }
    if (strstr(c->path, "/pods") != NULL) {
        snprintf(out, TEXT_MAX, "{\"items\":[]}");
        return 200;
    }
    if (strstr(c->path, "/status") != NULL) {
        return commit_status(c, out);
    }
    if (strcmp(c->method, "GET") == 0) {
        if (of_job ? !w.job_exists : !w.je_exists) {
            return status_answer(out, 404, "NotFound");
        }
        of_job ? job_text(out, w.job_rv) : je_text(out, w.je_rv);
        return 200;
    }
    if (strcmp(c->method, "PATCH") == 0) { /* the Job's TTL */
        if (!w.job_exists) {
            return status_answer(out, 404, "NotFound");
        }
        if (w.final_condition[0] == '\0') {
            fail_world("a TTL before the end is recorded");
        }
        w.job_has_ttl = true;
        log_change(DSP_KIND_JOB, false);
        job_text(out, w.job_rv);
        return 200;
    }
    assert_string_equal(c->method, "DELETE");
    if (!w.je_exists) {
        return status_answer(out, 404, "NotFound");
    }
    if (w.job_exists || w.final_condition[0] == '\0') {
        fail_world("a JobExecution deleted too early");
    }
    w.je_exists = false;
    log_change(DSP_KIND_EXECUTION, true);
    return status_answer(out, 200, "");
}

#endif
