/*
 * Go's text/template (1.26) with Sprig 3.3.0, as a library: text + data + limits in, bytes or one error out.
 *
 * The room is pure: it reads no clock, no environment and no network but through the functions that the caller hands
 * in, and every resource that a template can use up has a limit with an error of its own. Whatever the template or the
 * data are, a render ends: with output, or with an error text that is the one Go gives wherever Go gives one.
 *
 *     dsp_renderer *r = dsp_renderer_new(NULL);
 *     dsp_template_input in = { .text = text, .name = DSP_STR("string"), .data_name = n, .payload = p };
 *     if (!dsp_render(r, &in, &out, &error)) … error.message …
 *
 * The data is the original's: dot is a *template.Environment with the fields Name and Payload, and it is never parsed.
 */
#ifndef DSP_TEMPLATE_TEMPLATE_H
#define DSP_TEMPLATE_TEMPLATE_H

#include "base/buf.h"
#include "base/str.h"

/* What one rendering may use. A 0 means the default that stands behind it. */
typedef struct dsp_template_limits {
    size_t   template_bytes; /* text of a template: 256 KiB */
    size_t   output_bytes;   /* output of one rendering: 1 MiB */
    size_t   arena_bytes;    /* memory of one rendering: 64 MiB. Not in it are the output, a text that a function is just
                                writing (as much again at most), and regular expressions (a few times regex_bytes) */
    uint64_t steps;          /* nodes visited, and one per 64 bytes or per element that a function works on: 5 million */
    unsigned time_ms;        /* processor time of a batch (see dsp_renderer_begin), without slow cryptography: 2,000 ms.
                                Not the wall clock: a template must not fail because the machine is busy or slept. What
                                cannot be interrupted, as to compile a large regular expression, is done to its end */
    unsigned nesting;        /* parentheses and blocks inside one another: 1,000 */
    unsigned call_depth;     /* templates that call templates: 1,000 */
    unsigned value_depth;    /* lists and dicts inside one another, where they are printed, copied, merged: 10,000 */
    size_t   regex_bytes;    /* memory of one compiled regular expression: 8 MiB */
    unsigned cost;           /* a batch's units for slow cryptography: 64. A key pair or certificate is 16 (an RSA key of
                                4096 bits 32), a password hash or derivation 4 */
} dsp_template_limits;

/* What a template may learn about the machine. Without a flag the name does not exist: `function "env" not defined`. */
enum {
    DSP_TEMPLATE_ALLOW_ENV = 1, /* env, expandenv */
    DSP_TEMPLATE_ALLOW_DNS = 2  /* getHostByName */
};

/* Where a rendering gets what is not in its input. Each may be NULL: then the system's own. All get `context`. */
typedef struct dsp_template_host {
    void *context;

    /* Nanoseconds since 1970 by the wall clock: what `now` sees. If it is given, the limit time_ms goes by it too. */
    int64_t (*now_ns)(void *context);

    /* n random bytes of cryptographic quality; false: none to be had (an error of the template). */
    bool (*random)(void *context, void *out, size_t n);

    /* A variable's value, borrowed until the next call; {NULL, 0}: not set. Asked only under DSP_TEMPLATE_ALLOW_ENV. */
    dsp_str (*env)(void *context, dsp_str name);

    /* The addresses of a host as text into out (at most n, 46 bytes each); gives their number, 0: unknown.
     * Asked only under DSP_TEMPLATE_ALLOW_DNS. The system's own waits as long as resolv.conf says: time_ms is no bound. */
    size_t (*lookup)(void *context, dsp_str host, char (*out)[46], size_t n);

    /* Name of the zone that Go calls Local, e.g. "Europe/Vienna"; NULL: TZ, else /etc/localtime, as Go does. */
    const char *local_zone;

    /* Directory of the zone files; NULL: /usr/share/zoneinfo. */
    const char *zone_dir;
} dsp_template_host;

typedef struct dsp_template_options {
    dsp_template_limits limits;
    dsp_template_host   host;
    unsigned            policy; /* DSP_TEMPLATE_ALLOW_… */
} dsp_template_options;

/* How one text is rendered. */
enum {
    /*
     * What actions emit is data to the end: every `$` in it is doubled, while text outside of actions stays as the
     * author wrote it, but for a lone `$` right before an action that writes `(`, `$` or what is not ASCII first: it is
     * doubled too, as it would make a reference with what follows. For the fields in which kubelet expands $(VAR) and
     * halves $$ (command, args, env[].value).
     * It is done where an action writes, so functions, comparisons and lengths see the true bytes.
     */
    DSP_TEMPLATE_DOUBLE_DOLLAR = 1
};

typedef struct dsp_template_input {
    dsp_str  text;
    dsp_str  name;      /* the template's name in error texts: the Go type of the field, "string" for most */
    dsp_str  data_name; /* .Name */
    dsp_str  payload;   /* .Payload; any bytes */
    unsigned flags;     /* DSP_TEMPLATE_DOUBLE_DOLLAR */
} dsp_template_input;

enum dsp_template_failure {
    DSP_TEMPLATE_PARSE = 1, /* the text is no template */
    DSP_TEMPLATE_EXEC,      /* the template failed on this data, or said `fail` */
    DSP_TEMPLATE_LIMIT,     /* a limit of dsp_template_limits */
    DSP_TEMPLATE_MEMORY     /* the machine is out of memory: worth repeating, the others are not */
};

typedef struct dsp_template_error {
    enum dsp_template_failure kind;
    dsp_str                   message; /* Go's text where Go has one; not always UTF-8; lives until the next render */
} dsp_template_error;

/*
 * A renderer keeps up to a few megabytes for the next rendering. One thread at a time may use it; a rendering takes up to
 * 3 MiB of that thread's stack, and what libraries need on top: give it 4 MiB at least.
 * options NULL: all defaults. What options point to must live as long as the renderer. NULL: no memory.
 */
typedef struct dsp_renderer dsp_renderer;

dsp_renderer *dsp_renderer_new(const dsp_template_options *options);
void          dsp_renderer_free(dsp_renderer *r); /* NULL is fine */

/*
 * Starts a batch: the fields of one Job share its time and its cost units. Without a call every rendering is a
 * batch of its own.
 */
void dsp_renderer_begin(dsp_renderer *r);

/*
 * Parses and executes; appends the output to out. On failure out is as it was, and *error (may be NULL) says why.
 * The output limit counts this rendering only; out's own cap counts too (its refusal is a DSP_TEMPLATE_LIMIT).
 */
bool dsp_render(dsp_renderer *r, const dsp_template_input *in, dsp_buf *out, dsp_template_error *error);

/* Whether the text has an action or a comment at all; one without renders to itself. */
bool dsp_template_has_actions(dsp_str text);

/* The function table in the order of the names, for the documentation and for tests: built-ins and Sprig. */
typedef struct dsp_template_function {
    const char *name;
    bool        builtin; /* of text/template itself (Sprig's `slice` replaces the built-in one) */
    unsigned    policy;  /* the flag that it needs, or 0 */
} dsp_template_function;

/* The i-th row; false: there is none. */
bool dsp_template_function_at(size_t i, dsp_template_function *out);

#endif
