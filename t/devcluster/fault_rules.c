/* The rules: made, shown, released, forgotten. */
#include <stdlib.h>
#include <string.h>

#include "fault_rule.h"
#include "server.h"
#include "tree.h"

static const char *const what_names[] = { "hold", "delay", "drop", "status", "cut", "garble", "html", "redirect",
                                          "stale", "lag", "duplicate", "cutLine", "garbleLine", NULL };
static const char *const stage_names[] = { "arrived", "served", "answered", NULL };

static dc_page **snapshot(dc_cluster *c)
{
    size_t    n = 0;
    dc_page **pages = NULL;

    for (dc_kind *k = c->kinds.first; k != NULL; k = k->next) {
        dc_page *page = calloc(1, sizeof(*page));
        page->kind = k;
        page->rv = c->store.rv;
        page->objects = dc_store_list(k, NULL, &page->n);
        pages = realloc(pages, (n + 2) * sizeof(*pages));
        pages[n++] = page;
        pages[n] = NULL;
    }
    return pages;
}

static int release(dc_rule *rule)
{
    dc_request *r;
    int         n = 0;

    rule->released = true;
    rule->frozen = false;
    while ((r = TAILQ_FIRST(&rule->held)) != NULL) {
        TAILQ_REMOVE(&rule->held, r, held);
        r->held_by = NULL;
        n++;
        dc_rule_go_on(r);
    }
    return n;
}

static char *copy_text(const cJSON *object, const char *name)
{
    const char *text = dc_str(object, name);

    return text != NULL ? strdup(text) : NULL;
}

static int index_of(const char *const *names, const char *name)
{
    for (int i = 0; name != NULL && names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

static void free_rule(dc_faults *f, dc_rule *rule)
{
    TAILQ_REMOVE(&f->rules, rule, all);
    for (dc_page **p = rule->stale; p != NULL && *p != NULL; p++) {
        dc_objects_free((*p)->objects, (*p)->n);
        free(*p);
    }
    free(rule->stale);
    free(rule->method);
    free(rule->path);
    free(rule->query);
    free(rule->agent);
    cJSON_Delete(rule->text);
    free(rule);
}

static int64_t default_code(enum what what)
{
    return what == REDIRECT ? 307 : what == HTML ? 502 : 500;
}

cJSON *dc_faults_add(dc_faults *faults, const cJSON *text, dc_fail *f)
{
    const cJSON *match = dc_get(text, "match");
    const char  *stage = dc_str(text, "stage");
    int          what = index_of(what_names, dc_str(text, "fault"));
    int          at = stage == NULL ? (what == CUT || what == GARBLE ? SERVED : ARRIVED) : index_of(stage_names, stage);

    if (what < 0 || at < 0 || (at == ANSWERED && what != HOLD)) {
        dc_fail_set(f, 400, "BadRequest", what < 0 ? "unknown fault" : "unknown stage, or not one of this fault");
        return NULL;
    }
    dc_rule *rule = calloc(1, sizeof(*rule));
    rule->id = ++faults->ids;
    rule->text = dc_copy(text);
    rule->what = (enum what) what;
    rule->stage = what == CUT || what == GARBLE ? SERVED : (enum stage) at;
    rule->method = copy_text(match, "method");
    rule->path = copy_text(match, "path");
    rule->query = copy_text(match, "query");
    rule->agent = copy_text(match, "userAgent");
    rule->skip = dc_int_or(text, "skip", 0);
    rule->count = dc_int_or(text, "count", 1);
    rule->ms = dc_int_or(text, "ms", 1000);
    rule->code = dc_int_or(text, "code", default_code(rule->what));
    rule->retry_after = dc_int_or(text, "retryAfter", -1);
    rule->bytes = dc_int_or(text, "bytes", -1);
    rule->line = dc_int_or(text, "line", 1);
    rule->stale = rule->what == STALE ? snapshot(faults->cluster) : NULL;
    TAILQ_INIT(&rule->held);
    TAILQ_INSERT_TAIL(&faults->rules, rule, all);
    return dc_faults_show(faults, rule->id);
}

static dc_rule *find_rule(const dc_faults *f, int64_t id)
{
    dc_rule *rule;

    TAILQ_FOREACH(rule, &f->rules, all) {
        if (rule->id == id) {
            return rule;
        }
    }
    return NULL;
}

cJSON *dc_faults_show(const dc_faults *faults, int64_t id)
{
    const dc_rule    *rule = find_rule(faults, id);
    const dc_request *r;
    int64_t           held = 0;

    if (rule == NULL) {
        return NULL;
    }
    TAILQ_FOREACH(r, &rule->held, held) {
        held++;
    }
    cJSON *shown = dc_copy(rule->text);
    dc_set_int(shown, "id", rule->id);
    dc_set_int(shown, "seen", rule->seen);
    dc_set_int(shown, "hits", rule->hits);
    dc_set_int(shown, "held", held);
    return shown;
}

cJSON *dc_faults_list(const dc_faults *faults)
{
    cJSON         *list = cJSON_CreateArray();
    const dc_rule *rule;

    TAILQ_FOREACH(rule, &faults->rules, all) {
        cJSON_AddItemToArray(list, dc_faults_show(faults, rule->id));
    }
    return list;
}

int64_t dc_faults_hits(const dc_faults *faults, int64_t id)
{
    const dc_rule *rule = find_rule(faults, id);

    return rule != NULL ? rule->hits : -1;
}

void dc_faults_on_hit(dc_faults *faults, void (*call)(void *arg), void *arg)
{
    faults->on_hit = call;
    faults->on_hit_arg = arg;
}

int dc_faults_release(dc_faults *faults, int64_t id)
{
    dc_rule *rule;
    int      n = 0;

    TAILQ_FOREACH(rule, &faults->rules, all) {
        if (id == 0 || rule->id == id) {
            n += release(rule);
        }
    }
    return n;
}

int dc_faults_remove(dc_faults *faults, int64_t id)
{
    dc_rule *rule, *next;
    int      n = 0;

    for (rule = TAILQ_FIRST(&faults->rules); rule != NULL; rule = next) {
        next = TAILQ_NEXT(rule, all);
        if (id == 0 || rule->id == id) {
            dc_server_forget_rule(faults->cluster->server, rule);
            release(rule);
            free_rule(faults, rule);
            n++;
        }
    }
    return n;
}

dc_faults *dc_faults_new(dc_cluster *c)
{
    dc_faults *f = calloc(1, sizeof(*f));

    f->cluster = c;
    TAILQ_INIT(&f->rules);
    return f;
}

void dc_faults_free(dc_faults *f)
{
    if (f != NULL) {
        while (!TAILQ_EMPTY(&f->rules)) {
            free_rule(f, TAILQ_FIRST(&f->rules));
        }
        free(f);
    }
}
