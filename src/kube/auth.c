#include "auth.h"

#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "exec.h"
#include "file.h"
#include "headers.h"
#include "pem.h"
#include "base/log.h"

/* How often files are looked at, at most. kubelet rotates a token long before it ends, so seconds do not matter. */
#define CHECK_MS 10000

/* A plugin's credential is renewed this long before it ends, and a 401 runs the plugin at most once in REFUSED_MS. */
#define EXPIRY_LEEWAY_US (10 * INT64_C(1000000))
#define REFUSED_MS       10000

static const dsp_backoff_rule plugin_backoff = { .base_ms = 1000, .max_ms = 60000, .jitter = 0.2 };

struct dsp_kube_auth {
    struct event_base     *base;
    const dsp_kube_config *config;
    const dsp_kube_env    *env;
    void (*changed)(void *arg);
    void *arg;

    kube_headers  headers;
    char         *bearer; /* the token that the headers carry; NULL: none */
    dsp_kube_blob ca;
    dsp_kube_blob cert;
    dsp_kube_blob key;
    unsigned      headers_generation;
    unsigned      tls_generation;
    int64_t       check_at; /* files */

    kube_exec_run *run;  /* a plugin is running */
    bool           have; /* it has given a credential */
    int64_t        expires_us;
    int64_t        ran_at;
    int64_t        retry_at; /* after a failure */
    dsp_backoff    backoff;

    dsp_buf error;
    bool    failed;
};

static int64_t now_ms(const dsp_kube_auth *a)
{
    return a->env->now_ms(a->env->arg);
}

/* --- the token --- */

/* token may be NULL. */
static bool bearer_set(dsp_kube_auth *a, dsp_str token)
{
    if (a->headers_generation > 0 && (token.data == NULL) == (a->bearer == NULL) &&
        (a->bearer == NULL || dsp_str_eq(token, dsp_str_from(a->bearer)))) {
        return true;
    }
    char *copy = token.data != NULL ? dsp_str_dup(token) : NULL;
    if (token.data != NULL && copy == NULL) {
        return false;
    }
    kube_secret_free(&a->bearer);
    a->bearer = copy;
    a->headers_generation++;
    return kube_headers_build(&a->headers, a->config, a->bearer);
}

/* --- files --- */

/* The newer bytes take the place of the old ones. true: they differ. */
static bool blob_replace(dsp_kube_blob *old, dsp_kube_blob *fresh)
{
    bool same = old->len == fresh->len && (old->len == 0 || memcmp(old->data, fresh->data, old->len) == 0);

    if (same) {
        kube_blob_free(fresh);
        return false;
    }
    kube_blob_free(old);
    *old = *fresh;
    *fresh = (dsp_kube_blob){ 0 };
    return true;
}

static bool blob_copy(dsp_kube_blob *out, dsp_kube_blob in)
{
    *out = (dsp_kube_blob){ 0 };
    if (in.data == NULL) {
        return true;
    }
    out->data = malloc(in.len + 1);
    if (out->data == NULL) {
        return false;
    }
    memcpy(out->data, in.data, in.len);
    out->data[in.len] = '\0';
    out->len = in.len;
    return true;
}

/* *-data, or the file. false: the cause is in err. Neither is fine: out is empty. */
static bool blob_load(dsp_kube_blob *out, dsp_kube_blob data, const char *file, dsp_buf *err)
{
    *out = (dsp_kube_blob){ 0 };
    if (data.data != NULL) {
        return blob_copy(out, data);
    }
    return file == NULL || kube_file_read(file, out, err) == KUBE_FILE_OK;
}

/* Where a problem is: the configuration's file, the cluster or user in it, the key. What is wrong follows; when nothing
 * is, the caller empties err again. */
static void begin_error(const dsp_kube_auth *a, const char *kind, const char *name, const char *key, dsp_buf *err)
{
    dsp_buf_addf(err, "%s: ", a->config->source);
    if (name != NULL) {
        dsp_buf_addf(err, "%s \"%s\": ", kind, name);
    }
    dsp_buf_addf(err, "%s: ", key);
}

static bool ca_load(dsp_kube_auth *a, dsp_buf *err)
{
    const dsp_kube_config *c = a->config;
    bool                   inline_ = c->ca_data.data != NULL;
    dsp_kube_blob          ca;

    begin_error(a, "cluster", c->cluster, inline_ ? "certificate-authority-data" : "certificate-authority", err);
    if (!blob_load(&ca, c->ca_data, c->ca_file, err)) {
        return false;
    }
    if (ca.data != NULL && !kube_pem_has_certificate(ca)) {
        dsp_buf_addf(err, "%s%sholds no certificate", inline_ ? "" : c->ca_file, inline_ ? "" : ": ");
        kube_blob_free(&ca);
        return false;
    }
    dsp_buf_reset(err);
    a->tls_generation += blob_replace(&a->ca, &ca);
    return true;
}

static bool pair_set(dsp_kube_auth *a, dsp_kube_blob *cert, dsp_kube_blob *key, const char *cert_name,
                     const char *key_name, dsp_buf *err)
{
    if (cert->data != NULL && !kube_pem_is_pair(*cert, *key)) {
        dsp_buf_addf(err, "%s and %s are not a certificate and its key", cert_name, key_name);
        kube_blob_free(cert);
        kube_blob_free(key);
        return false;
    }
    bool cert_changed = blob_replace(&a->cert, cert), key_changed = blob_replace(&a->key, key);
    a->tls_generation += cert_changed || key_changed;
    return true;
}

static bool pair_load(dsp_kube_auth *a, dsp_buf *err)
{
    const dsp_kube_config *c = a->config;
    dsp_kube_blob          cert = { 0 }, key = { 0 };

    if ((c->client_cert_data.data == NULL && c->client_cert_file == NULL) || !kube_is_secure(c)) {
        return true;
    }
    begin_error(a, "user", c->user, "client-certificate", err);
    if (!blob_load(&cert, c->client_cert_data, c->client_cert_file, err)) {
        return false;
    }
    dsp_buf_reset(err);
    begin_error(a, "user", c->user, "client-key", err);
    if (!blob_load(&key, c->client_key_data, c->client_key_file, err) ||
        !pair_set(a, &cert, &key, c->client_cert_data.data != NULL ? "client-certificate-data" : c->client_cert_file,
                  c->client_key_data.data != NULL ? "client-key-data" : c->client_key_file, err)) {
        kube_blob_free(&cert);
        return false;
    }
    dsp_buf_reset(err);
    return true;
}

static bool token_load(dsp_kube_auth *a, dsp_buf *err)
{
    const dsp_kube_config *c = a->config;
    dsp_kube_blob          text;

    if (c->token_file == NULL) {
        return true;
    }
    begin_error(a, "user", c->user, "tokenFile", err);
    if (kube_file_read(c->token_file, &text, err) != KUBE_FILE_OK) {
        return false;
    }
    dsp_str token = dsp_str_trim((dsp_str){ text.data, text.len });
    bool    ok = token.len > 0;
    for (size_t i = 0; i < token.len; i++) {
        ok = ok && (unsigned char) token.data[i] > 0x20 && token.data[i] != 0x7F;
    }
    if (!ok) {
        dsp_buf_addf(err, "%s: is not a token", c->token_file);
    } else if (!bearer_set(a, token)) {
        dsp_buf_addz(err, "out of memory");
        ok = false;
    } else {
        dsp_buf_reset(err);
    }
    kube_blob_free(&text);
    return ok;
}

/* Everything that comes from files. One that fails keeps its old value and is told in the log. */
static void files_check(dsp_kube_auth *a)
{
    bool (*const loads[])(dsp_kube_auth *, dsp_buf *) = { ca_load, pair_load, token_load };
    dsp_buf err;

    dsp_buf_init(&err, 4096);
    for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
        if (!loads[i](a, &err)) {
            dsp_log(DSP_LOG_WARN, "credentials cannot be read again, the old ones stay",
                    DSP_LOG_Z("error", dsp_buf_cstr(&err)));
            dsp_buf_reset(&err);
        }
    }
    dsp_buf_free(&err);
    a->check_at = now_ms(a) + CHECK_MS;
}

/* The first reading, where a failure is the caller's to know; only a token beside a token file may stand in for it. */
static bool files_first(dsp_kube_auth *a, dsp_buf *err)
{
    const dsp_kube_config *c = a->config;

    if (!ca_load(a, err) || !pair_load(a, err) || !bearer_set(a, dsp_str_from(c->token))) {
        return false;
    }
    if (kube_is_secure(c) && !token_load(a, err)) {
        if (c->token == NULL) {
            return false;
        }
        dsp_log(DSP_LOG_WARN, "token file cannot be read, the token beside it is used",
                DSP_LOG_Z("error", dsp_buf_cstr(err)));
        dsp_buf_reset(err);
    }
    if (!kube_is_secure(c) && (c->token != NULL || c->token_file != NULL || c->username != NULL || c->exec != NULL)) {
        dsp_log(DSP_LOG_WARN, "the server is plain http: no credentials are sent", DSP_LOG_Z("server", c->server));
    }
    a->check_at = now_ms(a) + CHECK_MS;
    return true;
}

/* --- the plugin --- */

static void plugin_failed(dsp_kube_auth *a, const char *error)
{
    a->retry_at = now_ms(a) + dsp_backoff_next(&a->backoff, &plugin_backoff, a->env);
    a->failed = true;
    if (error != NULL) {
        dsp_buf_reset(&a->error);
        dsp_buf_addz(&a->error, error);
    }
    dsp_log(DSP_LOG_ERROR, "no credentials", DSP_LOG_Z("error", dsp_buf_cstr(&a->error)));
}

static void plugin_done(void *arg, kube_exec_credential *credential, const char *error)
{
    dsp_kube_auth *a = arg;

    a->run = NULL;
    a->ran_at = now_ms(a);
    if (credential == NULL) {
        plugin_failed(a, error);
    } else {
        dsp_buf_reset(&a->error);
        if (pair_set(a, &credential->cert, &credential->key, "clientCertificateData", "clientKeyData", &a->error) &&
            bearer_set(a, dsp_str_from(credential->token))) {
            a->have = true;
            a->failed = false;
            a->expires_us = credential->expires_us;
            dsp_backoff_reset(&a->backoff);
        } else {
            plugin_failed(a, NULL);
        }
    }
    a->changed(a->arg);
}

static void plugin_start(dsp_kube_auth *a)
{
    dsp_buf_reset(&a->error);
    a->run = kube_exec_start(a->base, a->config, (dsp_str){ a->ca.data, a->ca.len }, plugin_done, a, &a->error);
    if (a->run == NULL) {
        plugin_failed(a, NULL);
    }
}

static enum dsp_kube_auth_state plugin_state(dsp_kube_auth *a)
{
    int64_t wall = a->env->wall_us(a->env->arg);
    /* A plugin that gives what has expired already, by our clock, is not run in a circle: the server decides. */
    bool fresh = a->have && now_ms(a) - a->ran_at < REFUSED_MS;
    bool good = fresh || (a->have && (a->expires_us == 0 || wall < a->expires_us));
    bool due = !fresh && (!a->have || (a->expires_us != 0 && wall >= a->expires_us - EXPIRY_LEEWAY_US));

    if (due && a->run == NULL && (!a->failed || now_ms(a) >= a->retry_at)) {
        plugin_start(a);
    }
    if (good) {
        return DSP_KUBE_AUTH_READY;
    }
    return a->run != NULL ? DSP_KUBE_AUTH_PENDING : DSP_KUBE_AUTH_FAILED;
}

/* --- the face --- */

dsp_kube_auth *dsp_kube_auth_new(struct event_base *base, const dsp_kube_config *config, const dsp_kube_env *env,
                                 void (*changed)(void *arg), void *arg, dsp_buf *err)
{
    dsp_kube_auth *a = calloc(1, sizeof(*a));

    if (a == NULL) {
        dsp_buf_addz(err, "out of memory");
        return NULL;
    }
    a->base = base;
    a->config = config;
    a->env = env;
    a->changed = changed;
    a->arg = arg;
    dsp_buf_init(&a->error, 4096);
    if (!files_first(a, err)) {
        dsp_kube_auth_free(a);
        return NULL;
    }
    return a;
}

void dsp_kube_auth_free(dsp_kube_auth *a)
{
    if (a == NULL) {
        return;
    }
    kube_exec_cancel(a->run);
    kube_headers_free(&a->headers);
    kube_secret_free(&a->bearer);
    kube_blob_free(&a->ca);
    kube_blob_free(&a->cert);
    kube_blob_free(&a->key);
    dsp_buf_free(&a->error);
    free(a);
}

enum dsp_kube_auth_state dsp_kube_auth_get(dsp_kube_auth *a, dsp_kube_credentials *out)
{
    enum dsp_kube_auth_state state = DSP_KUBE_AUTH_READY;

    if (now_ms(a) >= a->check_at) {
        files_check(a);
    }
    if (a->config->exec != NULL && kube_is_secure(a->config)) {
        state = plugin_state(a);
    }
    *out = (dsp_kube_credentials){
        .headers = (const char *const *) a->headers.line,
        .ca = { a->ca.data, a->ca.len },
        .cert = { a->cert.data, a->cert.len },
        .key = { a->key.data, a->key.len },
        .headers_generation = a->headers_generation,
        .tls_generation = a->tls_generation,
    };
    return state;
}

bool dsp_kube_auth_refused(dsp_kube_auth *a, unsigned headers_generation, unsigned tls_generation)
{
    if (a->headers_generation != headers_generation || a->tls_generation != tls_generation || a->run != NULL) {
        return true;
    }
    if (a->config->exec != NULL && kube_is_secure(a->config)) {
        if (now_ms(a) - a->ran_at < REFUSED_MS) {
            return false;
        }
        a->have = false;
        return true;
    }
    files_check(a);
    return a->headers_generation != headers_generation || a->tls_generation != tls_generation;
}

void dsp_kube_auth_reload(dsp_kube_auth *a)
{
    kube_exec_cancel(a->run);
    a->run = NULL;
    a->have = false;
    a->failed = false;
    dsp_backoff_reset(&a->backoff);
    files_check(a);
}

bool dsp_kube_auth_replace(dsp_kube_auth *a, const dsp_kube_config *config, dsp_buf *err)
{
    dsp_kube_auth *fresh = dsp_kube_auth_new(a->base, config, a->env, a->changed, a->arg, err);

    if (fresh == NULL) {
        return false;
    }
    /* What was sent with the old ones must not be taken for sent with the new ones. */
    fresh->headers_generation += a->headers_generation;
    fresh->tls_generation += a->tls_generation + 1;
    dsp_kube_auth old = *a;
    *a = *fresh;
    *fresh = old;
    dsp_kube_auth_free(fresh);
    return true;
}

const char *dsp_kube_auth_error(const dsp_kube_auth *a)
{
    return dsp_buf_cstr(&a->error);
}
