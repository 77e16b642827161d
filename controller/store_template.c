/* The JobTemplates: their text as it came, by namespace/name. */
#include "kinds.h"

#include <stdlib.h>
#include <string.h>

static dsp_template *template_of(dsp_map_node *node)
{
    return DSP_CONTAINER(node, dsp_template, by_key);
}

static void template_free(dsp_template *t)
{
    free(t->text);
    free(t);
}

static dsp_template *find_template(const dsp_store *s, dsp_str ns, dsp_str name)
{
    char          buf[DSP_STORE_KEY_MAX];
    dsp_str       key = dsp_store_key(buf, ns, name);
    dsp_map_node *node = key.data != NULL ? dsp_map_find(&s->templates, key) : NULL;

    return node != NULL ? template_of(node) : NULL;
}

dsp_json dsp_store_template(const dsp_store *s, const dsp_jobexecution *je)
{
    dsp_template *t = find_template(s, je->ns, je->template_name);

    return t != NULL ? (dsp_json){ t->text, t->text_len } : (dsp_json){ NULL, 0 };
}

static void template_changed(dsp_store *s, dsp_str ns, dsp_str name)
{
    for (dsp_live *live = LIST_FIRST(&s->lives), *next; live != NULL; live = next) {
        next = LIST_NEXT(live, link);
        if (live->je != NULL && live->je->job_uid.len == 0 && dsp_str_eq(live->je->template_name, name) &&
            dsp_str_eq(live->je->ns, ns)) {
            dsp_store_changed(s, live->execution);
        }
    }
}

bool dsp_store_put_template(dsp_store *s, dsp_json object, dsp_arena *arena)
{
    dsp_jobtemplate jt;
    char            buf[DSP_STORE_KEY_MAX];

    if (!dsp_jobtemplate_read(object, arena, &jt)) {
        return arena->state != DSP_ARENA_NO_MEMORY;
    }
    dsp_template *t = find_template(s, jt.ns, jt.name);
    uint64_t      rv = dsp_store_rv(jt.resource_version);
    dsp_str       key = dsp_store_key(buf, jt.ns, jt.name);

    if (key.data == NULL) {
        return true;
    }
    if (t != NULL && !dsp_store_is_news(rv, t->rv)) {
        t->listed = true;
        return true;
    }
    char *text = malloc(object.len + key.len);
    if (text == NULL) {
        return false;
    }
    memcpy(text, object.data, object.len);
    memcpy(text + object.len, key.data, key.len);
    if (t == NULL) {
        t = calloc(1, sizeof(*t));
        if (t == NULL) {
            free(text);
            return false;
        }
    } else {
        dsp_map_remove(&s->templates, key);
        free(t->text);
    }
    *t = (dsp_template){ .text = text, .text_len = object.len, .rv = rv, .listed = true };
    t->by_key.key = (dsp_str){ text + object.len, key.len };
    if (!dsp_map_insert(&s->templates, &t->by_key)) {
        template_free(t);
        return false;
    }
    template_changed(s, jt.ns, jt.name);
    return true;
}

/* Those that wait learn it when they are looked at; nothing has to happen at once. */
bool dsp_store_drop_template(dsp_store *s, dsp_json object, dsp_arena *arena)
{
    dsp_jobtemplate jt;

    if (!dsp_jobtemplate_read(object, arena, &jt)) {
        return arena->state != DSP_ARENA_NO_MEMORY;
    }
    dsp_template *t = find_template(s, jt.ns, jt.name);
    if (t != NULL && dsp_store_is_news(dsp_store_rv(jt.resource_version), t->rv)) {
        dsp_map_remove(&s->templates, t->by_key.key);
        template_free(t);
        template_changed(s, jt.ns, jt.name);
    }
    return true;
}

void dsp_store_replace_templates_begin(dsp_store *s, dsp_str ns)
{
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;

    while ((node = dsp_map_next(&s->templates, &cursor)) != NULL) {
        if (dsp_store_in_ns(node->key, ns)) {
            template_of(node)->listed = false;
        }
    }
}

void dsp_store_replace_templates_end(dsp_store *s, dsp_str ns)
{
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;

    while ((node = dsp_map_next(&s->templates, &cursor)) != NULL) {
        dsp_template *t = template_of(node);

        if (!t->listed && dsp_store_in_ns(node->key, ns)) {
            dsp_map_remove(&s->templates, node->key);
            template_free(t);
        }
    }
    for (dsp_live *live = LIST_FIRST(&s->lives); live != NULL; live = LIST_NEXT(live, link)) {
        dsp_store_changed(s, live->execution);
    }
}

void dsp_store_free_templates(dsp_store *s)
{
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;

    while ((node = dsp_map_next(&s->templates, &cursor)) != NULL) {
        dsp_map_remove(&s->templates, node->key);
        template_free(template_of(node));
    }
}
