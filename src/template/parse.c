#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "parse.h"
#include "strconv.h"
#include "unicode.h"

/*
 * Recursive descent with three tokens of look-ahead, token[0] being the newest that was read. Every function gives
 * NULL (or false) when the text is wrong or a limit is reached; the error is then in the context.
 *
 * Each `define` and `block` is parsed by a parser of its own on the same lexer: with its own look-ahead and its own
 * variables. That shows in the line numbers of error messages.
 */

typedef struct parser {
    gt_ctx   *c;
    gt_lexer *lex;
    dsp_str   name; /* of the whole text's template, for errors */
    gt_token  token[3];
    int       peeked;

    dsp_str *vars; /* those declared here */
    size_t   n_vars, size_vars;

    uint32_t   action_line;
    unsigned   range_depth;
    unsigned  *nesting; /* of the whole text */
    gt_tree  **trees;
} parser;

/* --- errors ------------------------------------------------------------------------------------------------------- */

static void *fail_head(parser *p, dsp_buf **b)
{
    *b = gt_text_begin(p->c);
    if (*b != NULL) {
        dsp_buf_addz(*b, "template: ");
        dsp_buf_adds(*b, p->name);
        dsp_buf_addf(*b, ":%u: ", p->token[0].line);
    }
    return NULL;
}

/* Makes the text that fail_head() began the error, unless there is one (out of memory while lexing). */
static void *fail_tail(parser *p, dsp_buf *b, enum dsp_template_failure kind)
{
    dsp_str text;

    if (b == NULL || !gt_text_end(p->c, b, &text)) {
        return NULL;
    }
    gt_fail_str(p->c, text);
    if (p->c->failure == DSP_TEMPLATE_EXEC) {
        p->c->failure = kind;
    }
    return NULL;
}

static void *fail(parser *p, const char *message)
{
    dsp_buf *b;

    fail_head(p, &b);
    if (b != NULL) {
        dsp_buf_addz(b, message);
    }
    return fail_tail(p, b, DSP_TEMPLATE_PARSE);
}

/* message, a quoted name, more */
static void *fail_quoted(parser *p, const char *message, dsp_str name, const char *more)
{
    dsp_buf *b;

    fail_head(p, &b);
    if (b != NULL) {
        dsp_buf_addz(b, message);
        gt_quote(b, name, 0);
        dsp_buf_addz(b, more);
    }
    return fail_tail(p, b, DSP_TEMPLATE_PARSE);
}

/* message, a node's text, and where. */
static void *fail_node(parser *p, const char *message, const gt_node *node, const char *in, const char *where)
{
    dsp_buf *b;

    fail_head(p, &b);
    if (b != NULL) {
        dsp_buf_addz(b, message);
        gt_node_text(b, node);
        dsp_buf_addz(b, in);
        dsp_buf_addz(b, where);
    }
    return fail_tail(p, b, DSP_TEMPLATE_PARSE);
}

/* Puts name and line before the message that is in the context. */
static void *fail_wrapped(parser *p)
{
    dsp_buf *b;

    if (p->c->failure != DSP_TEMPLATE_EXEC) {
        return NULL;
    }
    fail_head(p, &b);
    if (b != NULL) {
        dsp_buf_adds(b, dsp_buf_str(&p->c->error));
    }
    gt_forgive(p->c);
    return fail_tail(p, b, DSP_TEMPLATE_PARSE);
}

/* Go's item.String(). */
static void token_text(dsp_buf *b, gt_token t)
{
    size_t   cut = 0;
    uint32_t rune;

    if (t.type == GT_T_EOF) {
        dsp_buf_addz(b, "EOF");
    } else if (t.type == GT_T_ERROR) {
        dsp_buf_adds(b, t.val);
    } else if (t.type > GT_T_KEYWORD) {
        dsp_buf_addc(b, '<');
        dsp_buf_adds(b, t.val);
        dsp_buf_addc(b, '>');
    } else if (t.val.len > 10) {
        for (int i = 0; i < 10 && cut < t.val.len; i++) {
            cut += dsp_utf8_decode(dsp_str_sub(t.val, cut, t.val.len), &rune);
        }
        gt_quote(b, dsp_str_sub(t.val, 0, cut), 0);
        dsp_buf_addz(b, "...");
    } else {
        gt_quote(b, t.val, 0);
    }
}

static void *unexpected(parser *p, gt_token t, const char *context)
{
    dsp_buf *b;

    if (p->c->failed) {
        return NULL;
    }
    fail_head(p, &b);
    if (b == NULL) {
        return NULL;
    }
    if (t.type != GT_T_ERROR) {
        dsp_buf_addz(b, "unexpected ");
        token_text(b, t);
        dsp_buf_addz(b, " in ");
        dsp_buf_addz(b, context);
    } else {
        dsp_buf_adds(b, t.val);
        if (p->action_line != 0 && p->action_line != t.line) {
            dsp_buf_addz(b, dsp_str_has_suffix(t.val, DSP_STR(" action")) ? " started at " : " in action started at ");
            dsp_buf_adds(b, p->name);
            dsp_buf_addf(b, ":%u", p->action_line);
        }
    }
    return fail_tail(p, b, DSP_TEMPLATE_PARSE);
}

/* --- tokens ------------------------------------------------------------------------------------------------------- */

static gt_token next(parser *p)
{
    if (p->peeked > 0) {
        p->peeked--;
    } else {
        p->token[0] = gt_lexer_next(p->lex);
    }
    return p->token[p->peeked];
}

static void backup(parser *p)
{
    p->peeked++;
}

static void backup2(parser *p, gt_token t1)
{
    p->token[1] = t1;
    p->peeked = 2;
}

static void backup3(parser *p, gt_token t2, gt_token t1)
{
    p->token[1] = t1;
    p->token[2] = t2;
    p->peeked = 3;
}

static gt_token peek(parser *p)
{
    if (p->peeked > 0) {
        return p->token[p->peeked - 1];
    }
    p->peeked = 1;
    p->token[0] = gt_lexer_next(p->lex);
    return p->token[0];
}

static gt_token next_non_space(parser *p)
{
    gt_token t = next(p);

    while (t.type == GT_T_SPACE) {
        t = next(p);
    }
    return t;
}

static gt_token peek_non_space(parser *p)
{
    gt_token t = next_non_space(p);

    backup(p);
    return t;
}

static bool expect(parser *p, enum gt_token_type type, const char *context, gt_token *out)
{
    gt_token t = next_non_space(p);

    if (t.type != type) {
        unexpected(p, t, context);
        return false;
    }
    *out = t;
    return true;
}

/* --- depth -------------------------------------------------------------------------------------------------------- */

static void *too_deep(parser *p)
{
    dsp_buf *b;

    fail_head(p, &b);
    if (b != NULL) {
        dsp_buf_addf(b, "parentheses and blocks are nested deeper than %u levels", p->c->options->limits.nesting);
    }
    return fail_tail(p, b, DSP_TEMPLATE_LIMIT);
}

/* Before each level of parentheses or blocks. */
static bool deeper(parser *p)
{
    if (*p->nesting >= p->c->options->limits.nesting || !gt_stack_ok(p->c)) {
        too_deep(p);
        return false;
    }
    ++*p->nesting;
    return true;
}

/* --- nodes -------------------------------------------------------------------------------------------------------- */

static gt_node *new_node(parser *p, enum gt_node_type type, uint32_t pos)
{
    gt_node *node = gt_charge(p->c, 1) ? gt_alloc(p->c, sizeof(*node)) : NULL;

    if (node != NULL) {
        memset(node, 0, sizeof(*node));
        node->type = (uint8_t) type;
        node->pos = pos;
    }
    return node;
}

/* Appends to an array of nodes; item NULL hands an error on. */
static bool append(parser *p, gt_node ***items, uint32_t *n, uint32_t *size, gt_node *item)
{
    if (item == NULL) {
        return false;
    }
    if (*n == *size) {
        uint32_t  more = *size == 0 ? 2 : *size * 2;
        gt_node **grown = gt_alloc_n(p->c, more, sizeof(gt_node *));

        if (grown == NULL) {
            return false;
        }
        if (*n > 0) {
            memcpy(grown, *items, *n * sizeof(gt_node *));
        }
        *items = grown;
        *size = more;
    }
    (*items)[(*n)++] = item;
    return true;
}

static bool list_append(parser *p, gt_node *list, gt_node *item)
{
    return append(p, &list->list.items, &list->list.n, &list->list.size, item);
}

/* A FIELD, VARIABLE or CHAIN of one name so far. */
static gt_node *new_chain(parser *p, enum gt_node_type type, uint32_t pos, dsp_str name)
{
    gt_node *node = new_node(p, type, pos);

    if (node == NULL) {
        return NULL;
    }
    node->chain.names = gt_alloc(p->c, sizeof(dsp_str));
    if (node->chain.names == NULL) {
        return NULL;
    }
    node->chain.names[0] = name;
    node->chain.n = 1;
    return node;
}

static bool add_var(parser *p, dsp_str name)
{
    if (p->n_vars == p->size_vars) {
        size_t   size = p->size_vars == 0 ? 8 : p->size_vars * 2;
        dsp_str *vars = gt_alloc_n(p->c, size, sizeof(*vars));

        if (vars == NULL) {
            return false;
        }
        if (p->n_vars > 0) {
            memcpy(vars, p->vars, p->n_vars * sizeof(*vars));
        }
        p->vars = vars;
        p->size_vars = size;
    }
    p->vars[p->n_vars++] = name;
    return true;
}

static bool unquote(parser *p, dsp_str quoted, dsp_str *out)
{
    dsp_buf *b;

    if (quoted.len >= 2 && memchr(quoted.data, '\\', quoted.len) == NULL && quoted.data[0] == '"' &&
        dsp_utf8_invalid_at(quoted) == quoted.len) {
        *out = dsp_str_sub(quoted, 1, quoted.len - 1);
        return true;
    }
    b = gt_text_begin(p->c);
    if (b == NULL) {
        return false;
    }
    if (!gt_unquote(b, quoted) && !b->failed) {
        fail(p, "invalid syntax");
        return false;
    }
    return gt_text_end(p->c, b, out);
}

/* --- operands ----------------------------------------------------------------------------------------------------- */

static gt_node *pipeline(parser *p, const char *context, enum gt_token_type end);

static gt_node *identifier(parser *p, gt_token t)
{
    const gt_function *fn = gt_function_find(t.val, p->c->options->policy);
    gt_node           *node;

    if (fn == NULL) {
        return fail_quoted(p, "function ", t.val, " not defined");
    }
    node = new_node(p, GT_N_IDENTIFIER, t.pos);
    if (node != NULL) {
        node->ident.name = t.val;
        node->ident.fn = fn;
    }
    return node;
}

static gt_node *use_variable(parser *p, gt_token t)
{
    for (size_t i = 0; i < p->n_vars; i++) {
        if (dsp_str_eq(p->vars[i], t.val)) {
            return new_chain(p, GT_N_VARIABLE, t.pos, t.val);
        }
    }
    return fail_quoted(p, "undefined variable ", t.val, "");
}

static gt_node *number(parser *p, gt_token t)
{
    gt_node   *node = new_node(p, GT_N_NUMBER, t.pos);
    gt_number *n = gt_alloc(p->c, sizeof(*n));

    if (node == NULL || n == NULL) {
        return NULL;
    }
    if (!gt_number_parse(p->c, t.val, t.type, n)) {
        return fail_wrapped(p);
    }
    node->number = n;
    return node;
}

static gt_node *string(parser *p, gt_token t)
{
    dsp_str  text;
    gt_node *node;

    if (!unquote(p, t.val, &text)) {
        return NULL;
    }
    node = new_node(p, GT_N_STRING, t.pos);
    if (node != NULL) {
        node->string.quoted = t.val;
        node->string.text = text;
    }
    return node;
}

static gt_node *parenthesized(parser *p)
{
    gt_node *node;

    if (!deeper(p)) {
        return NULL;
    }
    node = pipeline(p, "parenthesized pipeline", GT_T_RIGHT_PAREN);
    --*p->nesting;
    return node;
}

/* *none: the next token starts no operand (NULL without an error). */
static gt_node *term(parser *p, bool *none)
{
    gt_token t = next_non_space(p);
    gt_node *node;

    *none = false;
    switch (t.type) {
    case GT_T_IDENTIFIER:
        return identifier(p, t);
    case GT_T_DOT:
        return new_node(p, GT_N_DOT, t.pos);
    case GT_T_NIL:
        return new_node(p, GT_N_NIL, t.pos);
    case GT_T_VARIABLE:
        return use_variable(p, t);
    case GT_T_FIELD:
        return new_chain(p, GT_N_FIELD, t.pos, dsp_str_sub(t.val, 1, t.val.len));
    case GT_T_BOOL:
        node = new_node(p, GT_N_BOOL, t.pos);
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
        backup(p);
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

static bool chain_add(parser *p, gt_node *node, dsp_str name)
{
    dsp_str *names = gt_alloc_n(p->c, node->chain.n + 1, sizeof(*names));

    if (names == NULL || !gt_charge(p->c, node->chain.n / 8)) {
        return false;
    }
    memcpy(names, node->chain.names, node->chain.n * sizeof(*names));
    names[node->chain.n++] = name;
    node->chain.names = names;
    return true;
}

/* The text of a literal, quoted, as fail_node() cannot. */
static void *fail_dot_after(parser *p, const gt_node *node)
{
    dsp_buf *b = gt_text_begin(p->c);
    dsp_str  text;

    if (b == NULL) {
        return NULL;
    }
    gt_node_text(b, node);
    return gt_text_end(p->c, b, &text) ? fail_quoted(p, "unexpected . after term ", text, "") : NULL;
}

/* term .Field*: the fields go into a FIELD or VARIABLE itself, around all else a CHAIN is put. */
static gt_node *operand(parser *p, bool *none)
{
    gt_node *node = term(p, none);
    gt_node *chain;

    if (node == NULL || peek(p).type != GT_T_FIELD) {
        return node;
    }
    gt_token t = next(p);
    dsp_str  name = dsp_str_sub(t.val, 1, t.val.len);
    if (node->type == GT_N_FIELD || node->type == GT_N_VARIABLE) {
        node->pos = t.pos; /* the position of such a node is that of its second name */
        if (!chain_add(p, node, name)) {
            return NULL;
        }
        chain = node;
    } else {
        chain = new_chain(p, GT_N_CHAIN, t.pos, name);
        if (chain == NULL) {
            return NULL;
        }
        chain->chain.base = node;
    }
    while (peek(p).type == GT_T_FIELD) {
        t = next(p);
        if (!chain_add(p, chain, dsp_str_sub(t.val, 1, t.val.len))) {
            return NULL;
        }
    }
    return can_have_fields(node) ? chain : fail_dot_after(p, node);
}

static gt_node *command(parser *p)
{
    gt_node *cmd = new_node(p, GT_N_COMMAND, peek_non_space(p).pos);
    bool     none;

    if (cmd == NULL) {
        return NULL;
    }
    for (;;) {
        peek_non_space(p);
        gt_node *node = operand(p, &none);
        if (!none && !list_append(p, cmd, node)) {
            return NULL;
        }
        gt_token t = next(p);
        if (t.type == GT_T_SPACE) {
            continue;
        }
        if (t.type == GT_T_RIGHT_DELIM || t.type == GT_T_RIGHT_PAREN) {
            backup(p);
        } else if (t.type != GT_T_PIPE) {
            return unexpected(p, t, "operand");
        }
        break;
    }
    return cmd->list.n == 0 ? fail(p, "empty command") : cmd;
}

/* --- pipelines ---------------------------------------------------------------------------------------------------- */

static bool declare(parser *p, gt_node *pipe, gt_token v)
{
    gt_node *node = new_chain(p, GT_N_VARIABLE, v.pos, v.val);

    if (node == NULL || !add_var(p, v.val)) {
        return false;
    }
    pipe->pipe.decl[pipe->pipe.n_decl++] = node;
    return true;
}

/* $x := , $x = , and in a range $x, $y := : puts the tokens back where it was nothing of the kind. */
static bool declarations(parser *p, gt_node *pipe, const char *context)
{
    for (;;) {
        gt_token v = peek_non_space(p);
        if (v.type != GT_T_VARIABLE) {
            return true;
        }
        next(p);
        gt_token after = peek(p);
        gt_token t = peek_non_space(p);
        if (t.type == GT_T_ASSIGN || t.type == GT_T_DECLARE) {
            pipe->flag = t.type == GT_T_ASSIGN;
            next_non_space(p);
            return declare(p, pipe, v);
        }
        if (t.type != GT_T_CHAR || !dsp_str_is(t.val, ",")) {
            if (after.type == GT_T_SPACE) {
                backup3(p, v, after);
            } else {
                backup2(p, v);
            }
            return true;
        }
        next_non_space(p);
        if (!declare(p, pipe, v)) {
            return false;
        }
        if (strcmp(context, "range") != 0 || pipe->pipe.n_decl >= 2) {
            dsp_buf *b;
            fail_head(p, &b);
            if (b != NULL) {
                dsp_buf_addf(b, "too many declarations in %s", context);
            }
            fail_tail(p, b, DSP_TEMPLATE_PARSE);
            return false;
        }
        switch (peek_non_space(p).type) {
        case GT_T_VARIABLE:
        case GT_T_RIGHT_DELIM:
        case GT_T_RIGHT_PAREN:
            break;
        default:
            fail(p, "range can only initialize variables");
            return false;
        }
    }
}

static gt_node *check_pipeline(parser *p, gt_node *pipe, const char *context)
{
    dsp_buf *b;

    if (pipe->pipe.n == 0) {
        fail_head(p, &b);
        if (b != NULL) {
            dsp_buf_addf(b, "missing value for %s", context);
        }
        return fail_tail(p, b, DSP_TEMPLATE_PARSE);
    }
    for (uint32_t i = 1; i < pipe->pipe.n; i++) {
        if (!can_have_fields(pipe->pipe.cmds[i]->list.items[0])) {
            fail_head(p, &b);
            if (b != NULL) {
                dsp_buf_addf(b, "non executable command in pipeline stage %u", i + 1);
            }
            return fail_tail(p, b, DSP_TEMPLATE_PARSE);
        }
    }
    return pipe;
}

static gt_node *pipeline(parser *p, const char *context, enum gt_token_type end)
{
    gt_node *pipe = new_node(p, GT_N_PIPE, peek_non_space(p).pos);

    if (pipe == NULL || !declarations(p, pipe, context)) {
        return NULL;
    }
    for (;;) {
        gt_token t = next_non_space(p);
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
            backup(p);
            if (!append(p, &pipe->pipe.cmds, &pipe->pipe.n, &pipe->pipe.size, command(p))) {
                return NULL;
            }
            break;
        default:
            return unexpected(p, t, context);
        }
    }
}

/* --- actions ------------------------------------------------------------------------------------------------------ */

static gt_node *text_or_action(parser *p);

/* The nodes up to {{end}} or {{else}}, which is given in *last. */
static gt_node *item_list(parser *p, gt_node **last)
{
    gt_node *list = new_node(p, GT_N_LIST, peek_non_space(p).pos);

    if (list == NULL) {
        return NULL;
    }
    while (peek_non_space(p).type != GT_T_EOF) {
        gt_node *node = text_or_action(p);
        if (node == NULL) {
            return NULL;
        }
        if (node->type == GT_N_END || node->type == GT_N_ELSE) {
            *last = node;
            return list;
        }
        if (!list_append(p, list, node)) {
            return NULL;
        }
    }
    return fail(p, "unexpected EOF");
}

static gt_node *branch(parser *p, enum gt_node_type type);

/* {{else if}} and {{else with}}: as if {{else}}{{if}}…{{end}}{{end}} stood there, the last {{end}} being assumed. */
static gt_node *else_branch(parser *p, enum gt_node_type type, uint32_t pos)
{
    gt_node *list = new_node(p, GT_N_LIST, pos);

    next(p);
    return list != NULL && list_append(p, list, branch(p, type)) ? list : NULL;
}

static bool branch_else(parser *p, gt_node *node, const gt_node *mark)
{
    enum gt_token_type t = peek(p).type;
    gt_node           *last;

    if ((node->type == GT_N_IF && t == GT_T_IF) || (node->type == GT_N_WITH && t == GT_T_WITH)) {
        if (!gt_stack_ok(p->c)) {
            too_deep(p);
            return false;
        }
        node->branch.else_list = else_branch(p, (enum gt_node_type) node->type, mark->pos);
        return node->branch.else_list != NULL;
    }
    node->branch.else_list = item_list(p, &last);
    if (node->branch.else_list == NULL) {
        return false;
    }
    if (last->type != GT_N_END) {
        fail_node(p, "expected end; found ", last, "", "");
        return false;
    }
    return true;
}

/* if, range, with: the keyword is past. */
static gt_node *branch(parser *p, enum gt_node_type type)
{
    const char *context = type == GT_N_IF ? "if" : type == GT_N_RANGE ? "range" : "with";
    size_t      n_vars = p->n_vars;
    gt_node    *node = new_node(p, type, 0);
    gt_node    *last;

    if (node == NULL) {
        return NULL;
    }
    node->branch.pipe = pipeline(p, context, GT_T_RIGHT_DELIM);
    if (node->branch.pipe == NULL) {
        return NULL;
    }
    node->pos = node->branch.pipe->pos;
    p->range_depth += type == GT_N_RANGE;
    node->branch.list = item_list(p, &last);
    p->range_depth -= type == GT_N_RANGE;
    if (node->branch.list == NULL || (last->type == GT_N_ELSE && !branch_else(p, node, last))) {
        return NULL;
    }
    p->n_vars = n_vars;
    return node;
}

static gt_node *nested_branch(parser *p, enum gt_node_type type)
{
    gt_node *node;

    if (!deeper(p)) {
        return NULL;
    }
    node = branch(p, type);
    --*p->nesting;
    return node;
}

static gt_node *loop_control(parser *p, gt_token word, enum gt_node_type type)
{
    gt_token    t = next_non_space(p);
    const char *name = type == GT_N_BREAK ? "{{break}}" : "{{continue}}";

    if (t.type != GT_T_RIGHT_DELIM) {
        return unexpected(p, t, name);
    }
    if (p->range_depth == 0) {
        return fail(p, type == GT_N_BREAK ? "{{break}} outside {{range}}" : "{{continue}} outside {{range}}");
    }
    return new_node(p, type, word.pos);
}

static gt_node *end_control(parser *p)
{
    gt_token t;

    return expect(p, GT_T_RIGHT_DELIM, "end", &t) ? new_node(p, GT_N_END, t.pos) : NULL;
}

static gt_node *else_control(parser *p)
{
    gt_token t = peek_non_space(p);

    if (t.type == GT_T_IF || t.type == GT_T_WITH) {
        return new_node(p, GT_N_ELSE, t.pos);
    }
    return expect(p, GT_T_RIGHT_DELIM, "else", &t) ? new_node(p, GT_N_ELSE, t.pos) : NULL;
}

static bool template_name(parser *p, gt_token t, const char *context, dsp_str *name)
{
    if (t.type != GT_T_STRING && t.type != GT_T_RAW_STRING) {
        unexpected(p, t, context);
        return false;
    }
    return unquote(p, t.val, name);
}

static gt_node *new_template(parser *p, uint32_t pos, dsp_str name, gt_node *pipe)
{
    gt_node *node = new_node(p, GT_N_TEMPLATE, pos);

    if (node != NULL) {
        node->template.name = name;
        node->template.pipe = pipe;
    }
    return node;
}

static gt_node *template_control(parser *p)
{
    gt_token t = next_non_space(p);
    gt_node *pipe = NULL;
    dsp_str  name;

    if (!template_name(p, t, "template clause", &name)) {
        return NULL;
    }
    if (next_non_space(p).type != GT_T_RIGHT_DELIM) {
        backup(p);
        pipe = pipeline(p, "template clause", GT_T_RIGHT_DELIM);
        if (pipe == NULL) {
            return NULL;
        }
    }
    return new_template(p, t.pos, name, pipe);
}

/* --- templates in the text ---------------------------------------------------------------------------------------- */

static bool is_blank(dsp_str text)
{
    size_t   i = 0;
    uint32_t r;

    while (i < text.len) {
        i += dsp_utf8_decode(dsp_str_sub(text, i, text.len), &r);
        if (!gt_rune_is(r, GT_UNI_SPACE)) {
            return false;
        }
    }
    return true;
}

/* Nothing but white space. */
static bool is_empty(const gt_node *list)
{
    for (uint32_t i = 0; i < list->list.n; i++) {
        if (list->list.items[i]->type != GT_N_TEXT || !is_blank(list->list.items[i]->text)) {
            return false;
        }
    }
    return true;
}

const gt_tree *gt_tree_find(const gt_tree *trees, dsp_str name)
{
    while (trees != NULL && !dsp_str_eq(trees->name, name)) {
        trees = trees->next;
    }
    return trees;
}

/* A template replaces an empty one of its name; an empty one replaces nothing. */
static bool add_tree(parser *p, dsp_str name, gt_node *root)
{
    gt_tree *tree = *p->trees;

    while (tree != NULL && !dsp_str_eq(tree->name, name)) {
        tree = tree->next;
    }
    if (tree != NULL && !is_empty(tree->root)) {
        if (!is_empty(root)) {
            fail_quoted(p, "template: multiple definition of template ", name, "");
            return false;
        }
        return true;
    }
    if (tree == NULL) {
        tree = gt_alloc(p->c, sizeof(*tree));
        if (tree == NULL) {
            return false;
        }
        tree->name = name;
        tree->next = *p->trees;
        *p->trees = tree;
    }
    tree->root = root;
    return true;
}

/* A parser for a template inside the text of p. */
static bool start_parser(parser *p, parser *inner)
{
    *inner = (parser){ .c = p->c, .lex = p->lex, .name = p->name, .nesting = p->nesting, .trees = p->trees };
    return add_var(inner, DSP_STR("$"));
}

static bool tree_body(parser *inner, dsp_str name, const char *context, parser *blame)
{
    gt_node *last;
    gt_node *root = item_list(inner, &last);

    if (root == NULL) {
        return false;
    }
    if (last->type != GT_N_END) {
        fail_node(blame, "unexpected ", last, " in ", context);
        return false;
    }
    return add_tree(inner, name, root);
}

/* {{define "name"}} … {{end}}: the keyword is past. */
static bool definition(parser *p)
{
    const char *context = "define clause";
    parser      inner;
    dsp_str     name;
    gt_token    t;

    if (!start_parser(p, &inner)) {
        return false;
    }
    return template_name(&inner, next_non_space(&inner), context, &name) &&
           expect(&inner, GT_T_RIGHT_DELIM, context, &t) && tree_body(&inner, name, context, &inner);
}

static gt_node *block_control(parser *p)
{
    const char *context = "block clause";
    gt_token    t = next_non_space(p);
    gt_node    *pipe;
    parser      inner;
    dsp_str     name;

    if (!template_name(p, t, context, &name)) {
        return NULL;
    }
    pipe = pipeline(p, context, GT_T_RIGHT_DELIM);
    if (pipe == NULL || !deeper(p)) {
        return NULL;
    }
    if (!start_parser(p, &inner) || !tree_body(&inner, name, context, p)) {
        return NULL;
    }
    --*p->nesting;
    return new_template(p, t.pos, name, pipe);
}

/* --- top ---------------------------------------------------------------------------------------------------------- */

/* The left delimiter is past. */
static gt_node *action(parser *p)
{
    gt_token t = next_non_space(p);
    gt_node *node;

    switch (t.type) {
    case GT_T_BLOCK:
        return block_control(p);
    case GT_T_BREAK:
        return loop_control(p, t, GT_N_BREAK);
    case GT_T_CONTINUE:
        return loop_control(p, t, GT_N_CONTINUE);
    case GT_T_ELSE:
        return else_control(p);
    case GT_T_END:
        return end_control(p);
    case GT_T_IF:
        return nested_branch(p, GT_N_IF);
    case GT_T_RANGE:
        return nested_branch(p, GT_N_RANGE);
    case GT_T_TEMPLATE:
        return template_control(p);
    case GT_T_WITH:
        return nested_branch(p, GT_N_WITH);
    default:
        backup(p);
        node = new_node(p, GT_N_ACTION, peek(p).pos);
        if (node == NULL) {
            return NULL;
        }
        node->branch.pipe = pipeline(p, "command", GT_T_RIGHT_DELIM);
        return node->branch.pipe != NULL ? node : NULL;
    }
}

static gt_node *text_or_action(parser *p)
{
    gt_token t = next_non_space(p);
    gt_node *node;

    switch (t.type) {
    case GT_T_TEXT:
        node = new_node(p, GT_N_TEXT, t.pos);
        if (node != NULL) {
            node->text = t.val;
        }
        return node;
    case GT_T_LEFT_DELIM:
        p->action_line = t.line;
        node = action(p);
        p->action_line = 0;
        return node;
    default:
        return unexpected(p, t, "input");
    }
}

static gt_node *whole_text(parser *p)
{
    gt_node *root = new_node(p, GT_N_LIST, peek(p).pos);

    if (root == NULL) {
        return NULL;
    }
    while (peek(p).type != GT_T_EOF) {
        if (peek(p).type == GT_T_LEFT_DELIM) {
            gt_token delim = next(p);
            if (next_non_space(p).type == GT_T_DEFINE) {
                if (!definition(p)) {
                    return NULL;
                }
                continue;
            }
            backup2(p, delim);
        }
        gt_node *node = text_or_action(p);
        if (node == NULL) {
            return NULL;
        }
        if (node->type == GT_N_END || node->type == GT_N_ELSE) {
            return fail_node(p, "unexpected ", node, "", "");
        }
        if (!list_append(p, root, node)) {
            return NULL;
        }
    }
    return root;
}

bool gt_parse(gt_ctx *c, dsp_str name, dsp_str text, gt_tree **trees)
{
    unsigned nesting = 0;
    gt_lexer lexer;
    parser   p = { .c = c, .lex = &lexer, .name = name, .nesting = &nesting, .trees = trees };
    gt_node *root;

    *trees = NULL;
    gt_lexer_init(&lexer, c, text);
    if (!add_var(&p, DSP_STR("$"))) {
        return false;
    }
    root = whole_text(&p);
    return root != NULL && add_tree(&p, name, root);
}
