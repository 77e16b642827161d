#include "patch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

/* ---- merge patch ---- */

cJSON *dc_merge_patch(cJSON *target, const cJSON *patch)
{
    if (!cJSON_IsObject(patch)) {
        cJSON_Delete(target);
        return dc_copy(patch);
    }
    if (!cJSON_IsObject(target)) {
        cJSON_Delete(target);
        target = cJSON_CreateObject();
    }
    for (const cJSON *m = patch->child; m != NULL; m = m->next) {
        cJSON *old = dc_get(target, m->string);
        if (cJSON_IsNull(m)) {
            dc_del(target, m->string);
        } else if (cJSON_IsObject(m) && old != NULL) {
            if (cJSON_IsObject(old)) {
                dc_merge_patch(old, m);
            } else {
                dc_set(target, m->string, dc_merge_patch(NULL, m));
            }
        } else {
            dc_set(target, m->string, cJSON_IsObject(m) ? dc_merge_patch(NULL, m) : dc_copy(m));
        }
    }
    return target;
}

/* ---- JSON patch ---- */

/* The next reference token of a JSON pointer, unescaped; *at moves behind it. */
static char *next_token(const char **at)
{
    const char *from = *at + 1;
    size_t      len = strcspn(from, "/"), n = 0;
    char       *token = malloc(len + 1);

    for (size_t i = 0; i < len; i++) {
        if (from[i] == '~' && i + 1 < len && (from[i + 1] == '0' || from[i + 1] == '1')) {
            token[n++] = from[++i] == '0' ? '~' : '/';
        } else {
            token[n++] = from[i];
        }
    }
    token[n] = '\0';
    *at = from + len;
    return token;
}

/* -1: "-" or not an index. */
static int index_of(const char *token)
{
    char *end;
    long  n = strtol(token, &end, 10);

    return *token == '\0' || *end != '\0' || n < 0 || n > 1 << 28 ? -1 : (int) n;
}

static cJSON *child_of(cJSON *node, const char *token)
{
    if (cJSON_IsArray(node)) {
        return index_of(token) >= 0 ? cJSON_GetArrayItem(node, index_of(token)) : NULL;
    }
    return dc_get(node, token);
}

/* The container of what a pointer means, and its last token (malloc'd). NULL: there is none. */
static cJSON *locate(cJSON *root, const char *pointer, char **last)
{
    cJSON *node = root;

    *last = NULL;
    while (*pointer == '/') {
        free(*last);
        *last = next_token(&pointer);
        if (*pointer == '\0') {
            return cJSON_IsArray(node) || cJSON_IsObject(node) ? node : NULL;
        }
        node = child_of(node, *last);
        if (node == NULL) {
            return NULL;
        }
    }
    return NULL;
}

static cJSON *find(cJSON *root, const char *pointer)
{
    char  *last;
    cJSON *container = *pointer == '\0' ? NULL : locate(root, pointer, &last);
    cJSON *found;

    if (*pointer == '\0') {
        return root;
    }
    found = container != NULL ? child_of(container, last) : NULL;
    free(last);
    return found;
}

/* Takes the value. */
static bool add_at(cJSON **root, const char *pointer, cJSON *value)
{
    char  *last = NULL;
    cJSON *container;
    bool   good = true;

    if (*pointer == '\0') {
        cJSON_Delete(*root);
        *root = value;
        return true;
    }
    container = locate(*root, pointer, &last);
    if (cJSON_IsArray(container)) {
        int size = cJSON_GetArraySize(container), at = strcmp(last, "-") == 0 ? size : index_of(last);
        good = at >= 0 && at <= size;
        if (good && at == size) {
            cJSON_AddItemToArray(container, value);
        } else if (good) {
            dc_insert(container, at, value);
        }
    } else if (container != NULL) {
        dc_set(container, last, value);
    } else {
        good = false;
    }
    free(last);
    if (!good) {
        cJSON_Delete(value);
    }
    return good;
}

static bool remove_at(cJSON *root, const char *pointer)
{
    char  *last = NULL;
    cJSON *container = locate(root, pointer, &last);
    cJSON *victim = container != NULL ? child_of(container, last) : NULL;

    free(last);
    if (victim == NULL) {
        return false;
    }
    cJSON_Delete(cJSON_DetachItemViaPointer(container, victim));
    return true;
}

static bool apply_operation(cJSON **root, const char *op, const char *path, const char *from, const cJSON *value)
{
    cJSON *there;

    if (strcmp(op, "add") == 0) {
        return value != NULL && add_at(root, path, dc_copy(value));
    }
    if (strcmp(op, "remove") == 0) {
        return remove_at(*root, path);
    }
    if (strcmp(op, "replace") == 0) {
        if (value == NULL || find(*root, path) == NULL) {
            return false;
        }
        return *path == '\0' ? add_at(root, path, dc_copy(value))
                             : remove_at(*root, path) && add_at(root, path, dc_copy(value));
    }
    if (strcmp(op, "test") == 0) {
        there = find(*root, path);
        return there == NULL ? cJSON_IsNull(value) : dc_equal(there, value);
    }
    there = from != NULL ? find(*root, from) : NULL;
    if (there == NULL) {
        return false;
    }
    cJSON *copy = dc_copy(there);
    if (strcmp(op, "move") == 0) {
        remove_at(*root, from);
    }
    return add_at(root, path, copy);
}

static bool unfit(dc_fail *f)
{
    dc_fail_set(f, 422, "Invalid", "the server rejected our request due to an error in our request");
    f->details = cJSON_CreateObject();
    return false;
}

bool dc_json_patch(cJSON **target, const cJSON *patch, dc_fail *f)
{
    static const char *const known[] = { "add", "remove", "replace", "move", "copy", "test" };

    if (!cJSON_IsArray(patch)) {
        return dc_fail_set(f, 400, "BadRequest",
                           "error decoding patch: json: cannot unmarshal object into Go value of type "
                           "[]handlers.jsonPatchOp");
    }
    for (const cJSON *o = patch->child; o != NULL; o = o->next) {
        const char *op = dc_str(o, "op"), *path = dc_str(o, "path"), *from = dc_str(o, "from");
        bool        valid = false;
        for (size_t i = 0; op != NULL && i < 6; i++) {
            valid = valid || strcmp(op, known[i]) == 0;
        }
        if (!valid || path == NULL) {
            return unfit(f);
        }
        if (!apply_operation(target, op, path, from, dc_get(o, "value"))) {
            return unfit(f);
        }
    }
    return true;
}

/* ---- strategic merge ---- */

/* The merge keys of the lists of built-in kinds (patchMergeKey tags of k8s.io/api). */
static const char *merge_key(const char *list)
{
    static const char *const keys[][2] = {
        { "containers", "name" },      { "initContainers", "name" }, { "ephemeralContainers", "name" },
        { "env", "name" },             { "volumes", "name" },        { "volumeMounts", "mountPath" },
        { "volumeDevices", "devicePath" }, { "ports", "containerPort" }, { "imagePullSecrets", "name" },
        { "hostAliases", "ip" },       { "tolerations", "" },        { "ownerReferences", "uid" },
        { "conditions", "type" },      { "secrets", "name" },        { "topologySpreadConstraints", "topologyKey" },
        { "resourceClaims", "name" },  { "podIPs", "ip" },
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(keys[i][0], list) == 0) {
            return *keys[i][1] != '\0' ? keys[i][1] : NULL;
        }
    }
    return NULL;
}

static bool directive(const cJSON *patch, const char *value)
{
    const char *have = dc_str(patch, "$patch");

    return have != NULL && strcmp(have, value) == 0;
}

static cJSON *find_by_key(cJSON *list, const char *key, const cJSON *value)
{
    for (cJSON *e = list->child; e != NULL; e = e->next) {
        if (dc_equal(dc_get(e, key), value)) {
            return e;
        }
    }
    return NULL;
}

/* A copy of a value of a patch without its directives. */
static cJSON *without_directives(const cJSON *value)
{
    cJSON *copy = dc_copy(value), *next;

    for (cJSON *m = cJSON_IsObject(copy) ? copy->child : NULL; m != NULL; m = next) {
        next = m->next;
        if (m->string[0] == '$' || cJSON_IsNull(m)) {
            cJSON_Delete(cJSON_DetachItemViaPointer(copy, m));
        }
    }
    return copy;
}

static bool merge_list(cJSON *target, const cJSON *patch, const char *key, dc_fail *f)
{
    for (const cJSON *e = patch->child; e != NULL; e = e->next) {
        const cJSON *value = dc_get(e, key);
        if (directive(e, "replace") && value == NULL) {
            continue;
        }
        if (value == NULL) {
            return dc_fail_set(f, 400, "BadRequest", "map: does not contain declared merge key: %s", key);
        }
        cJSON *old = find_by_key(target, key, value);
        if (directive(e, "delete")) {
            cJSON_Delete(old != NULL ? cJSON_DetachItemViaPointer(target, old) : NULL);
        } else if (old == NULL) {
            cJSON_AddItemToArray(target, without_directives(e));
        } else if (!dc_strategic_patch(old, e, f)) {
            return false;
        }
    }
    return true;
}

/* "$setElementOrder/list": what it names comes in its order. */
static void set_order(cJSON *list, const cJSON *order, const char *key)
{
    cJSON *sorted = cJSON_CreateArray();

    for (const cJSON *o = order->child; o != NULL; o = o->next) {
        cJSON *e = NULL;
        if (cJSON_IsObject(o)) {
            e = key != NULL ? find_by_key(list, key, dc_get(o, key)) : NULL;
        } else {
            for (e = list->child; e != NULL && !dc_equal(e, o); e = e->next) {
            }
        }
        if (e != NULL) {
            cJSON_AddItemToArray(sorted, cJSON_DetachItemViaPointer(list, e));
        }
    }
    while (list->child != NULL) { /* what it does not name comes behind */
        cJSON_AddItemToArray(sorted, cJSON_DetachItemViaPointer(list, list->child));
    }
    list->child = sorted->child;
    sorted->child = NULL;
    cJSON_Delete(sorted);
}

static bool is_set(const char *list)
{
    return strcmp(list, "finalizers") == 0;
}

static bool patch_list(cJSON *target, const cJSON *patch, dc_fail *f)
{
    const char *key = merge_key(patch->string);
    cJSON      *old = dc_get(target, patch->string);

    if (!cJSON_IsArray(old)) {
        old = cJSON_CreateArray();
        dc_set(target, patch->string, old);
    } else if (key == NULL && !is_set(patch->string)) {
        dc_set(target, patch->string, dc_copy(patch));
        return true;
    }
    for (const cJSON *e = patch->child; e != NULL; e = e->next) {
        if (directive(e, "replace")) {
            while (old->child != NULL) {
                cJSON_Delete(cJSON_DetachItemViaPointer(old, old->child));
            }
        }
    }
    if (key != NULL && (patch->child == NULL || cJSON_IsObject(patch->child))) {
        return merge_list(old, patch, key, f);
    }
    for (const cJSON *e = patch->child; e != NULL; e = e->next) {
        if (!is_set(patch->string) || !cJSON_IsString(e)) {
            cJSON_AddItemToArray(old, dc_copy(e));
        } else {
            dc_array_add(old, e->valuestring);
        }
    }
    return true;
}

static void delete_primitives(cJSON *target, const char *name, const cJSON *values)
{
    cJSON *list = dc_get(target, name);

    for (const cJSON *v = values->child; v != NULL && cJSON_IsArray(list); v = v->next) {
        for (cJSON *e = list->child; e != NULL; e = e->next) {
            if (dc_equal(e, v)) {
                cJSON_Delete(cJSON_DetachItemViaPointer(list, e));
                break;
            }
        }
    }
}

static void retain_keys(cJSON *target, const cJSON *keys)
{
    cJSON *next;

    for (cJSON *m = target->child; m != NULL; m = next) {
        next = m->next;
        if (!dc_array_has(keys, m->string)) {
            cJSON_Delete(cJSON_DetachItemViaPointer(target, m));
        }
    }
}

static bool patch_member(cJSON *target, const cJSON *m, dc_fail *f)
{
    cJSON *old = dc_get(target, m->string);

    if (cJSON_IsNull(m)) {
        dc_del(target, m->string);
        return true;
    }
    if (cJSON_IsObject(m)) {
        if (directive(m, "delete")) {
            dc_del(target, m->string);
            return true;
        }
        if (!cJSON_IsObject(old) || directive(m, "replace")) {
            old = cJSON_CreateObject();
            dc_set(target, m->string, old);
        }
        return dc_strategic_patch(old, m, f);
    }
    if (cJSON_IsArray(m)) {
        return patch_list(target, m, f);
    }
    dc_set(target, m->string, dc_copy(m));
    return true;
}

bool dc_strategic_patch(cJSON *target, const cJSON *patch, dc_fail *f)
{
    static const char delete_prefix[] = "$deleteFromPrimitiveList/", order_prefix[] = "$setElementOrder/";

    if (!cJSON_IsObject(patch)) {
        return dc_fail_set(f, 400, "BadRequest", "the patch is not an object");
    }
    for (const cJSON *m = patch->child; m != NULL; m = m->next) {
        if (strncmp(m->string, delete_prefix, sizeof(delete_prefix) - 1) == 0) {
            delete_primitives(target, m->string + sizeof(delete_prefix) - 1, m);
        } else if (strcmp(m->string, "$retainKeys") == 0) {
            retain_keys(target, m);
        } else if (m->string[0] != '$' && !patch_member(target, m, f)) {
            return false;
        }
    }
    for (const cJSON *m = patch->child; m != NULL; m = m->next) {
        if (strncmp(m->string, order_prefix, sizeof(order_prefix) - 1) == 0) {
            const char *name = m->string + sizeof(order_prefix) - 1;
            cJSON      *list = dc_get(target, name);
            if (cJSON_IsArray(list)) {
                set_order(list, m, merge_key(name));
            }
        }
    }
    return true;
}
