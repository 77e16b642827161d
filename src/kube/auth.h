/*
 * Credentials: what goes into a request besides the request. Used by the transport only.
 *
 * Sources (dsp_kube_config): token, token file, client certificate, basic auth, exec plugin; plus impersonation. Over
 * plain http none of them is sent (client-go does the same). A token file and certificate files are looked at again
 * after a while and on reload; a file that cannot be read keeps the old value. An exec plugin runs as a child without a
 * shell, beside the event loop, at most 60 s and 64 KiB; its answer is used until shortly before expirationTimestamp.
 *
 * Two generations tell the transport what to do: `headers` changes when the header list does; `tls` changes when CA or
 * client certificate did, then old connections must not be used for new requests.
 */
#ifndef DSP_KUBE_AUTH_H
#define DSP_KUBE_AUTH_H

#include <event2/event.h>

#include "base/buf.h"
#include "config.h"
#include "env.h"

typedef struct dsp_kube_auth dsp_kube_auth;

enum dsp_kube_auth_state {
    DSP_KUBE_AUTH_READY = 0, /* the values below may be used */
    DSP_KUBE_AUTH_PENDING,   /* a plugin is running; `changed` will be called */
    DSP_KUBE_AUTH_FAILED     /* see dsp_kube_auth_error(); tried again when asked later */
};

/* What a request needs; borrowed until the next dsp_kube_auth_get(), reload or `changed`. */
typedef struct dsp_kube_credentials {
    const char *const *headers; /* "Authorization: …", "Impersonate-User: …"; NULL-terminated */
    dsp_str            ca;      /* PEM; none: the system's */
    dsp_str            cert;    /* PEM chain */
    dsp_str            key;     /* PEM */
    unsigned           headers_generation;
    unsigned           tls_generation;
} dsp_kube_credentials;

/* changed(arg) is called from the event loop when a pending plugin ended, well or not. config is borrowed for life. */
dsp_kube_auth *dsp_kube_auth_new(struct event_base *base, const dsp_kube_config *config, const dsp_kube_env *env,
                                 void (*changed)(void *arg), void *arg, dsp_buf *err);
void           dsp_kube_auth_free(dsp_kube_auth *auth);

/* Looks at what is due (files, expiry) and gives the credentials; starts the plugin when it is needed. */
enum dsp_kube_auth_state dsp_kube_auth_get(dsp_kube_auth *auth, dsp_kube_credentials *out);

/* The server said 401 to credentials of these generations: fetch new ones, unless that has been done already.
 * Gives false when there is no source that could give others. */
bool dsp_kube_auth_refused(dsp_kube_auth *auth, unsigned headers_generation, unsigned tls_generation);

/* All files are read again and the plugin runs again at the next get. Old values of files stay until new ones are
 * there.
 */
void dsp_kube_auth_reload(dsp_kube_auth *auth);

/* config takes the old one's place (borrowed; the old one is not touched any more), with all that belongs to it. false:
 * its files cannot be used, the cause is in err and nothing has changed. */
bool dsp_kube_auth_replace(dsp_kube_auth *auth, const dsp_kube_config *config, dsp_buf *err);

/* Why the last get failed; names file, user and cause, never the secret. */
const char *dsp_kube_auth_error(const dsp_kube_auth *auth);

#endif
