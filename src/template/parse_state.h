/*
 * What the files of the parser share: its state, reading tokens, making nodes and errors (parse_base.c), and pipelines
 * (parse_pipe.c). parse.c has the actions and the templates.
 *
 * Recursive descent with three tokens of look-ahead, token[0] being the newest that was read. Every function gives
 * NULL (or false) when the text is wrong or a limit is reached; the error is then in the context.
 *
 * Each `define` and `block` is parsed by a parser of its own on the same lexer: with its own look-ahead and its own
 * variables. That shows in the line numbers of error messages.
 */
#ifndef DSP_TEMPLATE_PARSE_STATE_H
#define DSP_TEMPLATE_PARSE_STATE_H

#include "parse.h"

typedef struct gt_parser {
    gt_ctx   *c;
    gt_lexer *lex;
    dsp_str   name; /* of the whole text's template, for errors */
    gt_token  token[3];
    int       peeked;

    dsp_str *vars; /* those declared here */
    size_t   n_vars, size_vars;

    uint32_t  action_line; /* where the action under way began; 0: outside of actions */
    unsigned  range_depth;
    unsigned *nesting; /* of the whole text */
    gt_tree **trees;
} gt_parser;

/* --- errors: "template: NAME:LINE: …"; each gives NULL ------------------------------------------------------------ */

void *gt_parse_fail(gt_parser *p, const char *message);
/* message, a quoted name, more */
void *gt_parse_fail_quoted(gt_parser *p, const char *message, dsp_str name, const char *more);
/* message, a node's text, and where. */
void *gt_parse_fail_node(gt_parser *p, const char *message, const gt_node *node, const char *in, const char *where);
/* Puts name and line before the message that is in the context. */
void *gt_parse_fail_wrapped(gt_parser *p);
/* A token that cannot stand there; or the lexer's own error. */
void *gt_parse_unexpected(gt_parser *p, gt_token t, const char *context);
/* For a message made of parts: head begins it in *b (NULL: out of memory), tail makes it the error, if there is none. */
void *gt_parse_fail_head(gt_parser *p, dsp_buf **b);
void *gt_parse_fail_tail(gt_parser *p, dsp_buf *b, enum dsp_template_failure kind);

/* --- tokens ------------------------------------------------------------------------------------------------------- */

gt_token gt_parse_next(gt_parser *p);
gt_token gt_parse_peek(gt_parser *p);
gt_token gt_parse_next_non_space(gt_parser *p);
gt_token gt_parse_peek_non_space(gt_parser *p);
bool     gt_parse_expect(gt_parser *p, enum gt_token_type type, const char *context, gt_token *out);

/* The last token, or the last two or three, are to be read again; the arguments are those before the newest. */
void gt_parse_backup(gt_parser *p);
void gt_parse_backup2(gt_parser *p, gt_token t1);
void gt_parse_backup3(gt_parser *p, gt_token t2, gt_token t1);

/* --- depth -------------------------------------------------------------------------------------------------------- */

/* Before each level of parentheses or blocks; the caller takes it back from *p->nesting. */
bool  gt_parse_deeper(gt_parser *p);
void *gt_parse_too_deep(gt_parser *p);

/* --- nodes -------------------------------------------------------------------------------------------------------- */

gt_node *gt_parse_new_node(gt_parser *p, enum gt_node_type type, uint32_t pos);
/* A FIELD, VARIABLE or CHAIN of one name so far. */
gt_node *gt_parse_new_chain(gt_parser *p, enum gt_node_type type, uint32_t pos, dsp_str name);
/* Appends to an array of nodes, or to a list; item NULL hands an error on. */
bool gt_parse_append(gt_parser *p, gt_node ***items, uint32_t *n, uint32_t *size, gt_node *item);
bool gt_parse_list_append(gt_parser *p, gt_node *list, gt_node *item);
bool gt_parse_add_var(gt_parser *p, dsp_str name);
/* The text of a quoted string. */
bool gt_parse_unquote(gt_parser *p, dsp_str quoted, dsp_str *out);

/* --- parse_pipe.c ------------------------------------------------------------------------------------------------- */

/* Up to and with the token `end`; context is the word that errors name. */
gt_node *gt_parse_pipeline(gt_parser *p, const char *context, enum gt_token_type end);

#endif
