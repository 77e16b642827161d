#include "multi.h"

#include <stdlib.h>

struct kube_multi {
    CURLM             *curl;
    struct event_base *base;
    struct event      *timer;
};

/* One per socket that libcurl wants to be told about; curl_multi_assign() keeps it. */
typedef struct kube_socket {
    struct event *event;
    short         what;
} kube_socket;

static void finish(kube_multi *m)
{
    CURLMsg *msg;
    int      left;

    while ((msg = curl_multi_info_read(m->curl, &left)) != NULL) {
        kube_transfer *t = NULL;
        CURLcode       result = msg->data.result;

        if (msg->msg != CURLMSG_DONE) {
            continue;
        }
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **) &t);
        kube_multi_remove(m, t);
        t->done(t, result);
    }
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    kube_multi *m = arg;
    int         flags = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0), running;

    curl_multi_socket_action(m->curl, fd, flags, &running);
    finish(m);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    kube_multi *m = arg;
    int         running;

    (void) fd;
    (void) what;
    curl_multi_socket_action(m->curl, CURL_SOCKET_TIMEOUT, 0, &running);
    finish(m);
}

static int want_timer(CURLM *curl, long ms, void *arg)
{
    kube_multi    *m = arg;
    struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

    (void) curl;
    if (ms < 0) {
        evtimer_del(m->timer);
    } else {
        evtimer_add(m->timer, &tv);
    }
    return 0;
}

static void socket_free(kube_socket *s)
{
    if (s->event != NULL) {
        event_free(s->event);
    }
    free(s);
}

static int want_socket(CURL *easy, curl_socket_t fd, int action, void *arg, void *socket_arg)
{
    kube_multi  *m = arg;
    kube_socket *s = socket_arg;
    short what = (short) ((action & CURL_POLL_IN ? EV_READ : 0) | (action & CURL_POLL_OUT ? EV_WRITE : 0) | EV_PERSIST);

    (void) easy;
    if (action == CURL_POLL_REMOVE) {
        if (s != NULL) {
            socket_free(s);
            curl_multi_assign(m->curl, fd, NULL);
        }
        return 0;
    }
    if (s != NULL && s->what == what) {
        return 0;
    }
    if (s == NULL) {
        s = calloc(1, sizeof(*s));
        if (s == NULL) {
            return -1;
        }
        curl_multi_assign(m->curl, fd, s);
    } else if (s->event != NULL) {
        event_free(s->event);
    }
    s->what = what;
    s->event = event_new(m->base, fd, what, on_socket, m);
    return s->event == NULL || event_add(s->event, NULL) != 0 ? -1 : 0;
}

kube_multi *kube_multi_new(struct event_base *base)
{
    kube_multi *m = calloc(1, sizeof(*m));

    if (m == NULL) {
        return NULL;
    }
    m->base = base;
    m->curl = curl_multi_init();
    m->timer = evtimer_new(base, on_timer, m);
    if (m->curl == NULL || m->timer == NULL) {
        kube_multi_free(m);
        return NULL;
    }
    curl_multi_setopt(m->curl, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(m->curl, CURLMOPT_SOCKETDATA, m);
    curl_multi_setopt(m->curl, CURLMOPT_TIMERFUNCTION, want_timer);
    curl_multi_setopt(m->curl, CURLMOPT_TIMERDATA, m);
    curl_multi_setopt(m->curl, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    return m;
}

void kube_multi_free(kube_multi *m)
{
    if (m == NULL) {
        return;
    }
    if (m->curl != NULL) {
        curl_multi_cleanup(m->curl);
    }
    if (m->timer != NULL) {
        event_free(m->timer);
    }
    free(m);
}

void kube_multi_keep(kube_multi *m, long connections)
{
    curl_multi_setopt(m->curl, CURLMOPT_MAXCONNECTS, connections);
}

bool kube_multi_add(kube_multi *m, kube_transfer *t)
{
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    t->added = curl_multi_add_handle(m->curl, t->easy) == CURLM_OK;
    return t->added;
}

void kube_multi_remove(kube_multi *m, kube_transfer *t)
{
    if (t->added) {
        curl_multi_remove_handle(m->curl, t->easy);
        t->added = false;
    }
}
