#include "privkey.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "fn_encoding.h"
#include "der.h"
#include "pem.h"

/* --- making ------------------------------------------------------------------------------------------------------- */

/* DSA with p of 2048 and q of 256 bits: parameters of its own for each key, as Go's Sprig does. */
static EVP_PKEY *generate_dsa(void)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
    EVP_PKEY     *params = NULL, *key = NULL;
    size_t        p_bits = 2048, q_bits = 256;
    OSSL_PARAM sizes[] = {OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_FFC_PBITS, &p_bits),
                          OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_FFC_QBITS, &q_bits), OSSL_PARAM_construct_end()};

    if (ctx != NULL && EVP_PKEY_paramgen_init(ctx) == 1 && EVP_PKEY_CTX_set_params(ctx, sizes) == 1 &&
        EVP_PKEY_generate(ctx, &params) == 1) {
        EVP_PKEY_CTX_free(ctx);
        ctx = EVP_PKEY_CTX_new_from_pkey(NULL, params, NULL);
        if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 || EVP_PKEY_generate(ctx, &key) != 1) {
            key = NULL;
        }
    }
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(params);
    return key;
}

EVP_PKEY *gt_key_generate(enum gt_key_type type)
{
    switch (type) {
    case GT_KEY_RSA_2048: return EVP_RSA_gen(2048);
    case GT_KEY_RSA_4096: return EVP_RSA_gen(4096);
    case GT_KEY_DSA: return generate_dsa();
    case GT_KEY_ECDSA: return EVP_EC_gen("P-256");
    case GT_KEY_ED25519: return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    }
    return NULL;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

void gt_pem_encode(dsp_buf *out, const char *type, const unsigned char *der, size_t len)
{
    enum { BYTES_PER_LINE = 48 };

    dsp_buf_addf(out, "-----BEGIN %s-----\n", type);
    for (size_t i = 0; i < len; i += BYTES_PER_LINE) {
        gt_base64_encode(out, dsp_str_sub((dsp_str){ (const char *) der, len }, i, i + BYTES_PER_LINE));
        dsp_buf_addc(out, '\n');
    }
    dsp_buf_addf(out, "-----END %s-----\n", type);
}

static int to_pkcs8(EVP_PKEY *key, unsigned char **der)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    int                  len = info == NULL ? -1 : i2d_PKCS8_PRIV_KEY_INFO(info, der);

    PKCS8_PRIV_KEY_INFO_free(info);
    return len;
}

bool gt_key_to_pem(EVP_PKEY *key, dsp_buf *out)
{
    const char    *type = "PRIVATE KEY";
    unsigned char *der = NULL;
    int            len;

    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: type = "RSA PRIVATE KEY"; break;
    case EVP_PKEY_DSA: type = "DSA PRIVATE KEY"; break;
    case EVP_PKEY_EC: type = "EC PRIVATE KEY"; break;
    }
    len = strlen(type) > strlen("PRIVATE KEY") ? i2d_PrivateKey(key, &der) : to_pkcs8(key, &der);
    if (len <= 0) {
        return false;
    }
    gt_pem_encode(out, type, der, (size_t) len);
    OPENSSL_clear_free(der, (size_t) len);
    return !out->failed;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

/* Why Go's asn1 does not take that for a structure of that name: exact for the head, a likely text for what is in it.
 */
static void explain_der(dsp_str der, const char *name, dsp_buf *error)
{
    struct gt_der_head h = gt_der_head(der);

    if (h.fault != NULL) {
        dsp_buf_addz(error, h.fault);
    } else if (h.class != 0 || h.tag != 16 || !h.compound) {
        dsp_buf_addf(error,
                     "asn1: structure error: tags don't match (16 vs {class:%u tag:%u length:%llu isCompound:%s}) "
                     "{optional:false explicit:false application:false private:false defaultValue:<nil> tag:<nil> "
                     "stringType:0 timeType:0 set:false omitEmpty:false} %s @%zu",
                     h.class, h.tag, (unsigned long long) h.length, h.compound ? "true" : "false", name, h.size);
    } else if (h.length > der.len - h.size) {
        dsp_buf_addz(error, "asn1: syntax error: data truncated");
    } else {
        dsp_buf_addz(error, "asn1: syntax error: sequence truncated");
    }
}

static EVP_PKEY *read_traditional(int type, dsp_str der)
{
    const unsigned char *p = (const unsigned char *) der.data;

    return der.len == 0 ? NULL : d2i_PrivateKey(type, NULL, &p, (long) der.len);
}

/* What Go can use of PKCS #8: *other is set where it is a key of another kind. */
static EVP_PKEY *read_pkcs8(dsp_str der, char other[64])
{
    const unsigned char *p = (const unsigned char *) der.data;
    PKCS8_PRIV_KEY_INFO *info = der.len == 0 ? NULL : d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long) der.len);
    const ASN1_OBJECT   *algorithm;
    EVP_PKEY            *key = NULL;

    other[0] = '\0';
    if (info != NULL && PKCS8_pkey_get0(&algorithm, NULL, NULL, NULL, info) == 1) {
        switch (OBJ_obj2nid(algorithm)) {
        case NID_rsaEncryption:
        case NID_X9_62_id_ecPublicKey:
        case NID_ED25519:
        case NID_X25519: key = EVP_PKCS82PKEY(info); break;
        default: OBJ_obj2txt(other, 64, algorithm, 1);
        }
    }
    PKCS8_PRIV_KEY_INFO_free(info);
    return key;
}

/* Go looks whether the bytes would do for another kind of block. */
static const char *better_function(int type, dsp_str der)
{
    char        other[64];
    EVP_PKEY   *ec = type == EVP_PKEY_EC ? NULL : read_traditional(EVP_PKEY_EC, der);
    EVP_PKEY   *pkcs8 = type == 0 ? NULL : read_pkcs8(der, other);
    EVP_PKEY   *rsa = type == EVP_PKEY_RSA ? NULL : read_traditional(EVP_PKEY_RSA, der);
    const char *name = ec != NULL      ? "ParseECPrivateKey"
                       : pkcs8 != NULL ? "ParsePKCS8PrivateKey"
                       : rsa != NULL   ? "ParsePKCS1PrivateKey"
                                       : NULL;

    EVP_PKEY_free(ec);
    EVP_PKEY_free(pkcs8);
    EVP_PKEY_free(rsa);
    return name;
}

/* name: Go's struct; before: what Sprig puts before the error; own: what Go puts before its own. */
static void explain(int type, dsp_str der, const char *before, const char *own, const char *name, dsp_buf *error)
{
    const char *better = type == EVP_PKEY_DSA ? NULL : better_function(type, der);

    dsp_buf_addz(error, before);
    if (better != NULL) {
        dsp_buf_addf(error, "x509: failed to parse private key (use %s instead for this key format)", better);
    } else {
        dsp_buf_addz(error, own);
        explain_der(der, name, error);
    }
}

static EVP_PKEY *read_key(dsp_str type, dsp_str der, dsp_buf *error)
{
    EVP_PKEY *key;
    char      other[64];

    if (dsp_str_is(type, "PRIVATE KEY")) {
        key = read_pkcs8(der, other);
        if (key == NULL && other[0] != '\0') {
            dsp_buf_addf(
                error, "decoding PEM as PKCS#8: x509: PKCS#8 wrapping contained private key with unknown algorithm: %s",
                other);
        } else if (key == NULL) {
            explain(0, der, "decoding PEM as PKCS#8: ", "", "pkcs8", error);
        }
    } else if (!dsp_str_has_suffix(type, DSP_STR(" PRIVATE KEY"))) {
        dsp_buf_addz(error, "no private key data in PEM block of type ");
        dsp_buf_adds(error, type);
        key = NULL;
    } else if (dsp_str_is(type, "RSA PRIVATE KEY")) {
        key = read_traditional(EVP_PKEY_RSA, der);
        if (key == NULL) {
            explain(EVP_PKEY_RSA, der, "parsing RSA private key from PEM: ", "", "pkcs1PrivateKey", error);
        }
    } else if (dsp_str_is(type, "EC PRIVATE KEY")) {
        key = read_traditional(EVP_PKEY_EC, der);
        if (key == NULL) {
            explain(EVP_PKEY_EC, der, "parsing EC private key from PEM: ", "x509: failed to parse EC private key: ",
                    "ecPrivateKey", error);
        }
    } else if (dsp_str_is(type, "DSA PRIVATE KEY")) {
        key = read_traditional(EVP_PKEY_DSA, der);
        if (key == NULL) {
            explain(EVP_PKEY_DSA, der, "parsing DSA private key from PEM: ", "", "DSAKeyFormat", error);
        }
    } else {
        dsp_buf_addz(error, "invalid private key type ");
        dsp_buf_adds(error, type);
        key = NULL;
    }
    return key;
}

EVP_PKEY *gt_key_from_pem(dsp_str pem, dsp_buf *error)
{
    dsp_buf   der;
    dsp_str   type;
    EVP_PKEY *key = NULL;

    dsp_buf_init(&der, pem.len + 1);
    if (!gt_pem_decode(pem, &type, &der)) {
        dsp_buf_addz(error, "no PEM data in input");
    } else {
        key = read_key(type, dsp_buf_str(&der), error);
    }
    if (der.data != NULL) {
        OPENSSL_cleanse(der.data, der.len);
    }
    dsp_buf_free(&der);
    return key;
}
