/*
 * dispatcher-template: renders a template as the controller would, for people who write JobTemplates.
 *
 * Exit status: 0 all is well, 1 the template failed, 2 wrong use (an unknown option, a file that cannot be read, a line
 * that is no case).
 */
#include <errno.h>
#include <getopt.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "template/template.h"
#include "try_manifest.h"

enum { OK = 0, TEMPLATE_FAILED = 1, WRONG_USE = 2 };

#define MAX_BYTES ((size_t) 64 << 20) /* bytes of a file, of a line, of an answer */

static const char usage[] =
    "usage: dispatcher-template [--payload TEXT|@FILE] [--name NAME] [--allow-env] [--allow-dns] FILE\n"
    "       dispatcher-template --manifest FILE [--payload TEXT|@FILE] [--name NAME] [--uid UID] [-o yaml|json]\n"
    "       dispatcher-template --functions\n"
    "       dispatcher-template --jsonl [FILE]\n"
    "\n"
    "Renders the template in FILE (- is standard input) with .Payload and .Name and writes the result.\n"
    "\n"
    "  --payload TEXT   .Payload; @FILE is the content of a file, @- of standard input\n"
    "  --name NAME      .Name, which is the JobExecution's name\n"
    "  --field TYPE     name of the template in error messages, the Go type of the field (default: string)\n"
    "  --literal        double each $ that the template's actions write, as in command, args and env[].value\n"
    "  --allow-env      the functions env and expandenv exist\n"
    "  --allow-dns      the function getHostByName exists\n"
    "  --manifest FILE  write the Jobs that the JobTemplates of a manifest (YAML or JSON, - is standard input) would\n"
    "                   make, or every error with its field\n"
    "  --uid UID        the JobExecution's uid, on which the Job's name depends\n"
    "  -o yaml|json     how Jobs are written (default: yaml)\n"
    "  --functions      list the names that a template can call\n"
    "  --jsonl          read {\"name\",\"payload\",\"template\",\"field\"} lines and write each with its \"out\" or \"err\";\n"
    "                   all functions exist, the environment is empty, the local zone is UTC\n"
    "  --version        print the version\n";

typedef struct options {
    const char *payload;
    const char *name;
    const char *field;
    const char *file;
    const char *manifest;
    const char *uid;
    const char *output;
    unsigned    policy;
    unsigned    flags;
    bool        jsonl;
    bool        functions;
} options;

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "dispatcher-template: %s: %s\n", what, why);
    return WRONG_USE;
}

static bool write_out(dsp_str s)
{
    return fwrite(s.data, 1, s.len, stdout) == s.len;
}

static int flushed(int status)
{
    return fflush(stdout) == 0 ? status : fail("standard output", strerror(errno));
}

/* --- files -------------------------------------------------------------------------------------------------------- */

static bool read_stream(FILE *f, dsp_buf *out)
{
    size_t n;

    do {
        char *room = dsp_buf_room(out, 64 * 1024);
        if (room == NULL) {
            return false;
        }
        n = fread(room, 1, 64 * 1024, f);
        out->len += n;
    } while (n > 0);
    return ferror(f) == 0;
}

/* "-" is standard input. */
static bool read_file(const char *path, dsp_buf *out)
{
    bool  std = strcmp(path, "-") == 0;
    FILE *f = std ? stdin : fopen(path, "rb");
    bool  ok;

    if (f == NULL) {
        fail(path, strerror(errno));
        return false;
    }
    ok = read_stream(f, out);
    if (!ok) {
        fail(path, out->failed ? "too large" : strerror(errno));
    }
    if (!std) {
        fclose(f);
    }
    return ok;
}

/* --- one template ------------------------------------------------------------------------------------------------- */

static int render_file(const options *o, dsp_renderer *r)
{
    dsp_buf            text, payload, out;
    dsp_template_error error;
    int                status = WRONG_USE;

    dsp_buf_init(&text, MAX_BYTES);
    dsp_buf_init(&payload, MAX_BYTES);
    dsp_buf_init(&out, MAX_BYTES);
    if (o->payload[0] != '@') {
        dsp_buf_addz(&payload, o->payload);
    }
    if ((o->payload[0] != '@' || read_file(o->payload + 1, &payload)) && read_file(o->file, &text)) {
        const dsp_template_input in = {
            .text = dsp_buf_str(&text),
            .name = dsp_str_from(o->field),
            .data_name = dsp_str_from(o->name),
            .payload = dsp_buf_str(&payload),
            .flags = o->flags,
        };
        if (dsp_render(r, &in, &out, &error)) {
            status = write_out(dsp_buf_str(&out)) ? OK : fail("standard output", strerror(errno));
        } else {
            fprintf(stderr, "%.*s\n", DSP_STR_ARG(error.message));
            status = TEMPLATE_FAILED;
        }
    }
    dsp_buf_free(&text);
    dsp_buf_free(&payload);
    dsp_buf_free(&out);
    return status;
}

/* --- the Jobs of a manifest --------------------------------------------------------------------------------------- */

static int render_manifest(const options *o)
{
    static const int exits[] = { [DSP_TRY_OK] = OK, [DSP_TRY_FAILED] = TEMPLATE_FAILED, [DSP_TRY_UNUSABLE] = WRONG_USE };
    dsp_buf          text, payload, out, errors;
    int              status = WRONG_USE;

    dsp_buf_init(&text, MAX_BYTES);
    dsp_buf_init(&payload, MAX_BYTES);
    dsp_buf_init(&out, MAX_BYTES);
    dsp_buf_init(&errors, MAX_BYTES);
    if (o->payload[0] != '@') {
        dsp_buf_addz(&payload, o->payload);
    }
    if ((o->payload[0] != '@' || read_file(o->payload + 1, &payload)) && read_file(o->manifest, &text)) {
        const dsp_try_options try = { .payload = dsp_buf_str(&payload),
                                      .name = o->name,
                                      .uid = o->uid,
                                      .yaml = strcmp(o->output, "yaml") == 0,
                                      .templates = { .policy = o->policy } };

        status = exits[dsp_try_manifest(dsp_buf_str(&text), &try, &out, &errors)];
        if (!write_out(dsp_buf_str(&out))) {
            status = fail("standard output", strerror(errno));
        }
        if (errors.len > 0 && status == WRONG_USE) {
            fprintf(stderr, "dispatcher-template: %s: ", o->manifest);
        }
        fputs(dsp_buf_cstr(&errors), stderr);
    }
    dsp_buf_free(&text);
    dsp_buf_free(&payload);
    dsp_buf_free(&out);
    dsp_buf_free(&errors);
    return status;
}

/* --- lines of cases ----------------------------------------------------------------------------------------------- */

static bool is_answer(dsp_json key)
{
    static const char *const names[] = { "out", "out_b64", "err", "err_b64", "skip" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (dsp_json_equals(key, dsp_str_from(names[i]))) {
            return true;
        }
    }
    return false;
}

static void add_answer(dsp_buf *line, const char *key, dsp_str s)
{
    char *room;

    dsp_buf_addz(line, line->len > 1 ? ", \"" : "\"");
    dsp_buf_addz(line, key);
    if (dsp_utf8_invalid_at(s) == s.len) {
        dsp_buf_addz(line, "\": ");
        dsp_json_quote(line, s);
        return;
    }
    dsp_buf_addz(line, "_b64\": \"");
    room = dsp_buf_room(line, (s.len + 2) / 3 * 4);
    if (room != NULL) {
        EVP_EncodeBlock((unsigned char *) room, (const unsigned char *) s.data, (int) s.len);
        line->len += (s.len + 2) / 3 * 4;
    }
    dsp_buf_addc(line, '"');
}

/* The case's other members, in their order. */
static void copy_members(dsp_buf *line, dsp_json object)
{
    dsp_json_iter it = dsp_json_iterate(object);
    dsp_json      key, value;

    dsp_buf_addc(line, '{');
    while (dsp_json_next(&it, &key, &value)) {
        if (is_answer(key)) {
            continue;
        }
        if (line->len > 1) {
            dsp_buf_addz(line, ", ");
        }
        dsp_buf_adds(line, key);
        dsp_buf_addz(line, ": ");
        dsp_buf_adds(line, value);
    }
}

/* A string member; absent: otherwise. false: it is something else. */
static bool member(dsp_json object, const char *name, dsp_arena *arena, dsp_str otherwise, dsp_str *out)
{
    dsp_json value = dsp_json_get(object, name);

    *out = otherwise;
    return value.data == NULL || dsp_json_string(value, arena, out);
}

static bool answer_line(dsp_renderer *r, const options *o, dsp_str text, dsp_arena *arena, dsp_buf *out, dsp_buf *line)
{
    dsp_template_input in = { .flags = o->flags };
    dsp_template_error error;
    dsp_json           object;
    bool               ok;

    dsp_arena_reset(arena);
    dsp_buf_reset(out);
    dsp_buf_reset(line);
    if (!dsp_json_parse(text, &object, NULL) || dsp_json_kind(object) != DSP_JSON_OBJECT ||
        !member(object, "name", arena, DSP_STR(""), &in.data_name) ||
        !member(object, "payload", arena, DSP_STR(""), &in.payload) ||
        !member(object, "template", arena, DSP_STR(""), &in.text) ||
        !member(object, "field", arena, dsp_str_from(o->field), &in.name)) {
        return false;
    }
    ok = dsp_render(r, &in, out, &error);
    copy_members(line, object);
    add_answer(line, ok ? "out" : "err", ok ? dsp_buf_str(out) : error.message);
    dsp_buf_addz(line, "}\n");
    return !line->failed;
}

static int answer_lines(const options *o, dsp_renderer *r, FILE *f)
{
    char     *text = NULL;
    size_t    size = 0;
    size_t    number = 0;
    ssize_t   len;
    int       status = OK;
    dsp_arena arena;
    dsp_buf   out, line;

    dsp_arena_init(&arena, MAX_BYTES);
    dsp_buf_init(&out, MAX_BYTES);
    dsp_buf_init(&line, 8 * MAX_BYTES);
    while (status == OK && (len = getline(&text, &size, f)) > 0) {
        dsp_str s = dsp_str_trim((dsp_str){ text, (size_t) len });
        number++;
        if (s.len == 0) {
            continue;
        }
        if (!answer_line(r, o, s, &arena, &out, &line)) {
            fprintf(stderr, "dispatcher-template: line %zu is not a JSON object with string members\n", number);
            status = WRONG_USE;
        } else if (!write_out(dsp_buf_str(&line))) {
            status = fail("standard output", strerror(errno));
        }
    }
    if (status == OK && !feof(f)) {
        status = fail(o->file != NULL ? o->file : "-", strerror(errno));
    }
    free(text);
    dsp_arena_free(&arena);
    dsp_buf_free(&out);
    dsp_buf_free(&line);
    return status;
}

static int jsonl(const options *o, dsp_renderer *r)
{
    FILE *f = o->file == NULL || strcmp(o->file, "-") == 0 ? stdin : fopen(o->file, "rb");
    int   status;

    if (f == NULL) {
        return fail(o->file, strerror(errno));
    }
    status = answer_lines(o, r, f);
    if (f != stdin) {
        fclose(f);
    }
    return status;
}

/* The environment of --jsonl: as that of the program whose answers it is compared with. */
static dsp_str no_env(void *context, dsp_str name)
{
    (void) context;
    return dsp_str_is(name, "TZ") ? DSP_STR("UTC") : (dsp_str){ NULL, 0 };
}

/* --- the command line --------------------------------------------------------------------------------------------- */

static int list_functions(void)
{
    dsp_template_function fn;

    for (size_t i = 0; dsp_template_function_at(i, &fn); i++) {
        puts(fn.name);
    }
    return flushed(OK);
}

static int run(const options *o)
{
    dsp_template_options template_options = { .policy = o->policy };
    dsp_renderer        *r;
    int                  status;

    if (o->manifest != NULL) {
        return flushed(render_manifest(o));
    }
    if (o->jsonl) {
        template_options.policy = DSP_TEMPLATE_ALLOW_ENV | DSP_TEMPLATE_ALLOW_DNS;
        template_options.host = (dsp_template_host){ .env = no_env, .local_zone = "UTC" };
    }
    r = dsp_renderer_new(&template_options);
    if (r == NULL) {
        return fail("start", "out of memory");
    }
    status = o->jsonl ? jsonl(o, r) : render_file(o, r);
    dsp_renderer_free(r);
    return flushed(status);
}

/* Takes one option. -1: go on; else the exit status. */
static int take_option(options *o, int c)
{
    switch (c) {
    case 'p':
        o->payload = optarg;
        break;
    case 'n':
        o->name = optarg;
        break;
    case 'f':
        o->field = optarg;
        break;
    case 'l':
        o->flags |= DSP_TEMPLATE_DOUBLE_DOLLAR;
        break;
    case 'e':
        o->policy |= DSP_TEMPLATE_ALLOW_ENV;
        break;
    case 'd':
        o->policy |= DSP_TEMPLATE_ALLOW_DNS;
        break;
    case 'm':
        o->manifest = optarg;
        break;
    case 'u':
        o->uid = optarg;
        break;
    case 'o':
        o->output = optarg;
        break;
    case 'F':
        o->functions = true;
        break;
    case 'j':
        o->jsonl = true;
        break;
    case 'v':
        puts("dispatcher-template " DSP_VERSION);
        return flushed(OK);
    case 'h':
        fputs(usage, stdout);
        return flushed(OK);
    default:
        fputs(usage, stderr);
        return WRONG_USE;
    }
    return -1;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        { "payload", required_argument, NULL, 'p' },  { "name", required_argument, NULL, 'n' },
        { "field", required_argument, NULL, 'f' },    { "literal", no_argument, NULL, 'l' },
        { "allow-env", no_argument, NULL, 'e' },      { "allow-dns", no_argument, NULL, 'd' },
        { "functions", no_argument, NULL, 'F' },      { "jsonl", no_argument, NULL, 'j' },
        { "manifest", required_argument, NULL, 'm' }, { "uid", required_argument, NULL, 'u' },
        { "output", required_argument, NULL, 'o' },   { "version", no_argument, NULL, 'v' },
        { "help", no_argument, NULL, 'h' },           { NULL, 0, NULL, 0 },
    };
    options     o = { .payload = "", .name = "", .field = "string", .uid = "", .output = "yaml" };
    const char *input;
    int         c, status;

    signal(SIGPIPE, SIG_IGN); /* a reader that has seen enough is an exit status like others */
    while ((c = getopt_long(argc, argv, "ho:", longs, NULL)) != -1) {
        if ((status = take_option(&o, c)) >= 0) {
            return status;
        }
    }
    if (o.functions && argc == 2) {
        return list_functions();
    }
    if (strcmp(o.output, "yaml") != 0 && strcmp(o.output, "json") != 0) {
        return fail("-o", "yaml or json");
    }
    if (argc - optind > (o.manifest == NULL) || (argc == optind && !o.jsonl && o.manifest == NULL) ||
        (o.jsonl && o.manifest != NULL) || o.functions) {
        fputs(usage, stderr);
        return WRONG_USE;
    }
    o.file = optind < argc ? argv[optind] : NULL;
    input = o.manifest != NULL ? o.manifest : o.file;
    if (strcmp(o.payload, "@-") == 0 && input != NULL && strcmp(input, "-") == 0) {
        return fail("-", "standard input cannot be both, the payload and the template");
    }
    return run(&o);
}
