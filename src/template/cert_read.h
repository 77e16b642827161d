/*
 * DER elements as Go's x/crypto/cryptobyte reads them: stricter than encoding/asn1, and without a reason for a failure.
 */
#ifndef DSP_TEMPLATE_CERT_READ_H
#define DSP_TEMPLATE_CERT_READ_H

#include "base/buf.h"
#include "base/str.h"

enum {
    BOOLEAN = 1, INTEGER = 2, BIT_STRING = 3, OCTET_STRING = 4, OID = 6, UTF8_STRING = 12, NUMERIC_STRING = 18, PRINTABLE_STRING = 19,
    T61_STRING = 20, IA5_STRING = 22, UTC_TIME = 23, GENERALIZED_TIME = 24, BMP_STRING = 30, SEQUENCE = 0x30, SET = 0x31,
    CONTEXT = 0x80, CONSTRUCTED = 0x20
};

/* Adds the text; always false. */
bool gt_cb_no(dsp_buf *error, const char *why);
unsigned char gt_cb_byte(dsp_str s, size_t i);
bool gt_cb_begins(dsp_str s, unsigned tag);
/* The first element of *s, which moves behind it: its tag, its content, and (where not NULL) the whole of it. */
bool gt_cb_read_any(dsp_str *s, unsigned *tag, dsp_str *content, dsp_str *whole);
bool gt_cb_read(dsp_str *s, unsigned tag, dsp_str *content);
/* whether the content of an integer is as short as it can be */
bool gt_cb_minimal(dsp_str n);
bool gt_cb_integer(dsp_str *s, dsp_str *n);
/* of an integer that was read */
bool gt_cb_positive(dsp_str n);
/* An integer of at most 8 bytes. */
bool gt_cb_small(dsp_str *s, int64_t *out);
bool gt_cb_boolean(dsp_str *s, bool *out);
/* *bits: without the byte that tells of *padding. */
bool gt_cb_bits(dsp_str *s, dsp_str *bits, unsigned *padding);
bool gt_cb_oid(dsp_str *s, dsp_str *oid);
bool gt_cb_ascii(dsp_str s);

#endif
