/* Private keys and certificates. What they cost is in the rows, but for genPrivateKey, which asks for more for RSA. */
#ifndef DSP_TEMPLATE_FN_CERT_H
#define DSP_TEMPLATE_FN_CERT_H

#include "function.h"

GT_BODY(gt_fn_gen_private_key);
GT_BODY(gt_fn_build_custom_cert);
GT_BODY(gt_fn_gen_ca);          /* cn, days[, key] */
GT_BODY(gt_fn_gen_self_signed); /* cn, ips, dns, days[, key] */
GT_BODY(gt_fn_gen_signed);      /* cn, ips, dns, days, ca[, key] */

/* Mode: the last argument is the key in PEM, else a new RSA key of 2048 bits is made. */
enum { GT_MODE_WITH_KEY = 8 };

#endif
