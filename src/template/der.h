/*
 * The head of a DER element (X.690), as Go's encoding/asn1 (1.26) reads it.
 */
#ifndef DSP_TEMPLATE_DER_H
#define DSP_TEMPLATE_DER_H

#include "base/buf.h"
#include "base/str.h"

struct gt_der_head {
    unsigned    class, tag;
    bool        compound;
    uint64_t    length; /* of the content */
    size_t      size;   /* of the head */
    const char *fault;  /* Go's text for what is wrong with the head; NULL: nothing */
};

struct gt_der_head gt_der_head(dsp_str s);

/* A number of 7 bits a byte from p[*i] on, as tags and object identifiers have them; Go's text for a fault, or NULL. */
const char *gt_der_base128(const unsigned char *p, size_t len, size_t *i, uint64_t *out);

/* The content of an object identifier, which was found to be one, as text: "2.5.29.15". */
void gt_der_oid_text(dsp_buf *out, dsp_str oid);

/* OpenSSL's number of the elliptic curve, if Go knows it too; else NID_undef. */
int gt_der_curve(dsp_str oid);

#endif
