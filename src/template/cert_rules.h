/*
 * What Go's crypto/x509 (1.26) refuses in a certificate, in the order in which it looks; OpenSSL reads the certificate for
 * use. Not followed: URIs among the alternative names, name constraints, policy mappings, DSA and X25519 keys, coordinates of points that are not below the field's prime.
 */
#ifndef DSP_TEMPLATE_CERT_RULES_H
#define DSP_TEMPLATE_CERT_RULES_H

#include "base/buf.h"
#include "base/str.h"

/* false: Go refuses it, with the text added to `error` */
bool gt_cert_rules(dsp_str der, dsp_buf *error);

/* The same for its extensions alone (cert_extensions.c). */
bool gt_cert_extensions(dsp_str all, dsp_buf *error);

#endif
