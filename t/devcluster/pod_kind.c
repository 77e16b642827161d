/* Pods: defaults and rules (pkg/apis/core/v1/defaults.go, pkg/apis/core/validation), as far as Jobs need them. */
#include <stdio.h>
#include <string.h>

#include "kind_hooks.h"
#include "meta.h"
#include "table.h"
#include "tree.h"

static const dc_column columns[] = {
    { "Name", "string", "name", "Name must be unique within a namespace.", 0 },
    { "Ready", "string", "", "The aggregate readiness state of this pod for accepting traffic.", 0 },
    { "Status", "string", "", "The aggregate status of the containers in this pod.", 0 },
    { "Restarts", "string", "", "The number of times the containers in this pod have been restarted.", 0 },
    { "Age", "string", "", "CreationTimestamp is the time when this object was created.", 0 },
    { "IP", "string", "", "podIP is the IP address allocated to the pod.", 1 },
    { "Node", "string", "", "NodeName indicates in which node this pod is scheduled.", 1 },
    { "Nominated Node", "string", "", "nominatedNodeName.", 1 },
    { "Readiness Gates", "string", "", "Readiness gates.", 1 },
    { 0 },
};

/* What printPod() of Kubernetes shows as STATUS. */
static const char *reason_of(const cJSON *pod)
{
    const cJSON *status = dc_get(pod, "status");
    const cJSON *first = cJSON_GetArrayItem(dc_get(status, "containerStatuses"), 0);
    const char  *reason = dc_str(status, "reason");
    const char  *waiting = dc_str(dc_at(first, "state", "waiting", NULL), "reason");
    const char  *ended = dc_str(dc_at(first, "state", "terminated", NULL), "reason");

    if (dc_str(dc_get(pod, "metadata"), "deletionTimestamp") != NULL) {
        return "Terminating";
    }
    if (waiting != NULL) {
        return waiting;
    }
    if (ended != NULL) {
        return ended;
    }
    return reason != NULL ? reason : dc_str(status, "phase");
}

static void cells_of(const cJSON *pod, cJSON *cells)
{
    const cJSON *status = dc_get(pod, "status"), *statuses = dc_get(status, "containerStatuses");
    const char  *ip = dc_str(status, "podIP");
    int          ready = 0;
    int64_t      restarts = 0;
    char         text[64];

    for (const cJSON *s = statuses != NULL ? statuses->child : NULL; s != NULL; s = s->next) {
        ready += cJSON_IsTrue(dc_get(s, "ready"));
        restarts += dc_int_or(s, "restartCount", 0);
    }
    snprintf(text, sizeof(text), "%d/%d", ready, cJSON_GetArraySize(dc_at(pod, "spec", "containers", NULL)));
    dc_cell_text(cells, dc_str(dc_get(pod, "metadata"), "name"));
    dc_cell_text(cells, text);
    dc_cell_text(cells, reason_of(pod));
    dc_cell_int(cells, restarts);
    dc_cell_age(pod, cells);
    dc_cell_text(cells, ip);
    dc_cell_text(cells, dc_str(dc_get(pod, "spec"), "nodeName"));
    dc_cell_text(cells, NULL);
    dc_cell_text(cells, NULL);
}

static void default_str(cJSON *object, const char *name, const char *value)
{
    if (dc_get(object, name) == NULL) {
        dc_set_str(object, name, value);
    }
}

static void container_defaults(cJSON *container)
{
    const char *image = dc_str(container, "image");
    const char *slash = image != NULL ? strrchr(image, '/') : NULL;
    const char *tag = image != NULL ? strchr(slash != NULL ? slash : image, ':') : NULL;

    dc_ensure(container, "resources");
    default_str(container, "terminationMessagePath", "/dev/termination-log");
    default_str(container, "terminationMessagePolicy", "File");
    default_str(container, "imagePullPolicy",
                image != NULL && tag != NULL && strcmp(tag, ":latest") != 0 ? "IfNotPresent" : "Always");
}

void dc_pod_spec_defaults(cJSON *spec)
{
    const cJSON *lists[] = { dc_get(spec, "containers"), dc_get(spec, "initContainers") };

    for (size_t i = 0; i < 2; i++) {
        for (cJSON *c = cJSON_IsArray(lists[i]) ? lists[i]->child : NULL; c != NULL; c = c->next) {
            if (cJSON_IsObject(c)) {
                container_defaults(c);
            }
        }
    }
    default_str(spec, "restartPolicy", "Always");
    if (dc_get(spec, "terminationGracePeriodSeconds") == NULL) {
        dc_set_int(spec, "terminationGracePeriodSeconds", 30);
    }
    default_str(spec, "dnsPolicy", "ClusterFirst");
    dc_ensure(spec, "securityContext");
    default_str(spec, "schedulerName", "default-scheduler");
}

static void validate_env(const cJSON *container, const char *path, dc_errors *errors)
{
    const cJSON *env = dc_get(container, "env");
    int          index = 0;
    char         field[200];

    for (const cJSON *e = env != NULL ? env->child : NULL; e != NULL; e = e->next, index++) {
        const char *name = dc_str(e, "name"), *value = dc_str(e, "value");
        if (name == NULL || *name == '\0') {
            snprintf(field, sizeof(field), "%s.env[%d].name", path, index);
            dc_required(errors, field, "");
        } else if (strchr(name, '=') != NULL) {
            snprintf(field, sizeof(field), "%s.env[%d].name", path, index);
            dc_invalid_text(errors, field, name,
                            "a valid environment variable name must consist only of printable ASCII characters other "
                            "than '='");
        }
        if (value != NULL && *value != '\0' && dc_get(e, "valueFrom") != NULL) {
            snprintf(field, sizeof(field), "%s.env[%d].valueFrom", path, index);
            dc_invalid_text(errors, field, "", "may not be specified when `value` is not empty");
        }
    }
}

static void validate_containers(const cJSON *list, const char *path, dc_errors *errors)
{
    int  index = 0;
    char field[160], at[128];

    for (const cJSON *c = list != NULL ? list->child : NULL; c != NULL; c = c->next, index++) {
        const char *name = dc_str(c, "name"), *image = dc_str(c, "image");
        snprintf(at, sizeof(at), "%s[%d]", path, index);
        snprintf(field, sizeof(field), "%s.name", at);
        if (name == NULL || *name == '\0') {
            dc_required(errors, field, "");
        } else if (dc_check_label(name) != NULL) {
            dc_invalid_text(errors, field, name, "%s", dc_check_label(name));
        }
        for (const cJSON *other = list->child; other != c && name != NULL; other = other->next) {
            if (dc_str(other, "name") != NULL && strcmp(dc_str(other, "name"), name) == 0) {
                dc_other_error(errors, "FieldValueDuplicate", field, "Duplicate value: \"%s\"", name);
                break;
            }
        }
        snprintf(field, sizeof(field), "%s.image", at);
        if (image == NULL || *image == '\0') {
            dc_required(errors, field, "");
        }
        validate_env(c, at, errors);
    }
}

void dc_pod_spec_validate(const cJSON *spec, const char *path, dc_errors *errors)
{
    static const char *const policies[] = { "Always", "OnFailure", "Never" };
    const cJSON             *containers = dc_get(spec, "containers");
    const char              *policy = dc_str(spec, "restartPolicy");
    bool                     known = policy == NULL;
    char                     field[128];
    int64_t                  n;

    snprintf(field, sizeof(field), "%s.containers", path);
    if (!cJSON_IsArray(containers) || containers->child == NULL) {
        dc_required(errors, field, "");
    }
    validate_containers(containers, field, errors);
    snprintf(field, sizeof(field), "%s.initContainers", path);
    validate_containers(dc_get(spec, "initContainers"), field, errors);
    for (size_t i = 0; i < 3 && policy != NULL; i++) {
        known = known || strcmp(policy, policies[i]) == 0;
    }
    if (!known) {
        snprintf(field, sizeof(field), "%s.restartPolicy", path);
        dc_other_error(errors, "FieldValueNotSupported", field,
                       "Unsupported value: \"%s\": supported values: \"Always\", \"Never\", \"OnFailure\"", policy);
    }
    if (dc_int(dc_get(spec, "activeDeadlineSeconds"), &n) && (n < 1 || n > INT32_MAX)) {
        snprintf(field, sizeof(field), "%s.activeDeadlineSeconds", path);
        dc_invalid(errors, field, dc_get(spec, "activeDeadlineSeconds"), "must be between 1 and 2147483647, inclusive");
    }
}

static void prepare(struct dc_cluster *c, cJSON *pod, const cJSON *old)
{
    cJSON *spec = dc_ensure(pod, "spec");

    (void) c;
    if (old == NULL && cJSON_IsObject(spec)) {
        dc_pod_spec_defaults(spec);
        dc_set_str(dc_ensure(pod, "status"), "phase", "Pending");
    }
}

static void validate(const cJSON *pod, const cJSON *old, dc_errors *errors)
{
    dc_pod_spec_validate(dc_get(pod, "spec"), "spec", errors);
    if (old != NULL && !dc_equal(dc_at(pod, "spec", "containers", NULL), dc_at(old, "spec", "containers", NULL))) {
        dc_other_error(errors, "FieldValueForbidden", "spec",
                       "Forbidden: pod updates may not change fields other than `spec.containers[*].image`");
    }
}

static const char *const fields[] = { "spec.nodeName", "spec.restartPolicy", "status.phase", "status.podIP", NULL };

const dc_hooks dc_pod_hooks = {
    .prepare = prepare, .validate = validate, .cells = cells_of, .columns = columns, .fields = fields,
};
