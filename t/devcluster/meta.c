#include "meta.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/rand.h>

#include "base/clock.h"
#include "tree.h"

#define SUBDOMAIN_RULE                                                                                                 \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "   \
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "                        \
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
#define LABEL_RULE                                                                                                     \
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "    \
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "                     \
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
#define KEY_RULE                                                                                                       \
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric " \
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "                            \
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
#define VALUE_RULE                                                                                                     \
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "    \
    "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation "  \
    "is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"

void dc_new_uid(char out[37])
{
    unsigned char b[16];

    RAND_bytes(b, sizeof(b));
    b[6] = (unsigned char) ((b[6] & 0x0F) | 0x40);
    b[8] = (unsigned char) ((b[8] & 0x3F) | 0x80);
    snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3],
             b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

void dc_now(char out[32])
{
    dsp_time_format(dsp_wall_us(), out);
}

void dc_random_suffix(char out[6])
{
    static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
    unsigned char     bytes[5];

    RAND_bytes(bytes, sizeof(bytes));
    for (int i = 0; i < 5; i++) {
        out[i] = alphabet[bytes[i] % (sizeof(alphabet) - 1)];
    }
    out[5] = '\0';
}

static bool lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool alphanumeric(char c)
{
    return lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

static bool label_shaped(const char *s, size_t len)
{
    if (len == 0 || !lower_or_digit(s[0]) || !lower_or_digit(s[len - 1])) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!lower_or_digit(s[i]) && s[i] != '-') {
            return false;
        }
    }
    return true;
}

const char *dc_check_label(const char *name)
{
    if (strlen(name) > 63) {
        return "must be no more than 63 characters";
    }
    return label_shaped(name, strlen(name)) ? NULL : LABEL_RULE;
}

const char *dc_check_subdomain(const char *name)
{
    const char *part = name;

    if (strlen(name) > 253) {
        return "must be no more than 253 characters";
    }
    for (;;) {
        size_t len = strcspn(part, ".");
        if (!label_shaped(part, len)) {
            return SUBDOMAIN_RULE;
        }
        if (part[len] == '\0') {
            return NULL;
        }
        part += len + 1;
    }
}

/* The name part of a label key, and a label value that is not empty. */
static bool qualified(const char *s, size_t len)
{
    if (len == 0 || len > 63 || !alphanumeric(s[0]) || !alphanumeric(s[len - 1])) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!alphanumeric(s[i]) && strchr("-_.", s[i]) == NULL) {
            return false;
        }
    }
    return true;
}

void dc_meta_create(const dc_kind *kind, cJSON *object)
{
    cJSON      *metadata = dc_ensure(object, "metadata");
    const char *name = dc_str(metadata, "name");
    const char *base = dc_str(metadata, "generateName");
    char        now[32], uid[37], suffix[6], generated[128];

    if ((name == NULL || *name == '\0') && base != NULL && *base != '\0') {
        dc_random_suffix(suffix);
        snprintf(generated, sizeof(generated), "%.58s%s", base, suffix);
        dc_set_str(metadata, "name", generated);
    }
    dc_new_uid(uid);
    dc_now(now);
    dc_set_str(metadata, "uid", uid);
    dc_set_str(metadata, "creationTimestamp", now);
    dc_del(metadata, "deletionTimestamp");
    dc_del(metadata, "deletionGracePeriodSeconds");
    dc_del(metadata, "selfLink");
    dc_del(metadata, "generation");
    if (kind->generation) {
        dc_set_int(metadata, "generation", 1);
    }
}

static void keep(cJSON *metadata, const cJSON *old, const char *name)
{
    const cJSON *value = dc_get(old, name);

    dc_del(metadata, name);
    if (value != NULL) {
        dc_set(metadata, name, dc_copy(value));
    }
}

/* All but apiVersion, kind, metadata and status: what generation counts. */
static bool spec_changed(const cJSON *object, const cJSON *old)
{
    static const char *const others[] = { "apiVersion", "kind", "metadata", "status", NULL };

    for (int side = 0; side < 2; side++) {
        const cJSON *a = side == 0 ? object : old, *b = side == 0 ? old : object;
        for (const cJSON *c = a->child; c != NULL; c = c->next) {
            bool other = false;
            for (int i = 0; others[i] != NULL; i++) {
                other = other || strcmp(c->string, others[i]) == 0;
            }
            if (!other && !dc_equal(c, dc_get(b, c->string))) {
                return true;
            }
        }
    }
    return false;
}

void dc_meta_update(const dc_kind *kind, cJSON *object, const cJSON *old)
{
    static const char *const own[] = { "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
                                       "generation", "resourceVersion", "namespace", "name", NULL };
    cJSON                   *metadata = dc_ensure(object, "metadata");
    const cJSON             *before = dc_get(old, "metadata");

    for (int i = 0; own[i] != NULL; i++) {
        keep(metadata, before, own[i]);
    }
    dc_del(metadata, "selfLink");
    if (dc_get(metadata, "generateName") == NULL) {
        keep(metadata, before, "generateName");
    }
    (void) kind;
}

void dc_meta_count_generation(const dc_kind *kind, cJSON *object, const cJSON *old)
{
    if (kind->generation && spec_changed(object, old)) {
        dc_set_int(dc_get(object, "metadata"), "generation", dc_int_or(dc_get(old, "metadata"), "generation", 0) + 1);
    }
}

enum member_type { TEXT, NUMBER, TEXTS, TEXT_MAP, OBJECTS };

static const struct {
    const char      *name;
    enum member_type type;
} members[] = {
    { "name", TEXT },          { "generateName", TEXT },      { "namespace", TEXT },
    { "selfLink", TEXT },      { "uid", TEXT },               { "resourceVersion", TEXT },
    { "generation", NUMBER },  { "creationTimestamp", TEXT }, { "deletionTimestamp", TEXT },
    { "deletionGracePeriodSeconds", NUMBER }, { "labels", TEXT_MAP }, { "annotations", TEXT_MAP },
    { "ownerReferences", OBJECTS }, { "finalizers", TEXTS },  { "managedFields", OBJECTS },
};

/* NULL: the type is right; else the JSON type that it has. */
static const char *wrong_type(const cJSON *node, enum member_type type)
{
    bool        container = type == TEXTS || type == TEXT_MAP;
    const char *have = cJSON_IsString(node)   ? "string"
                       : cJSON_IsArray(node)  ? "array"
                       : cJSON_IsObject(node) ? "object"
                       : cJSON_IsBool(node)   ? "bool"
                                              : "number";

    if (type == TEXT || type == NUMBER) {
        return (type == TEXT ? cJSON_IsString(node) : dc_is_number(node)) ? NULL : have;
    }
    if (type == TEXT_MAP ? !cJSON_IsObject(node) : !cJSON_IsArray(node)) {
        return have;
    }
    for (const cJSON *c = node->child; c != NULL; c = c->next) {
        const char *inner = container ? wrong_type(c, TEXT) : cJSON_IsObject(c) ? NULL : "string";
        if (inner != NULL) {
            return inner;
        }
    }
    return NULL;
}

static bool decode_member(const dc_kind *kind, int version, cJSON *metadata, cJSON *m, cJSON *problems, dc_fail *f)
{
    static const char *const go[] = { "string", "int64", "string", "string", "v1.OwnerReference" };
    char                     text[600];
    const char              *type;

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (strcmp(members[i].name, m->string) != 0) {
            continue;
        }
        const char *have = cJSON_IsNull(m) ? NULL : wrong_type(m, members[i].type);
        type = members[i].type == TEXT_MAP && !cJSON_IsObject(m) ? "map[string]string" : go[members[i].type];
        if (have != NULL) {
            return dc_fail_set(f, 400, "BadRequest",
                               "%s in version \"%s\" cannot be handled as a %s: json: cannot unmarshal %s into Go "
                               "struct field ObjectMeta.%s%s of type %s", kind->kind, kind->versions[version].name,
                               kind->kind, have, kind->custom ? "" : "metadata.", m->string, type);
        }
        if (cJSON_IsNull(m) || (members[i].type > NUMBER && m->child == NULL)) {
            cJSON_Delete(cJSON_DetachItemViaPointer(metadata, m));
        }
        return true;
    }
    if (problems != NULL) {
        snprintf(text, sizeof(text), "unknown field \"metadata.%s\"", m->string);
        cJSON_AddItemToArray(problems, cJSON_CreateString(text));
    }
    cJSON_Delete(cJSON_DetachItemViaPointer(metadata, m));
    return true;
}

bool dc_meta_decode(const dc_kind *kind, int version, cJSON *object, cJSON *problems, dc_fail *f)
{
    cJSON *metadata = dc_get(object, "metadata"), *next;

    for (cJSON *m = metadata->child; m != NULL; m = next) {
        next = m->next;
        if (!decode_member(kind, version, metadata, m, problems, f)) {
            return false;
        }
    }
    return true;
}

static void validate_name(const dc_kind *kind, const cJSON *metadata, dc_errors *errors)
{
    const char *name = dc_str(metadata, "name");
    bool        label = kind->hooks != NULL && kind->hooks->label_name;

    if (name == NULL || *name == '\0') {
        dc_required(errors, "metadata.name", "name or generateName is required");
        return;
    }
    const char *rule = label ? dc_check_label(name) : dc_check_subdomain(name);
    if (label && rule != NULL && strchr(name, '.') != NULL) {
        rule = "must not contain dots";
    }
    if (rule != NULL && !(kind->hooks != NULL && kind->hooks->path_name)) {
        dc_invalid_text(errors, "metadata.name", name, "%s", rule);
    } else if (kind->hooks != NULL && kind->hooks->path_name && strpbrk(name, "/%") != NULL) {
        dc_invalid_text(errors, "metadata.name", name, "may not contain '/' or '%%'");
    }
}

static bool good_key(const char *key)
{
    const char *slash = strchr(key, '/');
    const char *name = slash != NULL ? slash + 1 : key;

    if (slash != NULL) {
        char prefix[256];
        if ((size_t) (slash - key) >= sizeof(prefix)) {
            return false;
        }
        memcpy(prefix, key, (size_t) (slash - key));
        prefix[slash - key] = '\0';
        if (dc_check_subdomain(prefix) != NULL) {
            return false;
        }
    }
    return qualified(name, strlen(name));
}

const char *dc_check_label_key(const char *key)
{
    const char *slash = strchr(key, '/');

    if (good_key(key)) {
        return NULL;
    }
    return slash != NULL && qualified(slash + 1, strlen(slash + 1)) ? "prefix part " SUBDOMAIN_RULE : KEY_RULE;
}

const char *dc_check_label_value(const char *value)
{
    if (strlen(value) > 63) {
        return "must be no more than 63 bytes";
    }
    return *value == '\0' || qualified(value, strlen(value)) ? NULL : VALUE_RULE;
}

static void validate_labels(const cJSON *metadata, dc_errors *errors)
{
    const cJSON *labels = dc_get(metadata, "labels");
    const char  *rule;

    for (const cJSON *l = labels != NULL ? labels->child : NULL; l != NULL; l = l->next) {
        if ((rule = dc_check_label_key(l->string)) != NULL) {
            dc_invalid_text(errors, "metadata.labels", l->string, "%s", rule);
        }
        if (cJSON_IsString(l) && (rule = dc_check_label_value(l->valuestring)) != NULL) {
            dc_invalid(errors, "metadata.labels", l, "%s", rule);
        }
    }
}

static void validate_annotations(const cJSON *metadata, dc_errors *errors)
{
    const cJSON *annotations = dc_get(metadata, "annotations");
    size_t       total = 0;

    for (const cJSON *a = annotations != NULL ? annotations->child : NULL; a != NULL; a = a->next) {
        if (!good_key(a->string)) { /* the real rule folds case first, which changes nothing of ours */
            dc_invalid_text(errors, "metadata.annotations", a->string, "%s", KEY_RULE);
        }
        total += strlen(a->string) + (cJSON_IsString(a) ? strlen(a->valuestring) : 0);
    }
    if (total > 256 * 1024) {
        dc_other_error(errors, "FieldValueTooLong", "metadata.annotations",
                       "Too long: may not be more than 262144 bytes");
    }
}

static void validate_owners(const cJSON *metadata, dc_errors *errors)
{
    static const char *const needed[] = { "apiVersion", "kind", "name", "uid", NULL };
    const cJSON             *owners = dc_get(metadata, "ownerReferences");
    int                      controllers = 0;
    char                     field[80];

    for (const cJSON *o = owners != NULL ? owners->child : NULL; o != NULL; o = o->next) {
        for (int i = 0; needed[i] != NULL; i++) {
            const char *value = dc_str(o, needed[i]);
            if (value == NULL || *value == '\0') {
                snprintf(field, sizeof(field), "metadata.ownerReferences.%s", needed[i]);
                dc_invalid_text(errors, field, "", "must not be empty");
            }
        }
        controllers += cJSON_IsTrue(dc_get(o, "controller"));
    }
    if (controllers > 1) {
        dc_invalid(errors, "metadata.ownerReferences", owners, "Only one reference can have Controller set to true");
    }
}

/* A dying object gets no new finalizers. */
static void validate_finalizers(const cJSON *metadata, const cJSON *old, dc_errors *errors)
{
    const cJSON *now = dc_get(metadata, "finalizers");
    const cJSON *before = dc_at(old, "metadata", "finalizers", NULL);

    if (dc_str(metadata, "deletionTimestamp") == NULL || old == NULL) {
        return;
    }
    for (const cJSON *f = now != NULL ? now->child : NULL; f != NULL; f = f->next) {
        if (cJSON_IsString(f) && !dc_array_has(before, f->valuestring)) {
            dc_other_error(errors, "FieldValueForbidden", "metadata.finalizers",
                           "Forbidden: no new finalizers can be added if the object is being deleted, found new "
                           "finalizers []string{\"%s\"}", f->valuestring);
        }
    }
}

void dc_meta_validate(const dc_kind *kind, const cJSON *object, const cJSON *old, dc_errors *errors)
{
    const cJSON *metadata = dc_get(object, "metadata");

    validate_name(kind, metadata, errors);
    validate_labels(metadata, errors);
    validate_annotations(metadata, errors);
    validate_owners(metadata, errors);
    validate_finalizers(metadata, old, errors);
}

bool dc_has_finalizers(const cJSON *object)
{
    const cJSON *finalizers = dc_at(object, "metadata", "finalizers", NULL);

    return cJSON_IsArray(finalizers) && finalizers->child != NULL;
}
