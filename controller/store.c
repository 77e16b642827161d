#include "kinds.h"

#include <string.h>

/* Of one object that is read; the payload of a JobExecution may be escaped and stays a span. */
#define READ_ARENA (4u * 1024 * 1024)

void dsp_store_init(dsp_store *s)
{
    *s = (dsp_store){ .lives = LIST_HEAD_INITIALIZER(lives) };
    dsp_map_init(&s->by_uid);
    dsp_map_init(&s->by_key);
    dsp_map_init(&s->templates);
}

static dsp_execution *execution_of(dsp_map_node *node)
{
    return DSP_CONTAINER(node, dsp_execution, by_uid);
}

void dsp_store_free(dsp_store *s)
{
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;

    while ((node = dsp_map_next(&s->by_uid, &cursor)) != NULL) {
        dsp_record_free(s, execution_of(node));
    }
    dsp_store_free_templates(s);
    dsp_map_free(&s->by_uid);
    dsp_map_free(&s->by_key);
    dsp_map_free(&s->templates);
}

/* --- finding -------------------------------------------------------------------------------------------------- */

dsp_str dsp_store_key(char key[DSP_STORE_KEY_MAX], dsp_str ns, dsp_str name)
{
    if (ns.len + 1 + name.len > DSP_STORE_KEY_MAX) {
        return (dsp_str){ NULL, 0 };
    }
    if (ns.len > 0) {
        memcpy(key, ns.data, ns.len);
    }
    key[ns.len] = '/';
    if (name.len > 0) {
        memcpy(key + ns.len + 1, name.data, name.len);
    }
    return (dsp_str){ key, ns.len + 1 + name.len };
}

dsp_execution *dsp_store_find_uid(const dsp_store *s, dsp_str uid)
{
    dsp_map_node *node = dsp_map_find(&s->by_uid, uid);

    return node != NULL ? execution_of(node) : NULL;
}

dsp_execution *dsp_store_find_key(const dsp_store *s, dsp_str ns, dsp_str name)
{
    char          buf[DSP_STORE_KEY_MAX];
    dsp_str       key = dsp_store_key(buf, ns, name);
    dsp_map_node *node = key.data != NULL ? dsp_map_find(&s->by_key, key) : NULL;

    return node != NULL ? DSP_CONTAINER(node, dsp_execution, by_key) : NULL;
}

dsp_str dsp_execution_uid(const dsp_execution *e)
{
    return e->by_uid.key;
}

dsp_str dsp_execution_ns(const dsp_execution *e)
{
    return dsp_record_text_of(e).ns;
}

dsp_str dsp_execution_name(const dsp_execution *e)
{
    return dsp_record_text_of(e).name;
}

/* --- resourceVersions ----------------------------------------------------------------------------------------- */

uint64_t dsp_store_rv(dsp_str rv)
{
    uint64_t n;

    return dsp_str_u64(rv, &n) ? n : 0;
}

bool dsp_store_is_news(uint64_t rv, uint64_t known)
{
    return rv == 0 || known == 0 || rv > known;
}

/* --- the hooks ------------------------------------------------------------------------------------------------ */

void dsp_store_changed(dsp_store *s, dsp_execution *e)
{
    if (s->changed != NULL) {
        s->changed(s->context, e);
    }
}

int64_t dsp_store_now(const dsp_store *s)
{
    return s->now_ms != NULL ? s->now_ms(s->context) : 0;
}

/* --- the three kinds alike ------------------------------------------------------------------------------------ */

static bool with_arena(dsp_store *s, dsp_json object, dsp_store_kind_fn f)
{
    dsp_arena arena;
    bool      ok;

    dsp_arena_init(&arena, READ_ARENA);
    ok = f(s, object, &arena);
    dsp_arena_free(&arena);
    return ok;
}

bool dsp_store_put(dsp_store *s, enum dsp_kind kind, dsp_json object)
{
    static const dsp_store_kind_fn put[DSP_KINDS] = { [DSP_KIND_TEMPLATE] = dsp_store_put_template,
                                                      [DSP_KIND_EXECUTION] = dsp_store_put_execution,
                                                      [DSP_KIND_JOB] = dsp_store_put_job };

    return with_arena(s, object, put[kind]);
}

bool dsp_store_drop(dsp_store *s, enum dsp_kind kind, dsp_json object)
{
    static const dsp_store_kind_fn drop[DSP_KINDS] = { [DSP_KIND_TEMPLATE] = dsp_store_drop_template,
                                                       [DSP_KIND_EXECUTION] = dsp_store_drop_execution,
                                                       [DSP_KIND_JOB] = dsp_store_drop_job };

    return with_arena(s, object, drop[kind]);
}

bool dsp_store_in_ns(dsp_str key, dsp_str ns)
{
    return ns.len == 0 || (key.len > ns.len && key.data[ns.len] == '/' && dsp_str_has_prefix(key, ns));
}

/* Of a record without a JobExecution the Job tells the namespace. One that is asleep has no Job's text either; nobody
 * waits for it, so every list may end it. */
static bool record_in_ns(const dsp_execution *e, dsp_str ns)
{
    if (e->key_len > 0 || ns.len == 0) {
        return dsp_store_in_ns(e->by_key.key, ns);
    }
    return e->live == NULL || e->live->job == NULL || dsp_str_eq(e->live->job->ns, ns);
}

void dsp_store_replace_begin(dsp_store *s, enum dsp_kind kind, dsp_str ns)
{
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;

    s->replacing[kind] = true;
    if (kind == DSP_KIND_TEMPLATE) {
        dsp_store_replace_templates_begin(s, ns);
        return;
    }
    while ((node = dsp_map_next(&s->by_uid, &cursor)) != NULL) {
        dsp_execution *e = execution_of(node);

        if (record_in_ns(e, ns)) {
            *(kind == DSP_KIND_JOB ? &e->job_listed : &e->je_listed) = false;
        }
    }
}

bool dsp_store_replace_end(dsp_store *s, enum dsp_kind kind, dsp_str ns)
{
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;
    bool           ok = true;

    s->replacing[kind] = false;
    if (kind == DSP_KIND_TEMPLATE) {
        dsp_store_replace_templates_end(s, ns);
        return true;
    }
    while (ok && (node = dsp_map_next(&s->by_uid, &cursor)) != NULL) {
        dsp_execution *e = execution_of(node);

        if (!record_in_ns(e, ns)) {
            continue;
        }
        if (kind == DSP_KIND_EXECUTION && !e->je_listed && e->key_len > 0) {
            dsp_store_forget(s, e);
        } else if (kind == DSP_KIND_JOB && !e->job_listed && e->job_known == DSP_JOB_PRESENT) {
            ok = dsp_store_doubt(s, e);
        }
    }
    return ok;
}

void dsp_store_synced(dsp_store *s, enum dsp_kind kind)
{
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;

    if (s->synced[kind]) {
        return;
    }
    s->synced[kind] = true;
    while ((node = dsp_map_next(&s->by_uid, &cursor)) != NULL) {
        dsp_execution *e = execution_of(node);

        if (e->finished && e->live == NULL && dsp_store_needs_look(s, e) && dsp_record_wake(s, e)) {
            e->live->old = true;
        }
        if (e->live != NULL) {
            dsp_store_changed(s, e);
        }
    }
}
