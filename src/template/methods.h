/*
 * Tables of methods: what the files that write them share. The receiver of a body is args[-1], its row c->fn.
 */
#ifndef DSP_TEMPLATE_METHODS_H
#define DSP_TEMPLATE_METHODS_H

#include "function.h"
#include "tzif.h"

/* One row, the parameters as GT_METHOD_PARAMS(…) or GT_NO_PARAMS; and one that text/template cannot call, and why. */
#define GT_METHOD(name, body, mode, params, result) { { name, body, mode, params, 0, result, 1, 0 }, NULL }
#define GT_METHOD_PARAMS(...)                       GT_PARAMS(__VA_ARGS__)
#define GT_METHOD_REFUSED(name, why)                { { name, NULL, 0, GT_NO_PARAMS, 0, GT_ANY, 1, 0 }, why }

/* A table's place in gt_type_ops. */
#define GT_METHODS(table) .methods = table, .n_methods = sizeof(table) / sizeof(table[0])

/* Gives a value's text by one of the operations of its type. */
bool gt_give_text(gt_ctx *c, gt_value v, bool (*write)(gt_ctx *, gt_value, dsp_buf *), gt_value *out);

/* Whether Go has one object for both (NULL is UTC), and whether two have the same contents (reflect.DeepEqual). */
bool gt_location_same(const gt_location *a, const gt_location *b);
bool gt_location_equal(const gt_location *a, const gt_location *b);

#endif
