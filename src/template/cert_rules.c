#include "cert_rules.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/objects.h>

#include "base/utf8.h"
#include "cert_read.h"
#include "der.h"
#include "gotime.h"

/* --- names and times ---------------------------------------------------------------------------------------------- */

static bool all_of(dsp_str s, const char *marks, bool letters)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];

        if (!(c >= '0' && c <= '9') && !(letters && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) &&
            (c == '\0' || strchr(marks, c) == NULL)) {
            return false;
        }
    }
    return true;
}

static bool bmp(dsp_str s)
{
    if (s.len % 2 != 0) {
        return false;
    }
    for (size_t i = 0; i < s.len; i += 2) {
        unsigned c = (unsigned) gt_cb_byte(s, i) << 8 | gt_cb_byte(s, i + 1);

        if (c >= 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF) || (c >= 0xD800 && c <= 0xDFFF)) {
            return false;
        }
    }
    return true;
}

static bool check_text(unsigned tag, dsp_str s, dsp_buf *error)
{
    const char *why = NULL;

    switch (tag) {
    case T61_STRING: break;
    case PRINTABLE_STRING: why = all_of(s, " '()+,-./:=?*&", true) ? NULL : "invalid PrintableString"; break;
    case UTF8_STRING: why = dsp_utf8_invalid_at(s) < s.len ? "invalid UTF-8 string" : NULL; break;
    case BMP_STRING: why = bmp(s) ? NULL : "invalid BMPString"; break;
    case IA5_STRING: why = gt_cb_ascii(s) ? NULL : "invalid IA5String"; break;
    case NUMERIC_STRING: why = all_of(s, " ", false) ? NULL : "invalid NumericString"; break;
    default:
        dsp_buf_addf(error, "x509: invalid RDNSequence: invalid attribute value: unsupported string type: %u", tag);
        return false;
    }
    if (why != NULL) {
        dsp_buf_addf(error, "x509: invalid RDNSequence: invalid attribute value: %s", why);
    }
    return why == NULL;
}

static bool check_name(dsp_str *tbs, dsp_buf *error)
{
    dsp_str  name, set, attribute, part;
    unsigned tag;

    if (!gt_cb_read(tbs, SEQUENCE, &name)) {
        return gt_cb_no(error, "x509: malformed issuer"); /* the subject too */
    }
    while (name.len > 0) {
        if (!gt_cb_read(&name, SET, &set)) {
            return gt_cb_no(error, "x509: invalid RDNSequence");
        }
        while (set.len > 0) {
            if (!gt_cb_read(&set, SEQUENCE, &attribute)) {
                return gt_cb_no(error, "x509: invalid RDNSequence: invalid attribute");
            }
            if (!gt_cb_oid(&attribute, &part)) {
                return gt_cb_no(error, "x509: invalid RDNSequence: invalid attribute type");
            }
            if (!gt_cb_read_any(&attribute, &tag, &part, NULL)) {
                return gt_cb_no(error, "x509: invalid RDNSequence: invalid attribute value");
            }
            if (!check_text(tag, part, error)) {
                return false;
            }
        }
    }
    return true;
}

static bool number(dsp_str s, size_t i, unsigned least, unsigned most)
{
    unsigned n;

    if (s.len < i + 2 || s.data[i] < '0' || s.data[i] > '9' || s.data[i + 1] < '0' || s.data[i + 1] > '9') {
        return false;
    }
    n = (unsigned) (s.data[i] - '0') * 10 + (unsigned) (s.data[i + 1] - '0');
    return n >= least && n <= most;
}

/* "Z", or "+hhmm" that is not zero (it would be written Z) */
static bool zone(dsp_str s)
{
    return dsp_str_is(s, "Z") || (s.len == 5 && (s.data[0] == '+' || s.data[0] == '-') && number(s, 1, 0, 24) &&
                                  number(s, 3, 0, 60) && strncmp(s.data + 1, "0000", 4) != 0);
}

/* [yy]yymmddhhmm[ss]zone */
static bool check_stamp(dsp_str s, size_t century, bool seconds)
{
    static const unsigned char days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    size_t                     i = century;
    int64_t                    year;
    unsigned                   month, day;

    if ((century > 0 && !number(s, 0, 0, 99)) || !number(s, i, 0, 99) || !number(s, i + 2, 1, 12) ||
        !number(s, i + 4, 1, 31) || !number(s, i + 6, 0, 23) || !number(s, i + 8, 0, 59) ||
        (seconds && !number(s, i + 10, 0, 59))) {
        return false;
    }
    year = (s.data[i] - '0') * 10 + (s.data[i + 1] - '0') + (century > 0 ? ((s.data[0] - '0') * 10 + (s.data[1] - '0')) * 100 : 2000);
    month = (unsigned) ((s.data[i + 2] - '0') * 10 + (s.data[i + 3] - '0'));
    day = (unsigned) ((s.data[i + 4] - '0') * 10 + (s.data[i + 5] - '0'));
    return day <= days[month - 1] && (month != 2 || day < 29 || gt_is_leap(year)) &&
           zone(dsp_str_sub(s, i + (seconds ? 12 : 10), s.len));
}

static bool check_time(dsp_str *validity, dsp_buf *error)
{
    dsp_str s;

    if (gt_cb_begins(*validity, UTC_TIME)) {
        return (gt_cb_read(validity, UTC_TIME, &s) && (check_stamp(s, 0, true) || check_stamp(s, 0, false))) ||
               gt_cb_no(error, "x509: malformed UTCTime");
    }
    if (gt_cb_begins(*validity, GENERALIZED_TIME)) {
        return (gt_cb_read(validity, GENERALIZED_TIME, &s) && check_stamp(s, 2, true)) ||
               gt_cb_no(error, "x509: malformed GeneralizedTime");
    }
    return gt_cb_no(error, "x509: unsupported time format");
}

/* --- keys --------------------------------------------------------------------------------------------------------- */

#define OID_RSA     DSP_STR("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01")
#define OID_EC      DSP_STR("\x2A\x86\x48\xCE\x3D\x02\x01")
#define OID_ED25519 DSP_STR("\x2B\x65\x70")

/* `data` is the algorithm with what belongs to it */
static bool check_algorithm(dsp_str data, dsp_str *oid, dsp_str *params, dsp_buf *error)
{
    dsp_str  content;
    unsigned tag;

    *params = (dsp_str){ NULL, 0 };
    if (!gt_cb_oid(&data, oid)) {
        return gt_cb_no(error, "x509: malformed OID");
    }
    return data.len == 0 || gt_cb_read_any(&data, &tag, &content, params) || gt_cb_no(error, "x509: malformed parameters");
}

static bool check_rsa(dsp_str params, dsp_str key, dsp_buf *error)
{
    dsp_str rsa, n;
    int64_t e;

    if (!dsp_str_eq(params, (dsp_str){ "\x05\x00", 2 })) {
        return gt_cb_no(error, "x509: RSA key missing NULL parameters");
    }
    if (!gt_cb_read(&key, SEQUENCE, &rsa)) {
        return gt_cb_no(error, "x509: invalid RSA public key");
    }
    if (!gt_cb_integer(&rsa, &n)) {
        return gt_cb_no(error, "x509: invalid RSA modulus");
    }
    if (!gt_cb_small(&rsa, &e)) {
        return gt_cb_no(error, "x509: invalid RSA public exponent");
    }
    if (!gt_cb_positive(n)) {
        return gt_cb_no(error, "x509: RSA modulus is not a positive number");
    }
    return e > 0 || gt_cb_no(error, "x509: RSA public exponent is not a positive number");
}

static bool check_ec(dsp_str params, dsp_str key, dsp_buf *error)
{
    dsp_str     oid;
    int         nid;
    EC_GROUP   *group;
    EC_POINT   *point;
    size_t      coordinate;
    const char *why = NULL;

    if (!gt_cb_oid(&params, &oid)) {
        return gt_cb_no(error, "x509: invalid ECDSA parameters");
    }
    nid = gt_der_curve(oid);
    if (nid == NID_undef) {
        return gt_cb_no(error, "x509: unsupported elliptic curve");
    }
    if (key.len < 1 || gt_cb_byte(key, 0) != 4) {
        return gt_cb_no(error, "ecdsa: invalid uncompressed public key");
    }
    group = EC_GROUP_new_by_curve_name(nid);
    point = group == NULL ? NULL : EC_POINT_new(group);
    coordinate = group == NULL ? 0 : ((size_t) EC_GROUP_get_degree(group) + 7) / 8;
    if (point != NULL && key.len != 1 + 2 * coordinate) {
        why = nid == NID_X9_62_prime256v1 ? "invalid P256 point encoding"
              : nid == NID_secp224r1      ? "invalid P224 point encoding"
              : nid == NID_secp384r1      ? "invalid P384 point encoding"
                                          : "invalid P521 point encoding";
    } else if (point == NULL || EC_POINT_oct2point(group, point, (const unsigned char *) key.data, key.len, NULL) != 1) {
        why = nid == NID_X9_62_prime256v1 ? "P256 point not on curve"
              : nid == NID_secp224r1      ? "P224 point not on curve"
              : nid == NID_secp384r1      ? "P384 point not on curve"
                                          : "P521 point not on curve";
    }
    EC_POINT_free(point);
    EC_GROUP_free(group);
    return why == NULL || gt_cb_no(error, why);
}

static bool check_key(dsp_str *tbs, dsp_buf *error)
{
    dsp_str  spki, algorithm, oid, params, key;
    unsigned padding;

    if (!gt_cb_read(tbs, SEQUENCE, &spki)) {
        return gt_cb_no(error, "x509: malformed spki");
    }
    if (!gt_cb_read(&spki, SEQUENCE, &algorithm)) {
        return gt_cb_no(error, "x509: malformed public key algorithm identifier");
    }
    if (!check_algorithm(algorithm, &oid, &params, error)) {
        return false;
    }
    if (!gt_cb_bits(&spki, &key, &padding)) {
        return gt_cb_no(error, "x509: malformed subjectPublicKey");
    }
    if (padding > 0) { /* Go shifts the bits to the right: no key begins like that */
        key = dsp_str_eq(oid, OID_ED25519) ? key : (dsp_str){ NULL, 0 };
    }
    if (dsp_str_eq(oid, OID_RSA)) {
        return check_rsa(params, key, error);
    }
    if (dsp_str_eq(oid, OID_EC)) {
        return check_ec(params, key, error);
    }
    if (dsp_str_eq(oid, OID_ED25519) && params.len > 0) {
        return gt_cb_no(error, "x509: Ed25519 key encoded with illegal parameters");
    }
    return !dsp_str_eq(oid, OID_ED25519) || key.len == 32 || gt_cb_no(error, "x509: wrong Ed25519 public key size");
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static bool check_version(dsp_str *tbs, int64_t *version, dsp_buf *error)
{
    dsp_str s;

    *version = 0;
    if (gt_cb_begins(*tbs, CONTEXT | CONSTRUCTED) &&
        (!gt_cb_read(tbs, CONTEXT | CONSTRUCTED, &s) || !gt_cb_small(&s, version) || s.len > 0 || *version < 0)) {
        return gt_cb_no(error, "x509: malformed version");
    }
    if (*version > 2) {
        return gt_cb_no(error, "x509: invalid version");
    }
    (*version)++; /* Go counts from 1 */
    return true;
}

static bool check_head(dsp_str *tbs, dsp_str *outer, int64_t *version, dsp_buf *error)
{
    dsp_str serial, inner, other, oid, params;

    if (!check_version(tbs, version, error)) {
        return false;
    }
    if (!gt_cb_integer(tbs, &serial)) {
        return gt_cb_no(error, "x509: malformed serial number");
    }
    if (gt_cb_byte(serial, 0) >= 0x80) {
        return gt_cb_no(error, "x509: negative serial number");
    }
    if (!gt_cb_read(tbs, SEQUENCE, &inner)) {
        return gt_cb_no(error, "x509: malformed signature algorithm identifier");
    }
    if (!gt_cb_read(outer, SEQUENCE, &other)) {
        return gt_cb_no(error, "x509: malformed algorithm identifier");
    }
    if (!dsp_str_eq(inner, other)) {
        return gt_cb_no(error, "x509: inner and outer signature algorithm identifiers don't match");
    }
    return check_algorithm(inner, &oid, &params, error);
}

static bool check_tail(dsp_str tbs, int64_t version, dsp_buf *error)
{
    dsp_str s;

    if (version > 1 && gt_cb_begins(tbs, CONTEXT | 1) && !gt_cb_read(&tbs, CONTEXT | 1, &s)) {
        return gt_cb_no(error, "x509: malformed issuerUniqueID");
    }
    if (version > 1 && gt_cb_begins(tbs, CONTEXT | 2) && !gt_cb_read(&tbs, CONTEXT | 2, &s)) {
        return gt_cb_no(error, "x509: malformed subjectUniqueID");
    }
    if (version < 3 || !gt_cb_begins(tbs, CONTEXT | CONSTRUCTED | 3)) {
        return true;
    }
    if (!gt_cb_read(&tbs, CONTEXT | CONSTRUCTED | 3, &s) || !gt_cb_read(&s, SEQUENCE, &s)) {
        return gt_cb_no(error, "x509: malformed extensions");
    }
    return gt_cert_extensions(s, error);
}

bool gt_cert_rules(dsp_str der, dsp_buf *error)
{
    dsp_str  rest = der, all, tbs, validity, signature;
    int64_t  version;
    unsigned padding;

    if (!gt_cb_read(&rest, SEQUENCE, &all)) {
        return gt_cb_no(error, "x509: malformed certificate");
    }
    if (!gt_cb_read(&all, SEQUENCE, &tbs)) {
        return gt_cb_no(error, "x509: malformed tbs certificate");
    }
    if (!check_head(&tbs, &all, &version, error) || !check_name(&tbs, error)) {
        return false;
    }
    if (!gt_cb_read(&tbs, SEQUENCE, &validity)) {
        return gt_cb_no(error, "x509: malformed validity");
    }
    if (!check_time(&validity, error) || !check_time(&validity, error) || !check_name(&tbs, error) ||
        !check_key(&tbs, error) || !check_tail(tbs, version, error)) {
        return false;
    }
    if (!gt_cb_bits(&all, &signature, &padding)) {
        return gt_cb_no(error, "x509: malformed signature");
    }
    return rest.len == 0 || gt_cb_no(error, "x509: trailing data");
}
