/*
 * The headers that say who asks: credentials and impersonation. For auth.c.
 */
#ifndef DSP_KUBE_HEADERS_H
#define DSP_KUBE_HEADERS_H

#include <string.h>

#include "config.h"

typedef struct kube_headers {
    char **line; /* "Authorization: …", NULL-terminated; NULL: none */
    size_t n;
} kube_headers;

/* Credentials go over https only. */
static inline bool kube_is_secure(const dsp_kube_config *c)
{
    return strncmp(c->server, "https://", 8) == 0;
}

/*
 * Takes the place of what is there. bearer: the token, or NULL; else the config's user name and password. client-go
 * (clientcmd): over plain http no credentials are sent; who one wants to act as is no credential. false: no memory.
 */
bool kube_headers_build(kube_headers *h, const dsp_kube_config *config, const char *bearer);

void kube_headers_free(kube_headers *h); /* wiped, and empty */

#endif
