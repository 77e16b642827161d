#include "der.h"

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
    if (h.tag == 0x1F) { /* more than one byte of tag: nothing that is read here has one */
        h.fault = "asn1: syntax error: truncated base 128 integer";
    } else if (s.len < 2) {
        h.fault = "asn1: syntax error: truncated tag or length";
    } else if (p[i++] < 0x80) {
        h.length = p[1];
    } else {
        h.fault = long_length(p, s.len, &i, &h.length);
    }
    h.size = i;
    return h;
}
