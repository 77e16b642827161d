/*
 * What Go's crypto/x509, crypto/rsa and crypto/ecdsa (1.26) and Sprig refuse in a private key, in the order in which they
 * look; OpenSSL reads the key for use.
 */
#ifndef DSP_TEMPLATE_KEY_RULES_H
#define DSP_TEMPLATE_KEY_RULES_H

#include "base/buf.h"
#include "base/str.h"

/* Each: false: Go refuses it, with the text added to `error`. true: there may be the beginning of a text in it. */
bool gt_key_rules_pkcs1(dsp_str der, dsp_buf *error);
bool gt_key_rules_ec(dsp_str der, dsp_buf *error);
bool gt_key_rules_pkcs8(dsp_str der, dsp_buf *error);
bool gt_key_rules_dsa(dsp_str der, dsp_buf *error);

#endif
