/*
 * Whatever objects come in whatever order, the store stays whole, every view can be decided about, and nothing leaks. Lines: one letter that says what happens
 * (t e j: put, T E J: drop, l: list the Jobs anew, s: settle), then the object.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controller/outcome.h"
#include "controller/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decide_all(dsp_store *s)
{
    for (dsp_live *live = LIST_FIRST(&s->lives), *next; live != NULL; live = next) {
        dsp_arena    arena;
        dsp_decision d;

        next = LIST_NEXT(live, link);
        dsp_arena_init(&arena, 1 << 20);
        dsp_view v = dsp_store_view(s, live->execution, 1000000, 1000);
        dsp_reconcile(&v, &arena, &d);
        if (d.action == DSP_ACT_PATCH_STATUS) {
            dsp_buf patch;

            dsp_buf_init(&patch, 1 << 20);
            dsp_jobexecution_status_patch(&patch, v.je, &d.status);
            dsp_json value;
            if (!patch.failed && !dsp_json_parse(dsp_buf_str(&patch), &value, NULL)) {
                abort();
            }
            dsp_buf_free(&patch);
        }
        if (d.action == DSP_ACT_READ_JOB && d.job_name.len == 0 && v.je->job_uid.len == 0) {
            abort();
        }
        dsp_arena_free(&arena);
    }
}

static void judge(dsp_str body)
{
    static const int statuses[] = { 0, 200, 302, 400, 403, 404, 409, 413, 422, 429, 500, 503 };
    dsp_arena        arena;

    dsp_arena_init(&arena, 1 << 16);
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]) * 4; i++) {
        dsp_answer  a = { .status = statuses[i / 4], .body = body, .retry_after_ms = -1 };
        dsp_outcome o;

        dsp_outcome_judge((enum dsp_call_kind) (i % 4), &a, &arena, &o);
        if ((o.kind == DSP_OUT_DONE) != (a.status == 200 && (o.object.data != NULL || i % 4 == DSP_CALL_DELETE)) ||
            (o.kind == DSP_OUT_NOT_FOUND && a.status != 404) || (o.kind == DSP_OUT_INVALID && o.reason.len == 0)) {
            abort();
        }
    }
    dsp_arena_free(&arena);
}

static void line(dsp_store *s, dsp_str text)
{
    static const char puts_[] = "tej", drops[] = "TEJ";
    dsp_json          object;
    const char       *at;

    if (text.len == 0) {
        return;
    }
    if (text.data[0] == 'l') {
        dsp_store_replace_begin(s, DSP_KIND_JOB, DSP_STR(""));
        dsp_store_replace_end(s, DSP_KIND_JOB, DSP_STR(""));
    } else if (text.data[0] == 's') {
        for (dsp_live *live = LIST_FIRST(&s->lives), *next; live != NULL; live = next) {
            next = LIST_NEXT(live, link);
            dsp_store_settle(s, live->execution);
        }
    }
    judge(dsp_str_sub(text, 1, text.len));
    if (!dsp_json_parse(dsp_str_sub(text, 1, text.len), &object, NULL)) {
        return;
    }
    if ((at = strchr(puts_, text.data[0])) != NULL && *at != '\0') {
        dsp_store_put(s, (enum dsp_kind)(at - puts_), object);
    } else if ((at = strchr(drops, text.data[0])) != NULL && *at != '\0') {
        dsp_store_drop(s, (enum dsp_kind)(at - drops), object);
    }
    decide_all(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dsp_str   text = { (const char *) data, size };
    dsp_store store;

    dsp_store_init(&store);
    for (int k = 0; k < DSP_KINDS; k++) {
        if (size > 0 && data[0] & 1) {
            dsp_store_synced(&store, (enum dsp_kind) k);
        }
    }
    while (text.len > 0) {
        size_t end = dsp_str_find(text, '\n');

        line(&store, dsp_str_sub(text, 0, end));
        text = dsp_str_sub(text, end + 1, text.len);
    }
    dsp_store_free(&store);
    return 0;
}
