#include "store.h"

#include <stdlib.h>
#include <string.h>

#include "model/object.h"
#include "record.h"

/* Of one object that is read; the payload of a JobExecution may be escaped and stays a span. */
#define READ_ARENA (4u * 1024 * 1024)

void dsp_store_init(dsp_store *s)
{
    *s = (dsp_store){ .lives = NULL };
    dsp_map_init(&s->by_uid);
    dsp_map_init(&s->by_key);
    dsp_map_init(&s->templates);
}

static dsp_template *template_of(dsp_map_node *node)
{
    return DSP_CONTAINER(node, dsp_template, by_key);
}

static dsp_execution *execution_of(dsp_map_node *node)
{
    return DSP_CONTAINER(node, dsp_execution, by_uid);
}

static void template_free(dsp_template *t)
{
    free(t->text);
    free(t);
}

void dsp_store_free(dsp_store *s)
{
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;

    while ((node = dsp_map_next(&s->by_uid, &cursor)) != NULL) {
        dsp_record_free(s, execution_of(node));
    }
    cursor = (dsp_map_cursor){ 0 };
    while ((node = dsp_map_next(&s->templates, &cursor)) != NULL) {
        dsp_map_remove(&s->templates, node->key);
        template_free(template_of(node));
    }
    dsp_map_free(&s->by_uid);
    dsp_map_free(&s->by_key);
    dsp_map_free(&s->templates);
}

/* --- finding -------------------------------------------------------------------------------------------------- */

/* "ns/name" in a buffer of the caller, which must hold it. */
#define KEY_MAX 520

static dsp_str make_key(char key[KEY_MAX], dsp_str ns, dsp_str name)
{
    if (ns.len + 1 + name.len > KEY_MAX) {
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
    char          buf[KEY_MAX];
    dsp_str       key = make_key(buf, ns, name);
    dsp_map_node *node = key.data != NULL ? dsp_map_find(&s->by_key, key) : NULL;

    return node != NULL ? DSP_CONTAINER(node, dsp_execution, by_key) : NULL;
}

static dsp_template *find_template(const dsp_store *s, dsp_str ns, dsp_str name)
{
    char          buf[KEY_MAX];
    dsp_str       key = make_key(buf, ns, name);
    dsp_map_node *node = key.data != NULL ? dsp_map_find(&s->templates, key) : NULL;

    return node != NULL ? template_of(node) : NULL;
}

dsp_json dsp_store_template(const dsp_store *s, const dsp_jobexecution *je)
{
    dsp_template *t = find_template(s, je->ns, je->template_name);

    return t != NULL ? (dsp_json){ t->text, t->text_len } : (dsp_json){ NULL, 0 };
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

static uint64_t rv_number(dsp_str rv)
{
    uint64_t n;

    return dsp_str_u64(rv, &n) ? n : 0;
}

/* Whether something at `rv` is news to one who knows `known`. What is no number cannot be ordered and is taken as it
 * comes. */
static bool is_news(uint64_t rv, uint64_t known)
{
    return rv == 0 || known == 0 || rv > known;
}

static void changed(dsp_store *s, dsp_execution *e)
{
    if (s->changed != NULL) {
        s->changed(s->context, e);
    }
}

static int64_t now_ms(const dsp_store *s)
{
    return s->now_ms != NULL ? s->now_ms(s->context) : 0;
}

/* --- JobTemplates --------------------------------------------------------------------------------------------- */

static void template_changed(dsp_store *s, dsp_str ns, dsp_str name)
{
    for (dsp_live *live = s->lives, *next; live != NULL; live = next) {
        next = live->next;
        if (live->je != NULL && live->je->job_uid.len == 0 && dsp_str_eq(live->je->template_name, name) &&
            dsp_str_eq(live->je->ns, ns)) {
            changed(s, live->execution);
        }
    }
}

static bool put_template(dsp_store *s, dsp_json object, dsp_arena *arena)
{
    dsp_jobtemplate jt;
    char            buf[KEY_MAX];

    if (!dsp_jobtemplate_read(object, arena, &jt)) {
        return arena->state != DSP_ARENA_NO_MEMORY;
    }
    dsp_template *t = find_template(s, jt.ns, jt.name);
    uint64_t      rv = rv_number(jt.resource_version);
    dsp_str       key = make_key(buf, jt.ns, jt.name);

    if (key.data == NULL) {
        return true;
    }
    if (t != NULL && !is_news(rv, t->rv)) {
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
static bool drop_template(dsp_store *s, dsp_json object, dsp_arena *arena)
{
    dsp_jobtemplate jt;

    if (!dsp_jobtemplate_read(object, arena, &jt)) {
        return arena->state != DSP_ARENA_NO_MEMORY;
    }
    dsp_template *t = find_template(s, jt.ns, jt.name);
    if (t != NULL && is_news(rv_number(jt.resource_version), t->rv)) {
        dsp_map_remove(&s->templates, t->by_key.key);
        template_free(t);
        template_changed(s, jt.ns, jt.name);
    }
    return true;
}

/* --- JobExecutions -------------------------------------------------------------------------------------------- */

/* Whether a finished JobExecution still needs a look. */
static bool needs_look(const dsp_store *s, const dsp_execution *e)
{
    return e->job_uid_len > 0 && !e->kept && s->synced[DSP_KIND_JOB] && e->job_known != DSP_JOB_PRESENT;
}

/* The JobExecution of e is no more. The record stays while a Job of it is known. */
static void forget_execution(dsp_store *s, dsp_execution *e)
{
    dsp_record_text text = dsp_record_text_of(e);

    text.ns = text.name = (dsp_str){ NULL, 0 };
    if (e->live != NULL) {
        free(e->live->je);
        e->live->je = NULL;
    }
    if (e->job_known != DSP_JOB_PRESENT) {
        e->job_known = DSP_JOB_UNKNOWN;
    }
    dsp_record_set_text(s, e, &text);
    e->rv = 0;
    e->finished = e->kept = false;
    if (e->live != NULL) {
        changed(s, e); /* what is queued or under way for it ends */
    } else if (e->job_known == DSP_JOB_UNKNOWN) {
        dsp_record_free(s, e);
    }
}

static bool remember_execution(dsp_store *s, dsp_execution *e, const dsp_jobexecution *je)
{
    dsp_record_text text = dsp_record_text_of(e);

    text.ns = je->ns;
    text.name = je->name;
    if (je->job_uid.len > 0) {
        text.job_uid = je->job_uid;
        text.job_name = je->job_name;
    }
    e->rv = rv_number(je->resource_version);
    e->finished = dsp_jobexecution_finished(je);
    e->kept = e->finished && dsp_str_is(je->conditions.of[DSP_SUCCEEDED].reason, DSP_REASON_JOB_DELETED);
    return dsp_record_set_text(s, e, &text);
}

/* The full text is kept while there is something to do. */
static bool remember_live(dsp_store *s, dsp_execution *e, const dsp_jobexecution *je)
{
    bool fresh = e->live == NULL;

    if (!dsp_record_wake(s, e)) {
        return false;
    }
    dsp_live         *live = e->live;
    dsp_jobexecution *copy = dsp_jobexecution_dup(je);
    if (copy == NULL) {
        return false;
    }
    live->old = s->replacing[DSP_KIND_EXECUTION];
    if (fresh) {
        live->added_ms = live->old ? 0 : now_ms(s);
        if (e->job_known == DSP_JOB_PRESENT) {
            e->job_known = DSP_JOB_DOUBTFUL; /* only its name is known by now: read it */
        }
    }
    free(live->je);
    live->je = copy;
    live->stale = false;
    changed(s, e);
    return true;
}

static bool put_execution(dsp_store *s, dsp_json object, dsp_arena *arena)
{
    dsp_jobexecution je;

    if (!dsp_jobexecution_read(object, arena, &je)) {
        return arena->state != DSP_ARENA_NO_MEMORY;
    }
    dsp_execution *e = dsp_store_find_uid(s, je.uid);
    dsp_execution *other = dsp_store_find_key(s, je.ns, je.name);
    if (e != NULL && e->key_len > 0 && !is_news(rv_number(je.resource_version), e->rv)) {
        e->je_listed = true;
        return true;
    }
    if (other != NULL && other != e) {
        forget_execution(s, other); /* deleted and made again under the same name */
    }
    if (e == NULL && (e = dsp_record_new(s, je.uid)) == NULL) {
        return false;
    }
    e->je_listed = true;
    if (!remember_execution(s, e, &je)) {
        return false;
    }
    if (e->finished && e->live == NULL) {
        if (!needs_look(s, e) || je.deleting) {
            return true;
        }
    }
    return remember_live(s, e, &je);
}

static bool drop_execution(dsp_store *s, dsp_json object, dsp_arena *arena)
{
    dsp_jobexecution je;

    if (!dsp_jobexecution_read(object, arena, &je)) {
        return arena->state != DSP_ARENA_NO_MEMORY;
    }
    dsp_execution *e = dsp_store_find_uid(s, je.uid);
    if (e != NULL && e->key_len > 0) {
        forget_execution(s, e);
    }
    return true;
}

/* --- Jobs ----------------------------------------------------------------------------------------------------- */

/* Whoever waits for this Job's name may try again. */
static void wake_conflicts(dsp_store *s, dsp_str ns, dsp_str name)
{
    if (s->n_conflicts == 0) {
        return;
    }
    for (dsp_live *live = s->lives, *next; live != NULL; live = next) {
        next = live->next;
        if (live->attempt.end == DSP_ATTEMPT_WAITING && live->attempt.job_name != NULL && live->je != NULL &&
            dsp_str_is(name, live->attempt.job_name) && dsp_str_eq(live->je->ns, ns)) {
            live->create_ms = 0;
            changed(s, live->execution);
        }
    }
}

/* The Job of a finished JobExecution is of interest for its TTL only. */
static bool wants_ttl(const dsp_job *job)
{
    return job->ttl_wanted >= 0 && !job->has_ttl && !job->deleting;
}

static bool remember_job(dsp_store *s, dsp_execution *e, const dsp_job *job, uint64_t rv)
{
    dsp_record_text text = dsp_record_text_of(e);
    bool            first = e->job_known != DSP_JOB_PRESENT;

    if (text.job_uid.len == 0) {
        text.job_uid = job->uid;
        text.job_name = job->name;
        if (!dsp_record_set_text(s, e, &text)) {
            return false;
        }
    }
    e->job_known = DSP_JOB_PRESENT;
    e->job_rv = rv;
    if (e->finished && e->live == NULL && !wants_ttl(job)) {
        return true;
    }
    if (!dsp_record_wake(s, e)) {
        return false;
    }
    dsp_job *copy = dsp_job_dup(job);
    if (copy == NULL) {
        return false;
    }
    free(e->live->job);
    e->live->job = copy;
    if (first) {
        e->live->job_seen_ms = now_ms(s);
    }
    if (job->end != DSP_JOB_UNFINISHED && e->live->end_ms == 0 && !s->replacing[DSP_KIND_JOB]) {
        e->live->end_ms = now_ms(s);
    }
    changed(s, e);
    return true;
}

static bool put_job(dsp_store *s, dsp_json object, dsp_arena *arena)
{
    dsp_job job;

    if (!dsp_job_read(object, arena, &job)) {
        return arena->state != DSP_ARENA_NO_MEMORY;
    }
    if (job.owner_uid.len == 0) {
        return true; /* has our label, but is not ours */
    }
    dsp_execution *e = dsp_store_find_uid(s, job.owner_uid);
    uint64_t       rv = rv_number(job.resource_version);

    if (e == NULL && (e = dsp_record_new(s, job.owner_uid)) == NULL) {
        return false;
    }
    dsp_record_text text = dsp_record_text_of(e);
    bool            same = dsp_str_eq(text.job_uid, job.uid);

    if (text.job_uid.len > 0 && !same) {
        return true; /* a second Job of one JobExecution: somebody made it by hand; the first one counts */
    }
    e->job_listed = true;
    /* The answer of a read brings back one that was in doubt, at the same resourceVersion. */
    if (e->job_known == DSP_JOB_PRESENT && !is_news(rv, e->job_rv)) {
        return true;
    }
    if (e->job_known != DSP_JOB_PRESENT && e->job_rv != 0 && rv != 0 && rv < e->job_rv) {
        return true;
    }
    return remember_job(s, e, &job, rv);
}

/* The watch does not see e's Job any more. */
static bool doubt_job(dsp_store *s, dsp_execution *e)
{
    if (e->key_len == 0) { /* no JobExecution: nobody to tell */
        e->job_known = DSP_JOB_UNKNOWN;
        if (e->live == NULL) {
            dsp_record_free(s, e);
        } else {
            changed(s, e);
        }
        return true;
    }
    if (e->kept) {
        e->job_known = DSP_JOB_GONE;
        return true;
    }
    if (!dsp_record_wake(s, e)) {
        return false;
    }
    e->job_known = DSP_JOB_DOUBTFUL;
    changed(s, e);
    return true;
}

static bool drop_job(dsp_store *s, dsp_json object, dsp_arena *arena)
{
    dsp_job job;

    if (!dsp_job_read(object, arena, &job)) {
        return arena->state != DSP_ARENA_NO_MEMORY;
    }
    wake_conflicts(s, job.ns, job.name);
    dsp_execution *e = job.owner_uid.len > 0 ? dsp_store_find_uid(s, job.owner_uid) : NULL;
    uint64_t       rv = rv_number(job.resource_version);

    if (e == NULL || e->job_known != DSP_JOB_PRESENT || !dsp_str_eq(dsp_record_text_of(e).job_uid, job.uid) ||
        (rv != 0 && rv < e->job_rv)) {
        return true;
    }
    if (e->live != NULL && e->live->job != NULL) { /* the last state may hold an end that no event told of */
        dsp_job *copy = dsp_job_dup(&job);

        if (copy == NULL) {
            return false;
        }
        free(e->live->job);
        e->live->job = copy;
    }
    e->job_rv = rv;
    return doubt_job(s, e);
}

void dsp_store_job_gone(dsp_store *s, dsp_execution *e)
{
    dsp_record_text text = dsp_record_text_of(e);

    e->job_known = DSP_JOB_GONE;
    if (e->live != NULL && e->live->je != NULL && text.job_name.len > 0) {
        wake_conflicts(s, text.ns, text.job_name);
    }
    if (e->live != NULL) {
        changed(s, e);
    }
}

void dsp_store_job_doubtful(dsp_store *s, dsp_execution *e)
{
    e->job_known = DSP_JOB_DOUBTFUL;
    changed(s, e);
}

void dsp_store_execution_gone(dsp_store *s, dsp_execution *e)
{
    forget_execution(s, e);
}

/* --- the three kinds alike ------------------------------------------------------------------------------------ */

static bool with_arena(dsp_store *s, dsp_json object, bool (*f)(dsp_store *, dsp_json, dsp_arena *))
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
    static bool (*const put[DSP_KINDS])(dsp_store *, dsp_json, dsp_arena *) = { put_template, put_execution, put_job };

    return with_arena(s, object, put[kind]);
}

bool dsp_store_drop(dsp_store *s, enum dsp_kind kind, dsp_json object)
{
    static bool (*const drop[DSP_KINDS])(dsp_store *, dsp_json, dsp_arena *) = { drop_template, drop_execution,
                                                                                 drop_job };

    return with_arena(s, object, drop[kind]);
}

/* Whether a record or template of this key is in a namespace; an empty one stands for all. */
static bool in_ns(dsp_str key, dsp_str ns)
{
    return ns.len == 0 || (key.len > ns.len && key.data[ns.len] == '/' && dsp_str_has_prefix(key, ns));
}

void dsp_store_replace_begin(dsp_store *s, enum dsp_kind kind, dsp_str ns)
{
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;

    s->replacing[kind] = true;
    if (kind == DSP_KIND_TEMPLATE) {
        while ((node = dsp_map_next(&s->templates, &cursor)) != NULL) {
            template_of(node)->listed = template_of(node)->listed && !in_ns(node->key, ns);
        }
        return;
    }
    while ((node = dsp_map_next(&s->by_uid, &cursor)) != NULL) {
        dsp_execution *e = execution_of(node);

        if (in_ns(e->by_key.key, ns)) {
            *(kind == DSP_KIND_JOB ? &e->job_listed : &e->je_listed) = false;
        }
    }
}

static void end_templates(dsp_store *s, dsp_str ns)
{
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;

    while ((node = dsp_map_next(&s->templates, &cursor)) != NULL) {
        dsp_template *t = template_of(node);

        if (!t->listed && in_ns(node->key, ns)) {
            dsp_map_remove(&s->templates, node->key);
            template_free(t);
        }
    }
    for (dsp_live *live = s->lives; live != NULL; live = live->next) {
        changed(s, live->execution);
    }
}

bool dsp_store_replace_end(dsp_store *s, enum dsp_kind kind, dsp_str ns)
{
    dsp_map_cursor cursor = { 0 };
    dsp_map_node  *node;
    bool           ok = true;

    s->replacing[kind] = false;
    if (kind == DSP_KIND_TEMPLATE) {
        end_templates(s, ns);
        return true;
    }
    while (ok && (node = dsp_map_next(&s->by_uid, &cursor)) != NULL) {
        dsp_execution *e = execution_of(node);

        if (!in_ns(e->by_key.key, ns)) {
            continue;
        }
        if (kind == DSP_KIND_EXECUTION && !e->je_listed && e->key_len > 0) {
            forget_execution(s, e);
        } else if (kind == DSP_KIND_JOB && !e->job_listed && e->job_known == DSP_JOB_PRESENT) {
            ok = doubt_job(s, e);
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

        if (e->finished && e->live == NULL && needs_look(s, e) && dsp_record_wake(s, e)) {
            e->live->old = true;
        }
        if (e->live != NULL) {
            changed(s, e);
        }
    }
}

/* --- for the decision ----------------------------------------------------------------------------------------- */

dsp_view dsp_store_view(const dsp_store *s, const dsp_execution *e, int64_t now_us, int64_t at_ms)
{
    const dsp_live *live = e->live;
    dsp_view        v = { .je = live->je,
                          .job_known = (enum dsp_job_known) e->job_known,
                          .job = live->job,
                          .job_seen_us = now_us - (at_ms - live->job_seen_ms) * 1000,
                          .attempt = { live->attempt.end, dsp_str_from(live->attempt.job_name),
                                       dsp_str_from(live->attempt.reason), dsp_str_from(live->attempt.message) },
                          .pods_read = live->pods_read,
                          .failure = { .exit_code = -1 },
                          .due = at_ms >= live->create_ms,
                          .now_us = now_us };

    if (live->failure != NULL) {
        v.failure = *live->failure;
    }
    if (v.job_known == DSP_JOB_UNKNOWN && s->synced[DSP_KIND_JOB]) {
        v.job_known = DSP_JOB_UNSEEN;
    }
    if (live->je != NULL && s->synced[DSP_KIND_TEMPLATE]) {
        v.template_known = dsp_store_template(s, live->je).data != NULL ? DSP_TEMPLATE_PRESENT : DSP_TEMPLATE_ABSENT;
    }
    return v;
}

static bool copy_to(char **to, dsp_str from)
{
    if (from.len == 0) {
        return true;
    }
    *to = dsp_str_dup(from);
    return *to != NULL;
}

bool dsp_store_attempt(dsp_store *s, dsp_execution *e, enum dsp_attempt_end end, dsp_str job_name, dsp_str reason,
                       dsp_str message)
{
    dsp_live *live = e->live;
    char     *name = NULL, *why = NULL, *text = NULL;
    bool      ok = copy_to(&name, job_name) && copy_to(&why, reason) && copy_to(&text, message);

    dsp_live_clear_attempt(s, live);
    live->attempt.end = end;
    live->attempt.job_name = name;
    live->attempt.reason = why;
    live->attempt.message = text;
    if (end == DSP_ATTEMPT_WAITING && name != NULL) {
        s->n_conflicts++;
    }
    return ok;
}

bool dsp_store_failure(dsp_store *s, dsp_execution *e, const dsp_job_failure *found)
{
    dsp_live *live = e->live;

    (void) s;
    live->pods_read = true;
    free(live->failure);
    live->failure = NULL;
    if (found == NULL) {
        return true;
    }
    live->failure = malloc(sizeof(*found) + found->pod.len + found->container.len + found->reason.len);
    if (live->failure == NULL) {
        return false;
    }
    *live->failure = *found;
    char    *p = (char *) (live->failure + 1);
    dsp_str *strings[] = { &live->failure->pod, &live->failure->container, &live->failure->reason };
    for (size_t i = 0; i < 3; i++) {
        if (strings[i]->len > 0) {
            memcpy(p, strings[i]->data, strings[i]->len);
        }
        strings[i]->data = p;
        p += strings[i]->len;
    }
    return true;
}

void dsp_store_settle(dsp_store *s, dsp_execution *e)
{
    if (e->key_len == 0 && e->job_known != DSP_JOB_PRESENT) {
        dsp_record_free(s, e);
    } else if (e->key_len > 0 && e->finished) {
        dsp_record_sleep(s, e);
    }
}
