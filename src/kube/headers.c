#include "headers.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "file.h"

#define HEADER_MAX (256 * 1024)

void kube_headers_free(kube_headers *h)
{
    for (size_t i = 0; i < h->n; i++) {
        kube_secret_free(&h->line[i]);
    }
    free(h->line);
    *h = (kube_headers){ 0 };
}

static bool add(kube_headers *h, dsp_buf *line)
{
    char **more = realloc(h->line, (h->n + 2) * sizeof(*more));

    if (more != NULL) {
        h->line = more;
        more[h->n] = dsp_buf_take(line);
        more[h->n + 1] = NULL;
    }
    bool ok = more != NULL && more[h->n] != NULL;
    h->n += ok;
    dsp_buf_free(line);
    return ok;
}

static bool add_text(kube_headers *h, const char *name, const char *value)
{
    dsp_buf line;

    dsp_buf_init(&line, HEADER_MAX);
    dsp_buf_addf(&line, "%s: %s", name, value);
    return add(h, &line);
}

static bool add_basic(kube_headers *h, const char *user, const char *password)
{
    dsp_buf plain, line;

    dsp_buf_init(&plain, HEADER_MAX / 2);
    dsp_buf_init(&line, HEADER_MAX);
    dsp_buf_addf(&plain, "%s:%s", user, password != NULL ? password : "");
    dsp_buf_addz(&line, "Authorization: Basic ");
    char *room = dsp_buf_room(&line, (plain.len + 2) / 3 * 4 + 1);
    if (room != NULL && plain.data != NULL) {
        line.len +=
            (size_t) EVP_EncodeBlock((unsigned char *) room, (const unsigned char *) plain.data, (int) plain.len);
        line.data[line.len] = '\0';
    }
    if (plain.data != NULL) {
        OPENSSL_cleanse(plain.data, plain.len);
    }
    dsp_buf_free(&plain);
    return add(h, &line);
}

/* Impersonate-Extra-: keys are lower-cased and everything that is no token of RFC 9110 is percent-encoded. */
static bool add_extra(kube_headers *h, const dsp_kube_pair *extra)
{
    dsp_buf line;

    dsp_buf_init(&line, HEADER_MAX);
    dsp_buf_addz(&line, "Impersonate-Extra-");
    for (const char *p = extra->name; *p != '\0'; p++) {
        unsigned char c = (unsigned char) *p;

        c = c >= 'A' && c <= 'Z' ? (unsigned char) (c + 32) : c;
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("!#$&'*+-.^_`|~", c) != NULL) {
            dsp_buf_addc(&line, (char) c);
        } else {
            dsp_buf_addf(&line, "%%%02X", c);
        }
    }
    dsp_buf_addf(&line, ": %s", extra->value);
    return add(h, &line);
}

bool kube_headers_build(kube_headers *h, const dsp_kube_config *c, const char *bearer)
{
    bool secure = kube_is_secure(c), ok = true;

    kube_headers_free(h);
    if (secure && bearer != NULL) {
        dsp_buf line;

        dsp_buf_init(&line, HEADER_MAX);
        dsp_buf_addf(&line, "Authorization: Bearer %s", bearer);
        ok = add(h, &line);
    } else if (secure && c->username != NULL) {
        ok = add_basic(h, c->username, c->password);
    }
    if (c->impersonate_user != NULL) {
        ok = ok && add_text(h, "Impersonate-User", c->impersonate_user);
    }
    if (c->impersonate_uid != NULL) {
        ok = ok && add_text(h, "Impersonate-Uid", c->impersonate_uid);
    }
    for (size_t i = 0; c->impersonate_groups != NULL && c->impersonate_groups[i] != NULL; i++) {
        ok = ok && add_text(h, "Impersonate-Group", c->impersonate_groups[i]);
    }
    for (size_t i = 0; i < c->n_impersonate_extra; i++) {
        ok = ok && add_extra(h, &c->impersonate_extra[i]);
    }
    return ok;
}
