#include "kubeconfig.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>
#include <openssl/evp.h>

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
    *file = (kube_config_file){.path = full, .dir = dir};

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
    dsp_kube_blob text = {0};
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
        ok = kube_config_text_add(files, (dsp_str){text.data, text.len}, name, err);
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

        if (len > 0 && !is_repeated(list, p, len) && !kube_config_file_read(files, (dsp_str){p, len}, true, err)) {
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
    *files = (kube_config_files){0};
}

/* --- one named entry: a cluster, user or context --- */

/* Where values are being read from. The first error is kept in err; after it every reading gives nothing. */
typedef struct entry {
    kube_config_file *file;
    yaml_node_t      *node; /* NULL: nothing is there */
    const char       *what; /* "cluster", "user", "context" */
    const char       *name;
    dsp_buf          *err;
    bool              failed;
} entry;

static void entry_fail(entry *e, const char *key, const char *problem)
{
    if (!e->failed) {
        dsp_buf_addf(e->err, "%s: %s \"%s\": %s%s%s", e->file->path, e->what, e->name, key, *key != '\0' ? ": " : "",
                     problem);
    }
    e->failed = true;
}

static yaml_node_t *entry_get(entry *e, const char *key)
{
    return e->failed ? NULL : kube_yaml_get(&e->file->yaml, e->node, key);
}

/* A scalar as text; NULL: not given or empty. */
static char *entry_text_of(entry *e, const char *key, yaml_node_t *node)
{
    dsp_str text = kube_yaml_text(node);

    if (node == NULL || (text.data != NULL && text.len == 0)) {
        return NULL;
    }
    if (text.data == NULL || memchr(text.data, '\0', text.len) != NULL) {
        entry_fail(e, key, "must be a string");
        return NULL;
    }
    char *copy = dsp_str_dup(text);
    if (copy == NULL) {
        entry_fail(e, key, "out of memory");
    }
    return copy;
}

static char *entry_text(entry *e, const char *key)
{
    return entry_text_of(e, key, entry_get(e, key));
}

/* A text that becomes a header or an argument of the transport: no control characters. */
static bool entry_is_line(entry *e, const char *key, const char *text)
{
    for (const char *p = text; p != NULL && *p != '\0'; p++) {
        if ((unsigned char) *p < 0x20 || *p == 0x7F) {
            entry_fail(e, key, "must not contain control characters");
            return false;
        }
    }
    return true;
}

static char *entry_line(entry *e, const char *key)
{
    char *text = entry_text(e, key);

    if (!entry_is_line(e, key, text)) {
        kube_secret_free(&text);
    }
    return text;
}

/* A path; a relative one belongs to the file's directory. */
static char *entry_path(entry *e, const char *key)
{
    char *text = entry_text(e, key), *full = NULL;

    if (text == NULL || text[0] == '/') {
        return text;
    }
    if (asprintf(&full, "%s/%s", e->file->dir, text) < 0) {
        full = NULL;
        entry_fail(e, key, "out of memory");
    }
    free(text);
    return full;
}

static bool entry_bool(entry *e, const char *key)
{
    yaml_node_t *node = entry_get(e, key);
    dsp_str      text = kube_yaml_text(node);

    if (node == NULL || dsp_str_is(text, "false")) {
        return false;
    }
    if (!dsp_str_is(text, "true")) {
        entry_fail(e, key, "must be true or false");
        return false;
    }
    return true;
}

static bool is_base64(dsp_str text)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n";

    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\0' || strchr(set, text.data[i]) == NULL) {
            return false;
        }
    }
    return true;
}

static dsp_kube_blob entry_base64(entry *e, const char *key)
{
    char           *text = entry_text(e, key);
    dsp_kube_blob   blob = {0};
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
    int             n = 0, last = 0;
    size_t          len = text != NULL ? strlen(text) : 0;

    if (text == NULL) {
        EVP_ENCODE_CTX_free(ctx);
        return blob;
    }
    blob.data = ctx != NULL ? malloc(len / 4 * 3 + 4) : NULL;
    if (blob.data == NULL) {
        entry_fail(e, key, "out of memory");
    } else {
        EVP_DecodeInit(ctx);
        if (!is_base64((dsp_str){text, len}) ||
            EVP_DecodeUpdate(ctx, (unsigned char *) blob.data, &n, (const unsigned char *) text, (int) len) < 0 ||
            EVP_DecodeFinal(ctx, (unsigned char *) blob.data + n, &last) < 0 || n + last == 0) {
            blob.len = (size_t) n;
            entry_fail(e, key, "is not base64");
            kube_blob_free(&blob);
        } else {
            blob.len = (size_t) (n + last);
            blob.data[blob.len] = '\0';
        }
    }
    EVP_ENCODE_CTX_free(ctx);
    kube_secret_free(&text);
    return blob;
}

/* A list of strings, NULL-terminated; NULL when there is none. */
static char **entry_list(entry *e, const char *key, yaml_node_t *node, size_t *n_out)
{
    size_t n = kube_yaml_len(node);
    char **list;

    *n_out = 0;
    if (node == NULL || e->failed) {
        return NULL;
    }
    if (node->type != YAML_SEQUENCE_NODE) {
        entry_fail(e, key, "must be a list of strings");
        return NULL;
    }
    list = calloc(n + 1, sizeof(*list));
    if (list == NULL) {
        entry_fail(e, key, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < n && !e->failed; i++) {
        list[i] = entry_text_of(e, key, kube_yaml_at(&e->file->yaml, node, i));
        if (list[i] == NULL && !e->failed && (list[i] = strdup("")) == NULL) {
            entry_fail(e, key, "out of memory");
        }
        *n_out += list[i] != NULL;
    }
    return list;
}

/* --- finding an entry --- */

/* The entry of that name in one file's list; e->node NULL when there is none. */
static void entry_find_in(entry *e, kube_config_file *file, const char *list, const char *member)
{
    yaml_node_t *all = kube_yaml_get(&file->yaml, kube_yaml_root(&file->yaml), list);
    unsigned     found = 0;

    e->file = file;
    e->node = NULL;
    if (all != NULL && all->type != YAML_SEQUENCE_NODE) {
        dsp_buf_addf(e->err, "%s: %s: must be a list", file->path, list);
        e->failed = true;
        return;
    }
    for (size_t i = 0; i < kube_yaml_len(all); i++) {
        yaml_node_t *one = kube_yaml_at(&file->yaml, all, i);

        if (dsp_str_is(kube_yaml_text(kube_yaml_get(&file->yaml, one, "name")), e->name)) {
            e->node = kube_yaml_get(&file->yaml, one, member);
            found++;
        }
    }
    if (found > 1) {
        entry_fail(e, "", "is defined more than once in this file");
    }
    if (found == 0) {
        e->file = NULL;
    }
}

/* The first file that has the name wins, whole. */
static entry entry_find(kube_config_files *files, const char *list, const char *member, const char *name, dsp_buf *err)
{
    entry e = {.what = member, .name = name, .err = err};

    for (size_t i = 0; i < files->n && e.file == NULL && !e.failed; i++) {
        entry_find_in(&e, &files->file[i], list, member);
    }
    return e;
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

static void read_cluster(dsp_kube_config *c, entry *e)
{
    const char *problem;
    char       *server = entry_line(e, "server");

    c->ca_file = entry_path(e, "certificate-authority");
    c->ca_data = entry_base64(e, "certificate-authority-data");
    c->insecure_skip_tls_verify = entry_bool(e, "insecure-skip-tls-verify");
    c->tls_server_name = entry_line(e, "tls-server-name");
    c->proxy_url = entry_line(e, "proxy-url");
    if (!e->failed && server == NULL) {
        entry_fail(e, "server", "is missing");
    }
    if (!e->failed && c->insecure_skip_tls_verify && (c->ca_file != NULL || c->ca_data.data != NULL)) {
        entry_fail(e, "insecure-skip-tls-verify", "does not go with a certificate-authority");
    }
    if (!e->failed) {
        bool tls = c->ca_file != NULL || c->ca_data.data != NULL || c->insecure_skip_tls_verify;

        c->server = normal_server(server, tls, &problem);
        if (c->server == NULL) {
            entry_fail(e, "server", problem);
        }
    }
    if (!e->failed && c->proxy_url != NULL && strncmp(c->proxy_url, "http://", 7) != 0 &&
        strncmp(c->proxy_url, "https://", 8) != 0 && strncmp(c->proxy_url, "socks5://", 9) != 0 &&
        strncmp(c->proxy_url, "socks5h://", 10) != 0) {
        entry_fail(e, "proxy-url", "must be http://, https:// or socks5://");
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
    more[c->n_impersonate_extra] = (dsp_kube_pair){dsp_str_dup(key), dsp_str_dup(value)};
    dsp_kube_pair *one = &more[c->n_impersonate_extra++];
    return one->name != NULL && one->value != NULL;
}

static void read_impersonation(dsp_kube_config *c, entry *e)
{
    yaml_node_t *extra = entry_get(e, "act-as-user-extra"), *key, *values;
    size_t       n;

    c->impersonate_user = entry_line(e, "act-as");
    c->impersonate_uid = entry_line(e, "act-as-uid");
    c->impersonate_groups = entry_list(e, "act-as-groups", entry_get(e, "act-as-groups"), &n);
    for (size_t i = 0; i < n; i++) {
        entry_is_line(e, "act-as-groups", c->impersonate_groups[i]);
    }
    for (size_t i = 0; !e->failed && kube_yaml_entry(&e->file->yaml, extra, i, &key, &values); i++) {
        if (values != NULL && values->type != YAML_SEQUENCE_NODE) {
            entry_fail(e, "act-as-user-extra", "must be lists of strings");
        }
        for (size_t j = 0; j < kube_yaml_len(values) && !e->failed; j++) {
            if (!extra_add(c, kube_yaml_text(key), kube_yaml_text(kube_yaml_at(&e->file->yaml, values, j)))) {
                entry_fail(e, "act-as-user-extra", "out of memory");
            } else {
                entry_is_line(e, "act-as-user-extra", c->impersonate_extra[c->n_impersonate_extra - 1].value);
            }
        }
    }
    if (!e->failed && c->impersonate_user == NULL &&
        (c->impersonate_uid != NULL || n > 0 || c->n_impersonate_extra > 0)) {
        entry_fail(e, "act-as", "is missing, but act-as-uid, act-as-groups or act-as-user-extra is given");
    }
}

static void read_exec_env(dsp_kube_exec *exec, entry *e, yaml_node_t *env)
{
    size_t n = kube_yaml_len(env);

    exec->env = n > 0 ? calloc(n, sizeof(*exec->env)) : NULL;
    if (n > 0 && exec->env == NULL) {
        entry_fail(e, "exec.env", "out of memory");
        return;
    }
    for (size_t i = 0; i < n && !e->failed; i++) {
        yaml_node_t   *one = kube_yaml_at(&e->file->yaml, env, i);
        dsp_kube_pair *pair = &exec->env[exec->n_env++];

        pair->name = entry_text_of(e, "exec.env", kube_yaml_get(&e->file->yaml, one, "name"));
        pair->value = entry_text_of(e, "exec.env", kube_yaml_get(&e->file->yaml, one, "value"));
        if (!e->failed && (pair->name == NULL || strchr(pair->name, '=') != NULL)) {
            entry_fail(e, "exec.env", "needs a name without '=' in each entry");
        }
    }
}

/* client-go, plugin/pkg/client/auth/exec: a name with a slash belongs to the file's directory, any other to PATH. */
static char *exec_command(entry *e)
{
    char *command = entry_text(e, "command"), *full = NULL;

    if (command == NULL || command[0] == '/' || strchr(command, '/') == NULL) {
        return command;
    }
    if (asprintf(&full, "%s/%s", e->file->dir, command) < 0) {
        full = NULL;
    }
    free(command);
    return full;
}

static void read_exec(dsp_kube_config *c, entry *e)
{
    yaml_node_t   *node = entry_get(e, "exec"), *user = e->node;
    dsp_kube_exec *exec = node != NULL ? calloc(1, sizeof(*exec)) : NULL;

    if (node == NULL) {
        return;
    }
    if (exec == NULL) {
        entry_fail(e, "exec", "out of memory");
        return;
    }
    c->exec = exec;
    e->node = node;
    exec->api_version = entry_line(e, "apiVersion");
    exec->command = exec_command(e);
    exec->args = entry_list(e, "exec.args", entry_get(e, "args"), &exec->n_args);
    exec->provide_cluster_info = entry_bool(e, "provideClusterInfo");
    exec->install_hint = entry_text(e, "installHint");
    read_exec_env(exec, e, entry_get(e, "env"));
    if (!e->failed && exec->command == NULL) {
        entry_fail(e, "exec.command", "is missing");
    }
    if (!e->failed &&
        (exec->api_version == NULL || (strcmp(exec->api_version, "client.authentication.k8s.io/v1") != 0 &&
                                       strcmp(exec->api_version, "client.authentication.k8s.io/v1beta1") != 0))) {
        entry_fail(e, "exec.apiVersion", "must be client.authentication.k8s.io/v1 or /v1beta1");
    }
    if (!e->failed && dsp_str_is(kube_yaml_text(entry_get(e, "interactiveMode")), "Always")) {
        entry_fail(e, "exec.interactiveMode", "Always cannot work in a daemon");
    }
    e->node = user;
}

static void read_user(dsp_kube_config *c, entry *e)
{
    c->client_cert_file = entry_path(e, "client-certificate");
    c->client_cert_data = entry_base64(e, "client-certificate-data");
    c->client_key_file = entry_path(e, "client-key");
    c->client_key_data = entry_base64(e, "client-key-data");
    c->token = entry_line(e, "token");
    c->token_file = entry_path(e, "tokenFile");
    c->username = entry_line(e, "username");
    c->password = entry_line(e, "password");
    read_impersonation(c, e);
    read_exec(c, e);
    if (e->failed) {
        return;
    }
    bool has_cert = c->client_cert_file != NULL || c->client_cert_data.data != NULL;
    bool has_key = c->client_key_file != NULL || c->client_key_data.data != NULL;
    if (has_cert != has_key) {
        entry_fail(e, has_cert ? "client-key" : "client-certificate", "is missing beside its other half");
    } else if ((c->token != NULL || c->token_file != NULL) && c->username != NULL) {
        entry_fail(e, "username", "does not go with a token: only one of them can be sent");
    } else if (c->exec != NULL && (c->token != NULL || c->token_file != NULL || c->username != NULL)) {
        entry_fail(e, "exec", "does not go with a token or a username");
    } else if (entry_get(e, "auth-provider") != NULL && c->exec == NULL && c->token == NULL) {
        entry_fail(e, "auth-provider", "has been removed from Kubernetes; use exec");
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
static bool read_named(dsp_kube_config *c, kube_config_files *files, const entry *context, const char *member,
                       const char *name)
{
    bool  cluster = strcmp(member, "cluster") == 0;
    entry e = entry_find(files, cluster ? "clusters" : "users", member, name, context->err);

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
    entry e = entry_find(files, "contexts", "context", c->context, err);
    if (e.file == NULL && !e.failed) {
        dsp_buf_addf(err, "%s: context \"%s\" is not defined", source->path, c->context);
        return false;
    }
    c->cluster = entry_line(&e, "cluster");
    c->user = entry_line(&e, "user");
    c->namespace_ = entry_line(&e, "namespace");
    if (!e.failed && c->cluster == NULL) {
        entry_fail(&e, "cluster", "is missing");
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
