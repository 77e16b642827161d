/*
 * What the tests of credentials stand on: a TLS server with an authority of its own that asks for one header, a
 * directory for files, clocks that can be moved, and requests that remember their answer.
 */
#ifndef DSP_T_KUBE_CREDENTIALS_H
#define DSP_T_KUBE_CREDENTIALS_H

#include "kube_pki.h"
#include "kube_server.h"

#include <ftw.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct fixture {
    dsp_kube_env env;
    int64_t      shift; /* added to the clocks */
    char         dir[64];
    identity     ca;
    identity     other_ca;
    char        *ca_data;
    char         wanted[256]; /* header that is let in; "" any */
    char         head[8192];
    char         peer[64]; /* CN of the client's certificate */
    unsigned     answers;
    int          outcome;
    int          status;
    char         error[512];
    unsigned     stream_ends;
    unsigned     stream_bytes;
} fixture;

static fixture *f;
static char     nobody[1];

static inline void handle(server *s, conn *c, const request *r)
{
    SSL  *ssl = s->tls != NULL ? bufferevent_openssl_get_ssl(c->bev) : NULL;
    X509 *peer = ssl != NULL ? SSL_get1_peer_certificate(ssl) : NULL;

    snprintf(f->head, sizeof(f->head), "%s", r->head);
    f->peer[0] = '\0';
    if (peer != NULL) {
        X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, f->peer, sizeof(f->peer));
        X509_free(peer);
    }
    if (strcmp(r->target, "/hold") == 0) {
        stream_begin(c);
    } else if (f->wanted[0] != '\0' && !has_header(r, f->wanted)) {
        reply(c, 401, "{\"message\":\"Unauthorized\"}");
    } else {
        reply(c, 200, "{}");
    }
}

static inline void on_done(void *arg, const dsp_kube_answer *answer)
{
    (void) arg;
    f->answers++;
    f->outcome = (int) answer->outcome;
    f->status = answer->status;
    snprintf(f->error, sizeof(f->error), "%s", answer->error != NULL ? answer->error : "");
}

static inline void get(void)
{
    dsp_kube_request r = { .path = DSP_STR("/x") };
    unsigned         before = f->answers;

    dsp_kube_client_send(rig.client, &r, on_done, nobody);
    run_until(f->answers > before);
}

static inline int64_t test_now(void *arg)
{
    (void) arg;
    return dsp_kube_env_system.now_ms(NULL) + f->shift;
}

static inline int64_t test_wall(void *arg)
{
    (void) arg;
    return dsp_kube_env_system.wall_us(NULL) + f->shift * 1000;
}

static inline dsp_kube_config *config(const char *cluster, const char *user)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/config", f->dir);
    return rig_config(path, cluster, user);
}

static inline void start(const char *cluster, const char *user)
{
    rig.client = rig_client(config(cluster, user), (dsp_kube_client_options){ .env = &f->env });
}

/* With the right authority. */
static inline void start_as(const char *user)
{
    char cluster[4096];

    snprintf(cluster, sizeof(cluster), "certificate-authority-data: %s", f->ca_data);
    start(cluster, user);
}

static inline void serve(const char *san, const identity *clients)
{
    identity id = identity_new("server", &f->ca, san);

    SSL_CTX_free(rig.server->tls);
    rig.server->tls = server_tls(&id, clients);
    identity_free(&id);
}

/* Replaces the file as a kubelet does: in one step. */
static inline void write_file(const char *name, const char *text, mode_t mode)
{
    char path[128], fresh[128];

    snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    snprintf(fresh, sizeof(fresh), "%s/.%s", f->dir, name);
    FILE *out = fopen(fresh, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    chmod(fresh, mode);
    rename(fresh, path);
}

static inline size_t lines_of(const char *name)
{
    char   path[128];
    size_t n = 0;
    int    c;

    snprintf(path, sizeof(path), "%s/%s", f->dir, name);
    FILE *in = fopen(path, "r");
    while (in != NULL && (c = fgetc(in)) != EOF) {
        n += c == '\n';
    }
    if (in != NULL) {
        fclose(in);
    }
    return n;
}

static inline bool on_stream_data(void *arg, dsp_str bytes)
{
    (void) arg;
    f->stream_bytes += (unsigned) bytes.len;
    return true;
}

static inline void on_stream_end(void *arg, const dsp_kube_answer *answer)
{
    f->stream_ends++;
    on_done(arg, answer);
}

static inline int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void) st;
    (void) flag;
    (void) ftw;
    return remove(path);
}

static inline int setup(void **state)
{
    (void) state;
    f = calloc(1, sizeof(*f));
    f->env = (dsp_kube_env){ test_now, test_wall, dsp_kube_env_system.random, NULL };
    f->ca = identity_new("ca", NULL, NULL);
    f->other_ca = identity_new("other ca", NULL, NULL);
    f->ca_data = base64(f->ca.cert_pem);
    snprintf(f->dir, sizeof(f->dir), "/tmp/kube_auth_test.XXXXXX");
    rig_open(handle);
    serve("IP:127.0.0.1", NULL);
    return mkdtemp(f->dir) == NULL;
}

static inline int teardown(void **state)
{
    (void) state;
    rig_close();
    identity_free(&f->ca);
    identity_free(&f->other_ca);
    free(f->ca_data);
    nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
