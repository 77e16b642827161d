#include "cert_read.h"

#include "der.h"

bool gt_cb_no(dsp_buf *error, const char *why)
{
    dsp_buf_addz(error, why);
    return false;
}

unsigned char gt_cb_byte(dsp_str s, size_t i)
{
    return (unsigned char) s.data[i];
}

bool gt_cb_begins(dsp_str s, unsigned tag)
{
    return s.len > 0 && gt_cb_byte(s, 0) == tag;
}

/* The first element of *s, which moves behind it: its tag, its content, and (where not NULL) the whole of it. */
bool gt_cb_read_any(dsp_str *s, unsigned *tag, dsp_str *content, dsp_str *whole)
{
    size_t  n, head = 2, len = 0;
    dsp_str found;

    if (s->len < 2 || (gt_cb_byte(*s, 0) & 0x1F) == 0x1F) {
        return false;
    }
    *tag = gt_cb_byte(*s, 0);
    if (gt_cb_byte(*s, 1) < 0x80) {
        len = gt_cb_byte(*s, 1);
    } else {
        n = gt_cb_byte(*s, 1) & 0x7F;
        if (n == 0 || n > 4 || s->len < 2 + n || gt_cb_byte(*s, 2) == 0) {
            return false;
        }
        for (head = 2; head < 2 + n; head++) {
            len = len << 8 | gt_cb_byte(*s, head);
        }
        if (len < 0x80) {
            return false;
        }
    }
    if (len > s->len - head) {
        return false;
    }
    found = dsp_str_sub(*s, 0, head + len);
    *s = dsp_str_sub(*s, head + len, s->len);
    if (whole != NULL) {
        *whole = found;
    }
    *content = dsp_str_sub(found, head, found.len); /* last: it may be *s */
    return true;
}

bool gt_cb_read(dsp_str *s, unsigned tag, dsp_str *content)
{
    unsigned found;

    return gt_cb_read_any(s, &found, content, NULL) && found == tag;
}

bool gt_cb_minimal(dsp_str n)
{
    return n.len > 0 && (n.len == 1 || !((gt_cb_byte(n, 0) == 0 && gt_cb_byte(n, 1) < 0x80) ||
                                         (gt_cb_byte(n, 0) == 0xFF && gt_cb_byte(n, 1) >= 0x80)));
}

bool gt_cb_integer(dsp_str *s, dsp_str *n)
{
    return gt_cb_read(s, INTEGER, n) && gt_cb_minimal(*n);
}

bool gt_cb_positive(dsp_str n)
{
    return gt_cb_byte(n, 0) < 0x80 && (n.len > 1 || gt_cb_byte(n, 0) > 0);
}

bool gt_cb_small(dsp_str *s, int64_t *out)
{
    dsp_str  n;
    uint64_t v;

    if (!gt_cb_integer(s, &n) || n.len > 8) {
        return false;
    }
    v = gt_cb_byte(n, 0) < 0x80 ? 0 : UINT64_MAX;
    for (size_t i = 0; i < n.len; i++) {
        v = v << 8 | gt_cb_byte(n, i);
    }
    *out = (int64_t) v;
    return true;
}

bool gt_cb_boolean(dsp_str *s, bool *out)
{
    dsp_str b;

    if (!gt_cb_read(s, BOOLEAN, &b) || b.len != 1 || (gt_cb_byte(b, 0) != 0 && gt_cb_byte(b, 0) != 0xFF)) {
        return false;
    }
    *out = gt_cb_byte(b, 0) != 0;
    return true;
}

bool gt_cb_bits(dsp_str *s, dsp_str *bits, unsigned *padding)
{
    if (!gt_cb_read(s, BIT_STRING, bits) || bits->len == 0) {
        return false;
    }
    *padding = gt_cb_byte(*bits, 0);
    *bits = dsp_str_sub(*bits, 1, bits->len);
    return *padding <= 7 && (bits->len > 0 ? (gt_cb_byte(*bits, bits->len - 1) & ((1u << *padding) - 1)) == 0 : *padding == 0);
}

bool gt_cb_oid(dsp_str *s, dsp_str *oid)
{
    size_t   i = 0;
    uint64_t n;

    if (!gt_cb_read(s, OID, oid) || oid->len == 0) {
        return false;
    }
    while (i < oid->len) {
        if (gt_der_base128((const unsigned char *) oid->data, oid->len, &i, &n) != NULL) {
            return false;
        }
    }
    return true;
}

bool gt_cb_ascii(dsp_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (gt_cb_byte(s, i) > 0x7F) {
            return false;
        }
    }
    return true;
}
