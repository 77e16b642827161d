#include "asn1.h"

#include "der.h"

#define SYNTAX(what)    "asn1: syntax error: " what
#define STRUCTURE(what) "asn1: structure error: " what

static bool fault(dsp_buf *error, const char *why)
{
    if (why != NULL && error != NULL) {
        dsp_buf_addz(error, why);
    }
    return why == NULL;
}

/* --- what is in an element of a simple kind ----------------------------------------------------------------------- */

static const char *integer_fault(const unsigned char *p, size_t len)
{
    if (len == 0) {
        return STRUCTURE("empty integer");
    }
    if (len > 1 && ((p[0] == 0 && p[1] < 0x80) || (p[0] == 0xFF && p[1] >= 0x80))) {
        return STRUCTURE("integer not minimally-encoded");
    }
    return NULL;
}

static const char *bits_fault(const unsigned char *p, size_t len)
{
    if (len == 0) {
        return SYNTAX("zero length BIT STRING");
    }
    if (p[0] > 7 || (len == 1 && p[0] > 0) || (p[len - 1] & ((1u << p[0]) - 1)) != 0) {
        return SYNTAX("invalid padding bits in BIT STRING");
    }
    return NULL;
}

static const char *oid_fault(const unsigned char *p, size_t len)
{
    size_t      i = 0;
    uint64_t    n;
    const char *why = len == 0 ? SYNTAX("zero length OBJECT IDENTIFIER") : NULL;

    while (why == NULL && i < len) {
        why = gt_der_base128(p, len, &i, &n);
    }
    return why;
}

static const char *content_fault(enum gt_asn1_kind kind, dsp_str s)
{
    const unsigned char *p = (const unsigned char *) s.data;
    const char          *why;

    switch (kind) {
    case GT_ASN1_INT:
        why = integer_fault(p, s.len);
        return why == NULL && s.len > 8 ? STRUCTURE("integer too large") : why;
    case GT_ASN1_BIG: return integer_fault(p, s.len);
    case GT_ASN1_OID: return oid_fault(p, s.len);
    case GT_ASN1_BITS: return bits_fault(p, s.len);
    default: return NULL;
    }
}

/* --- elements ----------------------------------------------------------------------------------------------------- */

static bool read_struct(dsp_str content, const struct gt_asn1_type *type, dsp_str *values, dsp_buf *error);

static unsigned tag_of(enum gt_asn1_kind kind)
{
    static const unsigned char tags[] = {
        [GT_ASN1_INT] = 2,  [GT_ASN1_BIG] = 2, [GT_ASN1_OCTETS] = 4,  [GT_ASN1_OID] = 6,
        [GT_ASN1_BITS] = 3, [GT_ASN1_ANY] = 0, [GT_ASN1_STRUCT] = 16, [GT_ASN1_LIST] = 16,
    };

    return tags[kind];
}

static bool compound(enum gt_asn1_kind kind)
{
    return kind == GT_ASN1_STRUCT || kind == GT_ASN1_LIST;
}

static const char *name_of(const struct gt_asn1_field *f)
{
    return f->kind == GT_ASN1_INT      ? "int"
           : f->kind == GT_ASN1_OID    ? "ObjectIdentifier"
           : f->kind == GT_ASN1_BITS   ? "BitString"
           : f->kind == GT_ASN1_STRUCT ? f->type->name
                                       : "";
}

static bool mismatch(const struct gt_asn1_field *f, const struct gt_der_head *h, size_t at, dsp_buf *error)
{
    if (error != NULL) {
        dsp_buf_addf(error,
                     "asn1: structure error: tags don't match (%u vs {class:%u tag:%u length:%llu isCompound:%s}) "
                     "{optional:false explicit:false application:false private:false defaultValue:<nil> tag:<nil> "
                     "stringType:0 timeType:0 set:false omitEmpty:false} %s @%zu",
                     tag_of(f->kind), h->class, h->tag, (unsigned long long) h->length, h->compound ? "true" : "false",
                     name_of(f), at);
    }
    return false;
}

/* Go counts the elements of a list and looks at their heads before it reads them. */
static bool read_list(dsp_str s, const struct gt_asn1_type *type, dsp_buf *error)
{
    for (size_t at = 0; at < s.len;) {
        struct gt_der_head h = gt_der_head(dsp_str_sub(s, at, s.len));

        if (h.fault != NULL) {
            return fault(error, h.fault);
        }
        if (h.class != 0 || !h.compound || h.tag != 16) {
            return fault(error, STRUCTURE("sequence tag mismatch"));
        }
        at += h.size;
        if (h.length > s.len - at) {
            return fault(error, SYNTAX("truncated sequence"));
        }
        at += h.length;
    }
    while (s.len > 0) {
        if (!gt_asn1_read(s, type, NULL, &s, error)) {
            return false;
        }
    }
    return true;
}

/* An explicit tag is taken off. *absent: there is none, or another. */
static bool take_tag(const struct gt_asn1_field *f, dsp_str s, size_t *at, struct gt_der_head *h, bool *absent,
                     dsp_buf *error)
{
    *absent = false;
    if (f->explicit_tag == 0) {
        return true;
    }
    if (*at == s.len) {
        return fault(error, STRUCTURE("explicit tag has no child"));
    }
    if (h->class != 2 || h->tag != f->explicit_tag - 1 || (h->length != 0 && !h->compound)) {
        *absent = true;
        return true;
    }
    if (h->length == 0) {
        return fault(error, STRUCTURE("zero length explicit tag was not an asn1.Flag"));
    }
    *h = gt_der_head(dsp_str_sub(s, *at, s.len));
    *at += h->size;
    return fault(error, h->fault);
}

/* Reads a field at s[*at]; *at moves behind it, or stays where it is absent. */
static bool read_field(const struct gt_asn1_field *f, dsp_str s, size_t *at, dsp_str *values, dsp_str *value,
                       dsp_buf *error)
{
    size_t             start = *at, i = *at;
    struct gt_der_head h;
    bool               absent;
    dsp_str            content;

    *value = (dsp_str){ NULL, 0 };
    if (start == s.len) {
        return f->optional || fault(error, SYNTAX("sequence truncated"));
    }
    h = gt_der_head(dsp_str_sub(s, start, s.len));
    i += h.size;
    if (h.fault != NULL) {
        return fault(error, h.fault);
    }
    if (!take_tag(f, s, &i, &h, &absent, error)) {
        return false;
    }
    absent = absent || (f->kind != GT_ASN1_ANY && (h.class != 0 || h.tag != tag_of(f->kind) || h.compound != compound(f->kind)));
    if (absent) {
        return f->optional || mismatch(f, &h, i, error);
    }
    if (h.length > s.len - i) {
        return fault(error, SYNTAX("data truncated"));
    }
    content = dsp_str_sub(s, i, i + h.length);
    *at = i + h.length;
    *value = f->kind == GT_ASN1_ANY ? dsp_str_sub(s, start, *at) : content;
    if (f->kind == GT_ASN1_LIST) {
        return read_list(content, f->type, error);
    }
    return f->kind == GT_ASN1_STRUCT ? read_struct(content, f->type, values, error)
                                     : fault(error, content_fault(f->kind, content));
}

/* What follows the last field is passed over, as in Go. */
static bool read_struct(dsp_str content, const struct gt_asn1_type *type, dsp_str *values, dsp_buf *error)
{
    size_t at = 0;

    for (size_t i = 0; i < type->n; i++) {
        dsp_str unused;

        if (!read_field(&type->fields[i], content, &at, NULL, values == NULL ? &unused : &values[i], error)) {
            return false;
        }
    }
    return true;
}

bool gt_asn1_read(dsp_str der, const struct gt_asn1_type *type, dsp_str *values, dsp_str *rest, dsp_buf *error)
{
    const struct gt_asn1_field whole = { .kind = GT_ASN1_STRUCT, .type = type };
    size_t                     at = 0;
    dsp_str                    content;

    if (!read_field(&whole, der, &at, values, &content, error)) {
        return false;
    }
    if (rest != NULL) {
        *rest = dsp_str_sub(der, at, der.len);
    }
    return true;
}

bool gt_asn1_read_one(dsp_str der, enum gt_asn1_kind kind, dsp_str *value, dsp_buf *error)
{
    const struct gt_asn1_field field = { .kind = kind };
    size_t                     at = 0;

    return read_field(&field, der, &at, NULL, value, error);
}
