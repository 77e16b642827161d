/*
 * Which API server to talk to and as whom: kubeconfig files and the in-cluster environment.
 *
 * Order (controller-runtime, pkg/client/config): --kubeconfig, $KUBECONFIG, the Pod's service account, ~/.kube/config.
 * A --kubeconfig is that file only and must exist. $KUBECONFIG is a list with ':'; missing files of it are skipped,
 * unreadable or malformed ones are errors. Merging (client-go, tools/clientcmd/loader.go): for each name of a cluster,
 * user or context the first file that has it wins, whole; current-context is the first that is not empty. Relative
 * paths are relative to their own file. A kubeconfig is YAML (JSON is YAML); anchors, aliases and merge keys are
 * understood.
 *
 * Errors name the file, the context and the key; a value is never in them, it might be a secret.
 */
#ifndef DSP_KUBE_CONFIG_H
#define DSP_KUBE_CONFIG_H

#include "base/buf.h"

/* Bytes of a file that may be large or binary; data NULL: not given. Always NUL-terminated behind len. */
typedef struct dsp_kube_blob {
    char  *data;
    size_t len;
} dsp_kube_blob;

typedef struct dsp_kube_pair {
    char *name;
    char *value;
} dsp_kube_pair;

/* user.exec: a program that prints an ExecCredential. */
typedef struct dsp_kube_exec {
    char          *api_version; /* client.authentication.k8s.io/v1 or /v1beta1 */
    char          *command;     /* absolute, or a bare name for PATH */
    char         **args;        /* n_args of them, then NULL */
    size_t         n_args;
    dsp_kube_pair *env; /* added to our own environment */
    size_t         n_env;
    bool           provide_cluster_info;
    char          *install_hint;
} dsp_kube_exec;

/* One context with its cluster and user, paths made absolute, *-data decoded. Strings are NULL where not given. */
typedef struct dsp_kube_config {
    char *source;  /* the file that decided current-context, or "in-cluster"; for messages */
    char *context; /* names, for messages; NULL in-cluster */
    char *cluster;
    char *user;
    char *namespace_; /* the context's or the Pod's; "default" when neither says one */

    char         *server; /* "https://host:port/base", no slash at the end */
    char         *tls_server_name;
    bool          insecure_skip_tls_verify;
    char         *ca_file; /* *_data beats *_file */
    dsp_kube_blob ca_data;
    char         *proxy_url;

    char          *client_cert_file;
    dsp_kube_blob  client_cert_data;
    char          *client_key_file;
    dsp_kube_blob  client_key_data;
    char          *token;
    char          *token_file; /* read again when it changes; token only serves until then */
    char          *username;
    char          *password;
    dsp_kube_exec *exec;

    char          *impersonate_user;
    char          *impersonate_uid;
    char         **impersonate_groups; /* NULL-terminated, or NULL */
    dsp_kube_pair *impersonate_extra;  /* a key that has several values is repeated */
    size_t         n_impersonate_extra;
} dsp_kube_config;

/* Where to look. Strings are borrowed; NULL and "" mean "not set". */
typedef struct dsp_kube_sources {
    const char *kubeconfig;          /* --kubeconfig */
    const char *context;             /* overrides current-context */
    const char *env_kubeconfig;      /* $KUBECONFIG */
    const char *home;                /* $HOME */
    const char *service_host;        /* $KUBERNETES_SERVICE_HOST */
    const char *service_port;        /* $KUBERNETES_SERVICE_PORT */
    const char *service_account_dir; /* NULL: /var/run/secrets/kubernetes.io/serviceaccount */
} dsp_kube_sources;

/* The sources that the process's environment names, with this --kubeconfig (may be NULL). */
dsp_kube_sources dsp_kube_sources_env(const char *kubeconfig);

/* NULL: one line about what is wrong was added to err. The caller owns the result. */
dsp_kube_config *dsp_kube_config_load(const dsp_kube_sources *sources, dsp_buf *err);

/* The same from one text, as if read from the file `path` (which need not exist): for tests and fuzzing. */
dsp_kube_config *dsp_kube_config_parse(dsp_str text, const char *path, const char *context, dsp_buf *err);

/* Frees it and wipes the secrets in it. NULL is fine. */
void dsp_kube_config_free(dsp_kube_config *config);

#endif
