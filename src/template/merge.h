/*
 * Merging of dicts as dario.cat/mergo 1.0.1 does it for Sprig's merge and mergeOverwrite.
 *
 * Without overwrite a value of dst stays unless it is empty (nil, "", 0, false, no elements). With it every value of
 * src wins, an empty one too. Where both values are dicts they are merged, except that an empty dict in dst gives way
 * to the one of src. Lists are taken whole. Nested dicts are shared with src, not copied.
 */
#ifndef DSP_TEMPLATE_MERGE_H
#define DSP_TEMPLATE_MERGE_H

#include "function.h"

enum gt_merge_result {
    GT_MERGE_OK = 0,
    GT_MERGE_REFUSED, /* mergo's error, which merge swallows: "src and dst must be of same type" */
    GT_MERGE_FAILED   /* the context has an error */
};

/* Merges src (NULL: nothing to do) into dst, which must not be NULL. */
enum gt_merge_result gt_merge(gt_ctx *c, gt_map *dst, const gt_map *src, bool overwrite);

#define GT_MERGE_REFUSED_TEXT "src and dst must be of same type"

#endif
