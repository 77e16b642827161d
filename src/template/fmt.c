#include "fmt.h"

#include <string.h>

#include "base/utf8.h"
#include "fmt_print.h"
#include "strconv.h"

/*
 * A nested pointer prints as an address. Ours are nobody's business, and Go's are different every time, but for that of
 * the local zone, which is a static variable (here as in a program of Go 1.26.8).
 */
#define SOME_POINTER  UINT64_C(0xc000010000)
#define LOCAL_POINTER UINT64_C(0xaaeba0)

static bool print_value(gt_printer *p, gt_value v, uint32_t verb, unsigned depth, bool exported);

static void add_rune(dsp_buf *b, uint32_t r)
{
    char utf8[DSP_UTF8_MAX];

    dsp_buf_add(b, utf8, dsp_utf8_encode(r, utf8));
}

/* --- verbs -------------------------------------------------------------------------------------------------------- */

/* The type's name in Go, which for a struct's own fields may be one that we have not. */
static const char *printed_type(const gt_printer *p, gt_value v)
{
    return p->field_type != NULL ? p->field_type : gt_type_name((enum gt_type) v.type);
}

/* %!verb(type=value) */
static bool bad_verb(gt_printer *p, gt_value v, uint32_t verb)
{
    bool erroring = p->erroring;
    bool ok = true;

    p->erroring = true;
    dsp_buf_addz(p->out, "%!");
    add_rune(p->out, verb);
    dsp_buf_addc(p->out, '(');
    if (gt_is_nil(v)) {
        dsp_buf_addz(p->out, "<nil>");
    } else {
        dsp_buf_addz(p->out, printed_type(p, v));
        dsp_buf_addc(p->out, '=');
        ok = gt_print_arg(p, v, 'v');
    }
    dsp_buf_addc(p->out, ')');
    p->erroring = erroring;
    return ok;
}

static void hex_with_prefix(gt_printer *p, uint64_t u, bool prefix)
{
    bool sharp = p->sharp;

    p->sharp = prefix;
    gt_format_int(p, u, 16, false, 'v', false);
    p->sharp = sharp;
}

static bool print_int(gt_printer *p, gt_value v, uint64_t u, bool is_signed, uint32_t verb)
{
    switch (verb) {
    case 'v':
        if (p->sharp_v && !is_signed) {
            hex_with_prefix(p, u, true);
            return true;
        }
        gt_format_int(p, u, 10, is_signed, verb, false);
        return true;
    case 'd':
        gt_format_int(p, u, 10, is_signed, verb, false);
        return true;
    case 'b':
        gt_format_int(p, u, 2, is_signed, verb, false);
        return true;
    case 'o':
    case 'O':
        gt_format_int(p, u, 8, is_signed, verb, false);
        return true;
    case 'x':
    case 'X':
        gt_format_int(p, u, 16, is_signed, verb, verb == 'X');
        return true;
    case 'c':
        gt_format_char(p, u);
        return true;
    case 'q':
        gt_format_quoted_char(p, u);
        return true;
    case 'U':
        gt_format_unicode(p, u);
        return true;
    default:
        return bad_verb(p, v, verb);
    }
}

static bool is_float_verb(uint32_t verb)
{
    return verb < 0x80 && verb != 0 && strchr("vbgGxXfFeE", (int) verb) != NULL;
}

static bool print_float(gt_printer *p, double f, uint32_t verb)
{
    switch (verb) {
    case 'v':
        return gt_format_number(p, f, 'g', -1);
    case 'F':
        return gt_format_number(p, f, 'f', 6);
    case 'f':
    case 'e':
    case 'E':
        return gt_format_number(p, f, (char) verb, 6);
    default:
        return gt_format_number(p, f, (char) verb, -1);
    }
}

static bool print_complex(gt_printer *p, gt_value v, uint32_t verb)
{
    bool plus = p->plus;
    bool ok;

    if (!is_float_verb(verb)) {
        return bad_verb(p, v, verb);
    }
    dsp_buf_addc(p->out, '(');
    ok = print_float(p, v.c.re, verb);
    p->plus = true;
    ok = ok && print_float(p, v.c.im, verb);
    dsp_buf_addz(p->out, "i)");
    p->plus = plus;
    return ok;
}

static bool print_string(gt_printer *p, gt_value v, dsp_str s, uint32_t verb)
{
    switch (verb) {
    case 'v':
        if (p->sharp_v) {
            return gt_format_quoted(p, s);
        }
        gt_format_string(p, s);
        return true;
    case 's':
        gt_format_string(p, s);
        return true;
    case 'x':
    case 'X':
        gt_format_hex(p, s, verb == 'X');
        return true;
    case 'q':
        return gt_format_quoted(p, s);
    default:
        return bad_verb(p, v, verb);
    }
}

static bool print_pointer(gt_printer *p, gt_value v, uint32_t verb)
{
    enum gt_kind kind = gt_kind_of(v);
    uint64_t     u = v.list == NULL ? 0 : v.type == GT_LOCATION ? LOCAL_POINTER : SOME_POINTER;

    if (kind != GT_KIND_MAP && kind != GT_KIND_PTR && kind != GT_KIND_SLICE) {
        return bad_verb(p, v, verb);
    }
    switch (verb) {
    case 'v':
        if (p->sharp_v) {
            dsp_buf_addf(p->out, "(%s)(", printed_type(p, v));
            if (u == 0) {
                dsp_buf_addz(p->out, "nil");
            } else {
                hex_with_prefix(p, u, true);
            }
            dsp_buf_addc(p->out, ')');
        } else if (u == 0) {
            gt_format_padded(p, DSP_STR("<nil>"));
        } else {
            hex_with_prefix(p, u, !p->sharp);
        }
        return true;
    case 'p':
        hex_with_prefix(p, u, !p->sharp);
        return true;
    case 'b':
    case 'o':
    case 'd':
    case 'x':
    case 'X':
        return print_int(p, v, u, false, verb);
    default:
        return bad_verb(p, v, verb);
    }
}

/* --- methods ------------------------------------------------------------------------------------------------------ */

/* The value's own String or GoString, where the verb takes one. */
static bool print_method(gt_printer *p, gt_value v, uint32_t verb, bool *handled)
{
    const gt_type_ops *ops = gt_ops((enum gt_type) v.type);
    bool (*method)(gt_ctx *, gt_value, dsp_buf *) = ops->string;
    dsp_buf *b;
    bool     ok;

    *handled = false;
    if (p->erroring) {
        return true;
    }
    if (verb == 'w') {
        *handled = true;
        return bad_verb(p, v, verb);
    }
    if (p->sharp_v) {
        method = ops->go_string;
    } else if (verb >= 0x80 || verb == 0 || strchr("vsxXq", (int) verb) == NULL) {
        return true;
    }
    if (method == NULL) {
        return true;
    }
    *handled = true;
    b = gt_text_begin(p->c);
    if (b == NULL || !method(p->c, v, b) || !gt_text_ok(p->c, b)) {
        return false;
    }
    if (p->sharp_v) {
        gt_format_string(p, dsp_buf_str(b));
        ok = true;
    } else {
        ok = print_string(p, v, dsp_buf_str(b), verb);
    }
    p->c->n_texts = (unsigned) (b - p->c->texts);
    return ok;
}

/* --- containers --------------------------------------------------------------------------------------------------- */

/* Lists and maps are walked without recursion: JSON may nest them 10,000 deep. */
typedef struct frame {
    gt_value  v;
    gt_entry *entries; /* of a map, sorted */
    size_t    i, n;
} frame;

enum { FIRST_FRAMES = 16 };

typedef struct frames {
    frame  first[FIRST_FRAMES];
    frame *all;
    size_t n, size;
} frames;

static void separator(gt_printer *p, size_t i)
{
    if (i > 0) {
        dsp_buf_addz(p->out, p->sharp_v ? ", " : " ");
    }
}

/* []uint8 under a verb that takes the bytes as a string. */
static bool is_byte_string(gt_value v, uint32_t verb)
{
    return v.type == GT_LIST_UINT8 && (verb == 's' || verb == 'q' || verb == 'x' || verb == 'X');
}

static bool print_bytes(gt_printer *p, gt_value v, uint32_t verb)
{
    dsp_str s;

    return gt_strval(p->c, v, &s) && print_string(p, v, s, verb);
}

static frame *new_frame(gt_printer *p, frames *f)
{
    if (f->n + p->c->depth >= p->c->options->limits.value_depth) {
        gt_fail_limit(p->c, "values are nested deeper than %u levels", p->c->options->limits.value_depth);
        return NULL;
    }
    if (f->n == f->size) {
        frame *more = gt_alloc_n(p->c, f->size * 2, sizeof(*more));
        if (more == NULL) {
            return NULL;
        }
        memcpy(more, f->all, f->n * sizeof(*more));
        f->all = more;
        f->size *= 2;
    }
    return &f->all[f->n++];
}

/* Writes what stands before the elements of a list or map. */
static bool enter(gt_printer *p, frames *stack, gt_value v, const char *type)
{
    bool   map = gt_is_map(v);
    frame *f;

    if (p->sharp_v) {
        dsp_buf_addz(p->out, type);
        if (v.list == NULL) {
            dsp_buf_addz(p->out, "(nil)");
            return true;
        }
    }
    f = new_frame(p, stack);
    if (f == NULL) {
        return false;
    }
    *f = (frame){ .v = v, .n = map ? gt_map_len(v.map) : gt_list_len(v.list) };
    dsp_buf_addz(p->out, p->sharp_v ? "{" : map ? "map[" : "[");
    f->entries = map ? gt_map_sorted(p->c, v.map) : NULL;
    return !map || f->entries != NULL;
}

/* The next element of a container, with what stands before it. */
static bool next_element(gt_printer *p, frame *f, uint32_t verb, gt_value *elem)
{
    gt_value key;

    if (!gt_charge(p->c, 1)) {
        return false;
    }
    separator(p, f->i);
    if (f->entries == NULL) {
        *elem = f->v.list->items[f->i++];
        return true;
    }
    key = gt_string(f->entries[f->i].key);
    *elem = f->entries[f->i++].value;
    if (!print_string(p, key, key.s, verb)) {
        return false;
    }
    dsp_buf_addc(p->out, ':');
    return true;
}

static bool print_containers(gt_printer *p, gt_value v, uint32_t verb, unsigned depth, const char *type)
{
    frames stack = { .all = stack.first, .size = FIRST_FRAMES };

    if (!enter(p, &stack, v, type)) {
        return false;
    }
    while (stack.n > 0 && !p->out->failed) {
        frame   *f = &stack.all[stack.n - 1];
        gt_value elem;
        bool     ok;

        if (f->i == f->n) {
            dsp_buf_addc(p->out, p->sharp_v ? '}' : ']');
            stack.n--;
            continue;
        }
        if (!next_element(p, f, verb, &elem)) {
            return false;
        }
        if (gt_is_nil(elem)) {
            dsp_buf_addz(p->out, p->sharp_v ? "interface {}(nil)" : "<nil>");
            ok = true;
        } else if ((gt_is_list(elem) || gt_is_map(elem)) && !is_byte_string(elem, verb)) {
            ok = enter(p, &stack, elem, gt_type_name((enum gt_type) elem.type));
        } else {
            ok = print_value(p, elem, verb, depth + 1, true);
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool print_struct(gt_printer *p, gt_value v, uint32_t verb, unsigned depth)
{
    const gt_type_ops *ops = gt_ops((enum gt_type) v.type);
    const char        *name;
    gt_value           field;

    if (p->sharp_v) {
        dsp_buf_addz(p->out, ops->struct_name != NULL ? ops->struct_name : gt_type_name((enum gt_type) v.type));
    }
    dsp_buf_addc(p->out, '{');
    for (size_t i = 0; ops->field_at != NULL && ops->field_at(v, i, &name, &field); i++) {
        separator(p, i);
        if (p->plus_v || p->sharp_v) {
            dsp_buf_addz(p->out, name);
            dsp_buf_addc(p->out, ':');
        }
        p->field_type = ops->field_types != NULL ? ops->field_types[i] : NULL;
        if (!print_value(p, field, verb, depth + 1, !ops->fields_hidden)) {
            return false;
        }
        p->field_type = NULL;
    }
    dsp_buf_addc(p->out, '}');
    return true;
}

/* --- any value ---------------------------------------------------------------------------------------------------- */

static bool print_container(gt_printer *p, gt_value v, uint32_t verb, unsigned depth)
{
    switch (gt_kind_of(v)) {
    case GT_KIND_MAP:
    case GT_KIND_SLICE:
        return is_byte_string(v, verb) ? print_bytes(p, v, verb)
                                       : print_containers(p, v, verb, depth, printed_type(p, v));
    case GT_KIND_STRUCT:
        return print_struct(p, v, verb, depth);
    default: /* a pointer: to a struct, which is shown only at the top */
        if (depth > 0 || v.list == NULL || gt_ops((enum gt_type) v.type)->field_at == NULL) {
            return print_pointer(p, v, verb);
        }
        dsp_buf_addc(p->out, '&');
        return print_struct(p, v, verb, depth + 1);
    }
}

/* printValue of Go. exported: the value was not reached through an unexported field. */
static bool print_value(gt_printer *p, gt_value v, uint32_t verb, unsigned depth, bool exported)
{
    bool handled;

    if (depth > 0 && exported) {
        if (!print_method(p, v, verb, &handled)) {
            return false;
        }
        if (handled) {
            return true;
        }
    }
    switch (gt_kind_of(v)) {
    case GT_KIND_INVALID:
        if (verb != 'v') {
            return bad_verb(p, v, verb);
        }
        dsp_buf_addz(p->out, "<nil>");
        return true;
    case GT_KIND_BOOL:
        if (verb != 't' && verb != 'v') {
            return bad_verb(p, v, verb);
        }
        gt_format_bool(p, v.b);
        return true;
    case GT_KIND_INT:
    case GT_KIND_INT32:
    case GT_KIND_INT64:
        return print_int(p, v, (uint64_t) v.i, true, verb);
    case GT_KIND_UINT8:
    case GT_KIND_UINT32:
    case GT_KIND_UINT64:
        return print_int(p, v, v.u, false, verb);
    case GT_KIND_FLOAT64:
        return is_float_verb(verb) ? print_float(p, v.f, verb) : bad_verb(p, v, verb);
    case GT_KIND_COMPLEX128:
        return print_complex(p, v, verb);
    case GT_KIND_STRING:
        return print_string(p, v, v.s, verb);
    default:
        return print_container(p, v, verb, depth);
    }
}

bool gt_print_arg(gt_printer *p, gt_value v, uint32_t verb)
{
    bool handled;

    if (gt_is_nil(v)) {
        if (verb != 'T' && verb != 'v') {
            return bad_verb(p, v, verb);
        }
        gt_format_padded(p, DSP_STR("<nil>"));
        return true;
    }
    if (verb == 'T') {
        gt_format_string(p, dsp_str_from(gt_type_name((enum gt_type) v.type)));
        return true;
    }
    if (verb == 'p') {
        return print_pointer(p, v, 'p');
    }
    if (v.type == GT_LIST_UINT8 && (verb == 'v' || verb == 'd')) {
        return print_containers(p, v, verb, 0, "[]byte");
    }
    if (v.type > GT_STRING && v.type != GT_LIST_UINT8) { /* the basic types and []byte have no methods */
        if (!print_method(p, v, verb, &handled)) {
            return false;
        }
        if (handled) {
            return true;
        }
    }
    return print_value(p, v, verb, 0, true);
}

/* --- printing without a format ------------------------------------------------------------------------------------ */

bool gt_fmt_verb(gt_ctx *c, dsp_buf *out, char verb, gt_value v)
{
    gt_printer p = { .c = c, .out = out };

    return gt_print_arg(&p, v, (unsigned char) verb);
}

static void add_int(dsp_buf *out, int64_t i)
{
    char     digits[24];
    size_t   n = sizeof(digits);
    uint64_t u = i < 0 ? -(uint64_t) i : (uint64_t) i;

    do {
        digits[--n] = (char) ('0' + u % 10);
        u /= 10;
    } while (u != 0);
    if (i < 0) {
        digits[--n] = '-';
    }
    dsp_buf_add(out, digits + n, sizeof(digits) - n);
}

bool gt_fmt_value(gt_ctx *c, dsp_buf *out, gt_value v)
{
    char text[GT_FLOAT_MAX];

    switch (v.type) {
    case GT_STRING:
        dsp_buf_adds(out, v.s);
        return true;
    case GT_INT:
    case GT_INT64:
        add_int(out, v.i);
        return true;
    case GT_FLOAT64:
        dsp_buf_add(out, text, gt_float_text(v.f, text));
        return true;
    default:
        return gt_fmt_verb(c, out, 'v', v);
    }
}

bool gt_fmt_action(gt_ctx *c, dsp_buf *out, gt_value v)
{
    gt_printer p = { .c = c, .out = out };

    if (gt_is_nil(v)) {
        dsp_buf_addz(out, "<no value>");
        return true;
    }
    if (v.type == GT_ENV && v.env != NULL) {
        return print_struct(&p, v, 'v', 0);
    }
    return gt_fmt_value(c, out, v);
}

bool gt_fmt_sprint(gt_ctx *c, dsp_buf *out, const gt_value *args, size_t n)
{
    bool was_string = false;

    for (size_t i = 0; i < n; i++) {
        bool is_string = args[i].type == GT_STRING;
        if (i > 0 && !is_string && !was_string) {
            dsp_buf_addc(out, ' ');
        }
        if (!gt_fmt_value(c, out, args[i])) {
            return false;
        }
        was_string = is_string;
    }
    return true;
}

bool gt_fmt_sprintln(gt_ctx *c, dsp_buf *out, const gt_value *args, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0) {
            dsp_buf_addc(out, ' ');
        }
        if (!gt_fmt_value(c, out, args[i])) {
            return false;
        }
    }
    dsp_buf_addc(out, '\n');
    return true;
}
