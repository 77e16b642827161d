#include "jobexecution.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "object.h"

static const char *const top_names[] = { "metadata", "spec", "status" };
static const char *const meta_names[] = { "namespace",        "name", "uid", "resourceVersion", "creationTimestamp",
                                          "deletionTimestamp" };
static const char *const spec_names[] = { "jobTemplateName", "payload" };
static const char *const status_names[] = { "conditions", "job" };

bool dsp_jobexecution_read(dsp_json object, dsp_arena *arena, dsp_jobexecution *out)
{
    dsp_json top[3], meta[6], spec[2], status[2];

    dsp_object_pick(object, top_names, 3, top);
    dsp_object_pick(top[0], meta_names, 6, meta);
    dsp_object_pick(top[1], spec_names, 2, spec);
    dsp_object_pick(top[2], status_names, 2, status);
    *out = (dsp_jobexecution){
        .ns = dsp_object_text(meta[0], arena),
        .name = dsp_object_text(meta[1], arena),
        .uid = dsp_object_text(meta[2], arena),
        .resource_version = dsp_object_text(meta[3], arena),
        .deleting = dsp_json_kind(meta[5]) == DSP_JSON_STRING,
        .template_name = dsp_object_text(spec[0], arena),
        .payload = dsp_json_kind(spec[1]) == DSP_JSON_STRING ? spec[1] : (dsp_json){ NULL, 0 },
        .conditions_text = status[0],
        .job_name = dsp_object_string(status[1], "name", arena),
        .job_uid = dsp_object_string(status[1], "uid", arena),
    };
    if (!dsp_time_parse(dsp_object_text(meta[4], arena), &out->created_us)) {
        out->created_us = 0;
    }
    if (!dsp_conditions_read(out->conditions_text, arena, &out->conditions)) {
        return false;
    }
    return out->name.len > 0 && out->uid.len > 0 && arena->state == DSP_ARENA_OK;
}

/* Collects the strings of a struct into the block behind it: first their sizes, then the bytes. */
#define DUP_STRINGS 10

static void list_strings(dsp_jobexecution *je, dsp_str *list[DUP_STRINGS + 2 * DSP_CONDITIONS])
{
    dsp_str *own[DUP_STRINGS] = { &je->ns,      &je->name,     &je->uid,     &je->resource_version, &je->template_name,
                                  &je->payload, &je->job_name, &je->job_uid, &je->conditions_text,  NULL };

    memcpy(list, own, sizeof(own));
    for (int i = 0; i < DSP_CONDITIONS; i++) {
        list[DUP_STRINGS + 2 * i] = &je->conditions.of[i].reason;
        list[DUP_STRINGS + 2 * i + 1] = &je->conditions.of[i].message;
    }
}

dsp_jobexecution *dsp_jobexecution_dup(const dsp_jobexecution *je)
{
    dsp_str         *list[DUP_STRINGS + 2 * DSP_CONDITIONS];
    dsp_jobexecution tmp = *je;
    size_t           size = sizeof(tmp);

    list_strings(&tmp, list);
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        size += list[i] != NULL ? list[i]->len : 0;
    }
    dsp_jobexecution *copy = malloc(size);
    if (copy == NULL) {
        return NULL;
    }
    *copy = *je;
    list_strings(copy, list);
    char *p = (char *) (copy + 1);
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        if (list[i] == NULL || list[i]->len == 0) {
            continue;
        }
        memcpy(p, list[i]->data, list[i]->len);
        list[i]->data = p;
        p += list[i]->len;
    }
    return copy;
}

bool dsp_jobexecution_finished(const dsp_jobexecution *je)
{
    enum dsp_condition_status s = je->conditions.of[DSP_SUCCEEDED].status;

    return s == DSP_COND_TRUE || s == DSP_COND_FALSE;
}

static void write_string(dsp_buf *out, const char *before, dsp_str value)
{
    dsp_buf_addz(out, before);
    dsp_json_quote(out, value);
}

static void write_time(dsp_buf *out, const char *before, int64_t us)
{
    char text[DSP_TIME_LEN];

    if (us == 0) {
        return;
    }
    dsp_time_format(us, text);
    dsp_buf_addf(out, "%s\"%s\"", before, text);
}

static void write_failure(dsp_buf *out, const dsp_jobexecution_status *s)
{
    if (s->failure_reason.len == 0) {
        return;
    }
    write_string(out, ",\"failure\":{\"reason\":", s->failure_reason);
    write_string(out, ",\"message\":", dsp_condition_message(s->failure_message));
    if (s->failure.pod.len > 0) {
        write_string(out, ",\"pod\":", s->failure.pod);
    }
    if (s->failure.container.len > 0) {
        write_string(out, ",\"container\":", s->failure.container);
    }
    if (s->failure.reason.len > 0) {
        write_string(out, ",\"containerReason\":", s->failure.reason);
    }
    if (s->failure.pod.len > 0 && s->failure.exit_code >= 0) {
        dsp_buf_addf(out, ",\"exitCode\":%lld", (long long) s->failure.exit_code);
    }
    dsp_buf_addc(out, '}');
}

/* The conditions in one word, for people and `kubectl get`: the one that is True, or Failed; Waiting when nothing is
 * known yet. */
static void write_state(dsp_buf *out, const dsp_conditions *c)
{
    const dsp_condition *of = c->of;
    const dsp_condition *says = &of[DSP_WAITING];
    const char          *state = "Waiting";

    if (of[DSP_SUCCEEDED].status == DSP_COND_TRUE || of[DSP_SUCCEEDED].status == DSP_COND_FALSE) {
        says = &of[DSP_SUCCEEDED];
        state = says->status == DSP_COND_TRUE ? "Succeeded" : "Failed";
    } else if (of[DSP_RUNNING].status == DSP_COND_TRUE) {
        says = &of[DSP_RUNNING];
        state = "Running";
    }
    if (says->status == DSP_COND_ABSENT) {
        return;
    }
    dsp_buf_addf(out, ",\"state\":\"%s\"", state);
    write_string(out, ",\"reason\":", dsp_condition_reason_ok(says->reason) ? says->reason : DSP_STR("Unknown"));
}

void dsp_jobexecution_status_patch(dsp_buf *out, const dsp_jobexecution *stored, const dsp_jobexecution_status *status)
{
    write_string(out, "{\"metadata\":{\"resourceVersion\":", stored->resource_version);
    dsp_buf_addz(out, "},\"status\":{\"conditions\":");
    dsp_conditions_write(out, stored->conditions_text, &status->conditions);
    if (status->job_uid.len > 0) {
        write_string(out, ",\"job\":{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"namespace\":", stored->ns);
        write_string(out, ",\"name\":", status->job_name);
        write_string(out, ",\"uid\":", status->job_uid);
        dsp_buf_addc(out, '}');
    }
    write_time(out, ",\"startTime\":", status->start_us);
    write_time(out, ",\"completionTime\":", status->completion_us);
    if (status->attempts >= 0) {
        dsp_buf_addf(out, ",\"attempts\":%lld", (long long) status->attempts);
    }
    write_failure(out, status);
    write_state(out, &status->conditions);
    dsp_buf_addz(out, "}}");
}
