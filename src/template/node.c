#include "parse.h"
#include "strconv.h"

static void names_text(dsp_buf *out, const gt_node *node)
{
    for (uint32_t i = 0; i < node->chain.n; i++) {
        if (i > 0 || node->type != GT_N_VARIABLE) {
            dsp_buf_addc(out, '.');
        }
        dsp_buf_adds(out, node->chain.names[i]);
    }
}

static void operand_text(dsp_buf *out, const gt_node *node)
{
    bool parens = node->type == GT_N_PIPE;

    if (parens) {
        dsp_buf_addc(out, '(');
    }
    gt_node_text(out, node);
    if (parens) {
        dsp_buf_addc(out, ')');
    }
}

static void pipe_text(dsp_buf *out, const gt_node *node)
{
    for (uint32_t i = 0; i < node->pipe.n_decl; i++) {
        if (i > 0) {
            dsp_buf_addz(out, ", ");
        }
        gt_node_text(out, node->pipe.decl[i]);
    }
    if (node->pipe.n_decl > 0) {
        dsp_buf_addz(out, node->flag ? " = " : " := ");
    }
    for (uint32_t i = 0; i < node->pipe.n; i++) {
        if (i > 0) {
            dsp_buf_addz(out, " | ");
        }
        gt_node_text(out, node->pipe.cmds[i]);
    }
}

static void command_text(dsp_buf *out, const gt_node *node)
{
    for (uint32_t i = 0; i < node->list.n; i++) {
        if (i > 0) {
            dsp_buf_addc(out, ' ');
        }
        operand_text(out, node->list.items[i]);
    }
}

static void head_text(dsp_buf *out, const char *word, const gt_node *pipe)
{
    dsp_buf_addz(out, "{{");
    dsp_buf_addz(out, word);
    gt_node_text(out, pipe);
    dsp_buf_addz(out, "}}");
}

static void template_text(dsp_buf *out, const gt_node *node)
{
    dsp_buf_addz(out, "{{template ");
    gt_quote(out, node->template.name, 0);
    if (node->template.pipe != NULL) {
        dsp_buf_addc(out, ' ');
        gt_node_text(out, node->template.pipe);
    }
    dsp_buf_addz(out, "}}");
}

void gt_node_text(dsp_buf *out, const gt_node *node)
{
    switch ((enum gt_node_type) node->type) {
    case GT_N_TEXT:
    case GT_N_LIST:
        dsp_buf_addz(out, "text");
        break;
    case GT_N_ACTION:
        head_text(out, "", node->branch.pipe);
        break;
    case GT_N_IF:
        head_text(out, "if ", node->branch.pipe);
        break;
    case GT_N_RANGE:
        head_text(out, "range ", node->branch.pipe);
        break;
    case GT_N_WITH:
        head_text(out, "with ", node->branch.pipe);
        break;
    case GT_N_TEMPLATE:
        template_text(out, node);
        break;
    case GT_N_BREAK:
        dsp_buf_addz(out, "{{break}}");
        break;
    case GT_N_CONTINUE:
        dsp_buf_addz(out, "{{continue}}");
        break;
    case GT_N_PIPE:
        pipe_text(out, node);
        break;
    case GT_N_COMMAND:
        command_text(out, node);
        break;
    case GT_N_IDENTIFIER:
        dsp_buf_adds(out, node->ident.name);
        break;
    case GT_N_CHAIN:
        operand_text(out, node->chain.base);
        names_text(out, node);
        break;
    case GT_N_VARIABLE:
    case GT_N_FIELD:
        names_text(out, node);
        break;
    case GT_N_DOT:
        dsp_buf_addc(out, '.');
        break;
    case GT_N_NIL:
        dsp_buf_addz(out, "nil");
        break;
    case GT_N_BOOL:
        dsp_buf_addz(out, node->flag ? "true" : "false");
        break;
    case GT_N_NUMBER:
        dsp_buf_adds(out, node->number->text);
        break;
    case GT_N_STRING:
        dsp_buf_adds(out, node->string.quoted);
        break;
    case GT_N_END:
        dsp_buf_addz(out, "{{end}}");
        break;
    case GT_N_ELSE:
        dsp_buf_addz(out, "{{else}}");
        break;
    }
}
