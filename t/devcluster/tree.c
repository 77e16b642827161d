#include "tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"

struct reader {
    dsp_arena   arena;
    const char *error;
    cJSON      *duplicates;
    dsp_buf     path; /* of the object being read, for duplicates */
};

static cJSON *read_value(struct reader *r, dsp_json value, int depth);

static cJSON *read_string(struct reader *r, dsp_json value)
{
    dsp_str text;

    dsp_arena_reset(&r->arena);
    if (!dsp_json_string(value, &r->arena, &text)) {
        r->error = "string too long";
        return NULL;
    }
    if (memchr(text.data, '\0', text.len) != NULL) {
        r->error = "a string holds the character U+0000, which this server does not take";
        return NULL;
    }
    char  *copy = dsp_str_dup(text);
    cJSON *node = cJSON_CreateString("");
    cJSON_free(node->valuestring);
    node->valuestring = copy;
    return node;
}

static cJSON *read_array(struct reader *r, dsp_json value, int depth)
{
    cJSON        *array = cJSON_CreateArray();
    dsp_json_iter it = dsp_json_iterate(value);
    dsp_json      element;
    size_t        path_len = r->path.len;
    int           index = 0;

    while (dsp_json_next(&it, NULL, &element)) {
        dsp_buf_addf(&r->path, "[%d]", index++);
        cJSON *child = read_value(r, element, depth + 1);
        r->path.len = path_len;
        if (child == NULL) {
            cJSON_Delete(array);
            return NULL;
        }
        cJSON_AddItemToArray(array, child);
    }
    return array;
}

static cJSON *read_object(struct reader *r, dsp_json value, int depth)
{
    cJSON        *object = cJSON_CreateObject();
    dsp_json_iter it = dsp_json_iterate(value);
    dsp_json      key, member;
    size_t        path_len = r->path.len;

    while (dsp_json_next(&it, &key, &member)) {
        cJSON *name = read_string(r, key);
        cJSON *child = NULL;
        if (name != NULL) {
            dsp_buf_addf(&r->path, "%s%s", path_len == 0 ? "" : ".", name->valuestring);
            child = read_value(r, member, depth + 1);
        }
        if (child == NULL) {
            cJSON_Delete(name);
            cJSON_Delete(object);
            return NULL;
        }
        cJSON *old = dc_get(object, name->valuestring);
        if (old != NULL) {
            if (r->duplicates != NULL) {
                cJSON_AddItemToArray(r->duplicates, cJSON_CreateString(dsp_buf_cstr(&r->path)));
            }
            cJSON_Delete(cJSON_DetachItemViaPointer(object, old));
        }
        child->string = name->valuestring;
        name->valuestring = NULL;
        cJSON_Delete(name);
        cJSON_AddItemToArray(object, child); /* the name is set already: no second copy of it */
        r->path.len = path_len;
        if (r->path.data != NULL) {
            r->path.data[path_len] = '\0';
        }
    }
    return object;
}

static cJSON *read_value(struct reader *r, dsp_json value, int depth)
{
    bool flag;

    if (depth > DC_MAX_DEPTH) {
        r->error = "exceeded max depth";
        return NULL;
    }
    switch (dsp_json_kind(value)) {
    case DSP_JSON_NULL:
        return cJSON_CreateNull();
    case DSP_JSON_BOOL:
        return dsp_json_bool(value, &flag) && flag ? cJSON_CreateTrue() : cJSON_CreateFalse();
    case DSP_JSON_NUMBER: {
        char  *raw = dsp_str_dup(value);
        cJSON *node = cJSON_CreateRaw(raw);
        free(raw);
        return node;
    }
    case DSP_JSON_STRING:
        return read_string(r, value);
    case DSP_JSON_ARRAY:
        return read_array(r, value, depth);
    case DSP_JSON_OBJECT:
        return read_object(r, value, depth);
    case DSP_JSON_NONE:
        break;
    }
    r->error = "no value";
    return NULL;
}

cJSON *dc_parse(dsp_str text, const char **error, cJSON *duplicates)
{
    dsp_json_error problem = { 0, NULL };
    dsp_json       value;
    struct reader  r = { .duplicates = duplicates };

    if (!dsp_json_parse(text, &value, &problem)) {
        if (error != NULL) {
            *error = problem.message;
        }
        return NULL;
    }
    dsp_arena_init(&r.arena, (size_t) 64 << 20);
    dsp_buf_init(&r.path, 1 << 20);
    cJSON *tree = read_value(&r, value, 0);
    dsp_arena_free(&r.arena);
    dsp_buf_free(&r.path);
    if (tree == NULL && error != NULL) {
        *error = r.error;
    }
    return tree;
}

/* As encoding/json with its default HTML escaping. The text of a tree is valid UTF-8. */
static void print_string(dsp_buf *out, const char *text)
{
    const char *from = text;

    dsp_buf_addc(out, '"');
    for (const char *p = text;; p++) {
        unsigned char c = (unsigned char) *p;
        bool          separator = c == 0xE2 && (unsigned char) p[1] == 0x80 && ((unsigned char) p[2] & 0xFE) == 0xA8;
        if (c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' && !separator) {
            continue;
        }
        dsp_buf_add(out, from, (size_t) (p - from));
        if (c == '\0') {
            break;
        }
        const char *at = strchr("\"\"\\\\\nn\rr\tt\bb\ff", c);
        if (separator) {
            dsp_buf_addf(out, "\\u202%x", (unsigned char) p[2] & 0xF);
            p += 2;
        } else if (at != NULL) {
            dsp_buf_addc(out, '\\');
            dsp_buf_addc(out, at[1]);
        } else {
            dsp_buf_addf(out, "\\u%04x", c);
        }
        from = p + 1;
    }
    dsp_buf_addc(out, '"');
}

void dc_print(dsp_buf *out, const cJSON *tree)
{
    if (cJSON_IsString(tree)) {
        print_string(out, tree->valuestring);
    } else if (cJSON_IsRaw(tree)) {
        dsp_buf_addz(out, tree->valuestring);
    } else if (cJSON_IsBool(tree)) {
        dsp_buf_addz(out, cJSON_IsTrue(tree) ? "true" : "false");
    } else if (cJSON_IsObject(tree) || cJSON_IsArray(tree)) {
        bool object = cJSON_IsObject(tree);
        dsp_buf_addc(out, object ? '{' : '[');
        for (const cJSON *child = tree->child; child != NULL; child = child->next) {
            if (child != tree->child) {
                dsp_buf_addc(out, ',');
            }
            if (object) {
                print_string(out, child->string);
                dsp_buf_addc(out, ':');
            }
            dc_print(out, child);
        }
        dsp_buf_addc(out, object ? '}' : ']');
    } else {
        dsp_buf_addz(out, "null");
    }
}

cJSON *dc_get(const cJSON *object, const char *name)
{
    if (!cJSON_IsObject(object)) {
        return NULL;
    }
    for (cJSON *child = object->child; child != NULL; child = child->next) {
        if (strcmp(child->string, name) == 0) {
            return child;
        }
    }
    return NULL;
}

cJSON *dc_at(const cJSON *object, ...)
{
    va_list     names;
    const char *name;
    cJSON      *node = NULL;

    va_start(names, object);
    while ((name = va_arg(names, const char *)) != NULL) {
        node = dc_get(object, name);
        if (node == NULL) {
            break;
        }
        object = node;
    }
    va_end(names);
    return node;
}

const char *dc_text(const cJSON *node)
{
    return cJSON_IsString(node) ? node->valuestring : NULL;
}

const char *dc_str(const cJSON *object, const char *name)
{
    return dc_text(dc_get(object, name));
}

bool dc_is_number(const cJSON *node)
{
    return cJSON_IsRaw(node);
}

bool dc_int(const cJSON *node, int64_t *out)
{
    return dc_is_number(node) && dsp_json_int64(dsp_str_from(node->valuestring), out);
}

int64_t dc_int_or(const cJSON *object, const char *name, int64_t otherwise)
{
    int64_t value;

    return dc_int(dc_get(object, name), &value) ? value : otherwise;
}

cJSON *dc_ensure(cJSON *object, const char *name)
{
    cJSON *node = dc_get(object, name);

    if (node == NULL || cJSON_IsNull(node)) {
        node = cJSON_CreateObject();
        dc_set(object, name, node);
    }
    return node;
}

cJSON *dc_ensure_array(cJSON *object, const char *name)
{
    cJSON *node = dc_get(object, name);

    if (node == NULL || cJSON_IsNull(node)) {
        node = cJSON_CreateArray();
        dc_set(object, name, node);
    }
    return node;
}

void dc_set(cJSON *object, const char *name, cJSON *value)
{
    cJSON *old = dc_get(object, name);

    if (old == NULL) {
        cJSON_AddItemToObject(object, name, value);
        return;
    }
    free(value->string);
    value->string = strdup(name);
    value->type &= ~cJSON_StringIsConst;
    cJSON_ReplaceItemViaPointer(object, old, value);
}

void dc_set_str(cJSON *object, const char *name, const char *value)
{
    dc_set(object, name, cJSON_CreateString(value));
}

void dc_set_int(cJSON *object, const char *name, int64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%lld", (long long) value);
    dc_set(object, name, cJSON_CreateRaw(text));
}

void dc_set_bool(cJSON *object, const char *name, bool value)
{
    dc_set(object, name, cJSON_CreateBool(value));
}

void dc_del(cJSON *object, const char *name)
{
    cJSON *old = dc_get(object, name);

    if (old != NULL) {
        cJSON_Delete(cJSON_DetachItemViaPointer(object, old));
    }
}

/* By hand: cJSON_InsertItemInArray() of some versions loses the node. */
void dc_insert(cJSON *container, int index, cJSON *node)
{
    cJSON *after = cJSON_GetArrayItem(container, index);

    if (after == NULL) {
        cJSON_AddItemToArray(container, node);
        return;
    }
    node->next = after;
    node->prev = after->prev;
    after->prev = node;
    if (after == container->child) {
        container->child = node;
    } else {
        node->prev->next = node;
    }
}

cJSON *dc_copy(const cJSON *tree)
{
    return cJSON_Duplicate(tree, 1);
}

bool dc_equal(const cJSON *a, const cJSON *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    if ((a->type & 0xFF) != (b->type & 0xFF)) {
        return false;
    }
    if (cJSON_IsString(a) || cJSON_IsRaw(a)) {
        return strcmp(a->valuestring, b->valuestring) == 0;
    }
    if (cJSON_IsArray(a)) {
        const cJSON *x = a->child, *y = b->child;
        for (; x != NULL && y != NULL; x = x->next, y = y->next) {
            if (!dc_equal(x, y)) {
                return false;
            }
        }
        return x == y;
    }
    if (!cJSON_IsObject(a)) {
        return true;
    }
    size_t n = 0, m = 0;
    for (const cJSON *x = a->child; x != NULL; x = x->next, n++) {
        if (!dc_equal(x, dc_get(b, x->string))) {
            return false;
        }
    }
    for (const cJSON *y = b->child; y != NULL; y = y->next) {
        m++;
    }
    return n == m;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(cJSON *const *) a)->string, (*(cJSON *const *) b)->string);
}

static void sort_members(cJSON *object)
{
    size_t n = 0, i = 0;
    bool   sorted = true;

    for (cJSON *c = object->child; c != NULL; c = c->next, n++) {
        sorted = sorted && (c->next == NULL || strcmp(c->string, c->next->string) < 0);
    }
    if (sorted) {
        return;
    }
    cJSON **members = malloc(n * sizeof(*members));
    for (cJSON *c = object->child; c != NULL; c = c->next) {
        members[i++] = c;
    }
    qsort(members, n, sizeof(*members), by_name);
    for (i = 0; i < n; i++) {
        members[i]->next = i + 1 < n ? members[i + 1] : NULL;
        members[i]->prev = i > 0 ? members[i - 1] : members[n - 1];
    }
    object->child = members[0];
    free(members);
}

void dc_sort(cJSON *tree)
{
    if (cJSON_IsObject(tree) && tree->child != NULL) {
        sort_members(tree);
    }
    if (cJSON_IsObject(tree) || cJSON_IsArray(tree)) {
        for (cJSON *c = tree->child; c != NULL; c = c->next) {
            dc_sort(c);
        }
    }
}

bool dc_array_has(const cJSON *array, const char *text)
{
    if (!cJSON_IsArray(array)) {
        return false;
    }
    for (const cJSON *c = array->child; c != NULL; c = c->next) {
        if (cJSON_IsString(c) && strcmp(c->valuestring, text) == 0) {
            return true;
        }
    }
    return false;
}

void dc_array_add(cJSON *array, const char *text)
{
    if (!dc_array_has(array, text)) {
        cJSON_AddItemToArray(array, cJSON_CreateString(text));
    }
}

bool dc_array_remove(cJSON *array, const char *text)
{
    if (!cJSON_IsArray(array)) {
        return false;
    }
    for (cJSON *c = array->child; c != NULL; c = c->next) {
        if (cJSON_IsString(c) && strcmp(c->valuestring, text) == 0) {
            cJSON_Delete(cJSON_DetachItemViaPointer(array, c));
            return true;
        }
    }
    return false;
}
