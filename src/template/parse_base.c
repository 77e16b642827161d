#include <string.h>

#include "base/utf8.h"
#include "parse_state.h"
#include "strconv.h"

/* --- errors ------------------------------------------------------------------------------------------------------- */

void *gt_parse_fail_head(gt_parser *p, dsp_buf **b)
{
    *b = gt_text_begin(p->c);
    if (*b != NULL) {
        dsp_buf_addz(*b, "template: ");
        dsp_buf_adds(*b, p->name);
        dsp_buf_addf(*b, ":%u: ", p->token[0].line);
    }
    return NULL;
}

/* Makes the text that gt_parse_fail_head() began the error, unless there is one (out of memory while lexing). */
void *gt_parse_fail_tail(gt_parser *p, dsp_buf *b, enum dsp_template_failure kind)
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

void *gt_parse_fail(gt_parser *p, const char *message)
{
    dsp_buf *b;

    gt_parse_fail_head(p, &b);
    if (b != NULL) {
        dsp_buf_addz(b, message);
    }
    return gt_parse_fail_tail(p, b, DSP_TEMPLATE_PARSE);
}

/* message, a quoted name, more */
void *gt_parse_fail_quoted(gt_parser *p, const char *message, dsp_str name, const char *more)
{
    dsp_buf *b;

    gt_parse_fail_head(p, &b);
    if (b != NULL) {
        dsp_buf_addz(b, message);
        gt_quote(b, name, 0);
        dsp_buf_addz(b, more);
    }
    return gt_parse_fail_tail(p, b, DSP_TEMPLATE_PARSE);
}

/* message, a node's text, and where. */
void *gt_parse_fail_node(gt_parser *p, const char *message, const gt_node *node, const char *in, const char *where)
{
    dsp_buf *b;

    gt_parse_fail_head(p, &b);
    if (b != NULL) {
        dsp_buf_addz(b, message);
        gt_node_text(b, node);
        dsp_buf_addz(b, in);
        dsp_buf_addz(b, where);
    }
    return gt_parse_fail_tail(p, b, DSP_TEMPLATE_PARSE);
}

/* Puts name and line before the message that is in the context. */
void *gt_parse_fail_wrapped(gt_parser *p)
{
    dsp_buf *b;

    if (p->c->failure != DSP_TEMPLATE_EXEC) {
        return NULL;
    }
    gt_parse_fail_head(p, &b);
    if (b != NULL) {
        dsp_buf_adds(b, dsp_buf_str(&p->c->error));
    }
    gt_forgive(p->c);
    return gt_parse_fail_tail(p, b, DSP_TEMPLATE_PARSE);
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

void *gt_parse_unexpected(gt_parser *p, gt_token t, const char *context)
{
    dsp_buf *b;

    if (p->c->failed) {
        return NULL;
    }
    gt_parse_fail_head(p, &b);
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
    return gt_parse_fail_tail(p, b, DSP_TEMPLATE_PARSE);
}

/* --- tokens ------------------------------------------------------------------------------------------------------- */

gt_token gt_parse_next(gt_parser *p)
{
    if (p->peeked > 0) {
        p->peeked--;
    } else {
        p->token[0] = gt_lexer_next(p->lex);
    }
    return p->token[p->peeked];
}

void gt_parse_backup(gt_parser *p)
{
    p->peeked++;
}

void gt_parse_backup2(gt_parser *p, gt_token t1)
{
    p->token[1] = t1;
    p->peeked = 2;
}

void gt_parse_backup3(gt_parser *p, gt_token t2, gt_token t1)
{
    p->token[1] = t1;
    p->token[2] = t2;
    p->peeked = 3;
}

gt_token gt_parse_peek(gt_parser *p)
{
    if (p->peeked > 0) {
        return p->token[p->peeked - 1];
    }
    p->peeked = 1;
    p->token[0] = gt_lexer_next(p->lex);
    return p->token[0];
}

gt_token gt_parse_next_non_space(gt_parser *p)
{
    gt_token t = gt_parse_next(p);

    while (t.type == GT_T_SPACE) {
        t = gt_parse_next(p);
    }
    return t;
}

gt_token gt_parse_peek_non_space(gt_parser *p)
{
    gt_token t = gt_parse_next_non_space(p);

    gt_parse_backup(p);
    return t;
}

bool gt_parse_expect(gt_parser *p, enum gt_token_type type, const char *context, gt_token *out)
{
    gt_token t = gt_parse_next_non_space(p);

    if (t.type != type) {
        gt_parse_unexpected(p, t, context);
        return false;
    }
    *out = t;
    return true;
}

/* --- depth -------------------------------------------------------------------------------------------------------- */

void *gt_parse_too_deep(gt_parser *p)
{
    dsp_buf *b;

    gt_parse_fail_head(p, &b);
    if (b != NULL) {
        dsp_buf_addf(b, "parentheses and blocks are nested deeper than %u levels", p->c->options->limits.nesting);
    }
    return gt_parse_fail_tail(p, b, DSP_TEMPLATE_LIMIT);
}

/* Before each level of parentheses or blocks. */
bool gt_parse_deeper(gt_parser *p)
{
    if (*p->nesting >= p->c->options->limits.nesting || !gt_stack_ok(p->c)) {
        gt_parse_too_deep(p);
        return false;
    }
    ++*p->nesting;
    return true;
}

/* --- nodes -------------------------------------------------------------------------------------------------------- */

gt_node *gt_parse_new_node(gt_parser *p, enum gt_node_type type, uint32_t pos)
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
bool gt_parse_append(gt_parser *p, gt_node ***items, uint32_t *n, uint32_t *size, gt_node *item)
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

bool gt_parse_list_append(gt_parser *p, gt_node *list, gt_node *item)
{
    return gt_parse_append(p, &list->list.items, &list->list.n, &list->list.size, item);
}

/* A FIELD, VARIABLE or CHAIN of one name so far. */
gt_node *gt_parse_new_chain(gt_parser *p, enum gt_node_type type, uint32_t pos, dsp_str name)
{
    gt_node *node = gt_parse_new_node(p, type, pos);

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

bool gt_parse_add_var(gt_parser *p, dsp_str name)
{
    if (p->n_vars == p->size_vars) {
        size_t   size = p->size_vars == 0 ? 8 : p->size_vars * 2;
        dsp_str *vars = gt_regrow(p->c, p->vars, p->n_vars, size, sizeof(*vars));

        if (vars == NULL) {
            return false;
        }
        p->vars = vars;
        p->size_vars = size;
    }
    p->vars[p->n_vars++] = name;
    return true;
}

bool gt_parse_unquote(gt_parser *p, dsp_str quoted, dsp_str *out)
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
        gt_parse_fail(p, "invalid syntax");
        return false;
    }
    return gt_text_end(p->c, b, out);
}
