/*
 * Strings: taken apart (fn_string.c), put together (fn_string_build.c); letters, words and case (fn_case.c).
 */
#ifndef DSP_TEMPLATE_FN_STRING_H
#define DSP_TEMPLATE_FN_STRING_H

#include "function.h"

/* fn_string.c */
GT_BODY(gt_fn_hello);
GT_BODY(gt_fn_to_string);
GT_BODY(gt_fn_trunc);
GT_BODY(gt_fn_abbrev);
GT_BODY(gt_fn_abbrevboth);
GT_BODY(gt_fn_substr);
GT_BODY(gt_fn_trim);
GT_BODY(gt_fn_trim_all);
GT_BODY(gt_fn_trim_prefix);
GT_BODY(gt_fn_trim_suffix);
GT_BODY(gt_fn_contains);
GT_BODY(gt_fn_has_prefix);
GT_BODY(gt_fn_has_suffix);
GT_BODY(gt_fn_replace);

/* fn_string_build.c */
GT_BODY(gt_fn_repeat);
GT_BODY(gt_fn_indent); /* indent, nindent: GT_MODE_NEWLINE */
GT_BODY(gt_fn_quote);
GT_BODY(gt_fn_squote);
GT_BODY(gt_fn_cat);
GT_BODY(gt_fn_plural);
GT_BODY(gt_fn_wrap);
GT_BODY(gt_fn_wrap_with);

enum { GT_MODE_NEWLINE = 8 };

/* fn_case.c */
GT_BODY(gt_fn_upper);
GT_BODY(gt_fn_lower);
GT_BODY(gt_fn_title);
GT_BODY(gt_fn_untitle);
GT_BODY(gt_fn_swapcase);
GT_BODY(gt_fn_initials);
GT_BODY(gt_fn_nospace);
GT_BODY(gt_fn_camelcase);
GT_BODY(gt_fn_snakecase); /* snakecase, kebabcase: GT_MODE_KEBAB */

enum { GT_MODE_KEBAB = 8 };

#endif
