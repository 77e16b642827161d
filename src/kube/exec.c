#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "file.h"
#include "base/clock.h"
#include "base/json.h"

/* How often a child that has closed its output is asked whether it has ended. */
#define REAP_MS 20

extern char **environ;

struct kube_exec_run {
    const char    *api_version;
    char          *command; /* for messages */
    const char    *hint;    /* borrowed from the config */
    pid_t          pid;     /* 0: reaped */
    int            fd;
    struct event  *output;
    struct event  *deadline;
    struct event  *reap;
    dsp_buf        text;
    kube_exec_done done;
    void          *arg;
};

/* --- the ExecCredential --- */

void kube_exec_credential_free(kube_exec_credential *c)
{
    kube_secret_free(&c->token);
    kube_blob_free(&c->cert);
    kube_blob_free(&c->key);
    *c = (kube_exec_credential){ 0 };
}

/* A string member of status as a copy; *out stays NULL when it is missing or empty. */
static bool member(dsp_json status, const char *name, dsp_arena *arena, char **out, dsp_buf *err)
{
    dsp_json value = dsp_json_get(status, name);
    dsp_str  text;

    if (dsp_json_kind(value) == DSP_JSON_NONE || dsp_json_kind(value) == DSP_JSON_NULL) {
        return true;
    }
    if (!dsp_json_string(value, arena, &text) || (text.len > 0 && memchr(text.data, '\0', text.len) != NULL)) {
        dsp_buf_addf(err, "status.%s is not a string", name);
        return false;
    }
    if (text.len > 0 && (*out = dsp_str_dup(text)) == NULL) {
        dsp_buf_addz(err, "out of memory");
        return false;
    }
    return true;
}

static bool read_status(dsp_json status, dsp_arena *arena, kube_exec_credential *out, dsp_buf *err)
{
    char *expires = NULL;

    if (!member(status, "token", arena, &out->token, err) ||
        !member(status, "clientCertificateData", arena, &out->cert.data, err) ||
        !member(status, "clientKeyData", arena, &out->key.data, err) ||
        !member(status, "expirationTimestamp", arena, &expires, err)) {
        free(expires);
        return false;
    }
    out->cert.len = out->cert.data != NULL ? strlen(out->cert.data) : 0;
    out->key.len = out->key.data != NULL ? strlen(out->key.data) : 0;
    bool good = expires == NULL || dsp_time_parse(dsp_str_from(expires), &out->expires_us);
    free(expires);
    if (!good) {
        dsp_buf_addz(err, "status.expirationTimestamp is not a time");
        return false;
    }
    if ((out->cert.data == NULL) != (out->key.data == NULL)) {
        dsp_buf_addz(err, "status has only one of clientCertificateData and clientKeyData");
        return false;
    }
    if (out->token == NULL && out->cert.data == NULL) {
        dsp_buf_addz(err, "status has neither a token nor a client certificate");
        return false;
    }
    for (const char *p = out->token; p != NULL && *p != '\0'; p++) {
        if ((unsigned char) *p < 0x20 || *p == 0x7F) {
            dsp_buf_addz(err, "status.token contains control characters");
            return false;
        }
    }
    return true;
}

bool kube_exec_parse(dsp_str text, const char *api_version, kube_exec_credential *out, dsp_buf *err)
{
    dsp_json       doc;
    dsp_json_error bad;
    dsp_arena      arena;

    *out = (kube_exec_credential){ 0 };
    if (!dsp_json_parse(text, &doc, &bad)) {
        dsp_buf_addf(err, "the output is not JSON: byte %zu: %s", bad.offset, bad.message);
        return false;
    }
    if (!dsp_json_equals(dsp_json_get(doc, "kind"), DSP_STR("ExecCredential"))) {
        dsp_buf_addz(err, "the output's kind is not ExecCredential");
        return false;
    }
    if (!dsp_json_equals(dsp_json_get(doc, "apiVersion"), dsp_str_from(api_version))) {
        dsp_buf_addf(err, "the output's apiVersion is not %s", api_version);
        return false;
    }
    dsp_json status = dsp_json_get(doc, "status");
    if (dsp_json_kind(status) != DSP_JSON_OBJECT) {
        dsp_buf_addz(err, "the output has no status");
        return false;
    }
    dsp_arena_init(&arena, 2 * KUBE_EXEC_OUTPUT_MAX);
    bool ok = read_status(status, &arena, out, err);
    dsp_arena_free(&arena);
    if (!ok) {
        kube_exec_credential_free(out);
    }
    return ok;
}

/* --- KUBERNETES_EXEC_INFO --- */

static void add_base64(dsp_buf *out, dsp_str data)
{
    char *room = dsp_buf_room(out, (data.len + 2) / 3 * 4 + 1);

    if (room != NULL) {
        out->len += (size_t) EVP_EncodeBlock((unsigned char *) room, (const unsigned char *) data.data, (int) data.len);
        out->data[out->len] = '\0';
    }
}

bool kube_exec_info(const dsp_kube_config *config, dsp_str ca, dsp_buf *out)
{
    dsp_buf_addz(out, "{\"kind\":\"ExecCredential\",\"apiVersion\":");
    dsp_json_quote(out, dsp_str_from(config->exec->api_version));
    dsp_buf_addz(out, ",\"spec\":{");
    if (config->exec->provide_cluster_info) {
        dsp_buf_addz(out, "\"cluster\":{\"server\":");
        dsp_json_quote(out, dsp_str_from(config->server));
        if (config->tls_server_name != NULL) {
            dsp_buf_addz(out, ",\"tls-server-name\":");
            dsp_json_quote(out, dsp_str_from(config->tls_server_name));
        }
        if (config->insecure_skip_tls_verify) {
            dsp_buf_addz(out, ",\"insecure-skip-tls-verify\":true");
        }
        if (ca.len > 0) {
            dsp_buf_addz(out, ",\"certificate-authority-data\":\"");
            add_base64(out, ca);
            dsp_buf_addc(out, '"');
        }
        if (config->proxy_url != NULL) {
            dsp_buf_addz(out, ",\"proxy-url\":");
            dsp_json_quote(out, dsp_str_from(config->proxy_url));
        }
        dsp_buf_addz(out, "},");
    }
    return dsp_buf_addz(out, "\"interactive\":false}}");
}

/* --- the child --- */

static void run_free(kube_exec_run *run)
{
    if (run->pid > 0) {
        kill(-run->pid, SIGKILL); /* it leads a group: what it has started ends with it */
        kill(run->pid, SIGKILL);
        waitpid(run->pid, NULL, 0);
    }
    if (run->output != NULL) {
        event_free(run->output);
    }
    if (run->deadline != NULL) {
        event_free(run->deadline);
    }
    if (run->reap != NULL) {
        event_free(run->reap);
    }
    if (run->fd >= 0) {
        close(run->fd);
    }
    if (run->text.data != NULL) {
        OPENSSL_cleanse(run->text.data, run->text.len);
    }
    dsp_buf_free(&run->text);
    free(run->command);
    free(run);
}

void kube_exec_cancel(kube_exec_run *run)
{
    if (run != NULL) {
        run_free(run);
    }
}

static void run_end(kube_exec_run *run, kube_exec_credential *credential, const char *problem)
{
    kube_exec_done done = run->done;
    void          *arg = run->arg;
    dsp_buf        text;

    dsp_buf_init(&text, 4096);
    if (problem != NULL) {
        dsp_buf_addf(&text, "exec plugin %s: %s%s%s", run->command, problem, run->hint != NULL ? ". " : "",
                     run->hint != NULL ? run->hint : "");
    }
    run_free(run);
    done(arg, credential, problem != NULL ? dsp_buf_cstr(&text) : NULL);
    dsp_buf_free(&text);
}

static void run_output(kube_exec_run *run)
{
    kube_exec_credential credential;
    dsp_buf              err;

    dsp_buf_init(&err, 1024);
    if (kube_exec_parse(dsp_buf_str(&run->text), run->api_version, &credential, &err)) {
        run_end(run, &credential, NULL);
        kube_exec_credential_free(&credential);
    } else {
        run_end(run, NULL, dsp_buf_cstr(&err));
    }
    dsp_buf_free(&err);
}

static void on_reap(evutil_socket_t fd, short what, void *arg)
{
    kube_exec_run *run = arg;
    int            status;
    char           text[64];
    pid_t          got = waitpid(run->pid, &status, WNOHANG);

    (void) fd;
    (void) what;
    if (got == 0 || (got < 0 && errno == EINTR)) {
        struct timeval tv = { .tv_usec = REAP_MS * 1000 };

        evtimer_add(run->reap, &tv);
        return;
    }
    run->pid = 0;
    if (got < 0) {
        run_output(run); /* somebody else reaped it (SIGCHLD ignored): the output says it all */
    } else if (WIFSIGNALED(status)) {
        snprintf(text, sizeof(text), "was ended by signal %d", WTERMSIG(status));
        run_end(run, NULL, text);
    } else if (WEXITSTATUS(status) != 0) {
        snprintf(text, sizeof(text), "exited with code %d", WEXITSTATUS(status));
        run_end(run, NULL, text);
    } else {
        run_output(run);
    }
}

static void on_output(evutil_socket_t fd, short what, void *arg)
{
    kube_exec_run *run = arg;
    char          *room = dsp_buf_room(&run->text, 4096);

    (void) what;
    if (room == NULL) {
        run_end(run, NULL, "the output is too long");
        return;
    }
    ssize_t n = read(fd, room, 4096);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
        return;
    }
    if (n > 0) {
        run->text.len += (size_t) n;
        room[n] = '\0';
        return;
    }
    event_del(run->output);
    on_reap(-1, 0, run);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void) fd;
    (void) what;
    run_end(arg, NULL, "did not end in time");
}

/* Our environment, with the plugin's own variables and KUBERNETES_EXEC_INFO in the place of equal names. */
static char **environment(const dsp_kube_exec *exec, char *info)
{
    size_t n = 0, out = 0;

    while (environ[n] != NULL) {
        n++;
    }
    char **env = calloc(n + exec->n_env + 2, sizeof(*env));
    if (env == NULL) {
        return NULL;
    }
    /* The first of two equal names is what getenv(3) finds, so ours go first. */
    env[out++] = info;
    for (size_t i = exec->n_env; i > 0; i--) {
        if (asprintf(&env[out], "%s=%s", exec->env[i - 1].name,
                     exec->env[i - 1].value != NULL ? exec->env[i - 1].value : "") < 0) {
            env[out] = NULL;
            break;
        }
        out++;
    }
    for (size_t i = 0; i < n; i++) {
        size_t len = strcspn(environ[i], "=");
        bool   ours = false;

        for (size_t j = 0; j < 1 + exec->n_env && env[j] != NULL && !ours; j++) {
            ours = strncmp(env[j], environ[i], len + 1) == 0;
        }
        if (!ours) {
            env[out++] = environ[i];
        }
    }
    env[out] = NULL;
    return env;
}

static void environment_free(char **env, size_t n_env)
{
    for (size_t i = 0; env != NULL && i < n_env + 1 && env[i] != NULL; i++) {
        bool inherited = false;

        for (char **e = environ; *e != NULL && !inherited; e++) {
            inherited = *e == env[i];
        }
        if (!inherited) {
            OPENSSL_cleanse(env[i], strlen(env[i]));
            free(env[i]);
        }
    }
    free(env);
}

/* 0 or an errno. */
static int spawn(kube_exec_run *run, const dsp_kube_exec *exec, char **env, int out)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t          attr;
    sigset_t                   none, all;
    char                     **argv = calloc(exec->n_args + 2, sizeof(*argv));
    int                        e = ENOMEM;

    if (argv == NULL || posix_spawn_file_actions_init(&files) != 0) {
        free(argv);
        return ENOMEM;
    }
    argv[0] = exec->command;
    for (size_t i = 0; i < exec->n_args; i++) {
        argv[i + 1] = exec->args[i];
    }
    /* The child starts with every signal at its default and none blocked, in a process group of its own. */
    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawnattr_init(&attr) == 0) {
        posix_spawnattr_setsigmask(&attr, &none);
        posix_spawnattr_setsigdefault(&attr, &all);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
        if (posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
            posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO) == 0) {
            e = posix_spawnp(&run->pid, exec->command, &files, &attr, argv, env);
        }
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&files);
    free(argv);
    if (e != 0) {
        run->pid = 0;
    }
    return e;
}

/* Makes pipe and environment and starts the child. 0 or an errno. */
static int launch(kube_exec_run *run, const dsp_kube_config *config, dsp_str ca)
{
    int     pipe_fd[2], e = ENOMEM;
    dsp_buf info;

    if (pipe2(pipe_fd, O_CLOEXEC) != 0) {
        return errno;
    }
    run->fd = pipe_fd[0];
    fcntl(run->fd, F_SETFL, O_NONBLOCK);
    dsp_buf_init(&info, 8u * 1024 * 1024);
    dsp_buf_addz(&info, "KUBERNETES_EXEC_INFO=");
    char  *text = kube_exec_info(config, ca, &info) ? dsp_buf_take(&info) : NULL;
    char **env = text != NULL ? environment(config->exec, text) : NULL;
    if (env != NULL) {
        e = spawn(run, config->exec, env, pipe_fd[1]);
        environment_free(env, config->exec->n_env);
    } else {
        free(text);
    }
    dsp_buf_free(&info);
    close(pipe_fd[1]);
    return e;
}

kube_exec_run *kube_exec_start(struct event_base *base, const dsp_kube_config *config, dsp_str ca, kube_exec_done done,
                               void *arg, dsp_buf *err)
{
    kube_exec_run *run = calloc(1, sizeof(*run));
    struct timeval limit = { .tv_sec = KUBE_EXEC_TIMEOUT_S };

    if (run == NULL || (run->command = strdup(config->exec->command)) == NULL) {
        free(run);
        dsp_buf_addz(err, "out of memory");
        return NULL;
    }
    run->fd = -1;
    run->api_version = config->exec->api_version;
    run->hint = config->exec->install_hint;
    run->done = done;
    run->arg = arg;
    dsp_buf_init(&run->text, KUBE_EXEC_OUTPUT_MAX + 4096);
    int e = launch(run, config, ca);
    if (e == 0) {
        run->output = event_new(base, run->fd, EV_READ | EV_PERSIST, on_output, run);
        run->deadline = evtimer_new(base, on_deadline, run);
        run->reap = evtimer_new(base, on_reap, run);
        if (run->output == NULL || run->deadline == NULL || run->reap == NULL || event_add(run->output, NULL) != 0 ||
            evtimer_add(run->deadline, &limit) != 0) {
            e = ENOMEM;
        }
    }
    if (e != 0) {
        dsp_buf_addf(err, "exec plugin %s: %s%s%s", run->command, strerror(e), run->hint != NULL ? ". " : "",
                     run->hint != NULL ? run->hint : "");
        run_free(run);
        return NULL;
    }
    return run;
}
