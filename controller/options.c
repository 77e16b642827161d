#include "options.h"

#include <string.h>

#include "model/name.h"

enum kind {
    BOOL,
    TEXT,
    NUMBER,
    DURATION,
    NAMESPACE,
    NAMESPACES,
    OBJECT_NAME,
    LEVEL,
    ZAP_LEVEL,
    ENCODING,
    IGNORED_TEXT,
    IGNORED_BOOL
};

/* One row is all there is about a flag: reading it, its default, its line in the help. */
typedef struct flag {
    const char *name;
    enum kind   kind;
    size_t      offset; /* in dsp_options */
    int64_t     min;    /* of a NUMBER */
    int64_t     max;
    const char *value; /* how the help calls the value */
    const char *help;  /* NULL: not shown */
} flag;

#define AT(member) offsetof(dsp_options, member)

static const flag flags[] = {
    { "metrics-bind-address", TEXT, AT(metrics_bind), 0, 0, "ADDR",
      "metrics on HOST:PORT (default :8080); port 0 takes a free one, \"0\" turns them off" },
    { "health-probe-bind-address", TEXT, AT(probe_bind), 0, 0, "ADDR",
      "/healthz and /readyz on HOST:PORT (default :8081)" },
    { "metrics-secure", BOOL, AT(metrics_secure), 0, 0, NULL, "serve the metrics over TLS" },
    { "metrics-cert-file", TEXT, AT(metrics_cert), 0, 0, "FILE", "certificate chain for --metrics-secure, PEM" },
    { "metrics-key-file", TEXT, AT(metrics_key), 0, 0, "FILE", "its private key, PEM" },
    { "kubeconfig", TEXT, AT(kubeconfig), 0, 0, "FILE",
      "default: $KUBECONFIG, the Pod's service account, ~/.kube/config" },
    { "context", TEXT, AT(context), 0, 0, "NAME", "context of the kubeconfig (default: its current one)" },
    { "namespace", NAMESPACES, AT(namespaces), 0, 0, "NAME", "watch this namespace only; may be given several times" },
    { "kube-api-qps", NUMBER, AT(qps), 0, 1000000, "N",
      "requests to the API server per second (default 0: no limit but the server's)" },
    { "max-in-flight", NUMBER, AT(max_in_flight), 1, 256, "N", "requests to the API server at a time (default 16)" },
    { "leader-elect", BOOL, AT(leader_elect), 0, 0, NULL,
      "act only while holding the Lease, so that several replicas may run" },
    { "leader-elect-namespace", NAMESPACE, AT(leader_namespace), 0, 0, "NAME",
      "namespace of the Lease (default: the Pod's)" },
    { "leader-elect-resource-name", OBJECT_NAME, AT(leader_name), 0, 0, "NAME",
      "name of the Lease (default b7a548ab.ivan.vc, the original's)" },
    { "leader-elect-lease-duration", DURATION, AT(lease_ms), 0, 0, "TIME",
      "a Lease that has not changed for so long is free (default 15s)" },
    { "leader-elect-renew-deadline", DURATION, AT(renew_ms), 0, 0, "TIME",
      "who could not renew for so long stops (default 10s)" },
    { "leader-elect-retry-period", DURATION, AT(retry_ms), 0, 0, "TIME", "between tries (default 2s)" },
    { "default-namespace", TEXT, AT(default_namespace), 0, 0, "NAME",
      "accepted for the original's manifests; it is nginx's dispatcher_default_namespace now" },
    { "log-job-execution-payloads", BOOL, AT(log_payloads), 0, 0, NULL,
      "write payloads to the log; they may hold secrets" },
    { "template-allow-env", BOOL, AT(allow_env), 0, 0, NULL,
      "let templates read this process' environment (env, expandenv)" },
    { "template-allow-dns", BOOL, AT(allow_dns), 0, 0, NULL, "let templates ask for addresses (getHostByName)" },
    { "log-level", LEVEL, AT(log_level), 0, 0, "LEVEL", "debug, info (default), warn, error" },
    { "log-format", ENCODING, AT(log_format), 0, 0, "FORMAT", "text (default) or json" },
    /* The original's logger; what has no meaning here is read and left. */
    { "zap-log-level", ZAP_LEVEL, AT(log_level), 0, 0, NULL, NULL },
    { "zap-encoder", ENCODING, AT(log_format), 0, 0, NULL, NULL },
    { "zap-devel", IGNORED_BOOL, 0, 0, 0, NULL, NULL },
    { "zap-stacktrace-level", IGNORED_TEXT, 0, 0, 0, NULL, NULL },
    { "zap-time-encoding", IGNORED_TEXT, 0, 0, 0, NULL, NULL },
    { "web-server-bind-address", IGNORED_TEXT, 0, 0, 0, NULL, NULL },
    { "help", BOOL, AT(help), 0, 0, NULL, "this text" },
    { "h", BOOL, AT(help), 0, 0, NULL, NULL },
    { "version", BOOL, AT(version), 0, 0, NULL, "the version" },
};

#define N_FLAGS (sizeof(flags) / sizeof(flags[0]))

/* As Go's strconv.ParseBool. */
static bool parse_bool(const char *text, bool *out)
{
    static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
    static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };

    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (strcmp(text, yes[i]) == 0) {
            *out = true;
            return true;
        }
        if (strcmp(text, no[i]) == 0) {
            *out = false;
            return true;
        }
    }
    return false;
}

static bool parse_word(const char *text, const char *const *words, int *out)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* One number and unit of Go's time.ParseDuration: "15s", "500ms", "1m". */
static bool parse_duration(const char *text, int64_t *ms)
{
    static const struct {
        const char *unit;
        int64_t     ms;
    } units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
    size_t   digits = strspn(text, "0123456789");
    uint64_t n;

    if (!dsp_str_u64((dsp_str){ text, digits }, &n) || n == 0 || n > 100000) {
        return false;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(text + digits, units[i].unit) == 0) {
            *ms = (int64_t) n * units[i].ms;
            return true;
        }
    }
    return false;
}

static bool add_namespace(dsp_options *out, const char *value)
{
    for (size_t i = 0; i < out->n_namespaces; i++) {
        if (strcmp(out->namespaces[i], value) == 0) {
            return true;
        }
    }
    if (out->n_namespaces == DSP_OPTIONS_NAMESPACES_MAX) {
        return false;
    }
    out->namespaces[out->n_namespaces++] = value;
    return true;
}

/* controller-runtime's words, and its verbosity: a number over 0 is more than info. */
static bool parse_zap_level(const char *text, int *out)
{
    static const char *const words[] = { "debug", "info", "warn", "error", NULL };
    uint64_t                 n;

    if (strcmp(text, "panic") == 0) {
        *out = DSP_LOG_ERROR;
    } else if (dsp_str_u64(dsp_str_from(text), &n) && n > 0) {
        *out = DSP_LOG_DEBUG;
    } else {
        return parse_word(text, words, out);
    }
    return true;
}

/* Stores one value; false: it is not one, and why may say more. */
static bool set_flag(const flag *f, const char *value, dsp_options *out, dsp_buf *why)
{
    static const char *const levels[] = { "debug", "info", "warn", "error", NULL };
    static const char *const encodings[] = { "text", "json", "console", NULL };
    void                    *at = (char *) out + f->offset;
    uint64_t                 n;
    int                      word;
    bool                     ignored;

    switch (f->kind) {
    case BOOL:
        return parse_bool(value, at);
    case TEXT:
        *(const char **) at = value;
        return true;
    case NUMBER:
        if (!dsp_str_u64(dsp_str_from(value), &n) || n > (uint64_t) f->max || (int64_t) n < f->min) {
            return false;
        }
        *(int64_t *) at = (int64_t) n;
        return true;
    case DURATION:
        return parse_duration(value, at);
    case NAMESPACES:
        return dsp_name_is_label(dsp_str_from(value), why) && add_namespace(out, value);
    case NAMESPACE:
    case OBJECT_NAME:
        *(const char **) at = value;
        return f->kind == NAMESPACE ? dsp_name_is_label(dsp_str_from(value), why)
                                    : dsp_name_is_subdomain(dsp_str_from(value), why);
    case LEVEL:
    case ZAP_LEVEL:
        if (f->kind == LEVEL ? !parse_word(value, levels, &word) : !parse_zap_level(value, &word)) {
            return false;
        }
        *(enum dsp_log_level *) at = (enum dsp_log_level) word;
        return true;
    case ENCODING:
        if (!parse_word(value, encodings, &word)) {
            return false;
        }
        *(enum dsp_log_format *) at = word == 1 ? DSP_LOG_JSON : DSP_LOG_TEXT;
        return true;
    case IGNORED_TEXT:
        return true;
    case IGNORED_BOOL:
        return parse_bool(value, &ignored);
    }
    return false;
}

/* What a flag takes, where its name's reason did not say it. */
static void add_wanted(const flag *f, dsp_buf *error)
{
    switch (f->kind) {
    case BOOL:
    case IGNORED_BOOL:
        dsp_buf_addz(error, "true or false is wanted");
        return;
    case NUMBER:
        dsp_buf_addf(error, "a number from %lld to %lld is wanted", (long long) f->min, (long long) f->max);
        return;
    case DURATION:
        dsp_buf_addz(error, "a time such as 15s, 500ms or 1m is wanted");
        return;
    case NAMESPACES:
        dsp_buf_addf(error, "no more than %d are taken", DSP_OPTIONS_NAMESPACES_MAX);
        return;
    case LEVEL:
    case ZAP_LEVEL:
        dsp_buf_addz(error, "debug, info, warn or error is wanted");
        return;
    default:
        dsp_buf_addz(error, "text or json is wanted");
    }
}

static const flag *find_flag(const char *name, size_t len)
{
    for (size_t i = 0; i < N_FLAGS; i++) {
        if (strlen(flags[i].name) == len && memcmp(flags[i].name, name, len) == 0) {
            return &flags[i];
        }
    }
    return NULL;
}

static bool store_value(const flag *f, const char *value, dsp_options *out, dsp_buf *error)
{
    dsp_buf why;

    dsp_buf_init(&why, 1024);
    bool ok = set_flag(f, value, out, &why);
    if (!ok) {
        dsp_buf_addf(error, "invalid value \"%s\" for flag --%s: ", value, f->name);
        if (why.len > 0) {
            dsp_buf_adds(error, dsp_buf_str(&why));
        } else {
            add_wanted(f, error);
        }
    }
    dsp_buf_free(&why);
    return ok;
}

/* Reads the flag argv[*i] and moves *i over what it takes. */
static bool parse_one(int argc, const char *const *argv, int *i, dsp_options *out, dsp_buf *error)
{
    const char *name = argv[*i] + 1;

    if (*name == '-') {
        name++;
    }
    size_t      len = strcspn(name, "=");
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    const flag *f = find_flag(name, len);

    if (f == NULL) {
        dsp_buf_addf(error, "flag provided but not defined: %s (see --help)", argv[*i]);
        return false;
    }
    if (value == NULL) {
        if (f->kind == BOOL || f->kind == IGNORED_BOOL) {
            value = "true";
        } else if (*i + 1 < argc) {
            value = argv[++*i];
        } else {
            dsp_buf_addf(error, "flag needs an argument: --%s", f->name);
            return false;
        }
    }
    return store_value(f, value, out, error);
}

static bool check(const dsp_options *o, dsp_buf *error)
{
    if (o->metrics_secure && (o->metrics_cert == NULL || o->metrics_key == NULL)) {
        dsp_buf_addz(error, "--metrics-secure needs --metrics-cert-file and --metrics-key-file");
        return false;
    }
    return true;
}

bool dsp_options_parse(int argc, const char *const *argv, dsp_options *out, dsp_buf *error)
{
    *out = (dsp_options){ .metrics_bind = ":8080",
                          .probe_bind = ":8081",
                          .max_in_flight = 16,
                          .leader_name = "b7a548ab.ivan.vc",
                          .default_namespace = "default",
                          .log_level = DSP_LOG_INFO };
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0') {
            dsp_buf_addf(error, "unexpected argument: %s (see --help)", argv[i]);
            return false;
        }
        if (strcmp(argv[i], "--") == 0) {
            if (i + 1 < argc) {
                dsp_buf_addf(error, "unexpected argument: %s (see --help)", argv[i + 1]);
                return false;
            }
            break;
        }
        if (!parse_one(argc, argv, &i, out, error)) {
            return false;
        }
        if (out->help || out->version) {
            return true;
        }
    }
    return check(out, error);
}

void dsp_options_help(FILE *out)
{
    fputs("Usage: dispatcher-controller [flags]\n\nTurns JobExecutions into Jobs and writes what became of them on the "
          "JobExecutions.\n\n",
          out);
    for (size_t i = 0; i < N_FLAGS; i++) {
        char left[64];

        if (flags[i].help != NULL) {
            snprintf(left, sizeof(left), "--%s%s%s", flags[i].name, flags[i].value != NULL ? " " : "",
                     flags[i].value != NULL ? flags[i].value : "");
            fprintf(out, "  %-36s %s\n", left, flags[i].help);
        }
    }
}
