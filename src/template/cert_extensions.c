#include "cert_rules.h"

#include <stdlib.h>
#include <string.h>

#include "cert_read.h"
#include "der.h"

/* --- none twice --------------------------------------------------------------------------------------------------- */

/* Room for one text of each element of s: freed by the caller. */
static dsp_str *one_of_each(dsp_str s)
{
    size_t   n = 1;
    unsigned tag;
    dsp_str  content;

    while (gt_cb_read_any(&s, &tag, &content, NULL)) {
        n++;
    }
    return malloc(n * sizeof(dsp_str));
}

static int by_text(const void *a, const void *b)
{
    const dsp_str *x = a, *y = b;
    int            d = dsp_str_cmp(*x, *y);

    return d != 0 ? d : x->data < y->data ? -1 : x->data > y->data;
}

/* The first of texts, pieces of one text in its order, that came before; data NULL: none. There may be tens of thousands. */
static dsp_str first_repeated(dsp_str *texts, size_t n)
{
    dsp_str found = { NULL, 0 };

    qsort(texts, n, sizeof(*texts), by_text);
    for (size_t i = 1; i < n; i++) {
        if (dsp_str_eq(texts[i - 1], texts[i]) && (found.data == NULL || texts[i].data < found.data)) {
            found = texts[i];
        }
    }
    return found;
}

/* --- what is in an extension -------------------------------------------------------------------------------------- */

static bool check_basic(dsp_str s)
{
    bool    ca;
    int64_t longest = 0;

    return gt_cb_read(&s, SEQUENCE, &s) && (!gt_cb_begins(s, BOOLEAN) || gt_cb_boolean(&s, &ca)) &&
           (!gt_cb_begins(s, INTEGER) || (gt_cb_small(&s, &longest) && longest >= 0));
}

static bool check_alternative_names(dsp_str s, dsp_buf *error)
{
    dsp_str  name;
    unsigned tag;

    if (!gt_cb_read(&s, SEQUENCE, &s)) {
        return gt_cb_no(error, "x509: invalid subject alternative names");
    }
    while (s.len > 0) {
        if (!gt_cb_read_any(&s, &tag, &name, NULL)) {
            return gt_cb_no(error, "x509: invalid subject alternative name");
        }
        if (tag == (CONTEXT | 1) && !gt_cb_ascii(name)) {
            return gt_cb_no(error, "x509: SAN rfc822Name is malformed");
        }
        if (tag == (CONTEXT | 2) && !gt_cb_ascii(name)) {
            return gt_cb_no(error, "x509: SAN dNSName is malformed");
        }
        if (tag == (CONTEXT | 6) && !gt_cb_ascii(name)) {
            return gt_cb_no(error, "x509: SAN uniformResourceIdentifier is malformed");
        }
        if (tag == (CONTEXT | 7) && name.len != 4 && name.len != 16) {
            dsp_buf_addf(error, "x509: cannot parse IP address of length %zu", name.len);
            return false;
        }
    }
    return true;
}

static bool check_usages(dsp_str s)
{
    dsp_str oid;

    if (!gt_cb_read(&s, SEQUENCE, &s)) {
        return false;
    }
    while (s.len > 0) {
        if (!gt_cb_oid(&s, &oid)) {
            return false;
        }
    }
    return true;
}

static bool check_authority(dsp_str s)
{
    dsp_str id;

    return gt_cb_read(&s, SEQUENCE, &s) && (!gt_cb_begins(s, CONTEXT) || gt_cb_read(&s, CONTEXT, &id));
}

static bool check_distribution_points(dsp_str s, dsp_buf *error)
{
    dsp_str point, name, uri;

    if (!gt_cb_read(&s, SEQUENCE, &s)) {
        return gt_cb_no(error, "x509: invalid CRL distribution points");
    }
    while (s.len > 0) {
        name = (dsp_str){ NULL, 0 };
        if (!gt_cb_read(&s, SEQUENCE, &point) ||
            (gt_cb_begins(point, CONTEXT | CONSTRUCTED) && (!gt_cb_read(&point, CONTEXT | CONSTRUCTED, &name) ||
                                                      !gt_cb_read(&name, CONTEXT | CONSTRUCTED, &name)))) {
            return gt_cb_no(error, "x509: invalid CRL distribution point");
        }
        while (gt_cb_begins(name, CONTEXT | 6)) {
            if (!gt_cb_read(&name, CONTEXT | 6, &uri)) {
                return gt_cb_no(error, "x509: invalid CRL distribution point");
            }
        }
    }
    return true;
}

/* the bytes of an object identifier, of any size */
static bool whole_oid(dsp_str oid)
{
    for (size_t i = 0; i < oid.len; i++) {
        if (gt_cb_byte(oid, i) == 0x80 && (i == 0 || gt_cb_byte(oid, i - 1) < 0x80)) {
            return false;
        }
    }
    return oid.len > 0 && gt_cb_byte(oid, oid.len - 1) < 0x80;
}

static bool check_policies(dsp_str s)
{
    dsp_str  policy;
    dsp_str *oids = gt_cb_read(&s, SEQUENCE, &s) ? one_of_each(s) : NULL;
    size_t   n = 0;
    bool     ok = oids != NULL;

    while (ok && s.len > 0) {
        ok = gt_cb_read(&s, SEQUENCE, &policy) && gt_cb_read(&policy, OID, &oids[n]) && whole_oid(oids[n]);
        n++;
    }
    ok = ok && first_repeated(oids, n).data == NULL;
    free(oids);
    return ok;
}

static bool check_policy_constraints(dsp_str s)
{
    dsp_str n;

    if (!gt_cb_read(&s, SEQUENCE, &s)) {
        return false;
    }
    for (unsigned tag = CONTEXT; tag <= (CONTEXT | 1); tag++) {
        if (gt_cb_begins(s, tag) && (!gt_cb_read(&s, tag, &n) || !gt_cb_minimal(n) || n.len > 8)) {
            return false;
        }
    }
    return true;
}

static bool check_authority_info(dsp_str s)
{
    dsp_str access, part;

    if (!gt_cb_read(&s, SEQUENCE, &s)) {
        return false;
    }
    while (s.len > 0) {
        if (!gt_cb_read(&s, SEQUENCE, &access) || !gt_cb_oid(&access, &part) ||
            (gt_cb_begins(access, CONTEXT | 6) && !gt_cb_read(&access, CONTEXT | 6, &part))) {
            return false;
        }
    }
    return true;
}

static bool check_extension(dsp_str oid, bool critical, dsp_str value, dsp_buf *error)
{
    dsp_str  part;
    unsigned padding;
    int64_t  n;

    if (dsp_str_eq(oid, DSP_STR("\x2B\x06\x01\x05\x05\x07\x01\x01"))) {
        if (critical) {
            return gt_cb_no(error, "x509: authority info access incorrectly marked critical");
        }
        return check_authority_info(value) || gt_cb_no(error, "x509: invalid authority info access");
    }
    if (oid.len != 3 || memcmp(oid.data, "\x55\x1D", 2) != 0) {
        return true;
    }
    switch (gt_cb_byte(oid, 2)) {
    case 14:
        if (critical) {
            return gt_cb_no(error, "x509: subject key identifier incorrectly marked critical");
        }
        return gt_cb_read(&value, OCTET_STRING, &part) || gt_cb_no(error, "x509: invalid subject key identifier");
    case 15: return gt_cb_bits(&value, &part, &padding) || gt_cb_no(error, "x509: invalid key usage");
    case 17: return check_alternative_names(value, error);
    case 19: return check_basic(value) || gt_cb_no(error, "x509: invalid basic constraints");
    case 31: return check_distribution_points(value, error);
    case 32: return check_policies(value) || gt_cb_no(error, "x509: invalid certificate policies");
    case 36: return check_policy_constraints(value) || gt_cb_no(error, "x509: invalid policy constraints extension");
    case 54: return gt_cb_small(&value, &n) || gt_cb_no(error, "x509: invalid inhibit any policy extension");
    case 35:
        if (critical) {
            return gt_cb_no(error, "x509: authority key identifier incorrectly marked critical");
        }
        return check_authority(value) || gt_cb_no(error, "x509: invalid authority key identifier");
    case 37: return check_usages(value) || gt_cb_no(error, "x509: invalid extended key usages");
    default: return true;
    }
}

static bool read_extension(dsp_str *all, dsp_str *oid, bool *critical, dsp_str *value, dsp_buf *error)
{
    dsp_str extension;

    *critical = false;
    if (!gt_cb_read(all, SEQUENCE, &extension)) {
        return gt_cb_no(error, "x509: malformed extension");
    }
    if (!gt_cb_oid(&extension, oid)) {
        return gt_cb_no(error, "x509: malformed extension OID field");
    }
    if (gt_cb_begins(extension, BOOLEAN) && !gt_cb_boolean(&extension, critical)) {
        return gt_cb_no(error, "x509: malformed extension critical field");
    }
    return gt_cb_read(&extension, OCTET_STRING, value) || gt_cb_no(error, "x509: malformed extension value field");
}

/* All are read, until one is malformed, and none of those may come twice. */
static bool read_all(dsp_str all, dsp_buf *error)
{
    size_t   n = 0, start = error->len;
    dsp_str *oids = one_of_each(all), value, repeated;
    bool     critical, ok = oids != NULL;

    if (!ok) {
        return gt_cb_no(error, "out of memory");
    }
    while (ok && all.len > 0) {
        ok = read_extension(&all, &oids[n], &critical, &value, error);
        n += ok;
    }
    repeated = first_repeated(oids, n);
    free(oids);
    if (repeated.data != NULL) {
        error->len = start;
        dsp_buf_addz(error, "x509: certificate contains duplicate extension with OID \"");
        gt_der_oid_text(error, repeated);
        dsp_buf_addc(error, '"');
        return false;
    }
    return ok;
}

bool gt_cert_extensions(dsp_str all, dsp_buf *error)
{
    dsp_str oid, value;
    bool    critical;

    if (!read_all(all, error)) {
        return false;
    }
    while (all.len > 0) {
        if (!read_extension(&all, &oid, &critical, &value, error) || !check_extension(oid, critical, value, error)) {
            return false;
        }
    }
    return true;
}
