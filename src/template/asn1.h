/*
 * Go's asn1.Unmarshal (encoding/asn1, 1.26) into structs that are known beforehand, with its error texts.
 */
#ifndef DSP_TEMPLATE_ASN1_H
#define DSP_TEMPLATE_ASN1_H

#include "base/buf.h"
#include "base/str.h"

enum gt_asn1_kind {
    GT_ASN1_INT, GT_ASN1_BIG, GT_ASN1_OCTETS, GT_ASN1_OID, GT_ASN1_BITS, GT_ASN1_ANY, GT_ASN1_STRUCT,
    GT_ASN1_LIST /* of structs */
};

/* explicit_tag: 0, or one more than the number of an explicit tag (of a field that is optional) */
struct gt_asn1_field {
    enum gt_asn1_kind         kind;
    bool                      optional;
    unsigned                  explicit_tag;
    const struct gt_asn1_type *type; /* of GT_ASN1_STRUCT and GT_ASN1_LIST */
};

struct gt_asn1_type {
    const char                 *name; /* Go's */
    size_t                      n;
    const struct gt_asn1_field *fields;
};

/*
 * Reads the element that `der` begins with. values: one for each field, its content (of GT_ASN1_ANY: all of it), without
 * data where it is absent; may be NULL. *rest (may be NULL): what follows. false: Go's text is added to `error` (may be NULL).
 */
bool gt_asn1_read(dsp_str der, const struct gt_asn1_type *type, dsp_str *values, dsp_str *rest, dsp_buf *error);

/* The same for one value of a simple kind. */
bool gt_asn1_read_one(dsp_str der, enum gt_asn1_kind kind, dsp_str *value, dsp_buf *error);

#endif
