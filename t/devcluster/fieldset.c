#include "fieldset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "tree.h"

/* How a value is owned: member by member, element by element, or as a whole. */
enum manner { WHOLE, MEMBERS, KEYED, SET };

/* The keys of the lists in every object's metadata, which no schema describes. */
static const char *const uid_key[] = { "uid", NULL };

static const char *const *keys_of(const dc_schema *s, const char *name)
{
    return name != NULL && strcmp(name, "ownerReferences") == 0 ? uid_key : dc_schema_map_keys(s);
}

static enum manner manner_of(const cJSON *value, const dc_schema *s, const char *name)
{
    if (cJSON_IsObject(value)) {
        return value->child == NULL || dc_schema_is_atomic(s) ? WHOLE : MEMBERS;
    }
    if (!cJSON_IsArray(value) || value->child == NULL || dc_schema_is_atomic(s)) {
        return WHOLE;
    }
    if (keys_of(s, name) != NULL && cJSON_IsObject(value->child)) {
        return KEYED;
    }
    return dc_schema_is_set(s) || (name != NULL && strcmp(name, "finalizers") == 0) ? SET : WHOLE;
}

/* "k:{\"name\":\"x\"}" of an element; the keys in the order of their names. malloc'd. */
static char *element_key(const cJSON *element, const char *const *keys)
{
    cJSON  *identity = cJSON_CreateObject();
    dsp_buf text;

    for (; *keys != NULL; keys++) {
        if (dc_get(element, *keys) != NULL) {
            dc_set(identity, *keys, dc_copy(dc_get(element, *keys)));
        }
    }
    dc_sort(identity);
    dsp_buf_init(&text, 1 << 20);
    dsp_buf_addz(&text, "k:");
    dc_print(&text, identity);
    cJSON_Delete(identity);
    return dsp_buf_take(&text);
}

static char *set_key(const cJSON *element)
{
    dsp_buf text;

    dsp_buf_init(&text, 1 << 20);
    dsp_buf_addz(&text, "v:");
    dc_print(&text, element);
    return dsp_buf_take(&text);
}

static void collect(const cJSON *value, const dc_schema *s, const char *name, cJSON *set)
{
    enum manner manner = manner_of(value, s, name);

    for (const cJSON *c = manner != WHOLE ? value->child : NULL; c != NULL; c = c->next) {
        char  *key = NULL;
        cJSON *inner = cJSON_CreateObject();
        if (manner == MEMBERS) {
            if (asprintf(&key, "f:%s", c->string) < 0) {
                abort();
            }
            collect(c, dc_schema_member(s, c->string), c->string, inner);
        } else if (manner == KEYED) {
            key = element_key(c, keys_of(s, name));
            dc_set(inner, ".", cJSON_CreateObject());
            collect(c, dc_schema_items(s), NULL, inner);
        } else {
            key = set_key(c);
        }
        dc_set(set, key, inner);
        free(key);
    }
}

cJSON *dc_fieldset_of(const cJSON *object, const dc_schema *s)
{
    static const char *const identity[] = { "f:name", "f:namespace", "f:uid", "f:resourceVersion", "f:generation",
                                            "f:creationTimestamp", "f:managedFields", "f:selfLink",
                                            "f:deletionTimestamp", "f:deletionGracePeriodSeconds", "f:generateName" };
    cJSON *set = cJSON_CreateObject(), *metadata;

    collect(object, s, NULL, set);
    dc_del(set, "f:apiVersion");
    dc_del(set, "f:kind");
    metadata = dc_get(set, "f:metadata");
    for (size_t i = 0; i < sizeof(identity) / sizeof(identity[0]); i++) {
        dc_del(metadata, identity[i]);
    }
    if (metadata != NULL && metadata->child == NULL) {
        dc_del(set, "f:metadata");
    }
    return set;
}

void dc_fieldset_add(cJSON *a, const cJSON *b)
{
    for (const cJSON *m = b->child; m != NULL; m = m->next) {
        dc_fieldset_add(dc_ensure(a, m->string), m);
    }
}

static bool leaf(const cJSON *set)
{
    return set->child == NULL || (set->child->next == NULL && strcmp(set->child->string, ".") == 0);
}

void dc_fieldset_remove(cJSON *a, const cJSON *b)
{
    for (const cJSON *m = b->child; m != NULL; m = m->next) {
        cJSON *mine = dc_get(a, m->string);
        if (mine == NULL) {
            continue;
        }
        if (!leaf(mine)) {
            dc_fieldset_remove(mine, m);
        }
        if (leaf(mine)) {
            dc_del(a, m->string);
        }
    }
}

/* The element of a list that "k:…" or "v:…" names; the member that "f:…" names. */
static cJSON *resolve(const cJSON *value, const char *key)
{
    const char *error;
    cJSON      *identity, *found = NULL;

    if (key[0] == 'f') {
        return dc_get(value, key + 2);
    }
    identity = dc_parse(dsp_str_from(key + 2), &error, NULL);
    for (cJSON *e = cJSON_IsArray(value) ? value->child : NULL; e != NULL && found == NULL; e = e->next) {
        bool same = key[0] == 'v' ? dc_equal(e, identity) : cJSON_IsObject(e);
        for (const cJSON *k = key[0] == 'k' ? identity->child : NULL; k != NULL; k = k->next) {
            same = same && dc_equal(dc_get(e, k->string), k);
        }
        found = same ? e : NULL;
    }
    cJSON_Delete(identity);
    return found;
}

static void conflicts(const cJSON *set, const cJSON *other, const cJSON *applied, const cJSON *live, dsp_buf *path,
                      cJSON *out)
{
    size_t len = path->len;

    for (const cJSON *m = set->child; m != NULL; m = m->next) {
        const cJSON *theirs = dc_get(other, m->string);
        if (theirs == NULL || strcmp(m->string, ".") == 0) {
            continue;
        }
        const cJSON *mine = resolve(applied, m->string), *there = resolve(live, m->string);
        if (m->string[0] == 'f') {
            dsp_buf_addf(path, ".%s", m->string + 2);
        } else {
            dsp_buf_addf(path, "[%s]", m->string + 2);
        }
        if (leaf(m) || leaf(theirs)) {
            if (!dc_equal(mine, there)) {
                cJSON_AddItemToArray(out, cJSON_CreateString(dsp_buf_cstr(path)));
            }
        } else {
            conflicts(m, theirs, mine, there, path, out);
        }
        path->len = len;
        path->data[len] = '\0';
    }
}

void dc_fieldset_conflicts(const cJSON *set, const cJSON *other, const cJSON *applied, const cJSON *live, cJSON *out)
{
    dsp_buf path;

    dsp_buf_init(&path, 1 << 20);
    conflicts(set, other, applied, live, &path, out);
    dsp_buf_free(&path);
}

void dc_fieldset_prune(cJSON *object, const cJSON *set, const cJSON *keep)
{
    for (const cJSON *m = set->child; m != NULL; m = m->next) {
        cJSON       *node = strcmp(m->string, ".") != 0 ? resolve(object, m->string) : NULL;
        const cJSON *kept = keep != NULL ? dc_get(keep, m->string) : NULL;
        if (node == NULL) {
            continue;
        }
        if (kept == NULL && (leaf(m) || m->string[0] != 'f' || dc_get(m, ".") != NULL)) {
            cJSON_Delete(cJSON_DetachItemViaPointer(object, node));
        } else if (!leaf(m)) {
            dc_fieldset_prune(node, m, kept);
            if (kept == NULL && node->child == NULL) {
                cJSON_Delete(cJSON_DetachItemViaPointer(object, node));
            }
        }
    }
}

static void merge_list(cJSON *live, const cJSON *configuration, const dc_schema *s, const char *name,
                       enum manner manner)
{
    for (const cJSON *e = configuration->child; e != NULL; e = e->next) {
        char  *key = manner == KEYED ? element_key(e, keys_of(s, name)) : set_key(e);
        cJSON *there = resolve(live, key);
        if (there == NULL) {
            cJSON_AddItemToArray(live, dc_copy(e));
        } else if (manner == KEYED) {
            dc_fieldset_merge(there, e, dc_schema_items(s));
        }
        free(key);
    }
}

void dc_fieldset_merge(cJSON *live, const cJSON *configuration, const dc_schema *s)
{
    for (const cJSON *m = configuration->child; m != NULL; m = m->next) {
        const dc_schema *inner = dc_schema_member(s, m->string);
        enum manner      manner = manner_of(m, inner, m->string);
        cJSON           *there = dc_get(live, m->string);
        if (there == NULL || manner == WHOLE || cJSON_IsObject(there) != cJSON_IsObject(m)) {
            if (!(cJSON_IsObject(m) && m->child == NULL && cJSON_IsObject(there))) {
                dc_set(live, m->string, dc_copy(m));
            }
        } else if (manner == MEMBERS) {
            dc_fieldset_merge(there, m, inner);
        } else {
            merge_list(there, m, inner, m->string, manner);
        }
    }
}

static void drop_equal(cJSON *set, const cJSON *old, const cJSON *now)
{
    cJSON *next;

    for (cJSON *m = set->child; m != NULL; m = next) {
        next = m->next;
        if (strcmp(m->string, ".") == 0) {
            continue;
        }
        const cJSON *before = resolve(old, m->string), *after = resolve(now, m->string);
        if (before != NULL && dc_equal(before, after)) {
            cJSON_Delete(cJSON_DetachItemViaPointer(set, m));
        } else if (before != NULL && !leaf(m)) {
            dc_del(m, ".");
            drop_equal(m, before, after);
        }
    }
}

cJSON *dc_fieldset_changed(const cJSON *old, const cJSON *now, const dc_schema *s)
{
    cJSON *set = dc_fieldset_of(now, s);

    drop_equal(set, old, now);
    return set;
}
