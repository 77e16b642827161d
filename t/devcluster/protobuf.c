#include "protobuf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "tree.h"

/*
 * Types of fields. Go writes members that are no pointers even when they are empty; those must not become members of
 * the object. A pointer's zero (backoffLimit: 0) must.
 */
enum type {
    STRING,     /* left out when empty */
    STRINGS,    /* repeated */
    INT,        /* left out when 0 */
    INT_PTR,
    BOOL,       /* left out when false */
    BOOL_PTR,
    MESSAGE,    /* left out when empty */
    MESSAGES,   /* repeated */
    MAP,        /* of strings */
    BYTES_MAP,  /* of bytes: base64 */
    TIME,
    IGNORED     /* what the server sets itself */
};

struct message;

struct field {
    unsigned              number;
    enum type             type;
    const char           *name;
    const struct message *inner;
};

struct message {
    const struct field *fields; /* ends with number 0 */
};

#define MESSAGE_OF(...)                                                                                                \
    {                                                                                                                  \
        (const struct field[]){ __VA_ARGS__, { 0, STRING, NULL, NULL } }                                                     \
    }

static const struct message owner = MESSAGE_OF({ 5, STRING, "apiVersion", NULL }, { 1, STRING, "kind", NULL },
                                               { 3, STRING, "name", NULL }, { 4, STRING, "uid", NULL },
                                               { 6, BOOL_PTR, "controller", NULL },
                                               { 7, BOOL_PTR, "blockOwnerDeletion", NULL });
static const struct message metadata = MESSAGE_OF(
    { 1, STRING, "name", NULL }, { 2, STRING, "generateName", NULL }, { 3, STRING, "namespace", NULL },
    { 4, IGNORED, NULL, NULL }, { 5, STRING, "uid", NULL }, { 6, STRING, "resourceVersion", NULL },
    { 7, INT, "generation", NULL }, { 8, TIME, "creationTimestamp", NULL }, { 9, TIME, "deletionTimestamp", NULL },
    { 10, INT_PTR, "deletionGracePeriodSeconds", NULL }, { 11, MAP, "labels", NULL }, { 12, MAP, "annotations", NULL },
    { 13, MESSAGES, "ownerReferences", &owner }, { 14, STRINGS, "finalizers", NULL }, { 17, IGNORED, NULL, NULL });
static const struct message reference = MESSAGE_OF({ 1, STRING, "name", NULL });
static const struct message finalized = MESSAGE_OF({ 1, STRINGS, "finalizers", NULL });
static const struct message namespace = MESSAGE_OF({ 1, MESSAGE, "metadata", &metadata },
                                                   { 2, MESSAGE, "spec", &finalized }, { 3, IGNORED, NULL, NULL });
static const struct message configmap = MESSAGE_OF({ 1, MESSAGE, "metadata", &metadata }, { 2, MAP, "data", NULL },
                                                   { 3, BYTES_MAP, "binaryData", NULL },
                                                   { 4, BOOL_PTR, "immutable", NULL });
static const struct message secret = MESSAGE_OF({ 1, MESSAGE, "metadata", &metadata }, { 2, BYTES_MAP, "data", NULL },
                                                { 3, STRING, "type", NULL }, { 4, MAP, "stringData", NULL },
                                                { 5, BOOL_PTR, "immutable", NULL });
static const struct message account = MESSAGE_OF({ 1, MESSAGE, "metadata", &metadata },
                                                 { 2, MESSAGES, "secrets", &reference },
                                                 { 3, MESSAGES, "imagePullSecrets", &reference },
                                                 { 4, BOOL_PTR, "automountServiceAccountToken", NULL });
static const struct message field_ref = MESSAGE_OF({ 1, STRING, "apiVersion", NULL }, { 2, STRING, "fieldPath", NULL });
static const struct message value_from = MESSAGE_OF({ 1, MESSAGE, "fieldRef", &field_ref });
static const struct message env = MESSAGE_OF({ 1, STRING, "name", NULL }, { 2, STRING, "value", NULL },
                                             { 3, MESSAGE, "valueFrom", &value_from });
static const struct message nothing = { (const struct field[]){ { 0, STRING, NULL, NULL } } };
static const struct message container = MESSAGE_OF(
    { 1, STRING, "name", NULL }, { 2, STRING, "image", NULL }, { 3, STRINGS, "command", NULL },
    { 4, STRINGS, "args", NULL }, { 5, STRING, "workingDir", NULL }, { 7, MESSAGES, "env", &env },
    { 8, MESSAGE, "resources", &nothing }, { 13, STRING, "terminationMessagePath", NULL },
    { 20, STRING, "terminationMessagePolicy", NULL }, { 14, STRING, "imagePullPolicy", NULL },
    { 16, BOOL, "stdin", NULL }, { 17, BOOL, "stdinOnce", NULL }, { 18, BOOL, "tty", NULL });
static const struct message pod_spec = MESSAGE_OF(
    { 2, MESSAGES, "containers", &container }, { 20, MESSAGES, "initContainers", &container },
    { 3, STRING, "restartPolicy", NULL }, { 4, INT_PTR, "terminationGracePeriodSeconds", NULL },
    { 5, INT_PTR, "activeDeadlineSeconds", NULL }, { 6, STRING, "dnsPolicy", NULL }, { 7, MAP, "nodeSelector", NULL },
    { 8, STRING, "serviceAccountName", NULL }, { 9, STRING, "serviceAccount", NULL }, { 10, STRING, "nodeName", NULL },
    { 11, BOOL, "hostNetwork", NULL }, { 12, BOOL, "hostPID", NULL }, { 13, BOOL, "hostIPC", NULL },
    { 14, MESSAGE, "securityContext", &nothing }, { 16, STRING, "hostname", NULL }, { 17, STRING, "subdomain", NULL },
    { 19, STRING, "schedulerName", NULL }, { 24, STRING, "priorityClassName", NULL });
static const struct message template = MESSAGE_OF({ 1, MESSAGE, "metadata", &metadata },
                                                  { 2, MESSAGE, "spec", &pod_spec });
static const struct message selector = MESSAGE_OF({ 1, MAP, "matchLabels", NULL });
static const struct message job_spec = MESSAGE_OF(
    { 1, INT_PTR, "parallelism", NULL }, { 2, INT_PTR, "completions", NULL },
    { 3, INT_PTR, "activeDeadlineSeconds", NULL }, { 4, MESSAGE, "selector", &selector },
    { 5, BOOL_PTR, "manualSelector", NULL }, { 6, MESSAGE, "template", &template },
    { 7, INT_PTR, "backoffLimit", NULL }, { 8, INT_PTR, "ttlSecondsAfterFinished", NULL },
    { 9, STRING, "completionMode", NULL }, { 10, BOOL_PTR, "suspend", NULL },
    { 14, STRING, "podReplacementPolicy", NULL }, { 15, STRING, "managedBy", NULL });
static const struct message job = MESSAGE_OF({ 1, MESSAGE, "metadata", &metadata }, { 2, MESSAGE, "spec", &job_spec },
                                             { 3, IGNORED, NULL, NULL });
static const struct message pod = MESSAGE_OF({ 1, MESSAGE, "metadata", &metadata }, { 2, MESSAGE, "spec", &pod_spec },
                                             { 3, IGNORED, NULL, NULL });
static const struct message preconditions = MESSAGE_OF({ 1, STRING, "uid", NULL },
                                                       { 2, STRING, "resourceVersion", NULL });
static const struct message delete_options = MESSAGE_OF(
    { 1, INT_PTR, "gracePeriodSeconds", NULL }, { 2, MESSAGE, "preconditions", &preconditions },
    { 3, BOOL_PTR, "orphanDependents", NULL }, { 4, STRING, "propagationPolicy", NULL },
    { 5, STRINGS, "dryRun", NULL }, { 6, BOOL_PTR, "ignoreStoreReadErrorWithClusterBreakingPotential", NULL });

static const struct {
    const char           *kind;
    const struct message *message;
} kinds[] = {
    { "Namespace", &namespace }, { "ConfigMap", &configmap }, { "Secret", &secret }, { "ServiceAccount", &account },
    { "Job", &job },             { "Pod", &pod },             { "DeleteOptions", &delete_options },
};

/* ---- the wire format ---- */

struct input {
    const unsigned char *at, *end;
    bool                 bad;
    const char          *error;
};

static uint64_t read_varint(struct input *in)
{
    uint64_t value = 0;

    for (int shift = 0; in->at < in->end && shift < 64; shift += 7) {
        unsigned char byte = *in->at++;
        value |= (uint64_t) (byte & 0x7F) << shift;
        if (byte < 0x80) {
            return value;
        }
    }
    in->bad = true;
    return 0;
}

/* The bytes of a length-delimited field. */
static dsp_str read_bytes(struct input *in)
{
    uint64_t len = read_varint(in);

    if (in->bad || len > (uint64_t) (in->end - in->at)) {
        in->bad = true;
        return (dsp_str){ "", 0 };
    }
    dsp_str bytes = { (const char *) in->at, (size_t) len };
    in->at += len;
    return bytes;
}

static struct input sub_input(dsp_str bytes)
{
    const unsigned char *data = (const unsigned char *) bytes.data;

    return (struct input){ data, data + bytes.len, false, NULL };
}

static cJSON *new_string(dsp_str bytes)
{
    char  *text = dsp_str_dup(bytes);
    cJSON *node = cJSON_CreateString(text);

    free(text);
    return node;
}

static cJSON *new_base64(dsp_str bytes)
{
    char  *text = calloc(1, 4 * (bytes.len / 3 + 1) + 1);
    cJSON *node;

    EVP_EncodeBlock((unsigned char *) text, (const unsigned char *) bytes.data, (int) bytes.len);
    node = cJSON_CreateString(text);
    free(text);
    return node;
}

static void read_map_entry(struct input *in, cJSON *map, bool bytes)
{
    struct input entry = sub_input(read_bytes(in));
    dsp_str      key = { "", 0 }, value = { "", 0 };

    while (entry.at < entry.end && !entry.bad) {
        uint64_t tag = read_varint(&entry);
        dsp_str  text = read_bytes(&entry);
        if (tag == (1 << 3 | 2)) {
            key = text;
        } else {
            value = text;
        }
    }
    in->bad = in->bad || entry.bad;
    char *name = dsp_str_dup(key);
    dc_set(map, name, bytes ? new_base64(value) : new_string(value));
    free(name);
}

static void read_time(struct input *in, cJSON *object, const char *name)
{
    struct input time = sub_input(read_bytes(in));
    int64_t      seconds = 0;
    char         text[DSP_TIME_LEN];

    while (time.at < time.end && !time.bad) {
        uint64_t tag = read_varint(&time), value = read_varint(&time);
        if (tag == 1 << 3) {
            seconds = (int64_t) value;
        }
    }
    if (seconds > 0) {
        dsp_time_format(seconds * 1000000, text);
        dc_set_str(object, name, text);
    }
}

static void read_message(struct input *in, const struct message *message, cJSON *object);

static void read_number(struct input *in, const struct field *f, cJSON *object)
{
    int64_t value = (int64_t) read_varint(in);

    if (f->type == BOOL || f->type == BOOL_PTR) {
        if (value != 0 || f->type == BOOL_PTR) {
            dc_set_bool(object, f->name, value != 0);
        }
    } else if (value != 0 || f->type == INT_PTR) {
        dc_set_int(object, f->name, value);
    }
}

static void read_inner(struct input *in, const struct field *f, cJSON *object)
{
    struct input inner = sub_input(read_bytes(in));
    cJSON       *made = cJSON_CreateObject();

    read_message(&inner, f->inner, made);
    in->bad = in->bad || inner.bad;
    in->error = in->error != NULL ? in->error : inner.error;
    if (f->type == MESSAGES) {
        cJSON_AddItemToArray(dc_ensure_array(object, f->name), made);
    } else if (made->child != NULL) {
        dc_set(object, f->name, made);
    } else {
        cJSON_Delete(made);
    }
}

static void read_field(struct input *in, const struct field *f, cJSON *object)
{
    dsp_str bytes;

    switch (f->type) {
    case STRING:
    case STRINGS:
        bytes = read_bytes(in);
        if (f->type == STRINGS) {
            cJSON_AddItemToArray(dc_ensure_array(object, f->name), new_string(bytes));
        } else if (bytes.len > 0) {
            dc_set(object, f->name, new_string(bytes));
        }
        break;
    case MAP:
    case BYTES_MAP:
        read_map_entry(in, dc_ensure(object, f->name), f->type == BYTES_MAP);
        break;
    case MESSAGE:
    case MESSAGES:
        read_inner(in, f, object);
        break;
    case TIME:
        read_time(in, object, f->name);
        break;
    case IGNORED:
        read_bytes(in);
        break;
    default:
        read_number(in, f, object);
    }
}

static void read_message(struct input *in, const struct message *message, cJSON *object)
{
    while (in->at < in->end && !in->bad && in->error == NULL) {
        uint64_t            tag = read_varint(in);
        const struct field *f = message->fields;
        bool                number;
        while (f->number != 0 && f->number != tag >> 3) {
            f++;
        }
        number = f->type == INT || f->type == INT_PTR || f->type == BOOL || f->type == BOOL_PTR;
        if (f->number == 0) {
            in->error = "the protobuf body has a field that devcluster does not decode: send JSON (kubectl create -f)";
        } else if ((tag & 7) != (number ? 0 : 2)) {
            in->bad = true;
        } else {
            read_field(in, f, object);
        }
    }
}

/* runtime.Unknown: the type and the bytes of the object. */
static bool read_envelope(dsp_str body, char api_version[256], char kind[256], dsp_str *raw)
{
    struct input in = sub_input(dsp_str_sub(body, 4, body.len));

    *raw = (dsp_str){ "", 0 };
    while (in.at < in.end && !in.bad) {
        uint64_t tag = read_varint(&in);
        dsp_str  bytes = read_bytes(&in);
        if (tag == (1 << 3 | 2)) {
            struct input type = sub_input(bytes);
            while (type.at < type.end && !type.bad) {
                bool    is_kind = read_varint(&type) == (2 << 3 | 2);
                dsp_str text = read_bytes(&type);
                snprintf(is_kind ? kind : api_version, 256, "%.*s", DSP_STR_ARG(text));
            }
        } else if (tag == (2 << 3 | 2)) {
            *raw = bytes;
        }
    }
    return !in.bad;
}

cJSON *dc_protobuf_parse(dsp_str body, const char **error)
{
    const struct message *message = NULL;
    char                  api_version[256] = "", kind[256] = "";
    dsp_str               raw;

    if (body.len < 4 || memcmp(body.data, "k8s", 4) != 0 || !read_envelope(body, api_version, kind, &raw)) {
        *error = "the body is not Kubernetes' protobuf";
        return NULL;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        message = strcmp(kinds[i].kind, kind) == 0 ? kinds[i].message : message;
    }
    if (message == NULL) {
        *error = "devcluster decodes no protobuf of this kind: send JSON (kubectl create -f)";
        return NULL;
    }
    struct input in = sub_input(raw);
    cJSON       *object = cJSON_CreateObject();
    dc_set_str(object, "apiVersion", api_version);
    dc_set_str(object, "kind", kind);
    read_message(&in, message, object);
    if (in.bad || in.error != NULL) {
        *error = in.error != NULL ? in.error : "the protobuf body is cut short or malformed";
        cJSON_Delete(object);
        return NULL;
    }
    return object;
}
