#include "exec.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "exec_state.h"
#include "fmt.h"
#include "strconv.h"

/*
 * Walking: text, actions, if, with, range, template. What they evaluate is in eval.c.
 *
 * An error unwinds without undoing anything: `at` and `tree` still tell where it happened when gt_execute() puts the
 * place before the message.
 */

typedef enum outcome { FAILED = 0, DONE, BROKE, CONTINUED } outcome;

static outcome walk(gt_exec *e, const gt_value *dot, const gt_node *node);

/* --- variables ---------------------------------------------------------------------------------------------------- */

bool gt_exec_push_var(gt_exec *e, dsp_str name, gt_value v)
{
    if (e->n_vars == e->size_vars) {
        size_t       size = e->size_vars == 0 ? 16 : e->size_vars * 2;
        gt_variable *vars = gt_regrow(e->c, e->vars, e->n_vars, size, sizeof(*vars));

        if (vars == NULL) {
            return false;
        }
        e->vars = vars;
        e->size_vars = size;
    }
    e->vars[e->n_vars++] = (gt_variable){ name, v };
    return true;
}

/* The innermost of that name in this template, or NULL with an error. */
gt_value *gt_exec_var(gt_exec *e, dsp_str name)
{
    dsp_buf *b;

    for (size_t i = e->n_vars; i > e->first_var; i--) {
        if (dsp_str_eq(e->vars[i - 1].name, name)) {
            return &e->vars[i - 1].value;
        }
    }
    b = gt_fail_text(e->c);
    dsp_buf_addz(b, "undefined variable: ");
    dsp_buf_adds(b, name);
    gt_failed(e->c);
    return NULL;
}

/* --- output ------------------------------------------------------------------------------------------------------- */

static bool check_output(gt_exec *e)
{
    if (!e->out->failed) {
        return true;
    }
    if (errno == ENOMEM) {
        return gt_fail_memory(e->c);
    }
    return gt_fail_limit(e->c, "output limit of %zu bytes exceeded", e->c->options->limits.output_bytes);
}

/* Whether the output ends with a `$` that makes no pair. Only the author's text can leave one. */
static bool ends_with_lone_dollar(const dsp_buf *out)
{
    size_t n = 0;

    while (n < out->len && out->data[out->len - 1 - n] == '$') {
        n++;
    }
    return n % 2 != 0;
}

/* kubelet leaves a `$` before anything else as it is; it rewrites a byte that is not ASCII as if it were a character. */
static bool means_something_behind_dollar(char c)
{
    return c == '(' || c == '$' || (unsigned char) c >= 0x80;
}

static bool write_doubled(gt_exec *e, dsp_str s)
{
    size_t from = 0;

    /* "${{ .Payload }}" with the payload "(VAR)" must not become a reference. To the process "$$" is the same "$". */
    if (s.len > 0 && means_something_behind_dollar(s.data[0]) && ends_with_lone_dollar(e->out)) {
        dsp_buf_addc(e->out, '$');
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '$') {
            dsp_buf_add(e->out, s.data + from, i - from);
            dsp_buf_addc(e->out, '$');
            from = i;
        }
    }
    dsp_buf_adds(e->out, dsp_str_sub(s, from, s.len));
    return check_output(e);
}

/* What an action gave. */
static bool print_value(gt_exec *e, const gt_node *node, gt_value v)
{
    dsp_buf *b;
    dsp_str  text;

    e->at = node;
    errno = 0;
    if ((e->flags & DSP_TEMPLATE_DOUBLE_DOLLAR) == 0) {
        return gt_fmt_action(e->c, e->out, v) && check_output(e);
    }
    if (v.type == GT_STRING) {
        return write_doubled(e, v.s);
    }
    b = gt_text_begin(e->c);
    return b != NULL && gt_fmt_action(e->c, b, v) && gt_text_end(e->c, b, &text) && write_doubled(e, text);
}

static outcome walk_text(gt_exec *e, const gt_node *node)
{
    errno = 0;
    dsp_buf_adds(e->out, node->text);
    return check_output(e) && gt_charge_bytes(e->c, node->text.len) ? DONE : FAILED;
}

static outcome walk_action(gt_exec *e, const gt_value *dot, const gt_node *node)
{
    gt_value v;

    if (!gt_eval_pipeline(e, dot, node->branch.pipe, &v)) {
        return FAILED;
    }
    if (node->branch.pipe->pipe.n_decl > 0) {
        return DONE;
    }
    return print_value(e, node, v) ? DONE : FAILED;
}

/* --- control ------------------------------------------------------------------------------------------------------ */

static outcome walk_if_or_with(gt_exec *e, const gt_value *dot, const gt_node *node)
{
    size_t   mark = e->n_vars;
    outcome  o = DONE;
    gt_value v;

    if (!gt_eval_pipeline(e, dot, node->branch.pipe, &v)) {
        return FAILED;
    }
    if (gt_truth(v)) {
        o = walk(e, node->type == GT_N_WITH ? &v : dot, node->branch.list);
    } else if (node->branch.else_list != NULL) {
        o = walk(e, dot, node->branch.else_list);
    }
    if (o != FAILED) {
        e->n_vars = mark;
    }
    return o;
}

/* `$x = `: the variable outside of the range gets the element. */
static bool assign(gt_exec *e, const gt_node *decl, gt_value v)
{
    gt_value *var = gt_exec_var(e, decl->chain.names[0]);

    if (var != NULL) {
        *var = v;
    }
    return var != NULL;
}

static bool set_range_vars(gt_exec *e, const gt_node *pipe, gt_value index, gt_value elem)
{
    if (pipe->pipe.n_decl == 0) {
        return true;
    }
    if (pipe->flag) {
        return assign(e, pipe->pipe.decl[0], pipe->pipe.n_decl > 1 ? index : elem) &&
               (pipe->pipe.n_decl < 2 || assign(e, pipe->pipe.decl[1], elem));
    }
    e->vars[e->n_vars - 1].value = elem;
    if (pipe->pipe.n_decl > 1) {
        e->vars[e->n_vars - 2].value = index;
    }
    return true;
}

/* One round; BROKE ends the loop. */
static outcome iteration(gt_exec *e, const gt_node *node, gt_value index, gt_value elem)
{
    size_t  mark = e->n_vars;
    outcome o;

    if (!gt_charge(e->c, 1) || !set_range_vars(e, node->branch.pipe, index, elem)) {
        return FAILED;
    }
    o = walk(e, &elem, node->branch.list);
    if (o != FAILED) {
        e->n_vars = mark;
    }
    return o == CONTINUED ? DONE : o;
}

static outcome range_list(gt_exec *e, const gt_node *node, const gt_list *list)
{
    outcome o = DONE;

    for (size_t i = 0; i < list->len && o == DONE; i++) {
        o = iteration(e, node, gt_int((int64_t) i), gt_list_at(list, i));
    }
    return o;
}

static outcome range_map(gt_exec *e, const gt_node *node, const gt_map *map)
{
    size_t    n = gt_map_len(map);
    gt_entry *entries = gt_map_sorted(e->c, map);
    outcome   o = entries != NULL ? DONE : FAILED;

    for (size_t i = 0; i < n && o == DONE; i++) {
        gt_value elem = entries[i].value;
        elem.flags = map->type == GT_MAP_ANY ? GT_IFACE : 0;
        o = iteration(e, node, gt_string(entries[i].key), elem);
    }
    return o;
}

/* 0 … n-1, in the type of n. */
static outcome range_int(gt_exec *e, const gt_node *node, gt_value n)
{
    uint64_t count = gt_is_unsigned(n) ? n.u : n.i > 0 ? (uint64_t) n.i : 0;
    outcome  o = DONE;

    for (uint64_t i = 0; i < count && o == DONE; i++) {
        gt_value v = n;
        v.u = i;
        o = iteration(e, node, gt_nil(), v);
    }
    return o;
}

static outcome fail_value(gt_exec *e, const char *before, gt_value v, const char *after)
{
    dsp_buf *b = gt_text_begin(e->c);
    dsp_str  text;

    if (b != NULL) {
        dsp_buf_addz(b, before);
        if (gt_fmt_action(e->c, b, v)) {
            dsp_buf_addz(b, after);
            if (gt_text_end(e->c, b, &text)) {
                gt_fail_str(e->c, text);
            }
        }
    }
    return FAILED;
}

static outcome walk_range_body(gt_exec *e, const gt_value *dot, const gt_node *node, gt_value v)
{
    size_t len;

    if (gt_is_signed(v) || gt_is_unsigned(v)) {
        if (node->branch.pipe->pipe.n_decl > 1) {
            return fail_value(e, "can't use ", v, " to iterate over more than one variable");
        }
        if (gt_is_signed(v) ? v.i > 0 : v.u > 0) {
            return range_int(e, node, v);
        }
    } else if (v.type == GT_STRING || (!gt_len(v, &len) && !gt_is_nil(v))) {
        if (v.type == GT_LOCATION) { /* Go looks behind the pointer, and the struct behind it has no String method */
            return fail_value(e, "range can't iterate over {", v, " [] []  0 0 <nil>}");
        }
        if (v.type == GT_ERROR || (v.type == GT_ERROR_SLOT && gt_truth(v))) {
            return fail_value(e, "range can't iterate over {", v, "}");
        }
        return fail_value(e, "range can't iterate over ", v, "");
    } else if (!gt_is_nil(v) && len > 0) {
        return gt_is_list(v) ? range_list(e, node, v.list) : range_map(e, node, v.map);
    }
    return node->branch.else_list != NULL ? walk(e, dot, node->branch.else_list) : DONE;
}

static outcome walk_range(gt_exec *e, const gt_value *dot, const gt_node *node)
{
    size_t   mark = e->n_vars;
    gt_value v;
    outcome  o;

    if (!gt_eval_pipeline(e, dot, node->branch.pipe, &v)) {
        return FAILED;
    }
    o = walk_range_body(e, dot, node, v);
    if (o == FAILED) {
        return FAILED;
    }
    e->n_vars = mark;
    return DONE;
}

static outcome fail_template(gt_exec *e, dsp_str name)
{
    dsp_buf *b = gt_fail_text(e->c);

    dsp_buf_addz(b, "template ");
    gt_quote(b, name, 0);
    dsp_buf_addz(b, " not defined");
    gt_failed(e->c);
    return FAILED;
}

static outcome walk_template(gt_exec *e, const gt_value *dot, const gt_node *node)
{
    const gt_tree *outer = e->tree;
    const gt_tree *tree = gt_tree_find(e->trees, node->template.name);
    size_t         first_var = e->first_var;
    size_t         mark;
    gt_value       v;

    if (tree == NULL) {
        return fail_template(e, node->template.name);
    }
    if (e->depth >= e->c->options->limits.call_depth) {
        gt_fail_limit(e->c, "exceeded maximum template depth (%u)", e->c->options->limits.call_depth);
        return FAILED;
    }
    if (!gt_eval_pipeline(e, dot, node->template.pipe, &v)) {
        return FAILED;
    }
    mark = e->n_vars; /* variables of the pipeline stay */
    e->first_var = mark;
    e->tree = tree;
    e->depth++;
    if (!gt_exec_push_var(e, DSP_STR("$"), v) || walk(e, &v, tree->root) == FAILED) {
        return FAILED;
    }
    e->depth--;
    e->tree = outer;
    e->n_vars = mark;
    e->first_var = first_var;
    return DONE;
}

static outcome walk_list(gt_exec *e, const gt_value *dot, const gt_node *list)
{
    outcome o = DONE;

    for (uint32_t i = 0; i < list->list.n && o == DONE; i++) {
        o = walk(e, dot, list->list.items[i]);
    }
    return o;
}

static outcome walk(gt_exec *e, const gt_value *dot, const gt_node *node)
{
    e->at = node;
    if (!gt_charge(e->c, 1)) {
        return FAILED;
    }
    switch (node->type) {
    case GT_N_TEXT:
        return walk_text(e, node);
    case GT_N_ACTION:
        return walk_action(e, dot, node);
    case GT_N_BREAK:
        return BROKE;
    case GT_N_CONTINUE:
        return CONTINUED;
    default:
        break;
    }
    if (!gt_stack_ok(e->c)) {
        gt_fail_limit(e->c, "templates, blocks and parentheses are nested too deep");
        return FAILED;
    }
    switch (node->type) {
    case GT_N_IF:
    case GT_N_WITH:
        return walk_if_or_with(e, dot, node);
    case GT_N_RANGE:
        return walk_range(e, dot, node);
    case GT_N_TEMPLATE:
        return walk_template(e, dot, node);
    default:
        return walk_list(e, dot, node);
    }
}

/* --- errors ------------------------------------------------------------------------------------------------------- */

/* "template: NAME:LINE:COLUMN: executing "TEMPLATE" at <NODE>: " before the message. */
static void place_error(gt_exec *e, dsp_str root)
{
    gt_ctx     *c = e->c;
    size_t      pos = e->at->pos;
    size_t      line = 1;
    size_t      start = 0;
    dsp_buf    *b;

    for (size_t i = 0; i < pos; i++) {
        if (e->text.data[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    c->n_texts = 0;
    b = gt_text_begin(c);
    if (b == NULL) {
        return;
    }
    b->max = SIZE_MAX / 2; /* bounded by the template's text */
    dsp_buf_addz(b, "template: ");
    dsp_buf_adds(b, root);
    dsp_buf_addf(b, ":%zu:%zu: executing ", line, pos - start);
    gt_quote(b, e->tree->name, 0);
    dsp_buf_addz(b, " at <");
    gt_node_text(b, e->at);
    dsp_buf_addz(b, ">: ");
    if (!b->failed) {
        gt_fail_before(c, dsp_buf_str(b));
    }
    c->n_texts = 0;
}

bool gt_execute(gt_ctx *c, const gt_exec_input *in, dsp_buf *out)
{
    gt_exec        e = { .c = c, .trees = in->trees, .text = in->text, .out = out, .flags = in->flags };
    const gt_value dot = { .type = GT_ENV, .env = c->env };

    e.tree = gt_tree_find(in->trees, in->name);
    e.at = e.tree->root;
    if (gt_exec_push_var(&e, DSP_STR("$"), dot) && walk(&e, &dot, e.tree->root) != FAILED) {
        return true;
    }
    place_error(&e, in->name);
    return false;
}
