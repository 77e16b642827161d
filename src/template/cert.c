#include "cert.h"

#include <string.h>

#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "base/utf8.h"
#include "cert_rules.h"
#include "pem.h"
#include "privkey.h"
#include "strconv.h"

/* --- the name ----------------------------------------------------------------------------------------------------- */

/* What Go writes as a PrintableString. */
static bool printable(dsp_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            (c == '\0' || strchr(" '()+,-./:=?", c) == NULL)) {
            return false;
        }
    }
    return true;
}

static bool set_subject(X509 *x, dsp_str cn)
{
    X509_NAME *name = X509_NAME_new();
    bool       ok = name != NULL;

    if (ok && cn.len > 0) {
        ok =
            X509_NAME_add_entry_by_NID(name, NID_commonName, printable(cn) ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING,
                                       (const unsigned char *) cn.data, (int) cn.len, -1, 0) == 1;
    }
    ok = ok && X509_set_subject_name(x, name) == 1;
    X509_NAME_free(name);
    return ok;
}

/* --- extensions, in Go's order ------------------------------------------------------------------------------------ */

static bool add_key_usage(X509 *x, bool ca)
{
    ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
    bool             ok = bits != NULL && ASN1_BIT_STRING_set_bit(bits, 0, 1) == 1 && /* digitalSignature */
              ASN1_BIT_STRING_set_bit(bits, 2, 1) == 1 &&                             /* keyEncipherment */
              (!ca || ASN1_BIT_STRING_set_bit(bits, 5, 1) == 1) &&                    /* keyCertSign */
              X509_add1_ext_i2d(x, NID_key_usage, bits, 1, X509V3_ADD_APPEND) == 1;

    ASN1_BIT_STRING_free(bits);
    return ok;
}

static bool add_extended_key_usage(X509 *x)
{
    EXTENDED_KEY_USAGE *usage = EXTENDED_KEY_USAGE_new();
    bool                ok = usage != NULL && sk_ASN1_OBJECT_push(usage, OBJ_nid2obj(NID_server_auth)) > 0 &&
              sk_ASN1_OBJECT_push(usage, OBJ_nid2obj(NID_client_auth)) > 0 &&
              X509_add1_ext_i2d(x, NID_ext_key_usage, usage, 0, X509V3_ADD_APPEND) == 1;

    EXTENDED_KEY_USAGE_free(usage);
    return ok;
}

static bool add_basic_constraints(X509 *x, bool ca)
{
    BASIC_CONSTRAINTS *basic = BASIC_CONSTRAINTS_new();
    bool               ok;

    if (basic == NULL) {
        return false;
    }
    basic->ca = ca ? 0xFF : 0;
    ok = X509_add1_ext_i2d(x, NID_basic_constraints, basic, 1, X509V3_ADD_APPEND) == 1;
    BASIC_CONSTRAINTS_free(basic);
    return ok;
}

/* RFC 7093, 2 (1): the first 160 bits of the SHA-256 of the public key. */
static bool add_subject_key_id(X509 *x)
{
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(x);
    ASN1_OCTET_STRING     *id = ASN1_OCTET_STRING_new();
    unsigned char          hash[SHA256_DIGEST_LENGTH];
    bool                   ok = key != NULL && id != NULL;

    ok = ok && SHA256(ASN1_STRING_get0_data(key), (size_t) ASN1_STRING_length(key), hash) != NULL &&
         ASN1_OCTET_STRING_set(id, hash, 20) == 1 &&
         X509_add1_ext_i2d(x, NID_subject_key_identifier, id, 0, X509V3_ADD_APPEND) == 1;
    ASN1_OCTET_STRING_free(id);
    return ok;
}

static bool add_authority_key_id(X509 *x, X509 *parent)
{
    const ASN1_OCTET_STRING *id = parent == NULL ? NULL : X509_get0_subject_key_id(parent);
    AUTHORITY_KEYID         *authority;
    bool                     ok;

    if (id == NULL || ASN1_STRING_length(id) == 0 ||
        X509_NAME_cmp(X509_get_subject_name(x), X509_get_subject_name(parent)) == 0) {
        return true;
    }
    authority = AUTHORITY_KEYID_new();
    ok = authority != NULL && (authority->keyid = ASN1_OCTET_STRING_dup(id)) != NULL &&
         X509_add1_ext_i2d(x, NID_authority_key_identifier, authority, 0, X509V3_ADD_APPEND) == 1;
    AUTHORITY_KEYID_free(authority);
    return ok;
}

static bool push_name(GENERAL_NAMES *names, int type, ASN1_STRING *value)
{
    GENERAL_NAME *name = GENERAL_NAME_new();

    if (name == NULL || value == NULL || sk_GENERAL_NAME_push(names, name) <= 0) {
        GENERAL_NAME_free(name);
        ASN1_STRING_free(value);
        return false;
    }
    GENERAL_NAME_set0_value(name, type, value);
    return true;
}

static ASN1_STRING *string_of(int type, const void *data, size_t len)
{
    ASN1_STRING *s = ASN1_STRING_type_new(type);

    if (s != NULL && ASN1_STRING_set(s, data, (int) len) != 1) {
        ASN1_STRING_free(s);
        return NULL;
    }
    return s;
}

/* An IPv4 address, also one that is written as IPv6, has 4 bytes. */
static ASN1_STRING *string_of_ip(const gt_ipaddr *ip)
{
    static const unsigned char mapped[12] = { [10] = 0xFF, [11] = 0xFF };

    if (ip->v4) {
        return string_of(V_ASN1_OCTET_STRING, ip->bytes, 4);
    }
    if (memcmp(ip->bytes, mapped, sizeof(mapped)) == 0) {
        return string_of(V_ASN1_OCTET_STRING, ip->bytes + 12, 4);
    }
    return string_of(V_ASN1_OCTET_STRING, ip->bytes, 16);
}

static bool add_alternative_names(X509 *x, const gt_cert_request *r)
{
    GENERAL_NAMES *names;
    bool           ok;

    if (r->n_dns + r->n_ips == 0) {
        return true;
    }
    names = GENERAL_NAMES_new();
    ok = names != NULL;
    for (size_t i = 0; ok && i < r->n_dns; i++) {
        ok = push_name(names, GEN_DNS, string_of(V_ASN1_IA5STRING, r->dns[i].data == NULL ? "" : r->dns[i].data,
                                                 r->dns[i].len));
    }
    for (size_t i = 0; ok && i < r->n_ips; i++) {
        ok = push_name(names, GEN_IPADD, string_of_ip(&r->ips[i]));
    }
    /* critical where there is no subject (RFC 5280, 4.2.1.6) */
    ok = ok && X509_add1_ext_i2d(x, NID_subject_alt_name, names, r->cn.len == 0, X509V3_ADD_APPEND) == 1;
    GENERAL_NAMES_free(names);
    return ok;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static bool set_serial(X509 *x, const unsigned char serial[16])
{
    BIGNUM *n = BN_bin2bn(serial, 16, NULL);
    bool    ok = n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;

    BN_free(n);
    return ok;
}

static bool build(X509 *x, const gt_cert_request *r)
{
    return X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x, r->serial) && set_subject(x, r->cn) &&
           X509_set_issuer_name(x, X509_get_subject_name(r->parent != NULL ? r->parent : x)) == 1 &&
           ASN1_TIME_set(X509_getm_notBefore(x), (time_t) r->not_before) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(x), (time_t) r->not_after) != NULL && X509_set_pubkey(x, r->key) == 1 &&
           add_key_usage(x, r->ca) && add_extended_key_usage(x) && add_basic_constraints(x, r->ca) &&
           (!r->ca || add_subject_key_id(x)) && add_authority_key_id(x, r->parent) && add_alternative_names(x, r);
}

/* The digest that Go takes for a signing key; *known false: Go cannot sign with such a key. */
static const EVP_MD *digest_for(EVP_PKEY *key, bool *known)
{
    int type = EVP_PKEY_get_base_id(key);

    *known = type == EVP_PKEY_RSA || type == EVP_PKEY_EC || type == EVP_PKEY_ED25519;
    if (type == EVP_PKEY_ED25519) {
        return NULL;
    }
    if (type == EVP_PKEY_EC && EVP_PKEY_get_bits(key) > 384) {
        return EVP_sha512();
    }
    return type == EVP_PKEY_EC && EVP_PKEY_get_bits(key) > 256 ? EVP_sha384() : EVP_sha256();
}

/* What Go's CreateCertificate refuses, in its order; NULL: nothing. DNS names are looked at afterwards. */
static const char *refusal(const gt_cert_request *r, EVP_PKEY *signer)
{
    bool known;
    int  type = EVP_PKEY_get_base_id(r->key);

    digest_for(signer, &known);
    if (!known) {
        return "x509: certificate private key does not implement crypto.Signer";
    }
    if (type == EVP_PKEY_DSA) {
        return "x509: unsupported public key type: *dsa.PublicKey";
    }
    if (dsp_utf8_invalid_at(r->cn) < r->cn.len) {
        return "asn1: string not valid UTF-8";
    }
    if (r->parent != NULL && EVP_PKEY_eq(X509_get0_pubkey(r->parent), signer) != 1) {
        return "x509: provided PrivateKey doesn't match parent's PublicKey";
    }
    return NULL;
}

static bool refuse(dsp_buf *error, const char *why)
{
    dsp_buf_addf(error, "error creating certificate: %s", why);
    return false;
}

static bool check_dns(const gt_cert_request *r, dsp_buf *error)
{
    for (size_t i = 0; i < r->n_dns; i++) {
        for (size_t k = 0; k < r->dns[i].len; k++) {
            if ((unsigned char) r->dns[i].data[k] > 0x7F) {
                dsp_buf_addz(error, "error creating certificate: x509: ");
                gt_quote(error, r->dns[i], 0);
                dsp_buf_addz(error, " cannot be encoded as an IA5String");
                return false;
            }
        }
    }
    return true;
}

bool gt_cert_make(const gt_cert_request *r, dsp_buf *out, dsp_buf *error)
{
    EVP_PKEY      *signer = r->parent != NULL ? r->parent_key : r->key;
    const char    *why = refusal(r, signer);
    unsigned char *der = NULL;
    X509          *x;
    bool           ok, known;
    int            len;

    if (why != NULL) {
        return refuse(error, why);
    }
    if (!check_dns(r, error)) {
        return false;
    }
    x = X509_new();
    ok = x != NULL && build(x, r) && X509_sign(x, signer, digest_for(signer, &known)) > 0;
    len = ok ? i2d_X509(x, &der) : -1;
    X509_free(x);
    if (len <= 0) {
        return refuse(error, "OpenSSL could not build it");
    }
    gt_pem_encode(out, "CERTIFICATE", der, (size_t) len);
    OPENSSL_free(der);
    return true;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static bool from_pem(dsp_str pem, const char *name, X509 **x, dsp_buf *error)
{
    dsp_buf              der;
    dsp_str              type;
    const unsigned char *p;
    bool                 found, ok;

    dsp_buf_init(&der, pem.len + 1);
    found = gt_pem_decode(pem, &type, &der);
    if (!found || der.failed) {
        dsp_buf_addz(error, der.failed ? "out of memory" : "unable to decode certificate");
        dsp_buf_free(&der);
        return false;
    }
    dsp_buf_addf(error, "error parsing certificate: %s.Bytes: ", name);
    ok = gt_cert_rules(dsp_buf_str(&der), error);
    if (ok && x != NULL) {
        p = (const unsigned char *) der.data;
        *x = d2i_X509(NULL, &p, (long) der.len);
        ok = *x != NULL;
        if (!ok) {
            dsp_buf_addz(error, "x509: OpenSSL cannot read it");
        }
    }
    dsp_buf_free(&der);
    return ok;
}

X509 *gt_cert_from_pem(dsp_str pem, const char *name, dsp_buf *error)
{
    X509 *x = NULL;

    from_pem(pem, name, &x, error);
    return x;
}

bool gt_cert_check(dsp_str pem, const char *name, dsp_buf *error)
{
    return from_pem(pem, name, NULL, error);
}
