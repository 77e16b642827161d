/* GET of an object and of a list. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "list_options.h"
#include "pages.h"
#include "fault.h"
#include "view.h"

void dc_read_get(dc_request *r)
{
    const char *rv = dc_query(r, "resourceVersion");
    uint64_t    wanted = 0;

    if (rv != NULL && *rv != '\0') {
        if (!dsp_str_u64(dsp_str_from(rv), &wanted)) {
            dc_bad_revision(r, rv);
            return;
        }
        if (!dc_revision_reached(r, wanted)) {
            return;
        }
    }
    const dc_object *o = dc_fault_stale_object(r);
    if (o == NULL) {
        o = dc_store_get(dc_kind_stored(r->kind), r->ns != NULL ? r->ns : "", r->name);
    }
    if (o == NULL) {
        dc_fail_not_found(&r->fail, dc_request_name(r));
        return;
    }
    r->code = 200;
    r->content_type = "application/json";
    dc_view_object(r, o, true, &r->answer);
    dsp_buf_addc(&r->answer, '\n');
}

/* What one answer shows of an ordered array. */
struct window {
    dc_object **objects; /* borrowed */
    size_t      n;
    size_t      from;
    uint64_t    rv;
};

static void answer_window(dc_request *r, const dc_list_options *o, const struct window *w, int64_t limit)
{
    dc_object **shown = malloc((w->n + 1) * sizeof(*shown));
    size_t      n = 0, i = w->from;
    char       *token = NULL;
    int64_t     remaining = -1;

    for (; i < w->n && (limit <= 0 || (int64_t) n < limit); i++) {
        if (dc_selector_matches(o->selector, w->objects[i])) {
            shown[n++] = w->objects[i];
        }
    }
    if (i < w->n && n > 0) {
        token = dc_token_write(w->rv, shown[n - 1]->ns, shown[n - 1]->name);
        remaining = dc_selector_everything(o->selector) ? (int64_t) (w->n - i) : -1;
    }
    r->code = 200;
    r->content_type = "application/json";
    dc_view_list(r, shown, n, w->rv, token, remaining, &r->answer);
    free(token);
    free(shown);
}

static void expired(dc_request *r, const char *ns, const char *name)
{
    char *token = dc_token_write(r->cluster->store.rv, ns, name);

    dc_fail_set(&r->fail, 410, "Expired",
                "The provided continue parameter is too old to display a consistent list result. You can start a new "
                "list without the continue parameter, or use the continue token in this response to retrieve the "
                "remainder of the results. Continuing with the provided token results in an inconsistent list - "
                "objects that were created, modified, or deleted between the time the first chunk was returned and now "
                "may show up in the list.");
    r->fail.token = token;
}

static void next_page(dc_request *r, const dc_list_options *o)
{
    dc_kind    *kind = dc_kind_stored(r->kind);
    uint64_t    rv;
    char       *ns, *name;

    if (o->has_rv && o->rv != 0) {
        dc_fail_set(&r->fail, 400, "BadRequest", "specifying resource version is not allowed when using continue");
        return;
    }
    if (!dc_token_read(o->token, &rv, &ns, &name)) {
        dc_fail_set(&r->fail, 400, "BadRequest", "invalid continue token: continue key is not valid: unreadable token");
        return;
    }
    dc_page *page = dc_pages_find(r->cluster->pages, kind, r->ns, rv);
    if (page == NULL && rv == r->cluster->store.rv) { /* nothing was written since: the present is that state */
        size_t      n;
        dc_object **objects = dc_store_list(kind, r->ns, &n);
        page = dc_pages_add(r->cluster->pages, kind, r->ns, rv, objects, n);
    }
    if (page == NULL) {
        expired(r, ns, name);
    } else {
        struct window w = { page->objects, page->n, dc_page_after(page, ns, name), rv };
        answer_window(r, o, &w, o->limit);
    }
    free(ns);
    free(name);
}

/* The state at an exact revision is known when nothing of the kind changed after it. */
static bool exact_is_now(dc_request *r, const dc_list_options *o)
{
    const dc_collection *c = &dc_kind_stored(r->kind)->objects;
    uint64_t             last = c->ring_next > c->ring_first ? dc_store_event(c, c->ring_next - 1)->rv : c->compacted;

    if (o->rv >= last) {
        return true;
    }
    return dc_fail_set(&r->fail, 410, "Expired",
                       "The resourceVersion for the provided list is too old.");
}

void dc_read_list(dc_request *r)
{
    dc_kind        *kind = dc_kind_stored(r->kind);
    dc_list_options o;
    size_t          n;

    if (dc_list_options_read(r, &o)) {
        const dc_page *stale = dc_fault_stale_list(r);
        if (stale != NULL) {
            struct window w = { stale->objects, stale->n, 0, stale->rv };
            answer_window(r, &o, &w, 0);
        } else if (o.token != NULL) {
            next_page(r, &o);
        } else if (dc_revision_reached(r, o.rv) && (!o.exact || exact_is_now(r, &o))) {
            dc_object   **objects = dc_store_list(kind, r->ns, &n);
            bool          from_cache = o.has_rv && o.rv == 0; /* the watch cache does not know pages */
            struct window w = { objects, n, 0, o.exact ? o.rv : r->cluster->store.rv };
            answer_window(r, &o, &w, from_cache ? 0 : o.limit);
            if (!from_cache && o.limit > 0 && (int64_t) n > o.limit) {
                dc_pages_add(r->cluster->pages, kind, r->ns, w.rv, objects, n);
            } else {
                dc_objects_free(objects, n);
            }
        }
    }
    dc_list_options_free(&o);
}
