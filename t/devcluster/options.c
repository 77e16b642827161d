#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

static const char usage[] =
    "usage: devcluster [options]\n"
    "An embedded stand-in for a Kubernetes API server, for demos and tests. It keeps objects in memory, runs Jobs as\n"
    "local processes of this user, listens on loopback only, and replaces no production cluster.\n"
    "\n"
    "  --listen [HOST:]PORT      loopback address and port; port 0, the default, takes a free one\n"
    "  --control [HOST:]PORT     the control URL of tests (see t/devcluster/README.md); default: a free port\n"
    "  --tls                     serve HTTPS with a certificate made at the start\n"
    "  --token TOKEN             demand this bearer token; default: anybody\n"
    "  --kubeconfig-out FILE     write a kubeconfig when ready\n"
    "  --data DIR                keep the objects in DIR over a restart\n"
    "  --namespaces A,B          make these namespaces besides default and kube-system\n"
    "  --no-watchlist            refuse sendInitialEvents, as servers before 1.34 do\n"
    "  --job-backoff MS          delay before the first retry of a failed pod; doubles (default 100)\n"
    "  --job-backoff-max MS      the longest such delay (default 10000)\n"
    "  --max-pods N              processes at the same time (default 110)\n"
    "  --no-pods                 run nothing: pods stay Pending\n"
    "  --no-jobs                 leave Jobs alone: no pods, no status\n"
    "  --gc-delay MS             from the end of an owner to the deletion of its dependents (default 0)\n"
    "  --bookmark-interval MS    between bookmarks of a watch (default 60000)\n"
    "  --history N               past events kept per kind, for watches (default 10000)\n"
    "  --log-max BYTES           kept of a pod's log (default 1048576)\n"
    "  --request-log N           requests remembered for the control URL (default 1000)\n"
    "  --quiet                   print nothing but errors\n"
    "  --help, --version\n";

enum { LISTEN = 256, CONTROL, TLS, TOKEN, KUBECONFIG, DATA, NAMESPACES, NO_WATCHLIST, BACKOFF, BACKOFF_MAX, MAX_PODS,
       NO_PODS, NO_JOBS, GC_DELAY, BOOKMARK, HISTORY, LOG_MAX, REQUEST_LOG, QUIET, HELP, VERSION };

static const struct option known[] = {
    { "listen", 1, NULL, LISTEN },
    { "control", 1, NULL, CONTROL },
    { "tls", 0, NULL, TLS },
    { "token", 1, NULL, TOKEN },
    { "kubeconfig-out", 1, NULL, KUBECONFIG },
    { "data", 1, NULL, DATA },
    { "namespaces", 1, NULL, NAMESPACES },
    { "no-watchlist", 0, NULL, NO_WATCHLIST },
    { "job-backoff", 1, NULL, BACKOFF },
    { "job-backoff-max", 1, NULL, BACKOFF_MAX },
    { "max-pods", 1, NULL, MAX_PODS },
    { "no-pods", 0, NULL, NO_PODS },
    { "no-jobs", 0, NULL, NO_JOBS },
    { "gc-delay", 1, NULL, GC_DELAY },
    { "bookmark-interval", 1, NULL, BOOKMARK },
    { "history", 1, NULL, HISTORY },
    { "log-max", 1, NULL, LOG_MAX },
    { "request-log", 1, NULL, REQUEST_LOG },
    { "quiet", 0, NULL, QUIET },
    { "help", 0, NULL, HELP },
    { "version", 0, NULL, VERSION },
    { 0 },
};

static bool loopback(const char *host)
{
    struct in_addr  v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, host, &v4) == 1) {
        return ntohl(v4.s_addr) >> 24 == 127;
    }
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool read_number(const char *text, long long min, long long max, long long *out)
{
    char *end;

    *out = strtoll(text, &end, 10);
    return *text != '\0' && *end == '\0' && *out >= min && *out <= max;
}

/* "PORT", "HOST:PORT", "[::1]:PORT" */
static bool read_address(const char *text, char host[64], int *port, char *error, size_t error_size)
{
    const char *colon = strrchr(text, ':');
    const char *digits = colon != NULL ? colon + 1 : text;
    long long   number;

    snprintf(host, 64, "127.0.0.1");
    if (colon != NULL && colon > text) {
        bool   brackets = text[0] == '[' && colon[-1] == ']';
        size_t len = (size_t) (colon - text) - (brackets ? 2 : 0);
        snprintf(host, 64, "%.*s", (int) len, text + (brackets ? 1 : 0));
    }
    if (strcmp(host, "localhost") == 0) {
        snprintf(host, 64, "127.0.0.1");
    }
    if (!read_number(digits, 0, 65535, &number)) {
        snprintf(error, error_size, "\"%s\" is no address: HOST:PORT with a port of 0 to 65535 is wanted", text);
        return false;
    }
    if (!loopback(host)) {
        snprintf(error, error_size,
                 "refusing to listen on \"%s\": devcluster runs what it is told as local processes, so it listens on "
                 "loopback addresses only (127.0.0.1, ::1)", host);
        return false;
    }
    *port = (int) number;
    return true;
}

static void defaults(dc_options *o)
{
    memset(o, 0, sizeof(*o));
    snprintf(o->host, sizeof(o->host), "127.0.0.1");
    snprintf(o->control_host, sizeof(o->control_host), "127.0.0.1");
    o->watch_list = true;
    o->job_backoff_ms = 100;
    o->job_backoff_max_ms = 10000;
    o->bookmark_ms = 60000;
    o->max_pods = 110; /* as kubelet's --max-pods */
    o->history = 10000;
    o->log_max = 1 << 20;
    o->request_log = 1000;
}

/* The options that are numbers. false: not one of them, or bad. */
static bool read_counted(dc_options *o, int which, const char *text, char *error, size_t error_size)
{
    long long n;

    if (!read_number(text, which == HISTORY || which == BOOKMARK || which == MAX_PODS ? 1 : 0, 1LL << 40, &n)) {
        snprintf(error, error_size, "\"%s\" is not a number that makes sense here", text);
        return false;
    }
    switch (which) {
    case BACKOFF:
        o->job_backoff_ms = (int) n;
        return true;
    case BACKOFF_MAX:
        o->job_backoff_max_ms = (int) n;
        return true;
    case GC_DELAY:
        o->gc_delay_ms = (int) n;
        return true;
    case MAX_PODS:
        o->max_pods = (size_t) n;
        return true;
    case BOOKMARK:
        o->bookmark_ms = (int) n;
        return true;
    case HISTORY:
        o->history = (size_t) n;
        return true;
    case LOG_MAX:
        o->log_max = (size_t) n;
        return true;
    default:
        o->request_log = (size_t) n;
        return true;
    }
}

static bool read_one(dc_options *o, int which, const char *text, char *error, size_t error_size)
{
    switch (which) {
    case LISTEN:
        return read_address(text, o->host, &o->port, error, error_size);
    case CONTROL:
        return read_address(text, o->control_host, &o->control_port, error, error_size);
    case TLS:
        o->tls = true;
        return true;
    case TOKEN:
        o->token = text;
        return true;
    case KUBECONFIG:
        o->kubeconfig_out = text;
        return true;
    case DATA:
        o->data = text;
        return true;
    case NAMESPACES:
        o->namespace_list = text;
        return true;
    case NO_WATCHLIST:
        o->watch_list = false;
        return true;
    case NO_PODS:
        o->no_pods = true;
        return true;
    case NO_JOBS:
        o->no_jobs = true;
        return true;
    case QUIET:
        o->quiet = true;
        return true;
    default:
        return read_counted(o, which, text, error, error_size);
    }
}

enum dc_options_result dc_options_read(dc_options *o, int argc, char **argv, char *error, size_t error_size)
{
    int which;

    defaults(o);
    error[0] = '\0';
    optind = 0;
    opterr = 0;
    while ((which = getopt_long(argc, argv, ":", known, NULL)) != -1) {
        if (which == HELP || which == VERSION) {
            printf("%s", which == HELP ? usage : "devcluster " DSP_VERSION "\n");
            return DC_OPTIONS_DONE;
        }
        if (which == '?' || which == ':') {
            snprintf(error, error_size, which == ':' ? "%s wants a value" : "%s is not an option (try --help)",
                     argv[optind - 1]);
            return DC_OPTIONS_BAD;
        }
        if (!read_one(o, which, optarg, error, error_size)) {
            return DC_OPTIONS_BAD;
        }
    }
    if (optind < argc) {
        snprintf(error, error_size, "\"%s\" is not an option (try --help)", argv[optind]);
        return DC_OPTIONS_BAD;
    }
    return DC_OPTIONS_RUN;
}
