/*
 * The values that templates work on: what Go's reflect.Value is to text/template, for the types that Sprig can make.
 *
 * A gt_value is 24 bytes and goes by value. Strings, lists, maps and objects live in the rendering's arena (or in the
 * template's text, or the input: anything that outlives the rendering), so nothing is ever freed. Lists and maps are
 * references, as in Go: a `set` through one variable is seen through another.
 *
 * Three kinds of nothing (notes: "nil, missing, interface"):
 *   missing       type GT_NIL, no flag            Go's zero reflect.Value: a map without that key
 *   nil           type GT_NIL, flag GT_IFACE      a nil that sits in a slot of type interface{}
 *   typed nil     type of a list, a map or a pointer, with a NULL pointer     e.g. what `rest` of an empty list gives
 *
 * The flag GT_IFACE says that the value was read from a slot whose static type is interface{} (an element of a list
 * or dict, the result of a function that returns interface{}). It matters to a few error texts and to comparisons and
 * is the executor's business: IT NEVER REACHES A FUNCTION'S BODY, AND NO BODY SETS IT. To a body a nil is gt_is_nil().
 * Nor are flags stored in lists and maps; gt_list_at() and gt_map_get() add what the container's type says.
 */
#ifndef DSP_TEMPLATE_VALUE_H
#define DSP_TEMPLATE_VALUE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

/* reflect.Kind, as far as these types have one. The names are what kindOf prints. */
enum gt_kind {
    GT_KIND_INVALID = 0,
    GT_KIND_BOOL,
    GT_KIND_INT,
    GT_KIND_INT32,
    GT_KIND_INT64,
    GT_KIND_UINT8,
    GT_KIND_UINT32,
    GT_KIND_UINT64,
    GT_KIND_FLOAT64,
    GT_KIND_COMPLEX128,
    GT_KIND_STRING,
    GT_KIND_SLICE,
    GT_KIND_MAP,
    GT_KIND_PTR,
    GT_KIND_STRUCT,
    GT_KIND_INTERFACE
};

/* The Go types there are. In a function's row they are its parameters' and result's types too. */
enum gt_type {
    GT_NIL = 0,     /* no type: missing, or nil in an interface */
    GT_BOOL,        /* .b */
    GT_INT,         /* .i; Go's int, 64 bits */
    GT_INT32,       /* .i */
    GT_INT64,       /* .i */
    GT_UINT8,       /* .u */
    GT_UINT32,      /* .u */
    GT_UINT64,      /* .u */
    GT_FLOAT64,     /* .f */
    GT_COMPLEX128,  /* .c */
    GT_STRING,      /* .s */
    GT_LIST_ANY,    /* .list; []interface {} */
    GT_LIST_STRING, /* .list; []string */
    GT_LIST_INT,    /* .list; []int */
    GT_LIST_LIST,   /* .list; [][]interface {} */
    GT_LIST_UINT8,  /* .list; []uint8 */
    GT_MAP_ANY,     /* .map; map[string]interface {}, which Sprig calls a dict */
    GT_MAP_STRING,  /* .map; map[string]string */
    GT_DURATION,    /* .i nanoseconds; time.Duration, kind int64 */
    GT_MONTH,       /* .i 1..12; time.Month, kind int */
    GT_WEEKDAY,     /* .i 0..6; time.Weekday, kind int */
    GT_TIME,        /* .time; time.Time, kind struct; the pointer is never NULL */
    GT_LOCATION,    /* .location; *time.Location */
    GT_SEMVER,      /* .semver; semver.Version, kind struct; the pointer is never NULL */
    GT_SEMVER_PTR,  /* .semver; *semver.Version */
    GT_CERT,        /* .cert; sprig.certificate, kind struct; the pointer is never NULL */
    GT_ENV,         /* .env; *template.Environment: dot */
    GT_ERROR,       /* .s the text; *errors.errorString: an error that sits in an interface{} */
    GT_ERROR_SLOT,  /* .s the text; error: what a method gives whose only result is one; data NULL: nil. Bodies see
                       GT_ERROR, or nil */
    GT_ANY,         /* only in rows: interface{} */
    GT_DRIVER,      /* only in rows: driver.Value, an interface{} under a name of its own */
    GT_VALUE,       /* only in rows: reflect.Value, that is the value as it is, flags and all (built-ins) */
    GT_N_TYPES
};

enum { GT_IFACE = 1, GT_IFACE_DRIVER = 2 };

struct gt_list;
struct gt_map;
struct gt_time;     /* time.h */
struct gt_location; /* zone.h */
struct gt_semver;   /* semver.h */

struct gt_cert {
    dsp_str cert; /* PEM */
    dsp_str key;  /* PEM */
};

struct gt_env {
    dsp_str name;
    dsp_str payload;
};

typedef struct gt_value {
    uint8_t type;  /* enum gt_type */
    uint8_t flags; /* GT_IFACE; and GT_IFACE_DRIVER where the slot's type is driver.Value */
    union {
        bool     b;
        int64_t  i;
        uint64_t u;
        double   f;
        struct {
            double re, im;
        } c;
        dsp_str                   s;
        struct gt_list           *list;
        struct gt_map            *map;
        const struct gt_time     *time;
        const struct gt_location *location;
        struct gt_semver         *semver;
        const struct gt_cert     *cert;
        const struct gt_env      *env;
    };
} gt_value;

/*
 * A Go slice. items may be shared with another list (`slice` does that); len is fixed once the list was handed out.
 * All elements are of the element type of `type`; those of []interface {} are any value, GT_NIL included.
 */
typedef struct gt_list {
    gt_value *items;
    size_t    len;
    size_t    size;     /* room in items; only gt_list_add() looks at it */
    uint8_t   type;     /* GT_LIST_… */
    uint8_t   growth;   /* enum gt_growth, capacity.h: how the Go program made it, which `slice` shows */
    uint32_t  capacity; /* GT_GROWTH_SLICED, _MADE: Go's cap() */
    size_t   *in_use;   /* of a list that `append` made: how many of `size` items its newest descendant has; or NULL */
} gt_list;

typedef struct gt_entry {
    dsp_str  key;
    gt_value value;
} gt_entry;

/* A Go map with string keys. Entries lie in no order that counts; walk them with gt_map_sorted(). */
typedef struct gt_map {
    gt_entry *entries;
    uint32_t *index; /* hash index over entries, NULL while the map is small */
    uint32_t  len;
    uint32_t  size;
    uint32_t  index_size; /* a power of two */
    uint32_t  seed;       /* of the hash, so that no payload can aim at collisions */
    uint8_t   type;       /* GT_MAP_… */
} gt_map;

/* --- making values ------------------------------------------------------------------------------------------------ */

static inline gt_value gt_nil(void) { return (gt_value){ .type = GT_NIL }; }
static inline gt_value gt_bool(bool b) { return (gt_value){ .type = GT_BOOL, .b = b }; }
static inline gt_value gt_int(int64_t i) { return (gt_value){ .type = GT_INT, .i = i }; }
static inline gt_value gt_int64(int64_t i) { return (gt_value){ .type = GT_INT64, .i = i }; }
static inline gt_value gt_uint8(uint8_t u) { return (gt_value){ .type = GT_UINT8, .u = u }; }
static inline gt_value gt_uint64(uint64_t u) { return (gt_value){ .type = GT_UINT64, .u = u }; }
static inline gt_value gt_float(double f) { return (gt_value){ .type = GT_FLOAT64, .f = f }; }
static inline gt_value gt_string(dsp_str s) { return (gt_value){ .type = GT_STRING, .s = s }; }
static inline gt_value gt_duration(int64_t ns) { return (gt_value){ .type = GT_DURATION, .i = ns }; }

/* gt_literal("Hello!") */
#define gt_literal(z) gt_string(DSP_STR(z))

/* list may be NULL: a typed nil; then the type must be said. */
static inline gt_value gt_of_list(gt_list *list) { return (gt_value){ .type = list->type, .list = list }; }
static inline gt_value gt_of_map(gt_map *map) { return (gt_value){ .type = map->type, .map = map }; }
static inline gt_value gt_typed_nil(enum gt_type type) { return (gt_value){ .type = (uint8_t) type, .list = NULL }; }

/* --- types -------------------------------------------------------------------------------------------------------- */

/* What %T prints; "<nil>" for GT_NIL, "interface {}" for GT_ANY. */
const char *gt_type_name(enum gt_type type);
/* What kindOf prints; "invalid" for GT_NIL. */
const char *gt_kind_name(enum gt_kind kind);

enum gt_kind gt_type_kind(enum gt_type type);
/* The element type of a list or map type (GT_ANY for the …_ANY ones); GT_NIL for all others. */
enum gt_type gt_type_elem(enum gt_type type);
/* Whether nil can be assigned to a variable of that type: interface, map, slice, pointer. */
bool gt_type_nilable(enum gt_type type);

static inline enum gt_kind gt_kind_of(gt_value v) { return gt_type_kind((enum gt_type) v.type); }
static inline bool gt_is_nil(gt_value v) { return v.type == GT_NIL; }
static inline bool gt_is_list(gt_value v) { return v.type >= GT_LIST_ANY && v.type <= GT_LIST_UINT8; }
static inline bool gt_is_map(gt_value v) { return v.type == GT_MAP_ANY || v.type == GT_MAP_STRING; }
/* int, int32, int64, Duration, Month, Weekday: the value is in .i */
bool gt_is_signed(gt_value v);
/* uint8, uint32, uint64: the value is in .u */
bool gt_is_unsigned(gt_value v);
/* The value as it is in a variable of its own type, without the flag. */
static inline gt_value gt_plain(gt_value v) { v.flags = 0; return v; }

/* --- lists -------------------------------------------------------------------------------------------------------- */

struct gt_ctx; /* function.h; allocations are charged to it, and a NULL or false from here means: it has an error */

/* An empty list with room for n elements. */
gt_list *gt_list_new(struct gt_ctx *c, enum gt_type type, size_t n);
/* Appends; only for a list that its maker has not handed out yet. */
bool gt_list_add(struct gt_ctx *c, gt_list *list, gt_value v);
static inline size_t gt_list_len(const gt_list *list) { return list == NULL ? 0 : list->len; }
/* Element i < len, with GT_IFACE where the element type is interface{}: for the executor. Bodies read items[i]. */
gt_value gt_list_at(const gt_list *list, size_t i);

/* --- maps --------------------------------------------------------------------------------------------------------- */

gt_map *gt_map_new(struct gt_ctx *c, enum gt_type type, size_t n);
/* Sets or replaces. The map must not be NULL. The key's bytes must outlive the rendering. */
bool gt_map_set(struct gt_ctx *c, gt_map *map, dsp_str key, gt_value v);
/* NULL: no such key, or map is NULL. The pointer is good until the map changes. */
gt_value *gt_map_find(const gt_map *map, dsp_str key);
/* Whether there was one. */
bool gt_map_remove(gt_map *map, dsp_str key);
static inline size_t gt_map_len(const gt_map *map) { return map == NULL ? 0 : map->len; }
/* A copy of the entries, sorted by key bytewise: gt_map_len() of them. Later changes of the map do not touch it. */
gt_entry *gt_map_sorted(struct gt_ctx *c, const gt_map *map);

/* --- questions ---------------------------------------------------------------------------------------------------- */

/* text/template's truth (if, with, and, or, not). */
bool gt_truth(gt_value v);
/* Sprig's empty: nil, false, 0, "", no elements, a nil pointer; never a struct. */
bool gt_empty(gt_value v);
/* len of a list, map or string; false for all other values. */
bool gt_len(gt_value v, size_t *len);

/* reflect.DeepEqual. false in *ok (with an error in c): nested deeper than the limit. */
bool gt_deep_equal(struct gt_ctx *c, gt_value a, gt_value b, bool *ok);

/* Sprig's strval: a string as it is, []byte, an error, a Stringer, else %v. The result lives as long as the arena. */
bool gt_strval(struct gt_ctx *c, gt_value v, dsp_str *out);

/*
 * Sprig's strslice: []string and []interface {} (nils left out) to strings, any other list elementwise, nil to an
 * empty list, a scalar to one element. A []string is given back itself, not copied (sortAlpha sorts in place).
 */
bool gt_strslice(struct gt_ctx *c, gt_value v, gt_list **out);

#endif
