#include "kubeconfig.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "entry.h"
#include "file.h"

/* --- files --- */

static char *absolute(dsp_str path)
{
    char *cwd, *out = NULL;

    if (path.len > 0 && path.data[0] == '/') {
        return dsp_str_dup(path);
    }
    cwd = getcwd(NULL, 0);
    if (cwd == NULL || asprintf(&out, "%s/%.*s", cwd, DSP_STR_ARG(path)) < 0) {
        out = NULL;
    }
    free(cwd);
    return out;
}

bool kube_config_text_add(kube_config_files *files, dsp_str text, const char *path, dsp_buf *err)
{
    kube_config_file *more = realloc(files->file, (files->n + 1) * sizeof(*more));
    char             *full = absolute(dsp_str_from(path));
    char             *slash = full != NULL ? strrchr(full, '/') : NULL;
    char             *dir = slash != NULL ? strndup(full, (size_t) (slash - full)) : NULL;

    files->file = more != NULL ? more : files->file;
    if (more == NULL || dir == NULL) {
        dsp_buf_addf(err, "%s: out of memory", path);
        free(full);
        free(dir);
        return false;
    }
    kube_config_file *file = &files->file[files->n++];
    *file = (kube_config_file){ .path = full, .dir = dir };

    dsp_buf_addf(err, "%s: ", full);
    if (!kube_yaml_parse(&file->yaml, text, err)) {
        return false;
    }
    yaml_node_t *root = kube_yaml_root(&file->yaml);
    if (root != NULL && root->type != YAML_MAPPING_NODE) {
        dsp_buf_addz(err, "is not a kubeconfig: a mapping is expected");
        return false;
    }
    yaml_node_t *kind = kube_yaml_get(&file->yaml, root, "kind");
    yaml_node_t *version = kube_yaml_get(&file->yaml, root, "apiVersion");
    if ((kind != NULL && !dsp_str_is(kube_yaml_text(kind), "Config")) ||
        (version != NULL && !dsp_str_is(kube_yaml_text(version), "v1"))) {
        dsp_buf_addz(err, "is not a kubeconfig: kind must be Config and apiVersion v1");
        return false;
    }
    dsp_buf_reset(err);
    return true;
}

bool kube_config_file_read(kube_config_files *files, dsp_str path, bool optional, dsp_buf *err)
{
    dsp_kube_blob text = { 0 };
    char         *name = dsp_str_dup(path);

    if (name == NULL) {
        dsp_buf_addz(err, "out of memory");
        return false;
    }
    enum kube_file_result result = kube_file_read(name, &text, err);
    bool                  ok = result == KUBE_FILE_OK;

    if (result == KUBE_FILE_MISSING && optional) {
        dsp_buf_reset(err);
        ok = true;
    } else if (ok) {
        ok = kube_config_text_add(files, (dsp_str){ text.data, text.len }, name, err);
    }
    kube_blob_free(&text);
    free(name);
    return ok;
}

/* Whether the entry `at` of the list stands there earlier too. */
static bool is_repeated(const char *list, const char *at, size_t len)
{
    for (const char *p = list; p < at; p += strcspn(p, ":") + 1) {
        if (strcspn(p, ":") == len && memcmp(p, at, len) == 0) {
            return true;
        }
    }
    return false;
}

bool kube_config_files_read(kube_config_files *files, const char *list, dsp_buf *err)
{
    for (const char *p = list; *p != '\0';) {
        size_t len = strcspn(p, ":");

        if (len > 0 && !is_repeated(list, p, len) && !kube_config_file_read(files, (dsp_str){ p, len }, true, err)) {
            return false;
        }
        p += len + (p[len] == ':');
    }
    if (files->n == 0) {
        dsp_buf_addf(err, "no kubeconfig: none of these files exists: %s", list);
        return false;
    }
    return true;
}

void kube_config_files_free(kube_config_files *files)
{
    for (size_t i = 0; i < files->n; i++) {
        kube_yaml_free(&files->file[i].yaml);
        free(files->file[i].path);
        free(files->file[i].dir);
    }
    free(files->file);
    *files = (kube_config_files){ 0 };
}

/* --- what an entry says --- */

/* "https://host:port/base" without a slash at the end; a bare host is https when there is anything of TLS. */
static char *normal_server(const char *text, bool tls, const char **problem)
{
    CURLU *url = curl_url();
    char  *out = NULL, *whole = NULL, *part = NULL, *guess = NULL;

    *problem = "out of memory";
    if (url == NULL || (strstr(text, "://") == NULL && asprintf(&guess, "%s://%s", tls ? "https" : "http", text) < 0)) {
        curl_url_cleanup(url);
        return NULL;
    }
    *problem = "must be a URL such as https://host:6443";
    if (curl_url_set(url, CURLUPART_URL, guess != NULL ? guess : text, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_SCHEME, &part, 0) == CURLUE_OK) {
        bool known = strcmp(part, "https") == 0 || strcmp(part, "http") == 0;

        curl_free(part);
        part = NULL;
        if (!known) {
            *problem = "must be https:// or http://";
        } else if (curl_url_get(url, CURLUPART_USER, &part, 0) == CURLUE_OK) {
            *problem = "must not contain a user";
        } else if (curl_url_get(url, CURLUPART_QUERY, &part, 0) == CURLUE_OK ||
                   curl_url_get(url, CURLUPART_FRAGMENT, &part, 0) == CURLUE_OK) {
            *problem = "must not have a query or fragment";
        } else if (curl_url_get(url, CURLUPART_URL, &whole, 0) == CURLUE_OK) {
            size_t len = strlen(whole);

            while (len > 0 && whole[len - 1] == '/') {
                len--;
            }
            *problem = "out of memory";
            out = strndup(whole, len);
        }
        curl_free(part);
        curl_free(whole);
    }
    curl_url_cleanup(url);
    free(guess);
    return out;
}

static void read_cluster(dsp_kube_config *c, kube_entry *e)
{
    const char *problem;
    char       *server = kube_entry_line(e, "server");

    c->ca_file = kube_entry_path(e, "certificate-authority");
    c->ca_data = kube_entry_base64(e, "certificate-authority-data");
    c->insecure_skip_tls_verify = kube_entry_bool(e, "insecure-skip-tls-verify");
    c->tls_server_name = kube_entry_line(e, "tls-server-name");
    c->proxy_url = kube_entry_line(e, "proxy-url");
    if (!e->failed && server == NULL) {
        kube_entry_fail(e, "server", "is missing");
    }
    if (!e->failed && c->insecure_skip_tls_verify && (c->ca_file != NULL || c->ca_data.data != NULL)) {
        kube_entry_fail(e, "insecure-skip-tls-verify", "does not go with a certificate-authority");
    }
    if (!e->failed) {
        bool tls = c->ca_file != NULL || c->ca_data.data != NULL || c->insecure_skip_tls_verify;

        c->server = normal_server(server, tls, &problem);
        if (c->server == NULL) {
            kube_entry_fail(e, "server", problem);
        }
    }
    if (!e->failed && c->proxy_url != NULL && strncmp(c->proxy_url, "http://", 7) != 0 &&
        strncmp(c->proxy_url, "https://", 8) != 0 && strncmp(c->proxy_url, "socks5://", 9) != 0 &&
        strncmp(c->proxy_url, "socks5h://", 10) != 0) {
        kube_entry_fail(e, "proxy-url", "must be http://, https:// or socks5://");
    }
    free(server);
}

/* Adds one value of act-as-user-extra. */
static bool extra_add(dsp_kube_config *c, dsp_str key, dsp_str value)
{
    dsp_kube_pair *more = realloc(c->impersonate_extra, (c->n_impersonate_extra + 1) * sizeof(*more));

    if (more == NULL) {
        return false;
    }
    c->impersonate_extra = more;
    more[c->n_impersonate_extra] = (dsp_kube_pair){ dsp_str_dup(key), dsp_str_dup(value) };
    dsp_kube_pair *one = &more[c->n_impersonate_extra++];
    return one->name != NULL && one->value != NULL;
}

static void read_impersonation(dsp_kube_config *c, kube_entry *e)
{
    yaml_node_t *extra = kube_entry_get(e, "act-as-user-extra"), *key, *values;
    size_t       n;

    c->impersonate_user = kube_entry_line(e, "act-as");
    c->impersonate_uid = kube_entry_line(e, "act-as-uid");
    c->impersonate_groups = kube_entry_list(e, "act-as-groups", kube_entry_get(e, "act-as-groups"), &n);
    for (size_t i = 0; i < n; i++) {
        kube_entry_is_line(e, "act-as-groups", c->impersonate_groups[i]);
    }
    for (size_t i = 0; !e->failed && kube_yaml_entry(&e->file->yaml, extra, i, &key, &values); i++) {
        if (values != NULL && values->type != YAML_SEQUENCE_NODE) {
            kube_entry_fail(e, "act-as-user-extra", "must be lists of strings");
        }
        for (size_t j = 0; j < kube_yaml_len(values) && !e->failed; j++) {
            if (!extra_add(c, kube_yaml_text(key), kube_yaml_text(kube_yaml_at(&e->file->yaml, values, j)))) {
                kube_entry_fail(e, "act-as-user-extra", "out of memory");
            } else {
                kube_entry_is_line(e, "act-as-user-extra", c->impersonate_extra[c->n_impersonate_extra - 1].value);
            }
        }
    }
    if (!e->failed && c->impersonate_user == NULL &&
        (c->impersonate_uid != NULL || n > 0 || c->n_impersonate_extra > 0)) {
        kube_entry_fail(e, "act-as", "is missing, but act-as-uid, act-as-groups or act-as-user-extra is given");
    }
}

static void read_exec_env(dsp_kube_exec *exec, kube_entry *e, yaml_node_t *env)
{
    size_t n = kube_yaml_len(env);

    exec->env = n > 0 ? calloc(n, sizeof(*exec->env)) : NULL;
    if (n > 0 && exec->env == NULL) {
        kube_entry_fail(e, "exec.env", "out of memory");
        return;
    }
    for (size_t i = 0; i < n && !e->failed; i++) {
        yaml_node_t   *one = kube_yaml_at(&e->file->yaml, env, i);
        dsp_kube_pair *pair = &exec->env[exec->n_env++];

        pair->name = kube_entry_text_of(e, "exec.env", kube_yaml_get(&e->file->yaml, one, "name"));
        pair->value = kube_entry_text_of(e, "exec.env", kube_yaml_get(&e->file->yaml, one, "value"));
        if (!e->failed && (pair->name == NULL || strchr(pair->name, '=') != NULL)) {
            kube_entry_fail(e, "exec.env", "needs a name without '=' in each entry");
        }
    }
}

/* client-go, plugin/pkg/client/auth/exec: a name with a slash belongs to the file's directory, any other to PATH. */
static char *exec_command(kube_entry *e)
{
    char *command = kube_entry_text(e, "command"), *full = NULL;

    if (command == NULL || command[0] == '/' || strchr(command, '/') == NULL) {
        return command;
    }
    if (asprintf(&full, "%s/%s", e->file->dir, command) < 0) {
        full = NULL;
    }
    free(command);
    return full;
}

static void read_exec(dsp_kube_config *c, kube_entry *e)
{
    yaml_node_t   *node = kube_entry_get(e, "exec"), *user = e->node;
    dsp_kube_exec *exec = node != NULL ? calloc(1, sizeof(*exec)) : NULL;

    if (node == NULL) {
        return;
    }
    if (exec == NULL) {
        kube_entry_fail(e, "exec", "out of memory");
        return;
    }
    c->exec = exec;
    e->node = node;
    exec->api_version = kube_entry_line(e, "apiVersion");
    exec->command = exec_command(e);
    exec->args = kube_entry_list(e, "exec.args", kube_entry_get(e, "args"), &exec->n_args);
    exec->provide_cluster_info = kube_entry_bool(e, "provideClusterInfo");
    exec->install_hint = kube_entry_text(e, "installHint");
    read_exec_env(exec, e, kube_entry_get(e, "env"));
    if (!e->failed && exec->command == NULL) {
        kube_entry_fail(e, "exec.command", "is missing");
    }
    if (!e->failed &&
        (exec->api_version == NULL || (strcmp(exec->api_version, "client.authentication.k8s.io/v1") != 0 &&
                                       strcmp(exec->api_version, "client.authentication.k8s.io/v1beta1") != 0))) {
        kube_entry_fail(e, "exec.apiVersion", "must be client.authentication.k8s.io/v1 or /v1beta1");
    }
    if (!e->failed && dsp_str_is(kube_yaml_text(kube_entry_get(e, "interactiveMode")), "Always")) {
        kube_entry_fail(e, "exec.interactiveMode", "Always cannot work in a daemon");
    }
    e->node = user;
}

static void read_user(dsp_kube_config *c, kube_entry *e)
{
    c->client_cert_file = kube_entry_path(e, "client-certificate");
    c->client_cert_data = kube_entry_base64(e, "client-certificate-data");
    c->client_key_file = kube_entry_path(e, "client-key");
    c->client_key_data = kube_entry_base64(e, "client-key-data");
    c->token = kube_entry_line(e, "token");
    c->token_file = kube_entry_path(e, "tokenFile");
    c->username = kube_entry_line(e, "username");
    c->password = kube_entry_line(e, "password");
    read_impersonation(c, e);
    bool has_cert = c->client_cert_file != NULL || c->client_cert_data.data != NULL;
    if (c->token == NULL && c->token_file == NULL && c->username == NULL && !has_cert) {
        read_exec(c, e); /* client-go: a plugin does not run beside credentials that are there already */
    }
    if (e->failed) {
        return;
    }
    bool has_key = c->client_key_file != NULL || c->client_key_data.data != NULL;
    if (has_cert != has_key) {
        kube_entry_fail(e, has_cert ? "client-key" : "client-certificate", "is missing beside its other half");
    } else if ((c->token != NULL || c->token_file != NULL) && c->username != NULL) {
        kube_entry_fail(e, "username", "does not go with a token: only one of them can be sent");
    } else if (kube_entry_get(e, "auth-provider") != NULL && c->exec == NULL && c->token == NULL) {
        kube_entry_fail(e, "auth-provider", "has been removed from Kubernetes; use exec");
    }
}

/* --- picking --- */

/* The first current-context that is not empty, and the file that says it. */
static bool current_context(kube_config_files *files, char **name, kube_config_file **file, dsp_buf *err)
{
    for (size_t i = 0; i < files->n; i++) {
        kube_yaml   *y = &files->file[i].yaml;
        yaml_node_t *node = kube_yaml_get(y, kube_yaml_root(y), "current-context");
        dsp_str      text = kube_yaml_text(node);

        if (node != NULL && (text.data == NULL || memchr(text.data, '\0', text.len) != NULL)) {
            dsp_buf_addf(err, "%s: current-context: must be a string", files->file[i].path);
            return false;
        }
        if (text.len > 0) {
            *name = dsp_str_dup(text);
            *file = &files->file[i];
            return *name != NULL;
        }
    }
    dsp_buf_addf(err, "%s: current-context: is not set%s", files->file[0].path,
                 files->n > 1 ? ", nor in the other files" : "");
    return false;
}

/* Reads the cluster or user that the context names. */
static bool read_named(dsp_kube_config *c, kube_config_files *files, const kube_entry *context, const char *member,
                       const char *name)
{
    bool       cluster = strcmp(member, "cluster") == 0;
    kube_entry e = kube_entry_find(files, cluster ? "clusters" : "users", member, name, context->err);

    if (e.failed) {
        return false;
    }
    if (e.file == NULL) {
        dsp_buf_addf(context->err, "%s: context \"%s\": %s \"%s\" is not defined", context->file->path, context->name,
                     member, name);
        return false;
    }
    if (cluster) {
        read_cluster(c, &e);
    } else {
        read_user(c, &e);
    }
    return !e.failed;
}

static bool pick_into(dsp_kube_config *c, kube_config_files *files, const char *wanted, dsp_buf *err)
{
    kube_config_file *source = &files->file[0];

    if (wanted != NULL && *wanted != '\0') {
        c->context = strdup(wanted);
    } else if (!current_context(files, &c->context, &source, err)) {
        return false;
    }
    c->source = strdup(source->path);
    if (c->context == NULL || c->source == NULL) {
        dsp_buf_addz(err, "out of memory");
        return false;
    }
    kube_entry e = kube_entry_find(files, "contexts", "context", c->context, err);
    if (e.file == NULL && !e.failed) {
        dsp_buf_addf(err, "%s: context \"%s\" is not defined", source->path, c->context);
        return false;
    }
    c->cluster = kube_entry_line(&e, "cluster");
    c->user = kube_entry_line(&e, "user");
    c->namespace_ = kube_entry_line(&e, "namespace");
    if (!e.failed && c->cluster == NULL) {
        kube_entry_fail(&e, "cluster", "is missing");
    }
    if (e.failed) {
        return false;
    }
    if (c->namespace_ == NULL && (c->namespace_ = strdup("default")) == NULL) {
        dsp_buf_addz(err, "out of memory");
        return false;
    }
    return read_named(c, files, &e, "cluster", c->cluster) &&
           (c->user == NULL || read_named(c, files, &e, "user", c->user));
}

dsp_kube_config *kube_config_pick(kube_config_files *files, const char *context, dsp_buf *err)
{
    dsp_kube_config *c = files->n > 0 ? calloc(1, sizeof(*c)) : NULL;

    if (c == NULL) {
        dsp_buf_addz(err, "no kubeconfig");
        return NULL;
    }
    if (!pick_into(c, files, context, err)) {
        dsp_kube_config_free(c);
        return NULL;
    }
    return c;
}
