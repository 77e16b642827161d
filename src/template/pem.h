/*
 * PEM as Go's encoding/pem (1.26) reads it.
 */
#ifndef DSP_TEMPLATE_PEM_H
#define DSP_TEMPLATE_PEM_H

#include "base/buf.h"
#include "base/str.h"

/*
 * The first block of a text: its type (a piece of data) and its bytes, added to `bytes`. What stands before it is
 * skipped, what is malformed too. false: there is none. bytes->failed: out of memory, then neither answer counts.
 */
bool gt_pem_decode(dsp_str data, dsp_str *type, dsp_buf *bytes);

#endif
