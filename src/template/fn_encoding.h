/* Base 64 and 32, digests. */
#ifndef DSP_TEMPLATE_FN_ENCODING_H
#define DSP_TEMPLATE_FN_ENCODING_H

#include "function.h"

GT_BODY(gt_fn_b64enc);
GT_BODY(gt_fn_b64dec);
GT_BODY(gt_fn_b32enc);
GT_BODY(gt_fn_b32dec);

GT_BODY(gt_fn_sha1sum);
GT_BODY(gt_fn_sha256sum);
GT_BODY(gt_fn_sha512sum);
GT_BODY(gt_fn_adler32sum);

/*
 * Base 64 with padding as Go's StdEncoding, \r and \n left out. What is decoded is added to out. On an error the offset
 * of the bad byte as Go counts it goes to *bad: illegal base64 data at input byte %zu.
 */
bool gt_base64_decode(dsp_buf *out, dsp_str s, size_t *bad);
void gt_base64_encode(dsp_buf *out, dsp_str s);

#endif
