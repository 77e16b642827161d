/*
 * Any value under any verb: by its own method, as a container of values, or as the basic value that it is (fmt_verb.c).
 */
#include <string.h>

#include "fmt_print.h"

static bool print_value(gt_printer *p, gt_value v, uint32_t verb, unsigned depth, bool exported);

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
        return gt_bad_verb(p, v, verb);
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
        ok = gt_print_string(p, v, dsp_buf_str(b), verb);
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

    return gt_strval(p->c, v, &s) && gt_print_string(p, v, s, verb);
}

static frame *new_frame(gt_printer *p, frames *f)
{
    if (f->n + p->c->depth >= p->c->options->limits.value_depth) {
        gt_fail_limit(p->c, "values are nested deeper than %u levels", p->c->options->limits.value_depth);
        return NULL;
    }
    if (f->n == f->size) {
        frame *more = gt_regrow(p->c, f->all, f->n, f->size * 2, sizeof(*more));
        if (more == NULL) {
            return NULL;
        }
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
    if (!gt_print_string(p, key, key.s, verb)) {
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

bool gt_print_struct(gt_printer *p, gt_value v, uint32_t verb, unsigned depth)
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
                                       : print_containers(p, v, verb, depth, gt_printed_type(p, v));
    case GT_KIND_STRUCT:
        return gt_print_struct(p, v, verb, depth);
    default: /* a pointer: to a struct, which is shown only at the top */
        if (depth > 0 || v.list == NULL || gt_ops((enum gt_type) v.type)->field_at == NULL) {
            return gt_print_pointer(p, v, verb);
        }
        dsp_buf_addc(p->out, '&');
        return gt_print_struct(p, v, verb, depth + 1);
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
            return gt_bad_verb(p, v, verb);
        }
        dsp_buf_addz(p->out, "<nil>");
        return true;
    case GT_KIND_BOOL:
        if (verb != 't' && verb != 'v') {
            return gt_bad_verb(p, v, verb);
        }
        gt_format_bool(p, v.b);
        return true;
    case GT_KIND_INT:
    case GT_KIND_INT32:
    case GT_KIND_INT64:
        return gt_print_int(p, v, (uint64_t) v.i, true, verb);
    case GT_KIND_UINT8:
    case GT_KIND_UINT32:
    case GT_KIND_UINT64:
        return gt_print_int(p, v, v.u, false, verb);
    case GT_KIND_FLOAT64:
        return gt_print_float(p, v, verb);
    case GT_KIND_COMPLEX128:
        return gt_print_complex(p, v, verb);
    case GT_KIND_STRING:
        return gt_print_string(p, v, v.s, verb);
    default:
        return print_container(p, v, verb, depth);
    }
}

bool gt_print_arg(gt_printer *p, gt_value v, uint32_t verb)
{
    bool handled;

    if (gt_is_nil(v)) {
        if (verb != 'T' && verb != 'v') {
            return gt_bad_verb(p, v, verb);
        }
        gt_format_padded(p, DSP_STR("<nil>"));
        return true;
    }
    if (verb == 'T') {
        gt_format_string(p, dsp_str_from(gt_type_name((enum gt_type) v.type)));
        return true;
    }
    if (verb == 'p') {
        return gt_print_pointer(p, v, 'p');
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
