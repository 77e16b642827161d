/* batch/v1 Jobs: defaults and rules (pkg/apis/batch/v1/defaults.go, pkg/apis/batch/validation). */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "kind_hooks.h"
#include "table.h"
#include "tree.h"

static const dc_column columns[] = {
    { "Name", "string", "name", "Name must be unique within a namespace.", 0 },
    { "Status", "string", "", "Status of the job.", 0 },
    { "Completions", "string", "", "The number of pods which reached phase Succeeded. The value increases monotonically for a given spec. However, "
      "it may decrease in reaction to scale down of elastic indexed jobs.", 0 },
    { "Duration", "string", "", "Time required to complete the job.", 0 },
    { "Age", "string", "", "CreationTimestamp is the time when this object was created.", 0 },
    { "Containers", "string", "", "Names of each container in the template.", 1 },
    { "Images", "string", "", "Images referenced by each container in the template.", 1 },
    { "Selector", "string", "", "Label selector for pods.", 1 },
    { 0 },
};

static bool condition(const cJSON *job, const char *type)
{
    const cJSON *conditions = dc_at(job, "status", "conditions", NULL);

    for (const cJSON *c = conditions != NULL ? conditions->child : NULL; c != NULL; c = c->next) {
        const char *have = dc_str(c, "type"), *status = dc_str(c, "status");
        if (have != NULL && strcmp(have, type) == 0 && status != NULL && strcmp(status, "True") == 0) {
            return true;
        }
    }
    return false;
}

static const char *state_of(const cJSON *job)
{
    static const char *const states[] = { "Complete", "Failed", "Suspended", "FailureTarget", "SuccessCriteriaMet" };

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (condition(job, states[i])) {
            return states[i];
        }
    }
    return dc_str(dc_get(job, "metadata"), "deletionTimestamp") != NULL ? "Terminating" : "Running";
}

static void duration_cell(const cJSON *status, cJSON *cells)
{
    const char *from = dc_str(status, "startTime"), *to = dc_str(status, "completionTime");
    int64_t     start, end = dsp_wall_us();
    char        text[32] = "";

    if (from != NULL && dsp_time_parse(dsp_str_from(from), &start)) {
        if (to != NULL) {
            dsp_time_parse(dsp_str_from(to), &end);
        }
        dc_human_duration((end - start) / 1000000, text);
    }
    dc_cell_text(cells, text);
}

/* "a,b" of a member of each element. */
static void joined_cell(const cJSON *list, const char *member, cJSON *cells)
{
    dsp_buf text;

    dsp_buf_init(&text, 1 << 20);
    for (const cJSON *e = list != NULL ? list->child : NULL; e != NULL; e = e->next) {
        const char *value = dc_str(e, member);
        dsp_buf_addf(&text, "%s%s", e == list->child ? "" : ",", value != NULL ? value : "");
    }
    dc_cell_text(cells, dsp_buf_cstr(&text));
    dsp_buf_free(&text);
}

static void cells_of(const cJSON *job, cJSON *cells)
{
    const cJSON *spec = dc_get(job, "spec"), *status = dc_get(job, "status");
    const cJSON *containers = dc_at(spec, "template", "spec", "containers", NULL);
    const cJSON *labels = dc_at(spec, "selector", "matchLabels", NULL);
    char         text[64];
    dsp_buf      selector;

    dc_cell_text(cells, dc_str(dc_get(job, "metadata"), "name"));
    dc_cell_text(cells, state_of(job));
    if (dc_get(spec, "completions") != NULL) {
        snprintf(text, sizeof(text), "%lld/%lld", (long long) dc_int_or(status, "succeeded", 0),
                 (long long) dc_int_or(spec, "completions", 1));
    } else {
        snprintf(text, sizeof(text), "%lld/1 of %lld", (long long) dc_int_or(status, "succeeded", 0),
                 (long long) dc_int_or(spec, "parallelism", 1));
    }
    dc_cell_text(cells, text);
    duration_cell(status, cells);
    dc_cell_age(job, cells);
    joined_cell(containers, "name", cells);
    joined_cell(containers, "image", cells);
    dsp_buf_init(&selector, 1 << 20);
    for (const cJSON *l = labels != NULL ? labels->child : NULL; l != NULL; l = l->next) {
        dsp_buf_addf(&selector, "%s%s=%s", l == labels->child ? "" : ",", l->string, dc_text(l) ? dc_text(l) : "");
    }
    dc_cell_text(cells, dsp_buf_cstr(&selector));
    dsp_buf_free(&selector);
}

static void default_int(cJSON *object, const char *name, int64_t value)
{
    if (dc_get(object, name) == NULL) {
        dc_set_int(object, name, value);
    }
}

static void default_str(cJSON *object, const char *name, const char *value)
{
    if (dc_get(object, name) == NULL) {
        dc_set_str(object, name, value);
    }
}

/* The Job's own selector and the labels on its pods. */
static void generate_selector(cJSON *job, cJSON *spec)
{
    const cJSON *metadata = dc_get(job, "metadata");
    const char  *uid = dc_str(metadata, "uid"), *name = dc_str(metadata, "name");

    if (cJSON_IsTrue(dc_get(spec, "manualSelector"))) {
        return;
    }
    cJSON *labels = dc_ensure(dc_ensure(dc_ensure(spec, "template"), "metadata"), "labels");
    dc_set_str(labels, "batch.kubernetes.io/controller-uid", uid);
    dc_set_str(labels, "batch.kubernetes.io/job-name", name != NULL ? name : "");
    dc_set_str(labels, "controller-uid", uid);
    dc_set_str(labels, "job-name", name != NULL ? name : "");
    cJSON *selector = dc_ensure(spec, "selector");
    dc_set_str(dc_ensure(selector, "matchLabels"), "batch.kubernetes.io/controller-uid", uid);
}

static void prepare(struct dc_cluster *c, cJSON *job, const cJSON *old)
{
    cJSON *spec = dc_ensure(job, "spec");
    cJSON *pod, *labels;

    (void) c;
    if (!cJSON_IsObject(spec)) {
        return;
    }
    if (dc_get(spec, "completions") == NULL && dc_get(spec, "parallelism") == NULL) {
        dc_set_int(spec, "completions", 1);
    }
    default_int(spec, "parallelism", 1);
    default_int(spec, "backoffLimit", 6);
    if (dc_get(spec, "manualSelector") == NULL) {
        dc_set_bool(spec, "manualSelector", false);
    }
    default_str(spec, "completionMode", "NonIndexed");
    default_str(spec, "podReplacementPolicy", "TerminatingOrFailed");
    if (dc_get(spec, "suspend") == NULL) {
        dc_set_bool(spec, "suspend", false);
    }
    if (old == NULL) {
        generate_selector(job, spec);
    }
    cJSON *template = dc_ensure(spec, "template");
    cJSON *metadata = dc_ensure(template, "metadata");
    pod = dc_ensure(template, "spec");
    dc_pod_spec_defaults(pod);
    labels = dc_get(dc_get(job, "metadata"), "labels");
    const char *name = dc_str(dc_get(job, "metadata"), "name");
    /* a real server does this when it reads the Job back: a name that is too long for a label is refused before */
    if ((labels == NULL || labels->child == NULL) && dc_get(metadata, "labels") != NULL && name != NULL &&
        strlen(name) <= 63) {
        dc_set(dc_get(job, "metadata"), "labels", dc_copy(dc_get(metadata, "labels")));
    }
    if (dc_get(job, "status") == NULL) {
        dc_set(job, "status", cJSON_CreateObject());
    }
}

static void not_negative(const cJSON *spec, const char *name, dc_errors *errors)
{
    const cJSON *node = dc_get(spec, name);
    char         field[80];
    int64_t      n;

    if (dc_int(node, &n) && n < 0) {
        snprintf(field, sizeof(field), "spec.%s", name);
        dc_invalid(errors, field, node, "must be greater than or equal to 0");
    }
}

static void immutable(const cJSON *spec, const cJSON *old, const char *name, dc_errors *errors)
{
    const cJSON *now = dc_get(spec, name), *before = dc_get(old, name);
    char         field[80];

    if (!dc_equal(now, before)) {
        snprintf(field, sizeof(field), "spec.%s", name);
        dc_invalid(errors, field, now != NULL ? now : before, "field is immutable");
    }
}

static void validate_update(const cJSON *job, const cJSON *old, dc_errors *errors)
{
    const cJSON *spec = dc_get(job, "spec"), *before = dc_get(old, "spec");

    immutable(spec, before, "completions", errors);
    immutable(spec, before, "selector", errors);
    const cJSON *template = dc_get(spec, "template"), *old_template = dc_get(before, "template");
    if (dc_equal(dc_get(template, "metadata"), dc_get(old_template, "metadata")) && !dc_equal(template, old_template)) {
        dc_invalid(errors, "spec.template.spec", dc_get(template, "spec"), "field is immutable");
    } else {
        immutable(spec, before, "template", errors);
    }
    immutable(spec, before, "completionMode", errors);
    immutable(spec, before, "podFailurePolicy", errors);
    immutable(spec, before, "backoffLimitPerIndex", errors);
}

static void validate(const cJSON *job, const cJSON *old, dc_errors *errors)
{
    static const char *const numbers[] = { "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit",
                                           "ttlSecondsAfterFinished", NULL };
    const cJSON *spec = dc_get(job, "spec");
    const cJSON *pod = dc_at(spec, "template", "spec", NULL);
    const char  *policy = dc_str(pod, "restartPolicy"), *name = dc_str(dc_get(job, "metadata"), "name");

    for (int i = 0; numbers[i] != NULL; i++) {
        not_negative(spec, numbers[i], errors);
    }
    if (name != NULL && strlen(name) > 63) {
        dc_invalid_text(errors, "spec.template.labels", name, "must be no more than 63 bytes");
        dc_invalid_text(errors, "spec.template.labels", name, "must be no more than 63 bytes");
    }
    if (old == NULL && !cJSON_IsTrue(dc_get(spec, "manualSelector")) &&
        (dc_at(spec, "selector", "matchExpressions", NULL) != NULL ||
         cJSON_GetArraySize(dc_at(spec, "selector", "matchLabels", NULL)) != 1)) {
        dc_invalid(errors, "spec.selector", dc_get(spec, "selector"), "`selector` not auto-generated");
        dc_invalid(errors, "spec.template.metadata.labels", dc_at(spec, "template", "metadata", "labels", NULL),
                   "`selector` does not match template `labels`");
    }
    dc_pod_spec_validate(pod, "spec.template.spec", errors);
    if (policy == NULL || (strcmp(policy, "Never") != 0 && strcmp(policy, "OnFailure") != 0)) {
        dc_required(errors, "spec.template.spec.restartPolicy", "valid values: \"OnFailure\", \"Never\"");
    }
    if (old != NULL) {
        validate_update(job, old, errors);
    }
}

static const char *const fields[] = { "status.successful", NULL };

const dc_hooks dc_job_hooks = {
    .prepare = prepare, .validate = validate, .cells = cells_of, .columns = columns, .fields = fields,
};
