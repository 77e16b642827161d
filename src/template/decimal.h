/*
 * Exact decimal arithmetic for Sprig's addf, subf, mulf and divf, as shopspring/decimal 1.4: each operand is the
 * shortest decimal that reads back as the float (so 0.1 is one tenth), sums and products are exact, a quotient has 16
 * places after the point, rounded half away from zero. The result is the nearest float.
 */
#ifndef DSP_TEMPLATE_DECIMAL_H
#define DSP_TEMPLATE_DECIMAL_H

#include "function.h"

enum gt_decimal_op { GT_DECIMAL_ADD, GT_DECIMAL_SUB, GT_DECIMAL_MUL, GT_DECIMAL_DIV };

/*
 * first op rest[0] op rest[1] … The error texts are those of decimal's panics: `decimal division by 0`, `Cannot create
 * a Decimal from NaN`. Charges steps by the length of the numbers.
 */
bool gt_decimal_chain(gt_ctx *c, enum gt_decimal_op op, double first, const double *rest, size_t n, double *out);

#endif
