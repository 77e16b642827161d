/*
 * A function that templates can call: its row in the table, its body, and what a body may use.
 *
 * The table (functions.c) is ONE array sorted bytewise by name (a unit test holds it sorted and free of doubles), with
 * the built-ins in it. It drives lookup, arity and type errors, the policy, --functions and the documentation. Bodies
 * live in a file per group (fn_string.c, fn_list.c, …), whose header (fn_string.h, …) declares nothing but bodies:
 *
 *     GT_BODY(gt_fn_trunc);                                        in fn_string.h
 *
 *     GT_BODY(gt_fn_trunc)                                         in fn_string.c
 *     {
 *         int64_t n = args[0].i;
 *         dsp_str s = args[1].s;
 *         …
 *         *out = gt_string(s);
 *         return true;
 *     }
 *
 *     { "trunc", gt_fn_trunc, 0, GT_PARAMS(GT_INT, GT_STRING), 0, GT_STRING, 1, 0 },         in functions.c
 *
 * A row is added when its body is: a name without a body is "not defined", never a stub.
 *
 * What a body can rely on. The executor has checked the number of arguments and converted each to the parameter's
 * type, so args[1].s above is a string. Parameters of type GT_ANY hold any value, without flags; nil is gt_is_nil().
 * A list, map or pointer parameter may be a typed nil (NULL). For a variadic function n tells how many there are.
 * GT_VALUE parameters (built-ins of text/template only) come as they are, with flags.
 *
 * What a body gives. true and *out, of the row's result type (any type where the row says GT_ANY; a GT_ANY body that
 * has nothing to give sets gt_nil()). Or false after gt_fail() and its like; *out is not looked at. The executor adds
 * `template: …: error calling NAME: ` to the text, also for what is a panic in Go. A false from any function that takes
 * the context is handed on as it is: it has set the error.
 *
 * Twins (first/mustFirst, fromJson/mustFromJson) share a body; the row's `mode` tells them apart: c->fn->mode.
 *
 * Memory: gt_alloc() and the constructors of value.h; never malloc() unless it is freed before the body returns.
 * Time: a body whose work grows with its input calls gt_charge(c, elements or bytes / 64) before it works, and what it
 * allocates is capped by the arena; sizes from arguments are multiplied with care (gt_alloc_n).
 * Recursion over values asks gt_deeper() first.
 */
#ifndef DSP_TEMPLATE_FUNCTION_H
#define DSP_TEMPLATE_FUNCTION_H

#include <stdarg.h>

#include "template.h"
#include "value.h"

struct gt_ctx;
struct gt_function;

#define GT_BODY(name) bool name(struct gt_ctx *c, const gt_value *args, size_t n, gt_value *out)

typedef bool (*gt_body)(struct gt_ctx *c, const gt_value *args, size_t n, gt_value *out);

/* Row flags. */
enum {
    GT_F_VARIADIC = 1,  /* the last parameter type is that of each further argument, of which there may be none */
    GT_F_BUILTIN = 2,   /* of text/template itself */
    GT_F_RANDOM = 4,    /* its result differs from call to call */
    GT_F_CLOCK = 8,     /* … or depends on the clock */
    GT_F_ENV = 16,      /* exists only under DSP_TEMPLATE_ALLOW_ENV */
    GT_F_NET = 32,      /* exists only under DSP_TEMPLATE_ALLOW_DNS */
    GT_F_AND_OR = 64,   /* `and` (mode 0) and `or` (mode 1): the executor's own, without a body */
    GT_F_CALL = 128     /* `call`: likewise */
};

/* Modes that twins use; a group may have more of its own, from 8 on. */
enum {
    GT_MODE_PLAIN = 0,
    GT_MODE_MUST = 1
};

#define GT_MAX_PARAMS   7
#define GT_PARAMS(...)  { __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })
#define GT_NO_PARAMS    { 0 }, 0

typedef struct gt_function {
    const char *name;
    gt_body     body;
    uint8_t     mode;
    uint8_t     params[GT_MAX_PARAMS]; /* enum gt_type; GT_PARAMS(…) or GT_NO_PARAMS fills these two */
    uint8_t     n_params;              /* of a variadic one: the last is the repeated type */
    uint8_t     flags;                 /* GT_F_… */
    uint8_t     result;                /* enum gt_type, GT_ANY or GT_VALUE */
    uint16_t    steps;                 /* charged per call, 1 for the small ones */
    uint16_t    cost;                  /* units for slow cryptography (dsp_template_limits.cost), 0 for nearly all */
} gt_function;

/* The table. */
extern const gt_function gt_functions[];
extern const size_t      gt_n_functions;

/* The row of that name which the policy allows, or NULL. */
const gt_function *gt_function_find(dsp_str name, unsigned policy);

/*
 * Methods. A type that has some (time.Time, …) has a table of rows like the above, sorted by name, in which the
 * receiver does not count as a parameter; the body gets it as args[-1]. (The executor lays the arguments out so.)
 * `refusal` replaces the body of a method that text/template cannot call: the text after "error …: ", e.g.
 * "function Date has 3 return values; should be 1 or 2".
 */
typedef struct gt_method {
    gt_function fn;
    const char *refusal;
} gt_method;

/*
 * What the executor, fmt and JSON ask of the object types. types.c has one row per gt_type; the owner of a type gives
 * its operations there, NULL where Go's type has none.
 */
typedef struct gt_type_ops {
    /* Stringer: what %v and %s print. */
    bool (*string)(struct gt_ctx *c, gt_value v, dsp_buf *out);
    /* json.Marshaler or TextMarshaler: adds JSON text; false with gt_fail(): its error. */
    bool (*json)(struct gt_ctx *c, gt_value v, dsp_buf *out);
    /* reflect.DeepEqual of two of this type, and == (which differs for none of ours but time and pointers). */
    bool (*deep_equal)(gt_value a, gt_value b);
    bool (*same)(gt_value a, gt_value b);
    /* deepCopy; NULL: the value itself. */
    bool (*copy)(struct gt_ctx *c, gt_value v, gt_value *out);
    /* A struct's exported field; false: none of that name. unexported: those that exist but may not be read. */
    bool (*field)(gt_value v, dsp_str name, gt_value *out);
    const char *const *unexported; /* NULL-terminated */
    /* What %#v prints instead of the fields (GoStringer). */
    bool (*go_string)(struct gt_ctx *c, gt_value v, dsp_buf *out);
    /* The fields as %d, %+v and %#v see them, exported or not; for a pointer: those of its struct. */
    bool (*field_at)(gt_value v, size_t i, const char **name, gt_value *out); /* false: there are no more */
    const char *const *field_types; /* names of the fields' types that are none of ours; NULL elements, or NULL */
    const char *struct_name; /* the struct's type name where the type is a pointer to it */
    bool        fields_hidden; /* they are not exported: their own String methods do not count */
    const gt_method   *methods;
    size_t             n_methods;
} gt_type_ops;

/* Never NULL. */
const gt_type_ops *gt_ops(enum gt_type type);

/* --- what a body can call ----------------------------------------------------------------------------------------- */

#define GT_MAX_TEXTS 24

/* How many steps may pass between two looks at the clock: some tens of microseconds of work. */
#define GT_CLOCK_EVERY 4096u

/* One rendering. Bodies read options, env and fn; all else is for the engine's own files. */
typedef struct gt_ctx {
    const dsp_template_options *options; /* limits without zeros */
    const struct gt_env        *env;     /* .Name and .Payload */
    const gt_function          *fn;      /* the row that is being called */
    dsp_arena                  *arena;

    uint64_t steps_left;
    int64_t  deadline_ns;
    bool     clock_runs; /* from the first look at it on: most renderings end before */
    unsigned cost_left;
    bool     slow;          /* the function that is being called has charged cost … */
    int64_t  slow_since_ns; /* … and this long ago: its time is not the template's */
    unsigned depth;         /* see gt_deeper() */
    uint32_t until_clock;   /* steps until gt_charge() looks at the clock again */
    uint32_t hash_seed;     /* of the maps made in this rendering */
    const char *stack_base; /* where the C stack stood when the rendering began */

    bool                      failed;
    enum dsp_template_failure failure; /* DSP_TEMPLATE_EXEC, _LIMIT, _MEMORY or _PARSE */
    dsp_buf                   error;   /* the text, without prefix until the executor adds it */

    dsp_buf  texts[GT_MAX_TEXTS]; /* gt_text_begin() */
    unsigned n_texts;

    void *zones;   /* zone.c: zones read so far, in the arena; NULL at the start */
    void *regexes; /* fn_regex.c: expressions compiled so far; NULL at the start. Freed by regexes_free at the end */
    void (*regexes_free)(struct gt_ctx *c);
    int64_t start_ns;  /* wall clock at the renderer's making, for the " m=+0.1" of `now` */
    bool    own_clock; /* the host has none of its own */
} gt_ctx;

/*
 * Set the error's text and give false. A printf format, for texts without NUL bytes; gt_fail_str for any bytes (its
 * text is used verbatim); gt_fail_text() is an empty buffer to write to, after which the body returns gt_failed(c).
 * The first error stays.
 */
bool     gt_fail(gt_ctx *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool     gt_fail_str(gt_ctx *c, dsp_str text);
dsp_buf *gt_fail_text(gt_ctx *c);
bool     gt_failed(gt_ctx *c);

/* Puts a text before that of the error; in place, as the error's may be long. */
void gt_fail_before(gt_ctx *c, dsp_str text);

/* The same for a limit: DSP_TEMPLATE_LIMIT. The text names the limit. Gives false. */
bool gt_fail_limit(gt_ctx *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool gt_fail_memory(gt_ctx *c);
/* What allocates without gt_alloc(), in the arena or a buffer of its own, could not: the one or the other. Gives false. */
bool gt_fail_alloc(gt_ctx *c);

/* Drops an error that Go would swallow (fromJson, regexMatch, …). false: it is a limit or memory and stays. */
bool gt_forgive(gt_ctx *c);

/* Memory of the arena, aligned, not cleared; NULL: over the limit (the error is set). n * size is checked. */
void *gt_alloc(gt_ctx *c, size_t size);
void *gt_alloc_n(gt_ctx *c, size_t n, size_t size);
/* The same for an array that has become too small: room for n items, the first `used` of them copied from `items` (NULL
 * when there are none). */
void *gt_regrow(gt_ctx *c, const void *items, size_t used, size_t n, size_t size);
/* A copy. */
bool gt_copy(gt_ctx *c, dsp_str s, dsp_str *out);

/* Counts steps and looks at the clock now and then; false: the limit is reached. */
bool gt_charge(gt_ctx *c, uint64_t steps);
static inline bool gt_charge_bytes(gt_ctx *c, size_t bytes) { return gt_charge(c, bytes / 64); }
/* Looks at the clock now: for work that is not counted in steps. */
bool gt_clock_ok(gt_ctx *c);
/* Counts cost units beyond the row's own. */
bool gt_charge_cost(gt_ctx *c, unsigned units);

/*
 * Whether the C stack may grow further. A rendering uses at most GT_MAX_STACK bytes of it, wherever it began: that is
 * what stands behind all limits on depth when they meet each other.
 */
#define GT_MAX_STACK ((size_t) 3 << 20)
static inline bool gt_stack_ok(const gt_ctx *c)
{
    return (size_t) (c->stack_base - (const char *) __builtin_frame_address(0)) < GT_MAX_STACK;
}

/* Around each level of recursion into values: false at limits.value_depth. */
bool gt_deeper(gt_ctx *c);
static inline void gt_shallower(gt_ctx *c) { c->depth--; }

/*
 * Building a text: begin gives an empty scratch buffer (its memory is reused, its cap is what the arena and the texts around it have left),
 * end copies what was written into the arena and gives the buffer back. They nest like brackets. On any error in
 * between a body may just return false. end is false when the buffer overflowed: the error is set.
 *
 *     dsp_buf *b = gt_text_begin(c);
 *     if (b == NULL) return false;
 *     dsp_buf_adds(b, …);
 *     return gt_text_give(c, b, out);
 */
dsp_buf *gt_text_begin(gt_ctx *c);
bool     gt_text_end(gt_ctx *c, dsp_buf *b, dsp_str *out);
/* The same, and *out becomes that string. */
bool gt_text_give(gt_ctx *c, dsp_buf *b, gt_value *out);
/* Whether a text under way is still within its cap; false with the error set. For loops that write much. */
bool gt_text_ok(gt_ctx *c, const dsp_buf *b);
/* Writes nothing, but fails at once where n more bytes cannot fit: before a long loop. */
bool gt_text_fits(gt_ctx *c, const dsp_buf *b, uint64_t n);
/* Frees the memory of a buffer that nobody uses any more if it is much. */
void gt_trim_buffer(dsp_buf *b);

/* The wall clock, and the clock of the time limit: the host's, or else this thread's processor time. */
int64_t gt_now_ns(gt_ctx *c);
int64_t gt_tick_ns(gt_ctx *c);
/* n random bytes; false with the error set. */
bool gt_random(gt_ctx *c, void *out, size_t n);
/* A uniform number in [0, n), n > 0. */
bool gt_random_below(gt_ctx *c, uint64_t n, uint64_t *out);

/* Go's text for a nil dereference, which many of Sprig's functions give for nil. */
#define GT_NIL_DEREFERENCE "runtime error: invalid memory address or nil pointer dereference"

#endif
