#include "key_rules.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/objects.h>

#include "asn1.h"
#include "der.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- Go's structs ------------------------------------------------------------------------------------------------- */

enum { EC_VERSION, EC_KEY_BYTES, EC_CURVE, EC_PUBLIC, EC_FIELDS };

static const struct gt_asn1_field ec_fields[EC_FIELDS] = {
    { .kind = GT_ASN1_INT },
    { .kind = GT_ASN1_OCTETS },
    { .kind = GT_ASN1_OID, .optional = true, .explicit_tag = 1 },
    { .kind = GT_ASN1_BITS, .optional = true, .explicit_tag = 2 },
};
static const struct gt_asn1_type ec_type = { "ecPrivateKey", EC_FIELDS, ec_fields };

static const struct gt_asn1_field prime_fields[] = { { .kind = GT_ASN1_BIG }, { .kind = GT_ASN1_BIG }, { .kind = GT_ASN1_BIG } };
static const struct gt_asn1_type  prime_type = { "pkcs1AdditionalRSAPrime", COUNT(prime_fields), prime_fields };

enum { RSA_VERSION, RSA_N, RSA_E, RSA_D, RSA_P, RSA_Q, RSA_DP, RSA_DQ, RSA_QINV, RSA_PRIMES, RSA_FIELDS };

static const struct gt_asn1_field rsa_fields[RSA_FIELDS] = {
    { .kind = GT_ASN1_INT },
    { .kind = GT_ASN1_BIG },
    { .kind = GT_ASN1_INT },
    { .kind = GT_ASN1_BIG },
    { .kind = GT_ASN1_BIG },
    { .kind = GT_ASN1_BIG },
    { .kind = GT_ASN1_BIG, .optional = true },
    { .kind = GT_ASN1_BIG, .optional = true },
    { .kind = GT_ASN1_BIG, .optional = true },
    { .kind = GT_ASN1_LIST, .optional = true, .type = &prime_type },
};
static const struct gt_asn1_type rsa_type = { "pkcs1PrivateKey", RSA_FIELDS, rsa_fields };

static const struct gt_asn1_field algorithm_fields[] = { { .kind = GT_ASN1_OID }, { .kind = GT_ASN1_ANY, .optional = true } };
static const struct gt_asn1_type  algorithm_type = { "AlgorithmIdentifier", COUNT(algorithm_fields), algorithm_fields };

enum { P8_VERSION, P8_ALGORITHM, P8_KEY, P8_FIELDS };

static const struct gt_asn1_field pkcs8_fields[P8_FIELDS] = {
    { .kind = GT_ASN1_INT },
    { .kind = GT_ASN1_STRUCT, .type = &algorithm_type },
    { .kind = GT_ASN1_OCTETS },
};
static const struct gt_asn1_type pkcs8_type = { "pkcs8", P8_FIELDS, pkcs8_fields };

static const struct gt_asn1_field dsa_fields[] = {
    { .kind = GT_ASN1_INT }, { .kind = GT_ASN1_BIG }, { .kind = GT_ASN1_BIG },
    { .kind = GT_ASN1_BIG }, { .kind = GT_ASN1_BIG }, { .kind = GT_ASN1_BIG },
};
static const struct gt_asn1_type dsa_type = { "DSAKeyFormat", COUNT(dsa_fields), dsa_fields };

/*
 * The work on a number grows with its square and more, and a body cannot be interrupted. OpenSSL has the same bound for
 * what it verifies with.
 */
enum { MOST_RSA_BITS = 16384, MOST_RSA_BYTES = MOST_RSA_BITS / 8 + 1 };

/* --- helpers ------------------------------------------------------------------------------------------------------ */

static bool no(dsp_buf *error, const char *why)
{
    dsp_buf_addz(error, why);
    return false;
}

static int64_t small(dsp_str s)
{
    uint64_t v = (s.data[0] & 0x80) == 0 ? 0 : UINT64_MAX;

    for (size_t i = 0; i < s.len; i++) {
        v = v << 8 | (unsigned char) s.data[i];
    }
    return (int64_t) v;
}

/* Numbers are minimally encoded. */
static bool positive(dsp_str s)
{
    return (s.data[0] & 0x80) == 0 && (s.len > 1 || s.data[0] != 0);
}

static bool is_any(dsp_str der, const struct gt_asn1_type *type)
{
    return gt_asn1_read(der, type, NULL, NULL, NULL);
}

/* Go looks whether the bytes would do for another kind of block. */
static bool refuse_structure(dsp_str der, const struct gt_asn1_type *own, const char *before, dsp_buf *error)
{
    const char *better = own != &ec_type && is_any(der, &ec_type)        ? "ParseECPrivateKey"
                         : own != &pkcs8_type && is_any(der, &pkcs8_type) ? "ParsePKCS8PrivateKey"
                         : own != &rsa_type && is_any(der, &rsa_type)     ? "ParsePKCS1PrivateKey"
                                                                          : NULL;

    if (better != NULL) {
        dsp_buf_addf(error, "x509: failed to parse private key (use %s instead for this key format)", better);
        return false;
    }
    dsp_buf_addz(error, before);
    return gt_asn1_read(der, own, NULL, NULL, error);
}

/* --- RSA ---------------------------------------------------------------------------------------------------------- */

struct rsa_numbers {
    BIGNUM *n, *d, *p, *q, *dp, *dq, *qinv, *e, *p1, *q1, *t;
    BN_CTX *ctx;
};

static bool one_mod(struct rsa_numbers *r, const BIGNUM *a, const BIGNUM *b, const BIGNUM *m)
{
    return BN_mod_mul(r->t, a, b, m, r->ctx) == 1 && BN_is_one(r->t);
}

static bool same_mod(struct rsa_numbers *r, const BIGNUM *a, const BIGNUM *m, const BIGNUM *rest)
{
    return BN_nnmod(r->t, a, m, r->ctx) == 1 && BN_cmp(r->t, rest) == 0;
}

/* Go's bigmod: a number that has more limbs than the modulus, or that is merely not below it */
static const char *overflow(const BIGNUM *a, const BIGNUM *m)
{
    if (BN_cmp(a, m) < 0) {
        return NULL;
    }
    return (BN_num_bits(a) + 63) / 64 > (BN_num_bits(m) + 63) / 64 ? "input overflows the modulus size"
                                                                     : "input overflows the modulus";
}

static const char *public_fault(const BIGNUM *n, int64_t e)
{
    return !BN_is_odd(n)   ? "crypto/rsa: public modulus is even"
           : e < 2         ? "crypto/rsa: public exponent too small or negative"
           : e % 2 == 0    ? "crypto/rsa: public exponent is even"
           : e > INT32_MAX ? "crypto/rsa: public exponent too large"
                           : NULL;
}

static const char *distance_fault(struct rsa_numbers *r)
{
    int size = BN_num_bits(r->n);

    if (BN_cmp(r->p, r->q) == 0) {
        return "crypto/rsa: p == q";
    }
    if (BN_sub(r->t, r->p, r->q) != 1 || BN_num_bits(r->t) <= size / 2 - 100) {
        return "crypto/rsa: |p - q| too small";
    }
    return BN_num_bits(r->d) <= size / 2 ? "crypto/rsa: d too small" : NULL;
}

static const char *rsa_fault(struct rsa_numbers *r, int64_t e)
{
    const char *why = public_fault(r->n, e);

    if (why != NULL) {
        return why;
    }
    if (BN_cmp(r->p, r->n) >= 0 || BN_cmp(r->q, r->n) >= 0) {
        return "crypto/rsa: invalid prime";
    }
    if (BN_mod_mul(r->t, r->p, r->q, r->n, r->ctx) != 1 || !BN_is_zero(r->t)) {
        return "crypto/rsa: p * q != n";
    }
    if (BN_is_one(r->p1) || BN_is_one(r->q1)) {
        return "crypto/rsa: invalid prime";
    }
    if (BN_cmp(r->dp, r->p1) >= 0 || !one_mod(r, r->dp, r->e, r->p1) || BN_cmp(r->dq, r->q1) >= 0 ||
        !one_mod(r, r->dq, r->e, r->q1)) {
        return "crypto/rsa: invalid CRT exponent";
    }
    if (!one_mod(r, r->qinv, r->q, r->p)) {
        return "crypto/rsa: invalid CRT coefficient";
    }
    if (!same_mod(r, r->d, r->p1, r->dp)) {
        return "crypto/rsa: d does not match dP";
    }
    return same_mod(r, r->d, r->q1, r->dq) ? distance_fault(r) : "crypto/rsa: d does not match dQ";
}

/* With Dp, Dq and Qinv as they are given, or as they would have to be. */
static const char *crt_fault(struct rsa_numbers *r, const dsp_str *v)
{
    const char *why;

    if (BN_is_one(r->n) || BN_is_one(r->p) || BN_is_one(r->q)) {
        return "modulus must be > 1";
    }
    why = overflow(r->d, r->n);
    if (why != NULL) {
        return why;
    }
    if (v[RSA_DP].data == NULL || v[RSA_DQ].data == NULL || v[RSA_QINV].data == NULL) {
        if (BN_is_one(r->p1) || BN_is_one(r->q1)) {
            return "modulus must be > 1";
        }
        if (!BN_is_odd(r->p)) {
            return "crypto/rsa: p is even";
        }
        if (BN_nnmod(r->dp, r->d, r->p1, r->ctx) != 1 || BN_nnmod(r->dq, r->d, r->q1, r->ctx) != 1) {
            return "crypto/rsa: invalid prime";
        }
        BN_mod_inverse(r->qinv, r->q, r->p, r->ctx); /* where there is none, the coefficient is wrong */
    } else {
        why = overflow(r->qinv, r->p);
    }
    return why == NULL ? rsa_fault(r, small(v[RSA_E])) : why;
}

static BIGNUM *big(dsp_str s)
{
    return s.data == NULL ? BN_new() : BN_bin2bn((const unsigned char *) s.data, (int) s.len, NULL);
}

static const char *numbers_fault(const dsp_str *v)
{
    struct rsa_numbers r = {
        .n = big(v[RSA_N]),   .d = big(v[RSA_D]),       .p = big(v[RSA_P]), .q = big(v[RSA_Q]), .dp = big(v[RSA_DP]),
        .dq = big(v[RSA_DQ]), .qinv = big(v[RSA_QINV]), .e = big(v[RSA_E]), .p1 = BN_new(),     .q1 = BN_new(),
        .t = BN_new(),        .ctx = BN_CTX_new(),
    };
    BIGNUM     *all[] = { r.n, r.d, r.p, r.q, r.dp, r.dq, r.qinv, r.e, r.p1, r.q1, r.t };
    const char *why = r.ctx == NULL ? "out of memory" : NULL;

    for (size_t i = 0; i < COUNT(all); i++) {
        why = all[i] == NULL ? "out of memory" : why;
    }
    if (why == NULL && (BN_sub(r.p1, r.p, BN_value_one()) != 1 || BN_sub(r.q1, r.q, BN_value_one()) != 1)) {
        why = "out of memory";
    }
    why = why == NULL ? crt_fault(&r, v) : why;
    for (size_t i = 0; i < COUNT(all); i++) {
        BN_clear_free(all[i]);
    }
    BN_CTX_free(r.ctx);
    return why;
}

bool gt_key_rules_pkcs1(dsp_str der, dsp_buf *error)
{
    dsp_str     v[RSA_FIELDS], rest;
    const char *why;

    if (!gt_asn1_read(der, &rsa_type, v, &rest, NULL)) {
        return refuse_structure(der, &rsa_type, "", error);
    }
    if (rest.len > 0) {
        return no(error, "asn1: syntax error: trailing data");
    }
    if (small(v[RSA_VERSION]) > 1) {
        return no(error, "x509: unsupported private key version");
    }
    for (size_t i = RSA_N; i < RSA_PRIMES; i++) {
        if (i != RSA_E && v[i].data != NULL && !positive(v[i])) {
            return no(error, "x509: private key contains zero or negative value");
        }
    }
    for (size_t i = RSA_N; i < RSA_FIELDS; i++) { /* of further primes: all together */
        if (v[i].len > MOST_RSA_BYTES) {
            dsp_buf_addf(error, "RSA keys of more than %d bits are not supported", MOST_RSA_BITS);
            return false;
        }
    }
    why = v[RSA_PRIMES].len > 0 ? NULL : numbers_fault(v); /* more than two primes: not looked at */
    return why == NULL || no(error, why);
}

/* --- elliptic curves ---------------------------------------------------------------------------------------------- */

static bool check_scalar(int nid, dsp_str key, dsp_buf *error)
{
    EC_GROUP     *group = EC_GROUP_new_by_curve_name(nid);
    const BIGNUM *order = group == NULL ? NULL : EC_GROUP_get0_order(group);
    size_t        size = order == NULL ? 0 : (size_t) BN_num_bytes(order);
    BIGNUM       *n;
    const char   *why = NULL;

    while (key.len > size && key.data[0] == 0) {
        key = dsp_str_sub(key, 1, key.len);
    }
    n = big(key);
    if (key.len > size) {
        why = "x509: invalid private key length";
    } else if (n == NULL || order == NULL) {
        why = "out of memory";
    } else if (BN_is_zero(n) || BN_cmp(n, order) == 0) {
        why = "ecdsa: invalid public key encoding";
    } else if (BN_cmp(n, order) > 0) {
        why = "input overflows the modulus";
    }
    BN_clear_free(n);
    EC_GROUP_free(group);
    return why == NULL || no(error, why);
}

/* curve: that of PKCS #8; NULL: the key's own */
static bool check_ec(const dsp_str *curve, dsp_str der, dsp_buf *error)
{
    dsp_str v[EC_FIELDS];
    int     nid;

    if (!gt_asn1_read(der, &ec_type, v, NULL, NULL)) {
        return refuse_structure(der, &ec_type, "x509: failed to parse EC private key: ", error);
    }
    if (small(v[EC_VERSION]) != 1) {
        dsp_buf_addf(error, "x509: unknown EC private key version %lld", (long long) small(v[EC_VERSION]));
        return false;
    }
    nid = gt_der_curve(curve != NULL ? *curve : v[EC_CURVE]);
    return nid != NID_undef ? check_scalar(nid, v[EC_KEY_BYTES], error) : no(error, "x509: unknown elliptic curve");
}

bool gt_key_rules_ec(dsp_str der, dsp_buf *error)
{
    return check_ec(NULL, der, error);
}

/* --- PKCS #8 ------------------------------------------------------------------------------------------------------ */

static bool check_curve25519(const char *name, dsp_str params, dsp_str der, dsp_buf *error)
{
    dsp_str seed;

    if (params.len > 0) {
        dsp_buf_addf(error, "x509: invalid %s private key parameters", name);
        return false;
    }
    if (!gt_asn1_read_one(der, GT_ASN1_OCTETS, &seed, NULL)) {
        dsp_buf_addf(error, "x509: invalid %s private key: ", name);
        return gt_asn1_read_one(der, GT_ASN1_OCTETS, &seed, error);
    }
    if (seed.len == 32) {
        return true;
    }
    if (strcmp(name, "X25519") == 0) {
        return no(error, "crypto/ecdh: invalid private key size");
    }
    dsp_buf_addf(error, "x509: invalid Ed25519 private key length: %zu", seed.len);
    return false;
}

static bool unknown_algorithm(dsp_str oid, dsp_buf *error)
{
    dsp_buf_addz(error, "x509: PKCS#8 wrapping contained private key with unknown algorithm: ");
    gt_der_oid_text(error, oid);
    return false;
}

bool gt_key_rules_pkcs8(dsp_str der, dsp_buf *error)
{
    dsp_str v[P8_FIELDS], oid, params, curve;
    size_t  mark;
    bool    named;

    if (!gt_asn1_read(der, &pkcs8_type, v, NULL, NULL)) {
        return refuse_structure(der, &pkcs8_type, "", error);
    }
    gt_asn1_read_one(v[P8_ALGORITHM], GT_ASN1_OID, &oid, NULL);
    mark = (size_t) (oid.data - v[P8_ALGORITHM].data) + oid.len;
    params = dsp_str_sub(v[P8_ALGORITHM], mark, v[P8_ALGORITHM].len);
    if (params.len > 0) {
        gt_asn1_read_one(params, GT_ASN1_ANY, &params, NULL);
    }
    if (dsp_str_eq(oid, DSP_STR("\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01"))) {
        dsp_buf_addz(error, "x509: failed to parse RSA private key embedded in PKCS#8: ");
        return gt_key_rules_pkcs1(v[P8_KEY], error);
    }
    if (dsp_str_eq(oid, DSP_STR("\x2A\x86\x48\xCE\x3D\x02\x01"))) {
        dsp_buf_addz(error, "x509: failed to parse EC private key embedded in PKCS#8: ");
        named = gt_asn1_read_one(params, GT_ASN1_OID, &curve, NULL);
        return check_ec(named ? &curve : NULL, v[P8_KEY], error);
    }
    if (dsp_str_eq(oid, DSP_STR("\x2B\x65\x70"))) {
        return check_curve25519("Ed25519", params, v[P8_KEY], error);
    }
    if (dsp_str_eq(oid, DSP_STR("\x2B\x65\x6E"))) {
        return check_curve25519("X25519", params, v[P8_KEY], error);
    }
    return unknown_algorithm(oid, error);
}

bool gt_key_rules_dsa(dsp_str der, dsp_buf *error)
{
    return gt_asn1_read(der, &dsa_type, NULL, NULL, error);
}
