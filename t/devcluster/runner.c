#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <unistd.h>

struct dc_process {
    LIST_ENTRY(dc_process) all;
    dc_runner    *runner;
    dc_command    command;
    pid_t         pid;
    int           pipe; /* where its output comes from */
    struct event *readable;
    char          dir[64];
    bool          dropped;
};

struct dc_runner {
    struct event_base *base;
    struct event      *child;
    LIST_HEAD(, dc_process) all;
    size_t n;
};

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void) st;
    (void) flag;
    (void) ftw;
    remove(path);
    return 0;
}

static void free_process(dc_process *p)
{
    LIST_REMOVE(p, all);
    p->runner->n--;
    if (p->readable != NULL) {
        event_free(p->readable);
    }
    if (p->pipe >= 0) {
        close(p->pipe);
    }
    nftw(p->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(p);
}

/* Reads what there is. */
static void drain(dc_process *p)
{
    char    data[16384];
    ssize_t n;

    while ((n = read(p->pipe, data, sizeof(data))) > 0) {
        if (!p->dropped) {
            p->command.output(p->command.arg, data, (size_t) n);
        }
    }
    if (n == 0) {
        event_del(p->readable);
    }
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void) fd;
    (void) what;
    drain(arg);
}

static void process_ended(dc_process *p, int status)
{
    int signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    int code = WIFSIGNALED(status) ? 128 + signal_number : WEXITSTATUS(status);

    kill(-p->pid, SIGKILL);
    drain(p);
    dc_command command = p->command;
    bool       dropped = p->dropped;
    free_process(p);
    if (!dropped) {
        command.ended(command.arg, code, signal_number);
    }
}

static void on_child(evutil_socket_t fd, short what, void *arg)
{
    dc_runner  *r = arg;
    dc_process *p;
    pid_t       pid;
    int         status;

    (void) fd;
    (void) what;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        LIST_FOREACH(p, &r->all, all) {
            if (p->pid == pid) {
                process_ended(p, status);
                break;
            }
        }
    }
}

dc_runner *dc_runner_new(struct event_base *base)
{
    dc_runner *r = calloc(1, sizeof(*r));

    r->base = base;
    LIST_INIT(&r->all);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    r->child = evsignal_new(base, SIGCHLD, on_child, r);
    evsignal_add(r->child, NULL);
    return r;
}

/* Children that left their group (setsid) and outlived their parent have become ours. */
static void kill_strays(void)
{
    char  path[64], line[4096];
    FILE *children;
    bool  any = true;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int) getpid());
    for (int round = 0; any && round < 100; round++) {
        any = false;
        children = fopen(path, "re");
        if (children == NULL || fgets(line, sizeof(line), children) == NULL) {
            line[0] = '\0';
        }
        if (children != NULL) {
            fclose(children);
        }
        char *rest = line, *word;
        while ((word = strsep(&rest, " \n")) != NULL) {
            if (atoi(word) > 1) {
                any = true;
                kill(atoi(word), SIGKILL);
                waitpid(atoi(word), NULL, 0);
            }
        }
    }
}

void dc_runner_free(dc_runner *r)
{
    dc_process *p;

    if (r == NULL) {
        return;
    }
    LIST_FOREACH(p, &r->all, all) {
        kill(-p->pid, SIGKILL);
    }
    while ((p = LIST_FIRST(&r->all)) != NULL) {
        waitpid(p->pid, NULL, 0);
        free_process(p);
    }
    kill_strays();
    event_free(r->child);
    free(r);
}

static const char *value_of(char *const *env, const char *name)
{
    size_t len = strlen(name);

    for (; *env != NULL; env++) {
        if (strncmp(*env, name, len) == 0 && (*env)[len] == '=') {
            return *env + len + 1;
        }
    }
    return NULL;
}

/* As execvp(3) with the PATH of env, but before the fork, so that the error can be told. */
static bool find_program(const char *name, char *const *env, char out[4096])
{
    const char *path = value_of(env, "PATH");

    if (strchr(name, '/') != NULL) {
        snprintf(out, 4096, "%s", name);
        return access(out, X_OK) == 0;
    }
    for (path = path != NULL ? path : "/usr/local/bin:/usr/bin:/bin"; *path != '\0' && *name != '\0';) {
        size_t len = strcspn(path, ":");
        snprintf(out, 4096, "%.*s/%s", (int) len, path, name);
        if (len > 0 && access(out, X_OK) == 0) {
            return true;
        }
        path += len + (path[len] == ':');
    }
    errno = ENOENT;
    return false;
}

/*
 * vfork(2), because copying the page tables of a store of 100,000 objects costs more than the command. The child shares
 * our memory until it has called execve(2) or _exit(2), so it calls only the kernel.
 */
static pid_t spawn(const char *program, const dc_command *command, const char *dir, int output, int *problem)
{
    pid_t        parent = getpid();
    int          null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    volatile int failure = 0;
    sigset_t     none;
    pid_t        pid;

    sigemptyset(&none);
    pid = vfork();
    if (pid == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigprocmask(SIG_SETMASK, &none, NULL);
        signal(SIGPIPE, SIG_DFL);
        if (getppid() == parent && dup2(null, 0) == 0 && dup2(output, 1) == 1 && dup2(output, 2) == 2 &&
            chdir(dir) == 0) {
            execve(program, command->argv, command->env);
        }
        failure = errno != 0 ? errno : ECHILD;
        _exit(127);
    }
    *problem = pid < 0 ? errno : failure;
    close(null);
    return pid;
}

dc_process *dc_runner_start(dc_runner *r, const dc_command *command, char *error, size_t error_size)
{
    const char *parent = getenv("TMPDIR");
    char        program[4096];
    int         ends[2], problem;

    if (!find_program(command->argv[0], command->env, program)) {
        snprintf(error, error_size, "exec: \"%s\": %s", command->argv[0],
                 errno == ENOENT && strchr(command->argv[0], '/') == NULL ? "executable file not found in $PATH"
                 : errno == ENOENT                                        ? "no such file or directory"
                                                                          : "permission denied");
        return NULL;
    }
    dc_process *p = calloc(1, sizeof(*p));
    p->runner = r;
    p->command = *command;
    snprintf(p->dir, sizeof(p->dir), "%.40s/devcluster-XXXXXX", parent != NULL && strlen(parent) < 40 ? parent : "/tmp");
    if (mkdtemp(p->dir) == NULL || pipe2(ends, O_CLOEXEC) != 0) {
        snprintf(error, error_size, "no directory or pipe for the process: %s", strerror(errno));
        free(p);
        return NULL;
    }
    p->pid = spawn(program, command, p->dir, ends[1], &problem);
    close(ends[1]);
    p->pipe = ends[0];
    fcntl(p->pipe, F_SETFL, O_NONBLOCK);
    LIST_INSERT_HEAD(&r->all, p, all);
    r->n++;
    if (problem != 0) {
        snprintf(error, error_size, "exec %s: %s", program, strerror(problem));
        if (p->pid > 0) {
            waitpid(p->pid, NULL, 0);
        }
        free_process(p);
        return NULL;
    }
    p->readable = event_new(r->base, p->pipe, EV_READ | EV_PERSIST, on_readable, p);
    event_add(p->readable, NULL);
    return p;
}

void dc_process_kill(dc_process *p, int number)
{
    kill(-p->pid, number);
}

void dc_process_drop(dc_process *p)
{
    p->dropped = true;
    kill(-p->pid, SIGKILL);
}

size_t dc_runner_count(const dc_runner *r)
{
    return r->n;
}
