/*
 * A plain client of an API server over HTTP/1.1 on loopback, for t/bench/controller: it makes JobExecutions and sees when what happens to them.
 *
 *     load HOST:PORT floor N CONNECTIONS    N times the writes of one execution, by itself: what this server can do at all
 *     load HOST:PORT burst N CONNECTIONS    N JobExecutions as fast as they are taken; until the last one has ended
 *     load HOST:PORT rate N PER_SECOND      N JobExecutions at a steady pace, with the delays that a watcher sees
 *     load HOST:PORT seed N CONNECTIONS     N finished JobExecutions with their finished Jobs, made directly
 *
 * The JobTemplate "bench" must be there. One line of key=value comes out; times are milliseconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"

#define MAX_CONNECTIONS 64
#define GROUP           "/apis/dispatcher.ivan.vc/v1beta1/namespaces/default/jobexecutions"
#define JOBS            "/apis/batch/v1/namespaces/default/jobs"

static struct sockaddr_in server;
static char               run_id[24];

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec * 1000 + (double) t.tv_nsec / 1e6;
}

static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* --- one connection ----------------------------------------------------------------------------------------------- */

typedef struct connection {
    int     fd;
    bool    busy;
    size_t  n;     /* which execution it works on */
    int     step;  /* which of its writes */
    dsp_buf in;    /* what came of the answer */
    dsp_buf out;
    size_t  sent;
} connection;

static int connect_server(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    if (fd < 0 || connect(fd, (struct sockaddr *) &server, sizeof(server)) != 0) {
        die("connect");
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void open_connection(connection *c)
{
    memset(c, 0, sizeof(*c));
    c->fd = connect_server();
    dsp_buf_init(&c->in, 16 << 20);
    dsp_buf_init(&c->out, 16 << 20);
}

static void flush(connection *c)
{
    while (c->sent < c->out.len) {
        ssize_t n = write(c->fd, c->out.data + c->sent, c->out.len - c->sent);

        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n <= 0) {
            die("write");
        }
        c->sent += (size_t) n;
    }
}

static void ask(connection *c, const char *method, const char *path, const char *type, const char *body)
{
    dsp_buf_reset(&c->out);
    dsp_buf_reset(&c->in);
    c->sent = 0;
    c->busy = true;
    /* a watch as HTTP/1.0 is bare lines: proxies cut chunks where they like, within lines too */
    dsp_buf_addf(&c->out, "%s %s HTTP/1.%d\r\nHost: localhost\r\nUser-Agent: bench\r\n", method, path,
                 strstr(path, "&watch=1") == NULL);
    if (body != NULL) {
        dsp_buf_addf(&c->out, "Content-Type: %s\r\nContent-Length: %zu\r\n", type, strlen(body));
    }
    dsp_buf_addf(&c->out, "\r\n%s", body != NULL ? body : "");
    flush(c);
}

/* Reads what is there. false: the server closed. */
static bool fill(connection *c)
{
    for (;;) {
        char   *room = dsp_buf_room(&c->in, 65536);
        ssize_t n = room != NULL ? read(c->fd, room, 65536) : -1;

        if (n > 0) {
            c->in.len += (size_t) n;
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return true;
        }
        return false;
    }
}

/* Whether a whole answer is there; its status and body. */
static bool answered(connection *c, int *status, dsp_str *body)
{
    static const char length[] = "\r\nContent-Length:";
    const char       *head, *value;
    size_t            head_len, body_len = 0;

    if (c->in.len == 0) {
        return false;
    }
    c->in.data[c->in.len] = '\0';
    head = strstr(c->in.data, "\r\n\r\n");
    if (head == NULL) {
        return false;
    }
    head_len = (size_t) (head - c->in.data) + 4;
    *status = atoi(c->in.data + 9);
    value = strcasestr(c->in.data, length);
    if (value != NULL && value < head) {
        body_len = (size_t) atol(value + sizeof(length) - 1);
        *body = (dsp_str){ c->in.data + head_len, body_len };
        return c->in.len >= head_len + body_len;
    }
    /* chunked, as a proxy may answer: the end is enough for us */
    *body = dsp_str_sub(dsp_buf_str(&c->in), head_len, c->in.len);
    return dsp_str_has_suffix(*body, DSP_STR("0\r\n\r\n"));
}

/* --- the writes of one execution ---------------------------------------------------------------------------------- */

static char *uids; /* of the JobExecutions, 40 bytes each */
static char *rvs;  /* their resourceVersions, 24 bytes each */
static char *job_uids; /* 40 bytes each */

static void remember(size_t n, dsp_str body)
{
    const char *uid = memmem(body.data, body.len, "\"uid\":\"", 7), *rv = memmem(body.data, body.len, "\"resourceVersion\":\"", 19);

    if (uids != NULL && uid != NULL && rv != NULL) {
        snprintf(uids + n * 40, 40, "%.36s", uid + 7);
        snprintf(rvs + n * 24, 24, "%.*s", (int) strspn(rv + 19, "0123456789"), rv + 19);
    }
}

static void remember_job(size_t n, dsp_str body)
{
    dsp_json value;

    if (dsp_json_parse(body, &value, NULL)) {
        dsp_json uid = dsp_json_path(value, "metadata", "uid", NULL);

        snprintf(job_uids + n * 40, 40, "%.*s", (int) uid.len - 2, uid.data + 1);
    }
}

static void post_execution(connection *c, size_t n)
{
    char body[512];

    snprintf(body, sizeof(body),
             "{\"apiVersion\":\"dispatcher.ivan.vc/v1beta1\",\"kind\":\"JobExecution\",\"metadata\":{\"name\":\"b%s-%zu\"},"
             "\"spec\":{\"jobTemplateName\":\"bench\",\"payload\":\"payload of %zu\"}}",
             run_id, n, n);
    ask(c, "POST", GROUP, "application/json", body);
}

static void post_job(connection *c, size_t n, const char *more)
{
    char body[1536];

    snprintf(body, sizeof(body),
             "{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"metadata\":{\"name\":\"b%s-%zu\",\"labels\":{\"controller-uid\":\"%s\","
             "\"job-execution-name\":\"b%s-%zu\"},\"ownerReferences\":[{\"apiVersion\":\"dispatcher.ivan.vc/v1beta1\",\"kind\":\"JobExecution\","
             "\"name\":\"b%s-%zu\",\"uid\":\"%s\",\"controller\":true,\"blockOwnerDeletion\":true}]},\"spec\":{%s\"backoffLimit\":0,"
             "\"template\":{\"spec\":{\"containers\":[{\"name\":\"main\",\"image\":\"busybox\",\"command\":[\"true\",\"payload of %zu\"]}],"
             "\"restartPolicy\":\"Never\"}}}}",
             run_id, n, uids + n * 40, run_id, n, run_id, n, uids + n * 40, more, n);
    ask(c, "POST", JOBS "?fieldManager=bench", "application/json", body);
}

static void patch_status(connection *c, size_t n, bool end)
{
    char path[256], body[1536];

    snprintf(path, sizeof(path), GROUP "/b%s-%zu/status?fieldManager=bench", run_id, n);
    snprintf(body, sizeof(body),
             "{\"metadata\":{\"resourceVersion\":\"%s\"},\"status\":{\"conditions\":[{\"type\":\"Waiting\",\"status\":\"False\",\"reason\":"
             "\"JobRunning\",\"message\":\"Job has started\",\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"},{\"type\":\"%s\",\"status\":"
             "\"True\",\"reason\":\"JobSucceeded\",\"message\":\"\",\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"}],\"job\":{\"apiVersion\":"
             "\"batch/v1\",\"kind\":\"Job\",\"namespace\":\"default\",\"name\":\"b%s-%zu\",\"uid\":\"%s\"},\"startTime\":"
             "\"2026-01-01T00:00:00Z\",\"attempts\":1,\"state\":\"%s\",\"reason\":\"x\"}}",
             rvs + n * 24, end ? "Succeeded" : "Running", run_id, n, job_uids + n * 40, end ? "Succeeded" : "Running");
    ask(c, "PATCH", path, "application/merge-patch+json", body);
}

static void finish_job(connection *c, size_t n)
{
    char path[256];

    snprintf(path, sizeof(path), JOBS "/b%s-%zu/status", run_id, n);
    ask(c, "PATCH", path, "application/merge-patch+json",
        "{\"status\":{\"startTime\":\"2026-01-01T00:00:00Z\",\"completionTime\":\"2026-01-01T00:00:01Z\",\"succeeded\":1,"
        "\"conditions\":[{\"type\":\"Complete\",\"status\":\"True\"}]}}");
}

enum mode { FLOOR, BURST, RATE, SEED };

/* The next write of the execution that c works on; false: that was the last. */
static bool next_write(connection *c, enum mode mode)
{
    switch (c->step++) {
    case 0:
        post_execution(c, c->n);
        return true;
    case 1:
        if (mode == BURST || mode == RATE) {
            return false;
        }
        post_job(c, c->n, mode == SEED ? "\"suspend\":true," : "");
        return true;
    case 2:
        if (mode == SEED) {
            finish_job(c, c->n);
        } else {
            patch_status(c, c->n, false);
        }
        return true;
    case 3:
        patch_status(c, c->n, true);
        return true;
    default:
        return false;
    }
}

/* --- what a watcher sees ------------------------------------------------------------------------------------------ */

static double *added, *job_added, *job_ended, *ended;
static size_t  n_all, n_ended;

static long index_of(dsp_str line, const char *key)
{
    char        want[64];
    int         len = snprintf(want, sizeof(want), "%s%s-", key, run_id);
    const char *at = memmem(line.data, line.len, want, (size_t) len);
    long        n = at != NULL ? atol(at + len) : -1;

    return n >= 0 && (size_t) n < n_all ? n : -1;
}

static bool has(dsp_str line, const char *what)
{
    return memmem(line.data, line.len, what, strlen(what)) != NULL;
}

static void saw_execution(dsp_str line, double at)
{
    long n = index_of(line, "\"name\":\"b");

    if (n < 0) {
        return;
    }
    if (added[n] == 0) {
        added[n] = at;
    }
    if (ended[n] == 0 && has(line, "\"type\":\"Succeeded\"")) {
        ended[n] = at;
        n_ended++;
    }
}

static void saw_job(dsp_str line, double at)
{
    long n = index_of(line, "\"job-execution-name\":\"b");

    if (n < 0) {
        return;
    }
    if (job_added[n] == 0) {
        job_added[n] = at;
    }
    if (job_ended[n] == 0 && has(line, "\"type\":\"Complete\"")) {
        job_ended[n] = at;
    }
}

/* Whole lines of a watch; the head's lines have no braces. */
static void read_watch(connection *c, void (*saw)(dsp_str, double))
{
    double      at = now_ms();
    const char *line, *end;
    size_t      done = 0;

    if (!fill(c)) {
        die("watch");
    }
    while ((line = c->in.data + done) != NULL && (end = memchr(line, '\n', c->in.len - done)) != NULL) {
        if (line[0] == '{') {
            saw((dsp_str){ line, (size_t) (end - line) }, at);
        }
        done = (size_t) (end - c->in.data) + 1;
    }
    dsp_buf_drop(&c->in, done);
}

/* --- the run ------------------------------------------------------------------------------------------------------ */

static connection pool[MAX_CONNECTIONS + 2];

static int compare(const void *a, const void *b)
{
    double d = *(const double *) a - *(const double *) b;

    return d < 0 ? -1 : d > 0;
}

static void print_delays(const char *name, const double *from, const double *to)
{
    double *d = malloc(n_all * sizeof(*d));
    size_t  n = 0;

    for (size_t i = 0; i < n_all; i++) {
        if (from[i] != 0 && to[i] != 0) {
            d[n++] = to[i] - from[i];
        }
    }
    qsort(d, n, sizeof(*d), compare);
    if (n > 0) {
        printf(" %s_n=%zu %s_p50=%.2f %s_p99=%.2f %s_max=%.2f", name, n, name, d[n / 2], name, d[n * 99 / 100], name, d[n - 1]);
    }
    free(d);
}

static void on_answer(connection *c, enum mode mode, size_t *done)
{
    int     status = 0;
    dsp_str body;

    if (!fill(c)) {
        die("the server closed");
    }
    while (c->busy && answered(c, &status, &body)) {
        if (status >= 300) {
            fprintf(stderr, "load: status %d: %.*s\n", status, (int) (body.len < 500 ? body.len : 500), body.data);
            exit(1);
        }
        if (c->step != 2 && !(mode == SEED && c->step == 3)) { /* answers of JobExecutions */
            remember(c->n, body);
        } else if (c->step == 2 && mode != BURST && mode != RATE) {
            remember_job(c->n, body);
        }
        c->busy = false;
        if (!next_write(c, mode)) {
            (*done)++;
        }
    }
}

static void run(enum mode mode, size_t n, size_t connections, double per_second)
{
    struct pollfd fds[MAX_CONNECTIONS + 2];
    size_t        started = 0, done = 0;
    bool          watching = mode == BURST || mode == RATE;
    double        start = now_ms();

    while (done < n || (watching && n_ended < n)) {
        double wait = 1000;

        for (size_t i = 0; i < connections && started < n; i++) {
            double due = per_second > 0 ? start + (double) started * 1000 / per_second : 0;

            if (due > now_ms()) {
                wait = due - now_ms() < wait ? due - now_ms() : wait;
                break;
            }
            if (!pool[i].busy) {
                pool[i].n = started++;
                pool[i].step = 0;
                next_write(&pool[i], mode);
            }
        }
        for (size_t i = 0; i < connections + (watching ? 2 : 0); i++) {
            fds[i] = (struct pollfd){ .fd = pool[i].fd, .events = POLLIN };
            if (pool[i].sent < pool[i].out.len) {
                fds[i].events |= POLLOUT;
            }
        }
        if (now_ms() - start > 1800000) {
            fprintf(stderr, "load: %zu of %zu ended after half an hour\n", n_ended, n);
            exit(1);
        }
        poll(fds, connections + (watching ? 2 : 0), (int) wait + (wait > 1 ? 0 : 1));
        for (size_t i = 0; i < connections + (watching ? 2 : 0); i++) {
            if (fds[i].revents & POLLOUT) {
                flush(&pool[i]);
            }
            if (!(fds[i].revents & (POLLIN | POLLHUP | POLLERR))) {
                continue;
            }
            if (i >= connections) {
                read_watch(&pool[i], i == connections ? saw_execution : saw_job);
            } else {
                on_answer(&pool[i], mode, &done);
            }
        }
    }
    double took = now_ms() - start;
    printf("n=%zu seconds=%.3f per_second=%.1f", n, took / 1000, (double) n * 1000 / took);
    if (watching) {
        print_delays("create", added, job_added);
        print_delays("status", job_ended, ended);
        print_delays("whole", added, ended);
    }
    printf("\n");
}

static void open_watch(connection *c, const char *path, size_t size)
{
    char list[300];
    int  status;

    dsp_str body;
    open_connection(c);
    ask(c, "GET", path, NULL, NULL);
    do {
        poll(&(struct pollfd){ .fd = c->fd, .events = POLLIN }, 1, 1000);
        fill(c);
    } while (!answered(c, &status, &body) || status != 200);
    dsp_json value;
    dsp_str  rv = DSP_STR("0");
    if (dsp_json_parse(body, &value, NULL)) {
        rv = dsp_json_path(value, "metadata", "resourceVersion", NULL);
    }
    snprintf(list, sizeof(list), "%s&watch=1&resourceVersion=%.*s", path, (int) rv.len - 2, rv.data + 1);
    (void) size;
    ask(c, "GET", list, NULL, NULL);
    c->busy = false;
}

int main(int argc, char **argv)
{
    static const char *const modes[] = { "floor", "burst", "rate", "seed" };
    enum mode                mode = SEED;
    char                     host[64];
    double                   last;

    if (argc != 5 || sscanf(argv[1], "%63[^:]:", host) != 1) {
        fprintf(stderr, "usage: load HOST:PORT floor|burst|rate|seed N CONNECTIONS|PER_SECOND\n");
        return 2;
    }
    for (int i = 0; i < 4; i++) {
        if (strcmp(argv[2], modes[i]) == 0) {
            mode = (enum mode) i;
        }
    }
    server.sin_family = AF_INET;
    inet_pton(AF_INET, host, &server.sin_addr);
    server.sin_port = htons((uint16_t) atoi(strchr(argv[1], ':') + 1));
    snprintf(run_id, sizeof(run_id), "%c%lx", argv[2][0], (unsigned long) (now_ms() * 10) & 0xffffffff);
    n_all = (size_t) atol(argv[3]);
    last = atof(argv[4]);
    uids = calloc(n_all, 40);
    rvs = calloc(n_all, 24);
    job_uids = calloc(n_all, 40);
    added = calloc(n_all, sizeof(double));
    job_added = calloc(n_all, sizeof(double));
    job_ended = calloc(n_all, sizeof(double));
    ended = calloc(n_all, sizeof(double));
    size_t connections = mode == RATE ? 8 : last > MAX_CONNECTIONS ? MAX_CONNECTIONS : (size_t) last;
    for (size_t i = 0; i < connections; i++) {
        open_connection(&pool[i]);
    }
    if (mode == BURST || mode == RATE) {
        open_watch(&pool[connections], GROUP "?limit=1", 0);
        open_watch(&pool[connections + 1], JOBS "?limit=1", 0);
    }
    run(mode, n_all, connections, mode == RATE ? last : 0);
    return 0;
}
