/* Passwords and AES. What is slow has its price in the rows: gt_function.cost. */
#ifndef DSP_TEMPLATE_FN_CRYPTO_H
#define DSP_TEMPLATE_FN_CRYPTO_H

#include "function.h"

GT_BODY(gt_fn_bcrypt);
GT_BODY(gt_fn_htpasswd);
GT_BODY(gt_fn_derive_password);
GT_BODY(gt_fn_encrypt_aes);
GT_BODY(gt_fn_decrypt_aes);

#endif
