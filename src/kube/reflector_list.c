#include <stdlib.h>
#include <string.h>

#include "reflector_impl.h"

#define TOKEN_MAX (64u * 1024)

static bool on_item(void *arg, dsp_str object)
{
    dsp_reflector *r = arg;

    if (!r->begun) {
        kube_set_begin(r);
    }
    if (r->state == KUBE_LISTING) {
        r->handler->item(r->arg, object);
    }
    return r->state == KUBE_LISTING;
}

static bool list_data(void *arg, dsp_str bytes)
{
    dsp_reflector         *r = arg;
    enum kube_split_result result = kube_list_feed(&r->list, bytes, on_item, r);

    r->stats.bytes += bytes.len;
    kube_split_failed(r, result);
    return result == KUBE_SPLIT_OK;
}

/* The token of the next page becomes r->token, NULL when this was the last. false: there is one, but not for us; then
 * the set must not end here, or all that did not come would be taken for deleted. */
static bool next_token(dsp_reflector *r, dsp_json metadata)
{
    dsp_json  value = dsp_json_get(metadata, "continue");
    dsp_arena arena;
    dsp_str   token = { NULL, 0 };

    free(r->token);
    r->token = NULL;
    if (dsp_json_kind(value) == DSP_JSON_NONE || dsp_json_kind(value) == DSP_JSON_NULL) {
        return true;
    }
    dsp_arena_init(&arena, TOKEN_MAX);
    bool ok = dsp_json_string(value, &arena, &token);
    if (ok && token.len > 0) {
        r->token = dsp_str_dup(token);
        ok = r->token != NULL;
    }
    dsp_arena_free(&arena);
    return ok;
}

/* The whole page has come. */
static void list_complete(dsp_reflector *r)
{
    dsp_json metadata = kube_list_metadata(&r->list);
    char     version[KUBE_VERSION_MAX];

    if (!kube_version_of(metadata, version) || !next_token(r, metadata)) {
        r->stats.garbled++;
        kube_reflector_report(r, 200, "the list is cut off, or its resourceVersion or continue cannot be read");
        kube_list_free(&r->list);
        kube_reflector_back_off(r, false, 0);
        return;
    }
    if (!r->begun) {
        kube_set_begin(r);
    }
    kube_list_free(&r->list);
    if (r->state != KUBE_LISTING) {
        return; /* stopped by begin */
    }
    if (r->token != NULL) {
        kube_open_list(r);
        return;
    }
    kube_set_complete(r, version);
    if (r->state == KUBE_LISTING) {
        kube_open_watch(r);
    }
}

/* Whether the Status says that the resourceVersion is ahead of the server. */
static bool is_too_large(const dsp_kube_answer *answer)
{
    dsp_json      doc, cause;
    dsp_json_iter it;

    if (!dsp_json_parse(answer->body, &doc, NULL)) {
        return false;
    }
    it = dsp_json_iterate(dsp_json_path(doc, "details", "causes", NULL));
    while (dsp_json_next(&it, NULL, &cause)) {
        if (dsp_json_equals(dsp_json_get(cause, "reason"), DSP_STR("ResourceVersionTooLarge"))) {
            return true;
        }
    }
    return false;
}

/* A set was refused because of the resourceVersion: from "" at once, the first time. */
bool kube_version_refused(dsp_reflector *r, const dsp_kube_answer *answer)
{
    if (answer->status == 410 && r->token != NULL) {
        r->stats.gone++;
        r->whole_list = true; /* and what has been read so far is too old */
        r->version_lost = true;
        kube_open_set(r);
        return true;
    }
    if (answer->status != 410 && !is_too_large(answer)) {
        return false;
    }
    r->stats.gone += answer->status == 410;
    if (r->version_lost || r->version[0] == '\0') {
        return false;
    }
    r->version_lost = true;
    kube_open_set(r);
    return true;
}

static void list_end(void *arg, const dsp_kube_answer *answer)
{
    dsp_reflector *r = arg;

    r->stream = NULL;
    if (answer->outcome == DSP_KUBE_ANSWERED && answer->status == 200 && r->verdict == KUBE_NOTHING) {
        list_complete(r);
        return;
    }
    kube_list_free(&r->list);
    if (answer->outcome == DSP_KUBE_ANSWERED && r->verdict == KUBE_NOTHING && kube_version_refused(r, answer)) {
        return;
    }
    if (r->verdict != KUBE_NOTHING) {
        kube_reflector_report(r, r->verdict_status, r->verdict_text);
    } else {
        kube_reflector_report_answer(r, answer);
    }
    if (r->state == KUBE_LISTING) {
        kube_reflector_back_off(r, false, answer->retry_after_ms);
    }
}

const dsp_kube_stream_handler kube_list_stream = { list_data, list_end };
