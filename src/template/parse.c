#include "base/utf8.h"
#include "parse_state.h"
#include "unicode.h"

/* --- actions ------------------------------------------------------------------------------------------------------ */

static gt_node *text_or_action(gt_parser *p);

/* The nodes up to {{end}} or {{else}}, which is given in *last. */
static gt_node *item_list(gt_parser *p, gt_node **last)
{
    gt_node *list = gt_parse_new_node(p, GT_N_LIST, gt_parse_peek_non_space(p).pos);

    if (list == NULL) {
        return NULL;
    }
    while (gt_parse_peek_non_space(p).type != GT_T_EOF) {
        gt_node *node = text_or_action(p);
        if (node == NULL) {
            return NULL;
        }
        if (node->type == GT_N_END || node->type == GT_N_ELSE) {
            *last = node;
            return list;
        }
        if (!gt_parse_list_append(p, list, node)) {
            return NULL;
        }
    }
    return gt_parse_fail(p, "unexpected EOF");
}

static gt_node *branch(gt_parser *p, enum gt_node_type type);

/* {{else if}} and {{else with}}: as if {{else}}{{if}}…{{end}}{{end}} stood there, the last {{end}} being assumed. */
static gt_node *else_branch(gt_parser *p, enum gt_node_type type, uint32_t pos)
{
    gt_node *list = gt_parse_new_node(p, GT_N_LIST, pos);

    gt_parse_next(p);
    return list != NULL && gt_parse_list_append(p, list, branch(p, type)) ? list : NULL;
}

static bool branch_else(gt_parser *p, gt_node *node, const gt_node *mark)
{
    enum gt_token_type t = gt_parse_peek(p).type;
    gt_node           *last;

    if ((node->type == GT_N_IF && t == GT_T_IF) || (node->type == GT_N_WITH && t == GT_T_WITH)) {
        if (!gt_stack_ok(p->c)) {
            gt_parse_too_deep(p);
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
        gt_parse_fail_node(p, "expected end; found ", last, "", "");
        return false;
    }
    return true;
}

/* if, range, with: the keyword is past. */
static gt_node *branch(gt_parser *p, enum gt_node_type type)
{
    const char *context = type == GT_N_IF ? "if" : type == GT_N_RANGE ? "range" : "with";
    size_t      n_vars = p->n_vars;
    gt_node    *node = gt_parse_new_node(p, type, 0);
    gt_node    *last;

    if (node == NULL) {
        return NULL;
    }
    node->branch.pipe = gt_parse_pipeline(p, context, GT_T_RIGHT_DELIM);
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

static gt_node *nested_branch(gt_parser *p, enum gt_node_type type)
{
    gt_node *node;

    if (!gt_parse_deeper(p)) {
        return NULL;
    }
    node = branch(p, type);
    --*p->nesting;
    return node;
}

static gt_node *loop_control(gt_parser *p, gt_token word, enum gt_node_type type)
{
    gt_token    t = gt_parse_next_non_space(p);
    const char *name = type == GT_N_BREAK ? "{{break}}" : "{{continue}}";

    if (t.type != GT_T_RIGHT_DELIM) {
        return gt_parse_unexpected(p, t, name);
    }
    if (p->range_depth == 0) {
        return gt_parse_fail(p, type == GT_N_BREAK ? "{{break}} outside {{range}}" : "{{continue}} outside {{range}}");
    }
    return gt_parse_new_node(p, type, word.pos);
}

static gt_node *end_control(gt_parser *p)
{
    gt_token t;

    return gt_parse_expect(p, GT_T_RIGHT_DELIM, "end", &t) ? gt_parse_new_node(p, GT_N_END, t.pos) : NULL;
}

static gt_node *else_control(gt_parser *p)
{
    gt_token t = gt_parse_peek_non_space(p);

    if (t.type == GT_T_IF || t.type == GT_T_WITH) {
        return gt_parse_new_node(p, GT_N_ELSE, t.pos);
    }
    return gt_parse_expect(p, GT_T_RIGHT_DELIM, "else", &t) ? gt_parse_new_node(p, GT_N_ELSE, t.pos) : NULL;
}

static bool template_name(gt_parser *p, gt_token t, const char *context, dsp_str *name)
{
    if (t.type != GT_T_STRING && t.type != GT_T_RAW_STRING) {
        gt_parse_unexpected(p, t, context);
        return false;
    }
    return gt_parse_unquote(p, t.val, name);
}

static gt_node *new_template(gt_parser *p, uint32_t pos, dsp_str name, gt_node *pipe)
{
    gt_node *node = gt_parse_new_node(p, GT_N_TEMPLATE, pos);

    if (node != NULL) {
        node->template.name = name;
        node->template.pipe = pipe;
    }
    return node;
}

static gt_node *template_control(gt_parser *p)
{
    gt_token t = gt_parse_next_non_space(p);
    gt_node *pipe = NULL;
    dsp_str  name;

    if (!template_name(p, t, "template clause", &name)) {
        return NULL;
    }
    if (gt_parse_next_non_space(p).type != GT_T_RIGHT_DELIM) {
        gt_parse_backup(p);
        pipe = gt_parse_pipeline(p, "template clause", GT_T_RIGHT_DELIM);
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
static bool add_tree(gt_parser *p, dsp_str name, gt_node *root)
{
    gt_tree *tree = *p->trees;
    bool     empty = is_empty(root);

    while (tree != NULL && !dsp_str_eq(tree->name, name)) {
        tree = tree->next;
    }
    if (tree != NULL && !tree->empty) {
        if (!empty) {
            gt_parse_fail_quoted(p, "template: multiple definition of template ", name, "");
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
    tree->empty = empty;
    return true;
}

/* A parser for a template inside the text of p. */
static bool start_parser(gt_parser *p, gt_parser *inner)
{
    *inner = (gt_parser){ .c = p->c, .lex = p->lex, .name = p->name, .nesting = p->nesting, .trees = p->trees };
    return gt_parse_add_var(inner, DSP_STR("$"));
}

static bool tree_body(gt_parser *inner, dsp_str name, const char *context, gt_parser *blame)
{
    gt_node *last;
    gt_node *root = item_list(inner, &last);

    if (root == NULL) {
        return false;
    }
    if (last->type != GT_N_END) {
        gt_parse_fail_node(blame, "unexpected ", last, " in ", context);
        return false;
    }
    return add_tree(inner, name, root);
}

/* {{define "name"}} … {{end}}: the keyword is past. */
static bool definition(gt_parser *p)
{
    const char *context = "define clause";
    gt_parser      inner;
    dsp_str     name;
    gt_token    t;

    if (!start_parser(p, &inner)) {
        return false;
    }
    return template_name(&inner, gt_parse_next_non_space(&inner), context, &name) &&
           gt_parse_expect(&inner, GT_T_RIGHT_DELIM, context, &t) && tree_body(&inner, name, context, &inner);
}

static gt_node *block_control(gt_parser *p)
{
    const char *context = "block clause";
    gt_token    t = gt_parse_next_non_space(p);
    gt_node    *pipe;
    gt_parser      inner;
    dsp_str     name;

    if (!template_name(p, t, context, &name)) {
        return NULL;
    }
    pipe = gt_parse_pipeline(p, context, GT_T_RIGHT_DELIM);
    if (pipe == NULL || !gt_parse_deeper(p)) {
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
static gt_node *action(gt_parser *p)
{
    gt_token t = gt_parse_next_non_space(p);
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
        gt_parse_backup(p);
        node = gt_parse_new_node(p, GT_N_ACTION, gt_parse_peek(p).pos);
        if (node == NULL) {
            return NULL;
        }
        node->branch.pipe = gt_parse_pipeline(p, "command", GT_T_RIGHT_DELIM);
        return node->branch.pipe != NULL ? node : NULL;
    }
}

static gt_node *text_or_action(gt_parser *p)
{
    gt_token t = gt_parse_next_non_space(p);
    gt_node *node;

    switch (t.type) {
    case GT_T_TEXT:
        node = gt_parse_new_node(p, GT_N_TEXT, t.pos);
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
        return gt_parse_unexpected(p, t, "input");
    }
}

static gt_node *whole_text(gt_parser *p)
{
    gt_node *root = gt_parse_new_node(p, GT_N_LIST, gt_parse_peek(p).pos);

    if (root == NULL) {
        return NULL;
    }
    while (gt_parse_peek(p).type != GT_T_EOF) {
        if (gt_parse_peek(p).type == GT_T_LEFT_DELIM) {
            gt_token delim = gt_parse_next(p);
            if (gt_parse_next_non_space(p).type == GT_T_DEFINE) {
                if (!definition(p)) {
                    return NULL;
                }
                continue;
            }
            gt_parse_backup2(p, delim);
        }
        gt_node *node = text_or_action(p);
        if (node == NULL) {
            return NULL;
        }
        if (node->type == GT_N_END || node->type == GT_N_ELSE) {
            return gt_parse_fail_node(p, "unexpected ", node, "", "");
        }
        if (!gt_parse_list_append(p, root, node)) {
            return NULL;
        }
    }
    return root;
}

bool gt_parse(gt_ctx *c, dsp_str name, dsp_str text, gt_tree **trees)
{
    unsigned nesting = 0;
    gt_lexer lexer;
    gt_parser   p = { .c = c, .lex = &lexer, .name = name, .nesting = &nesting, .trees = trees };
    gt_node *root;

    *trees = NULL;
    gt_lexer_init(&lexer, c, text);
    if (!gt_parse_add_var(&p, DSP_STR("$"))) {
        return false;
    }
    root = whole_text(&p);
    return root != NULL && add_tree(&p, name, root);
}
