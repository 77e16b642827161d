/*
 * X.509 certificates as Go's crypto/x509 (1.26) makes them for Sprig.
 */
#ifndef DSP_TEMPLATE_CERT_H
#define DSP_TEMPLATE_CERT_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/str.h"
#include "ipaddr.h"

typedef struct gt_cert_request {
    dsp_str          cn;
    const gt_ipaddr *ips;
    size_t           n_ips;
    const dsp_str   *dns;
    size_t           n_dns;
    int64_t          not_before, not_after; /* Unix seconds */
    unsigned char    serial[16];            /* random bytes */
    bool             ca;
    EVP_PKEY        *key;        /* the certificate's own */
    X509            *parent;     /* NULL: it signs itself */
    EVP_PKEY        *parent_key; /* where there is a parent */
} gt_cert_request;

/* Adds the certificate as PEM. false: Go's text ("error creating certificate: …") is in error. */
bool gt_cert_make(const gt_cert_request *r, dsp_buf *out, dsp_buf *error);

/* x509.ParseCertificate of the first PEM block. NULL: the text of Go (or of Sprig, where there is no block) is in
 * error. `name` is the variable's name in Sprig's text: decodedCert or decodedSignerCert. */
X509 *gt_cert_from_pem(dsp_str pem, const char *name, dsp_buf *error);

/* Whether x509.ParseCertificate takes it. */
bool gt_cert_check(dsp_str pem, const char *name, dsp_buf *error);

#endif
