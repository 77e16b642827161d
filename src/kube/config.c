#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>
#include <openssl/evp.h>

#include "file.h"
#include "kubeconfig.h"
#include "base/log.h"

#define SERVICE_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

static bool is_set(const char *s)
{
    return s != NULL && *s != '\0';
}

dsp_kube_sources dsp_kube_sources_env(const char *kubeconfig)
{
    return (dsp_kube_sources){
        .kubeconfig = kubeconfig,
        .env_kubeconfig = getenv("KUBECONFIG"),
        .home = getenv("HOME"),
        .service_host = getenv("KUBERNETES_SERVICE_HOST"),
        .service_port = getenv("KUBERNETES_SERVICE_PORT"),
    };
}

static void pairs_free(dsp_kube_pair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        kube_secret_free(&pairs[i].name);
        kube_secret_free(&pairs[i].value);
    }
    free(pairs);
}

static void strings_free(char **strings)
{
    for (size_t i = 0; strings != NULL && strings[i] != NULL; i++) {
        kube_secret_free(&strings[i]);
    }
    free(strings);
}

void dsp_kube_config_free(dsp_kube_config *c)
{
    if (c == NULL) {
        return;
    }
    char **strings[] = { &c->source,           &c->context,         &c->cluster,    &c->user,      &c->namespace_,
                         &c->server,           &c->tls_server_name, &c->ca_file,    &c->proxy_url, &c->client_cert_file,
                         &c->client_key_file,  &c->token,           &c->token_file, &c->username,  &c->password,
                         &c->impersonate_user, &c->impersonate_uid };

    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        kube_secret_free(strings[i]);
    }
    kube_blob_free(&c->ca_data);
    kube_blob_free(&c->client_cert_data);
    kube_blob_free(&c->client_key_data);
    strings_free(c->impersonate_groups);
    pairs_free(c->impersonate_extra, c->n_impersonate_extra);
    if (c->exec != NULL) {
        kube_secret_free(&c->exec->api_version);
        kube_secret_free(&c->exec->command);
        kube_secret_free(&c->exec->install_hint);
        strings_free(c->exec->args);
        pairs_free(c->exec->env, c->exec->n_env);
        free(c->exec);
    }
    free(c);
}

/* --- the Pod's service account (client-go, rest.InClusterConfig) --- */

static char *join(const char *dir, const char *name)
{
    char *path = NULL;

    return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

static char *pod_namespace(const char *dir)
{
    dsp_kube_blob text = { 0 };
    dsp_buf       err;
    char         *path = join(dir, "namespace"), *name = NULL;

    dsp_buf_init(&err, 1024);
    if (path != NULL && kube_file_read(path, &text, &err) == KUBE_FILE_OK) {
        dsp_str trimmed = dsp_str_trim((dsp_str){ text.data, text.len });

        name = trimmed.len > 0 ? dsp_str_dup(trimmed) : NULL;
    }
    free(path);
    kube_blob_free(&text);
    dsp_buf_free(&err);
    return name != NULL ? name : strdup("default");
}

/* A CA that cannot be read is no reason to give up: the system's store may know the server. */
static void pod_ca(dsp_kube_config *c, const char *dir)
{
    dsp_kube_blob text;
    dsp_buf       err;

    dsp_buf_init(&err, 1024);
    c->ca_file = join(dir, "ca.crt");
    if (c->ca_file != NULL && kube_file_read(c->ca_file, &text, &err) == KUBE_FILE_OK) {
        kube_blob_free(&text);
    } else {
        dsp_log(DSP_LOG_WARN, "no CA of the service account, the system's is used",
                DSP_LOG_Z("error", dsp_buf_cstr(&err)));
        kube_secret_free(&c->ca_file);
    }
    dsp_buf_free(&err);
}

static dsp_kube_config *in_cluster(const dsp_kube_sources *s, dsp_buf *err)
{
    const char      *dir = is_set(s->service_account_dir) ? s->service_account_dir : SERVICE_ACCOUNT_DIR;
    const char      *colon = strchr(s->service_host, ':');
    dsp_kube_config *c = calloc(1, sizeof(*c));
    dsp_kube_blob    token;

    if (c == NULL || (c->token_file = join(dir, "token")) == NULL ||
        asprintf(&c->server, colon != NULL ? "https://[%s]:%s" : "https://%s:%s", s->service_host, s->service_port) <
            0) {
        dsp_buf_addz(err, "out of memory");
        dsp_kube_config_free(c);
        return NULL;
    }
    if (kube_file_read(c->token_file, &token, err) != KUBE_FILE_OK) {
        dsp_kube_config_free(c);
        return NULL;
    }
    kube_blob_free(&token);
    pod_ca(c, dir);
    c->source = strdup("in-cluster");
    c->namespace_ = pod_namespace(dir);
    if (c->source == NULL || c->namespace_ == NULL) {
        dsp_buf_addz(err, "out of memory");
        dsp_kube_config_free(c);
        return NULL;
    }
    return c;
}

/* --- where to look --- */

static dsp_kube_config *from_list(const char *list, const char *context, dsp_buf *err)
{
    kube_config_files files = { 0 };
    dsp_kube_config  *c = NULL;

    if (kube_config_files_read(&files, list, err)) {
        c = kube_config_pick(&files, context, err);
    }
    kube_config_files_free(&files);
    return c;
}

static dsp_kube_config *from_flag(const dsp_kube_sources *s, dsp_buf *err)
{
    kube_config_files files = { 0 };
    dsp_kube_config  *c = NULL;

    if (kube_config_file_read(&files, dsp_str_from(s->kubeconfig), false, err)) {
        c = kube_config_pick(&files, s->context, err);
    }
    kube_config_files_free(&files);
    return c;
}

dsp_kube_config *dsp_kube_config_load(const dsp_kube_sources *s, dsp_buf *err)
{
    if (is_set(s->kubeconfig)) {
        return from_flag(s, err);
    }
    if (is_set(s->env_kubeconfig)) {
        return from_list(s->env_kubeconfig, s->context, err);
    }
    if (is_set(s->service_host) && is_set(s->service_port)) {
        /* In a Pod the reason that counts is the service account's; ~/.kube is the exception there. */
        dsp_kube_config *c = in_cluster(s, err);
        char            *home = c == NULL && is_set(s->home) ? join(s->home, ".kube/config") : NULL;

        if (home != NULL && access(home, F_OK) == 0) {
            dsp_buf_reset(err);
            c = from_list(home, s->context, err);
        }
        free(home);
        return c;
    }
    char *path = is_set(s->home) ? join(s->home, ".kube/config") : NULL;
    if (path == NULL || access(path, F_OK) != 0) {
        dsp_buf_addf(
            err,
            "no cluster to talk to: --kubeconfig and KUBECONFIG are not set, this is no Pod, and %s does not exist",
            path != NULL ? path : "~/.kube/config (HOME is not set)");
        free(path);
        return NULL;
    }
    dsp_kube_config *c = from_list(path, s->context, err);
    free(path);
    return c;
}

dsp_kube_config *dsp_kube_config_parse(dsp_str text, const char *path, const char *context, dsp_buf *err)
{
    kube_config_files files = { 0 };
    dsp_kube_config  *c = NULL;

    if (kube_config_text_add(&files, text, path, err)) {
        c = kube_config_pick(&files, context, err);
    }
    kube_config_files_free(&files);
    return c;
}
