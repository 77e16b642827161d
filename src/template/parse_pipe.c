#include <string.h>

#include "parse_state.h"
#include "strconv.h"

/* --- operands ----------------------------------------------------------------------------------------------------- */

static gt_node *identifier(gt_parser *p, gt_token t)
{
    const gt_function *fn = gt_function_find(t.val, p->c->options->policy);
    gt_node           *node;

    if (fn == NULL) {
        return gt_parse_fail_quoted(p, "function ", t.val, " not defined");
    }
    node = gt_parse_new_node(p, GT_N_IDENTIFIER, t.pos);
    if (node != NULL) {
        node->ident.name = t.val;
        node->ident.fn = fn;
    }
    return node;
}

static gt_node *use_variable(gt_parser *p, gt_token t)
{
    for (size_t i = 0; i < p->n_vars; i++) {
        if (dsp_str_eq(p->vars[i], t.val)) {
            return gt_parse_new_chain(p, GT_N_VARIABLE, t.pos, t.val);
        }
    }
    return gt_parse_fail_quoted(p, "undefined variable ", t.val, "");
}

static gt_node *number(gt_parser *p, gt_token t)
{
    gt_node   *node = gt_parse_new_node(p, GT_N_NUMBER, t.pos);
    gt_number *n = gt_alloc(p->c, sizeof(*n));

    if (node == NULL || n == NULL) {
        return NULL;
    }
    if (!gt_number_parse(p->c, t.val, t.type, n)) {
        return gt_parse_fail_wrapped(p);
    }
    node->number = n;
    return node;
}

static gt_node *string(gt_parser *p, gt_token t)
{
    dsp_str  text;
    gt_node *node;

    if (!gt_parse_unquote(p, t.val, &text)) {
        return NULL;
    }
    node = gt_parse_new_node(p, GT_N_STRING, t.pos);
    if (node != NULL) {
        node->string.quoted = t.val;
        node->string.text = text;
    }
    return node;
}

static gt_node *parenthesized(gt_parser *p)
{
    gt_node *node;

    if (!gt_parse_deeper(p)) {
        return NULL;
    }
    node = gt_parse_pipeline(p, "parenthesized pipeline", GT_T_RIGHT_PAREN);
    --*p->nesting;
    return node;
}

/* *none: the next token starts no operand (NULL without an error). */
static gt_node *term(gt_parser *p, bool *none)
{
    gt_token t = gt_parse_next_non_space(p);
    gt_node *node;

    *none = false;
    switch (t.type) {
    case GT_T_IDENTIFIER:
        return identifier(p, t);
    case GT_T_DOT:
        return gt_parse_new_node(p, GT_N_DOT, t.pos);
    case GT_T_NIL:
        return gt_parse_new_node(p, GT_N_NIL, t.pos);
    case GT_T_VARIABLE:
        return use_variable(p, t);
    case GT_T_FIELD:
        return gt_parse_new_chain(p, GT_N_FIELD, t.pos, dsp_str_sub(t.val, 1, t.val.len));
    case GT_T_BOOL:
        node = gt_parse_new_node(p, GT_N_BOOL, t.pos);
        if (node != NULL) {
            node->flag = dsp_str_is(t.val, "true");
        }
        return node;
    case GT_T_CHAR_CONSTANT:
    case GT_T_COMPLEX:
    case GT_T_NUMBER:
        return number(p, t);
    case GT_T_LEFT_PAREN:
        return parenthesized(p);
    case GT_T_STRING:
    case GT_T_RAW_STRING:
        return string(p, t);
    default:
        gt_parse_backup(p);
        *none = true;
        return NULL;
    }
}

static bool can_have_fields(const gt_node *node)
{
    switch (node->type) {
    case GT_N_BOOL:
    case GT_N_STRING:
    case GT_N_NUMBER:
    case GT_N_NIL:
    case GT_N_DOT:
        return false;
    default:
        return true;
    }
}

static bool chain_add(gt_parser *p, gt_node *node, dsp_str name)
{
    uint32_t n = node->chain.n;

    if ((n & (n - 1)) == 0) { /* full: there is room for the next power of two, and one name to begin with */
        dsp_str *names = gt_regrow(p->c, node->chain.names, n, (size_t) n * 2, sizeof(*names));
        if (names == NULL) {
            return false;
        }
        node->chain.names = names;
    }
    node->chain.names[node->chain.n++] = name;
    return true;
}

/* The text of a literal, quoted, as gt_parse_fail_node() cannot. */
static void *fail_dot_after(gt_parser *p, const gt_node *node)
{
    dsp_buf *b = gt_text_begin(p->c);
    dsp_str  text;

    if (b == NULL) {
        return NULL;
    }
    gt_node_text(b, node);
    return gt_text_end(p->c, b, &text) ? gt_parse_fail_quoted(p, "unexpected . after term ", text, "") : NULL;
}

/* term .Field*: the fields go into a FIELD or VARIABLE itself, around all else a CHAIN is put. */
static gt_node *operand(gt_parser *p, bool *none)
{
    gt_node *node = term(p, none);
    gt_node *chain;

    if (node == NULL || gt_parse_peek(p).type != GT_T_FIELD) {
        return node;
    }
    gt_token t = gt_parse_next(p);
    dsp_str  name = dsp_str_sub(t.val, 1, t.val.len);
    if (node->type == GT_N_FIELD || node->type == GT_N_VARIABLE) {
        node->pos = t.pos; /* the position of such a node is that of its second name */
        if (!chain_add(p, node, name)) {
            return NULL;
        }
        chain = node;
    } else {
        chain = gt_parse_new_chain(p, GT_N_CHAIN, t.pos, name);
        if (chain == NULL) {
            return NULL;
        }
        chain->chain.base = node;
    }
    while (gt_parse_peek(p).type == GT_T_FIELD) {
        t = gt_parse_next(p);
        if (!chain_add(p, chain, dsp_str_sub(t.val, 1, t.val.len))) {
            return NULL;
        }
    }
    return can_have_fields(node) ? chain : fail_dot_after(p, node);
}

static gt_node *command(gt_parser *p)
{
    gt_node *cmd = gt_parse_new_node(p, GT_N_COMMAND, gt_parse_peek_non_space(p).pos);
    bool     none;

    if (cmd == NULL) {
        return NULL;
    }
    for (;;) {
        gt_parse_peek_non_space(p);
        gt_node *node = operand(p, &none);
        if (!none && !gt_parse_list_append(p, cmd, node)) {
            return NULL;
        }
        gt_token t = gt_parse_next(p);
        if (t.type == GT_T_SPACE) {
            continue;
        }
        if (t.type == GT_T_RIGHT_DELIM || t.type == GT_T_RIGHT_PAREN) {
            gt_parse_backup(p);
        } else if (t.type != GT_T_PIPE) {
            return gt_parse_unexpected(p, t, "operand");
        }
        break;
    }
    return cmd->list.n == 0 ? gt_parse_fail(p, "empty command") : cmd;
}

/* --- pipelines ---------------------------------------------------------------------------------------------------- */

static bool declare(gt_parser *p, gt_node *pipe, gt_token v)
{
    gt_node *node = gt_parse_new_chain(p, GT_N_VARIABLE, v.pos, v.val);

    if (node == NULL || !gt_parse_add_var(p, v.val)) {
        return false;
    }
    pipe->pipe.decl[pipe->pipe.n_decl++] = node;
    return true;
}

/* $x := , $x = , and in a range $x, $y := : puts the tokens back where it was nothing of the kind. */
static bool declarations(gt_parser *p, gt_node *pipe, const char *context)
{
    for (;;) {
        gt_token v = gt_parse_peek_non_space(p);
        if (v.type != GT_T_VARIABLE) {
            return true;
        }
        gt_parse_next(p);
        gt_token after = gt_parse_peek(p);
        gt_token t = gt_parse_peek_non_space(p);
        if (t.type == GT_T_ASSIGN || t.type == GT_T_DECLARE) {
            pipe->flag = t.type == GT_T_ASSIGN;
            gt_parse_next_non_space(p);
            return declare(p, pipe, v);
        }
        if (t.type != GT_T_CHAR || !dsp_str_is(t.val, ",")) {
            if (after.type == GT_T_SPACE) {
                gt_parse_backup3(p, v, after);
            } else {
                gt_parse_backup2(p, v);
            }
            return true;
        }
        gt_parse_next_non_space(p);
        if (!declare(p, pipe, v)) {
            return false;
        }
        if (strcmp(context, "range") != 0 || pipe->pipe.n_decl >= 2) {
            dsp_buf *b;
            gt_parse_fail_head(p, &b);
            if (b != NULL) {
                dsp_buf_addf(b, "too many declarations in %s", context);
            }
            gt_parse_fail_tail(p, b, DSP_TEMPLATE_PARSE);
            return false;
        }
        switch (gt_parse_peek_non_space(p).type) {
        case GT_T_VARIABLE:
        case GT_T_RIGHT_DELIM:
        case GT_T_RIGHT_PAREN:
            break;
        default:
            gt_parse_fail(p, "range can only initialize variables");
            return false;
        }
    }
}

static gt_node *check_pipeline(gt_parser *p, gt_node *pipe, const char *context)
{
    dsp_buf *b;

    if (pipe->pipe.n == 0) {
        gt_parse_fail_head(p, &b);
        if (b != NULL) {
            dsp_buf_addf(b, "missing value for %s", context);
        }
        return gt_parse_fail_tail(p, b, DSP_TEMPLATE_PARSE);
    }
    for (uint32_t i = 1; i < pipe->pipe.n; i++) {
        if (!can_have_fields(pipe->pipe.cmds[i]->list.items[0])) {
            gt_parse_fail_head(p, &b);
            if (b != NULL) {
                dsp_buf_addf(b, "non executable command in pipeline stage %u", i + 1);
            }
            return gt_parse_fail_tail(p, b, DSP_TEMPLATE_PARSE);
        }
    }
    return pipe;
}

gt_node *gt_parse_pipeline(gt_parser *p, const char *context, enum gt_token_type end)
{
    gt_node *pipe = gt_parse_new_node(p, GT_N_PIPE, gt_parse_peek_non_space(p).pos);

    if (pipe == NULL || !declarations(p, pipe, context)) {
        return NULL;
    }
    for (;;) {
        gt_token t = gt_parse_next_non_space(p);
        if (t.type == end) {
            return check_pipeline(p, pipe, context);
        }
        switch (t.type) {
        case GT_T_BOOL:
        case GT_T_CHAR_CONSTANT:
        case GT_T_COMPLEX:
        case GT_T_DOT:
        case GT_T_FIELD:
        case GT_T_IDENTIFIER:
        case GT_T_NUMBER:
        case GT_T_NIL:
        case GT_T_RAW_STRING:
        case GT_T_STRING:
        case GT_T_VARIABLE:
        case GT_T_LEFT_PAREN:
            gt_parse_backup(p);
            if (!gt_parse_append(p, &pipe->pipe.cmds, &pipe->pipe.n, &pipe->pipe.size, command(p))) {
                return NULL;
            }
            break;
        default:
            return gt_parse_unexpected(p, t, context);
        }
    }
}
