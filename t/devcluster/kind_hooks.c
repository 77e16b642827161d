#include "kind_hooks.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "table.h"
#include "tree.h"

#define NAME_COLUMN { "Name", "string", "name", "Name must be unique within a namespace.", 0 }
#define AGE_COLUMN  { "Age", "string", "", "CreationTimestamp is the time when this object was created.", 0 }

void dc_cell_text(cJSON *cells, const char *text)
{
    cJSON_AddItemToArray(cells, cJSON_CreateString(text != NULL ? text : "<none>"));
}

void dc_cell_int(cJSON *cells, int64_t n)
{
    char text[24];

    snprintf(text, sizeof(text), "%lld", (long long) n);
    cJSON_AddItemToArray(cells, cJSON_CreateRaw(text));
}

void dc_cell_age(const cJSON *object, cJSON *cells)
{
    char age[32];

    dc_age(dc_str(dc_get(object, "metadata"), "creationTimestamp"), age);
    dc_cell_text(cells, age);
}

static const char *name_of(const cJSON *object)
{
    return dc_str(dc_get(object, "metadata"), "name");
}

/* ---- events ---- */

static const dc_column event_columns[] = {
    { "Last Seen", "string", "", "The time at which the most recent occurrence of this event was recorded.", 0 },
    { "Type", "string", "", "Type of this event (Normal, Warning), new types could be added in the future", 0 },
    { "Reason", "string", "", "Machine understandable string that gives the reason of the transition.", 0 },
    { "Object", "string", "", "The object that this event is about.", 0 },
    { "Subobject", "string", "", "The part of the object that this event is about.", 1 },
    { "Source", "string", "", "The component reporting this event.", 1 },
    { "Message", "string", "", "A human-readable description of the status of this operation.", 0 },
    { "First Seen", "string", "", "The time at which the event was first recorded.", 1 },
    { "Count", "string", "", "The number of times this event has occurred.", 1 },
    { "Name", "string", "name", "Name must be unique within a namespace.", 1 },
    { 0 },
};

static void event_age(cJSON *cells, const char *time, const char *otherwise)
{
    char age[32];

    dc_age(time != NULL ? time : otherwise, age);
    dc_cell_text(cells, age);
}

static void event_cells(const cJSON *event, cJSON *cells)
{
    const cJSON *object = dc_get(event, "involvedObject");
    const char  *time = dc_str(event, "eventTime");
    const char  *component = dc_str(dc_get(event, "source"), "component");
    const char  *kind = dc_str(object, "kind");
    char         target[600], count[24];

    size_t n = 0;
    for (; kind != NULL && kind[n] != '\0' && n < 200; n++) {
        target[n] = (char) (kind[n] >= 'A' && kind[n] <= 'Z' ? kind[n] + 32 : kind[n]);
    }
    snprintf(target + n, sizeof(target) - n, "/%s", dc_str(object, "name") != NULL ? dc_str(object, "name") : "");
    snprintf(count, sizeof(count), "%lld", (long long) dc_int_or(event, "count", 1));
    event_age(cells, dc_str(event, "lastTimestamp"), time);
    dc_cell_text(cells, dc_str(event, "type"));
    dc_cell_text(cells, dc_str(event, "reason"));
    dc_cell_text(cells, target);
    dc_cell_text(cells, dc_str(object, "fieldPath") != NULL ? dc_str(object, "fieldPath") : "");
    dc_cell_text(cells, component != NULL ? component : dc_str(event, "reportingComponent"));
    dc_cell_text(cells, dc_str(event, "message"));
    event_age(cells, dc_str(event, "firstTimestamp"), time);
    dc_cell_text(cells, count);
    dc_cell_text(cells, name_of(event));
}

static void event_validate(const cJSON *event, const cJSON *old, dc_errors *errors)
{
    const cJSON *object = dc_get(event, "involvedObject");
    const char  *ns = dc_str(object, "namespace"), *own = dc_str(dc_get(event, "metadata"), "namespace");

    (void) old;
    if (ns != NULL && *ns != '\0' && strcmp(ns, own) != 0) {
        dc_invalid_text(errors, "involvedObject.namespace", ns, "does not match event.namespace");
    }
}

static const char *const event_fields[] = {
    "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
    "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
    "reportingComponent", "source", "type", NULL,
};

/* What Go writes although it is empty. */
static void event_prepare(struct dc_cluster *c, cJSON *event, const cJSON *old)
{
    static const char *const times[] = { "eventTime", "firstTimestamp", "lastTimestamp" };

    (void) c;
    (void) old;
    for (size_t i = 0; i < 3; i++) {
        if (dc_get(event, times[i]) == NULL) {
            dc_set(event, times[i], cJSON_CreateNull());
        }
    }
    dc_ensure(event, "source");
    if (dc_get(event, "reportingComponent") == NULL) {
        dc_set_str(event, "reportingComponent", "");
    }
    if (dc_get(event, "reportingInstance") == NULL) {
        dc_set_str(event, "reportingInstance", "");
    }
}

const dc_hooks dc_event_hooks = {
    .prepare = event_prepare, .validate = event_validate, .cells = event_cells, .columns = event_columns, .fields = event_fields,
};

/* ---- config maps and secrets ---- */

static const dc_column configmap_columns[] = {
    NAME_COLUMN,
    { "Data", "string", "", "Data contains the configuration data.", 0 },
    AGE_COLUMN,
    { 0 },
};

static void configmap_cells(const cJSON *object, cJSON *cells)
{
    dc_cell_text(cells, name_of(object));
    dc_cell_int(cells, cJSON_GetArraySize(dc_get(object, "data")) + cJSON_GetArraySize(dc_get(object, "binaryData")));
    dc_cell_age(object, cells);
}

const dc_hooks dc_configmap_hooks = { .cells = configmap_cells, .columns = configmap_columns };

static const dc_column secret_columns[] = {
    NAME_COLUMN,
    { "Type", "string", "", "Used to facilitate programmatic handling of secret data.", 0 },
    { "Data", "string", "", "Data contains the secret data.", 0 },
    AGE_COLUMN,
    { 0 },
};

static void base64(const char *text, char **out)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t            len = strlen(text), n = 0;

    *out = cJSON_malloc(4 * (len / 3 + 1) + 1);
    for (size_t i = 0; i < len; i += 3) {
        unsigned b = (unsigned) (unsigned char) text[i] << 16;
        b |= i + 1 < len ? (unsigned) (unsigned char) text[i + 1] << 8 : 0;
        b |= i + 2 < len ? (unsigned char) text[i + 2] : 0;
        (*out)[n++] = alphabet[b >> 18];
        (*out)[n++] = alphabet[b >> 12 & 63];
        (*out)[n++] = i + 1 < len ? alphabet[b >> 6 & 63] : '=';
        (*out)[n++] = i + 2 < len ? alphabet[b & 63] : '=';
    }
    (*out)[n] = '\0';
}

/* stringData is written into data. */
static void secret_prepare(struct dc_cluster *c, cJSON *object, const cJSON *old)
{
    const cJSON *strings = dc_get(object, "stringData");

    (void) c;
    (void) old;
    if (dc_str(object, "type") == NULL) {
        dc_set_str(object, "type", "Opaque");
    }
    for (const cJSON *s = strings != NULL ? strings->child : NULL; s != NULL; s = s->next) {
        char *encoded;
        if (cJSON_IsString(s)) {
            base64(s->valuestring, &encoded);
            dc_set_str(dc_ensure(object, "data"), s->string, encoded);
            cJSON_free(encoded);
        }
    }
    dc_del(object, "stringData");
}

static void secret_cells(const cJSON *object, cJSON *cells)
{
    dc_cell_text(cells, name_of(object));
    dc_cell_text(cells, dc_str(object, "type"));
    dc_cell_int(cells, cJSON_GetArraySize(dc_get(object, "data")));
    dc_cell_age(object, cells);
}

static const char *const secret_fields[] = { "type", NULL };

const dc_hooks dc_secret_hooks = {
    .prepare = secret_prepare, .cells = secret_cells, .columns = secret_columns, .fields = secret_fields,
};

/* ---- leases, RBAC ---- */

static const dc_column lease_columns[] = {
    NAME_COLUMN,
    { "Holder", "string", "", "holderIdentity contains the identity of the holder of a current lease.", 0 },
    AGE_COLUMN,
    { 0 },
};

static void lease_cells(const cJSON *object, cJSON *cells)
{
    const char *holder = dc_str(dc_get(object, "spec"), "holderIdentity");

    dc_cell_text(cells, name_of(object));
    dc_cell_text(cells, holder != NULL ? holder : "");
    dc_cell_age(object, cells);
}

static void lease_validate(const cJSON *object, const cJSON *old, dc_errors *errors)
{
    const cJSON *spec = dc_get(object, "spec");
    const cJSON *duration = dc_get(spec, "leaseDurationSeconds"), *transitions = dc_get(spec, "leaseTransitions");
    int64_t      n;

    (void) old;
    if (dc_int(duration, &n) && n <= 0) {
        dc_invalid(errors, "spec.leaseDurationSeconds", duration, "must be greater than 0");
    }
    if (dc_int(transitions, &n) && n < 0) {
        dc_invalid(errors, "spec.leaseTransitions", transitions, "must be greater than or equal to 0");
    }
}

static bool lease_admit(struct dc_cluster *c, const cJSON *object, dc_fail *f)
{
    static const char *const times[] = { "acquireTime", "renewTime" };
    int64_t                  us;

    (void) c;
    for (size_t i = 0; i < 2; i++) {
        const char *text = dc_str(dc_get(object, "spec"), times[i]);
        if (text != NULL && !dsp_time_parse(dsp_str_from(text), &us)) {
            return dc_fail_set(f, 400, "BadRequest",
                               "Lease in version \"v1\" cannot be handled as a Lease: parsing time \"%s\" as "
                               "\"2006-01-02T15:04:05.000000Z07:00\": cannot parse \"%s\" as \"2006\"", text, text);
        }
    }
    return true;
}

const dc_hooks dc_lease_hooks = { .admit = lease_admit, .validate = lease_validate, .cells = lease_cells, .columns = lease_columns };

const dc_hooks dc_rbac_hooks = { .path_name = true };
