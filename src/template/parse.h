/*
 * A template's text to a tree: the lexer, the parser and the tree's canonical text, which error messages quote.
 *
 * They follow Go's package text/template/parse token by token, because what the parser says about a wrong text depends
 * on how far it has read. Nodes live in the arena; names and texts in them point into the template's text.
 */
#ifndef DSP_TEMPLATE_PARSE_H
#define DSP_TEMPLATE_PARSE_H

#include "function.h"

/* --- tokens ------------------------------------------------------------------------------------------------------- */

enum gt_token_type {
    GT_T_ERROR = 0, /* val is the message */
    GT_T_BOOL,
    GT_T_CHAR,          /* a printable ASCII character without a meaning of its own, the comma too */
    GT_T_CHAR_CONSTANT, /* 'x' */
    GT_T_COMPLEX,       /* 1+2i */
    GT_T_ASSIGN,        /* = */
    GT_T_DECLARE,       /* := */
    GT_T_EOF,
    GT_T_FIELD,      /* .x */
    GT_T_IDENTIFIER, /* a function's name */
    GT_T_LEFT_DELIM,
    GT_T_LEFT_PAREN,
    GT_T_NUMBER,
    GT_T_PIPE,
    GT_T_RAW_STRING, /* with its quotes, as the next but one */
    GT_T_RIGHT_DELIM,
    GT_T_RIGHT_PAREN,
    GT_T_SPACE,
    GT_T_STRING,
    GT_T_TEXT,
    GT_T_VARIABLE, /* $ or $x */
    GT_T_KEYWORD,  /* only a mark: keywords follow */
    GT_T_BLOCK,
    GT_T_BREAK,
    GT_T_CONTINUE,
    GT_T_DOT,
    GT_T_DEFINE,
    GT_T_ELSE,
    GT_T_END,
    GT_T_IF,
    GT_T_NIL,
    GT_T_RANGE,
    GT_T_TEMPLATE,
    GT_T_WITH
};

typedef struct gt_token {
    enum gt_token_type type;
    uint32_t           pos;  /* byte in the text */
    uint32_t           line; /* 1.. */
    dsp_str            val;
} gt_token;

typedef struct gt_lexer {
    gt_ctx  *ctx;
    dsp_str  input;
    size_t   pos;   /* where we read */
    size_t   start; /* of this token */
    uint32_t line;
    uint32_t start_line;
    int      parens;
    bool     inside; /* an action */
    gt_token token;  /* to be given back */
} gt_lexer;

void gt_lexer_init(gt_lexer *l, gt_ctx *c, dsp_str text);

/* The next token; after the end GT_T_EOF for ever. Out of memory or steps: GT_T_ERROR with the error in the context. */
gt_token gt_lexer_next(gt_lexer *l);

/* --- the tree ----------------------------------------------------------------------------------------------------- */

enum gt_node_type {
    GT_N_TEXT = 1,
    GT_N_ACTION,   /* branch.pipe */
    GT_N_IF,       /* branch */
    GT_N_RANGE,    /* branch */
    GT_N_WITH,     /* branch */
    GT_N_LIST,     /* list */
    GT_N_TEMPLATE, /* template */
    GT_N_BREAK,
    GT_N_CONTINUE,
    GT_N_PIPE,    /* pipe */
    GT_N_COMMAND, /* list: the operands */
    GT_N_IDENTIFIER,
    GT_N_VARIABLE, /* chain: names[0] is $x */
    GT_N_DOT,
    GT_N_NIL,
    GT_N_FIELD, /* chain without base */
    GT_N_CHAIN, /* chain */
    GT_N_BOOL,
    GT_N_NUMBER,
    GT_N_STRING,
    GT_N_END, /* only inside the parser, as the next one */
    GT_N_ELSE
};

/* A number may be several types at once, as Go's untyped constants. */
typedef struct gt_number {
    dsp_str  text;
    bool     is_int, is_uint, is_float, is_complex;
    int64_t  i;
    uint64_t u;
    double   f;
    double   re, im;
} gt_number;

typedef struct gt_node {
    uint8_t  type; /* enum gt_node_type */
    bool     flag; /* BOOL: true; PIPE: `=` and not `:=` */
    uint32_t pos;  /* byte in the text */
    union {
        dsp_str text; /* TEXT */
        struct {
            struct gt_node *pipe, *list, *else_list; /* else_list may be NULL */
        } branch;
        struct {
            struct gt_node **items;
            uint32_t         n, size;
        } list;
        struct {
            struct gt_node **cmds;
            uint32_t         n, size;
            struct gt_node  *decl[2]; /* VARIABLE nodes */
            uint32_t         n_decl;
        } pipe;
        struct {
            dsp_str         name;
            struct gt_node *pipe; /* may be NULL */
        } template;
        struct {
            dsp_str            name;
            const gt_function *fn;
        } ident;
        struct {
            dsp_str        *names;
            uint32_t        n;
            struct gt_node *base; /* CHAIN only */
        } chain;
        const gt_number *number;
        struct {
            dsp_str quoted, text;
        } string;
    };
} gt_node;

/* A template of the text: the whole one, or one that `define` or `block` makes. */
typedef struct gt_tree {
    struct gt_tree *next;
    dsp_str         name;
    gt_node        *root;
    bool            empty; /* nothing but white space */
} gt_tree;

/*
 * Parses all of the text. *trees lists the templates, newest first; gt_tree_find() finds the one called name: the last
 * that is not empty of all of that name. false: the whole error text ("template: NAME:LINE: …") is in the context,
 * with DSP_TEMPLATE_PARSE where it is the text's fault.
 */
bool gt_parse(gt_ctx *c, dsp_str name, dsp_str text, gt_tree **trees);

const gt_tree *gt_tree_find(const gt_tree *trees, dsp_str name);

/* newNumber of Go: what a NUMBER, COMPLEX or CHAR_CONSTANT token means; false with the message in the context. */
bool gt_number_parse(gt_ctx *c, dsp_str text, enum gt_token_type type, gt_number *out);

/*
 * The node as Go's String() writes it, except that of if, range, with and of lists only the head is written
 * ("{{range .x}}"): no error message of Go's is about those, only those of our limits.
 */
void gt_node_text(dsp_buf *out, const gt_node *node);

#endif
