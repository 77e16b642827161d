#include "der.h"

#include <openssl/objects.h>

/* The long form: a byte that tells how many bytes of length follow. *i stands behind the first. */
static const char *long_length(const unsigned char *p, size_t len, size_t *i, uint64_t *out)
{
    size_t n = p[*i - 1] & 0x7F;

    if (n == 0) {
        return "asn1: syntax error: indefinite length found (not DER)";
    }
    for (*out = 0; n > 0; n--) {
        if (*i >= len) {
            return "asn1: syntax error: truncated tag or length";
        }
        if (*out >= 1u << 23) {
            return "asn1: structure error: length too large";
        }
        *out = *out << 8 | p[(*i)++];
        if (*out == 0) {
            return "asn1: structure error: superfluous leading zeros in length";
        }
    }
    return *out < 0x80 ? "asn1: structure error: non-minimal length" : NULL;
}

const char *gt_der_base128(const unsigned char *p, size_t len, size_t *i, uint64_t *out)
{
    enum { MOST_BYTES = 5 };
    size_t start = *i;

    for (*out = 0; *i < len; (*i)++) {
        if (*i - start == MOST_BYTES) {
            return "asn1: structure error: base 128 integer too large";
        }
        if (*i == start && p[*i] == 0x80) {
            return "asn1: syntax error: integer is not minimally encoded";
        }
        *out = *out << 7 | (p[*i] & 0x7F);
        if (p[*i] < 0x80) {
            (*i)++;
            return *out > INT32_MAX ? "asn1: structure error: base 128 integer too large" : NULL;
        }
    }
    return "asn1: syntax error: truncated base 128 integer";
}

static const char *long_tag(const unsigned char *p, size_t len, size_t *i, unsigned *tag)
{
    uint64_t    n;
    const char *fault = gt_der_base128(p, len, i, &n);

    *tag = (unsigned) n;
    return fault == NULL && n < 0x1F ? "asn1: syntax error: non-minimal tag" : fault;
}

struct gt_der_head gt_der_head(dsp_str s)
{
    struct gt_der_head   h = { .fault = NULL };
    const unsigned char *p = (const unsigned char *) s.data;
    size_t               i = 1;

    if (s.len == 0) {
        h.fault = "asn1: syntax error: sequence truncated";
        return h;
    }
    h.class = p[0] >> 6;
    h.compound = (p[0] & 0x20) != 0;
    h.tag = p[0] & 0x1F;
    if (h.tag == 0x1F) {
        h.fault = long_tag(p, s.len, &i, &h.tag);
    }
    if (h.fault != NULL) {
        return h;
    }
    if (i >= s.len) {
        h.fault = "asn1: syntax error: truncated tag or length";
    } else if (p[i++] < 0x80) {
        h.length = p[i - 1];
    } else {
        h.fault = long_length(p, s.len, &i, &h.length);
    }
    h.size = i;
    return h;
}

/* --- object identifiers ------------------------------------------------------------------------------------------- */

void gt_der_oid_text(dsp_buf *out, dsp_str oid)
{
    size_t   i = 0;
    uint64_t n = 0;

    gt_der_base128((const unsigned char *) oid.data, oid.len, &i, &n);
    dsp_buf_addf(out, "%u.%llu", n < 80 ? (unsigned) n / 40 : 2, (unsigned long long) (n < 80 ? n % 40 : n - 80));
    while (i < oid.len && gt_der_base128((const unsigned char *) oid.data, oid.len, &i, &n) == NULL) {
        dsp_buf_addf(out, ".%llu", (unsigned long long) n);
    }
}

int gt_der_curve(dsp_str oid)
{
    return dsp_str_eq(oid, DSP_STR("\x2B\x81\x04\x00\x21"))               ? NID_secp224r1
           : dsp_str_eq(oid, DSP_STR("\x2A\x86\x48\xCE\x3D\x03\x01\x07")) ? NID_X9_62_prime256v1
           : dsp_str_eq(oid, DSP_STR("\x2B\x81\x04\x00\x22"))             ? NID_secp384r1
           : dsp_str_eq(oid, DSP_STR("\x2B\x81\x04\x00\x23"))             ? NID_secp521r1
                                                                          : NID_undef;
}
