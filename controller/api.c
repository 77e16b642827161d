#include "api.h"

#include <stdlib.h>
#include <string.h>

#include "model/object.h"

struct dsp_api_pending {
    dsp_api                    *api;
    LIST_ENTRY(dsp_api_pending) link;
    dsp_answer_fn               done;
    void                       *context;
};

void dsp_api_free(dsp_api *api)
{
    struct dsp_api_pending *p;

    while ((p = LIST_FIRST(&api->pending)) != NULL) {
        LIST_REMOVE(p, link);
        free(p);
    }
}

static enum dsp_kube_method method_of(const char *name)
{
    for (int m = DSP_KUBE_GET; m < DSP_KUBE_DELETE; m++) {
        if (strcmp(name, dsp_kube_method_name((enum dsp_kube_method) m)) == 0) {
            return (enum dsp_kube_method) m;
        }
    }
    return DSP_KUBE_DELETE;
}

/* An answer that is not whole says nothing, whatever its status line was. */
static void on_done(void *arg, const dsp_kube_answer *answer)
{
    struct dsp_api_pending *p = arg;
    bool                    whole = answer->outcome == DSP_KUBE_ANSWERED;
    dsp_answer              a = { .status = whole ? answer->status : 0,
                                  .body = whole ? answer->body : (dsp_str){ NULL, 0 },
                                  .retry_after_ms = answer->retry_after_ms,
                                  .error = answer->error,
                                  .not_sent = answer->outcome == DSP_KUBE_NOT_SENT };

    LIST_REMOVE(p, link);
    p->done(p->context, &a);
    free(p);
}

bool dsp_api_call(dsp_api *api, const dsp_call *call, dsp_answer_fn done, void *done_context)
{
    struct dsp_api_pending *p = malloc(sizeof(*p));
    size_t                  query = dsp_str_find(call->path, '?');
    dsp_kube_request        request = { .method = method_of(call->method),
                                        .priority = DSP_KUBE_NORMAL,
                                        .path = dsp_str_sub(call->path, 0, query),
                                        .query = dsp_str_sub(call->path, query + 1, call->path.len),
                                        .content_type = dsp_str_from(call->content_type),
                                        .body = call->body,
                                        .timeout_ms = call->deadline_ms };

    if (p == NULL) {
        return false;
    }
    *p = (struct dsp_api_pending){ .api = api, .done = done, .context = done_context };
    if (dsp_kube_client_send(api->client, &request, on_done, p) == NULL) {
        free(p);
        return false;
    }
    LIST_INSERT_HEAD(&api->pending, p, link);
    return true;
}

void dsp_api_event(dsp_api *api, const dsp_jobexecution *je, const dsp_transition *t)
{
    dsp_event_object object = { .api_version = DSP_STR(DSP_API_VERSION),
                                .kind = DSP_STR("JobExecution"),
                                .namespace_ = je->ns,
                                .name = je->name,
                                .uid = je->uid,
                                .resource_version = je->resource_version };

    if (api->recorder != NULL) {
        dsp_recorder_emit(api->recorder, &object, t->warning, t->event, dsp_str_from(t->event), t->message);
    }
}
