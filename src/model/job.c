#include "job.h"

#include <stdlib.h>
#include <string.h>

#include "object.h"

/* The uid of the JobExecution that controls this object, as metav1.IsControlledBy looks at it. */
static dsp_str owner_uid(dsp_json references, dsp_arena *arena)
{
    static const char *const names[] = { "apiVersion", "kind", "controller", "uid" };
    dsp_json_iter            it = dsp_json_iterate(references);
    dsp_json                 ref, of[4];
    bool                     controller;

    while (dsp_json_next(&it, NULL, &ref)) {
        dsp_object_pick(ref, names, 4, of);
        if (dsp_json_bool(of[2], &controller) && controller &&
            dsp_str_has_prefix(dsp_object_text(of[0], arena), DSP_STR(DSP_GROUP "/")) &&
            dsp_json_equals(of[1], DSP_STR("JobExecution"))) {
            return dsp_object_text(of[3], arena);
        }
    }
    return (dsp_str){ NULL, 0 };
}

static int64_t ttl_wanted(dsp_json annotations, dsp_arena *arena)
{
    dsp_str  text = dsp_object_string(annotations, DSP_TTL_ANNOTATION, arena);
    uint64_t ttl;

    return dsp_str_u64(text, &ttl) && ttl <= INT32_MAX ? (int64_t) ttl : -1;
}

/* Complete or Failed, when it is True. */
static void read_end(dsp_json status, dsp_arena *arena, dsp_job *out)
{
    dsp_json_iter it = dsp_json_iterate(dsp_json_get(status, "conditions"));
    dsp_json      cond;

    while (dsp_json_next(&it, NULL, &cond)) {
        dsp_json type = dsp_json_get(cond, "type");
        bool     complete = dsp_json_equals(type, DSP_STR("Complete"));

        if ((!complete && !dsp_json_equals(type, DSP_STR("Failed"))) ||
            !dsp_json_equals(dsp_json_get(cond, "status"), DSP_STR("True"))) {
            continue;
        }
        out->end = complete ? DSP_JOB_COMPLETE : DSP_JOB_FAILED;
        out->reason = dsp_object_string(cond, "reason", arena);
        out->message = dsp_object_string(cond, "message", arena);
        out->end_us = dsp_object_time(status, "completionTime", arena);
        if (out->end_us == 0) {
            out->end_us = dsp_object_time(cond, "lastTransitionTime", arena);
        }
        return;
    }
}

bool dsp_job_read(dsp_json object, dsp_arena *arena, dsp_job *out)
{
    static const char *const top_names[] = { "metadata", "spec", "status" };
    static const char *const meta_names[] = { "namespace",        "name",        "uid",
                                              "resourceVersion",  "annotations", "ownerReferences",
                                              "deletionTimestamp" };
    static const char *const spec_names[] = { "suspend", "ttlSecondsAfterFinished" };
    dsp_json                 top[3], meta[7], spec[2], status;

    dsp_object_pick(object, top_names, 3, top);
    dsp_object_pick(top[0], meta_names, 7, meta);
    dsp_object_pick(top[1], spec_names, 2, spec);
    status = top[2];
    *out = (dsp_job){
        .ns = dsp_object_text(meta[0], arena),
        .name = dsp_object_text(meta[1], arena),
        .uid = dsp_object_text(meta[2], arena),
        .resource_version = dsp_object_text(meta[3], arena),
        .owner_uid = owner_uid(meta[5], arena),
        .deleting = dsp_json_kind(meta[6]) == DSP_JSON_STRING,
        .has_ttl = dsp_json_kind(spec[1]) == DSP_JSON_NUMBER,
        .ttl_wanted = ttl_wanted(meta[4], arena),
        .start_us = dsp_object_time(status, "startTime", arena),
        .active = dsp_object_int(status, "active", 0),
        .succeeded = dsp_object_int(status, "succeeded", 0),
        .failed = dsp_object_int(status, "failed", 0),
    };
    if (!dsp_json_bool(spec[0], &out->suspended)) {
        out->suspended = false;
    }
    read_end(status, arena, out);
    return out->name.len > 0 && out->uid.len > 0 && arena->state == DSP_ARENA_OK;
}

dsp_job *dsp_job_dup(const dsp_job *job)
{
    const dsp_str from[] = { job->ns,        job->name,   job->uid,    job->resource_version,
                             job->owner_uid, job->reason, job->message };
    size_t        size = sizeof(dsp_job);

    for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
        size += from[i].len;
    }
    dsp_job *copy = malloc(size);
    if (copy == NULL) {
        return NULL;
    }
    *copy = *job;
    dsp_str *to[] = { &copy->ns,        &copy->name,   &copy->uid,    &copy->resource_version,
                      &copy->owner_uid, &copy->reason, &copy->message };
    char    *p = (char *) (copy + 1);
    for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
        if (from[i].len > 0) {
            memcpy(p, from[i].data, from[i].len);
        }
        *to[i] = (dsp_str){ p, from[i].len };
        p += from[i].len;
    }
    return copy;
}

/* What is known of the best candidate so far. */
struct search {
    dsp_job_failure *out;
    dsp_arena       *arena;
    bool             found;
    int64_t          when; /* finishedAt of a container; INT64_MAX: a pod as a whole */
};

static void consider(struct search *s, int64_t when, dsp_job_failure candidate)
{
    if (s->found && when >= s->when) {
        return;
    }
    *s->out = candidate;
    s->when = when;
    s->found = true;
}

static void search_containers(struct search *s, dsp_str pod, dsp_json statuses)
{
    static const char *const states[] = { "lastState", "state" };
    dsp_json_iter            it = dsp_json_iterate(statuses);
    dsp_json                 cs;

    while (dsp_json_next(&it, NULL, &cs)) {
        for (int i = 0; i < 2; i++) {
            dsp_json term = dsp_json_path(cs, states[i], "terminated", NULL);
            int64_t  code = dsp_object_int(term, "exitCode", 0);

            if (code == 0) {
                continue;
            }
            consider(s, dsp_object_time(term, "finishedAt", s->arena),
                     (dsp_job_failure){ .pod = pod,
                                        .container = dsp_object_string(cs, "name", s->arena),
                                        .reason = dsp_object_string(term, "reason", s->arena),
                                        .exit_code = code });
        }
    }
}

bool dsp_job_failure_read(dsp_json pod_list, dsp_arena *arena, dsp_job_failure *out)
{
    struct search s = { .out = out, .arena = arena };
    dsp_json_iter it = dsp_json_iterate(dsp_json_get(pod_list, "items"));
    dsp_json      pod;

    *out = (dsp_job_failure){ .exit_code = -1 };
    while (dsp_json_next(&it, NULL, &pod)) {
        dsp_str  name = dsp_object_string(dsp_json_get(pod, "metadata"), "name", arena);
        dsp_json status = dsp_json_get(pod, "status");

        search_containers(&s, name, dsp_json_get(status, "initContainerStatuses"));
        search_containers(&s, name, dsp_json_get(status, "containerStatuses"));
        if (dsp_json_equals(dsp_json_get(status, "phase"), DSP_STR("Failed"))) {
            consider(&s, INT64_MAX,
                     (dsp_job_failure){
                         .pod = name, .reason = dsp_object_string(status, "reason", arena), .exit_code = -1 });
        }
    }
    return s.found;
}
