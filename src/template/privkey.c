#include "privkey.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "fn_encoding.h"
#include "key_rules.h"
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

static EVP_PKEY *read_traditional(int type, dsp_str der)
{
    const unsigned char *p = (const unsigned char *) der.data;

    return d2i_PrivateKey(type, NULL, &p, (long) der.len);
}

static EVP_PKEY *read_pkcs8(dsp_str der)
{
    const unsigned char *p = (const unsigned char *) der.data;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long) der.len);
    EVP_PKEY            *key = info == NULL ? NULL : EVP_PKCS82PKEY(info);

    PKCS8_PRIV_KEY_INFO_free(info);
    return key;
}

/* What Go says where it refuses the key stands in key_rules.h; before it: what Sprig puts there. */
static bool read_key(dsp_str type, dsp_str der, EVP_PKEY **key, dsp_buf *error)
{
    static const struct {
        const char *type, *before;
        int         id;
        bool (*rules)(dsp_str der, dsp_buf *error);
    } kinds[] = {
        { "PRIVATE KEY", "decoding PEM as PKCS#8: ", EVP_PKEY_NONE, gt_key_rules_pkcs8 },
        { "RSA PRIVATE KEY", "parsing RSA private key from PEM: ", EVP_PKEY_RSA, gt_key_rules_pkcs1 },
        { "EC PRIVATE KEY", "parsing EC private key from PEM: ", EVP_PKEY_EC, gt_key_rules_ec },
        { "DSA PRIVATE KEY", "parsing DSA private key from PEM: ", EVP_PKEY_DSA, gt_key_rules_dsa },
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!dsp_str_is(type, kinds[i].type)) {
            continue;
        }
        dsp_buf_addz(error, kinds[i].before);
        if (!kinds[i].rules(der, error)) {
            return false;
        }
        if (key == NULL) {
            return true;
        }
        *key = kinds[i].id == EVP_PKEY_NONE ? read_pkcs8(der) : read_traditional(kinds[i].id, der);
        if (*key == NULL) {
            dsp_buf_addz(error, "OpenSSL cannot read it");
        }
        return *key != NULL;
    }
    dsp_buf_addz(error, dsp_str_has_suffix(type, DSP_STR(" PRIVATE KEY")) ? "invalid private key type "
                                                                         : "no private key data in PEM block of type ");
    dsp_buf_adds(error, type);
    return false;
}

/* key NULL: only looks whether Go would take it */
static bool from_pem(dsp_str pem, EVP_PKEY **key, dsp_buf *error)
{
    dsp_buf der;
    dsp_str type;
    bool    found, ok = false;

    dsp_buf_init(&der, pem.len + 1);
    found = gt_pem_decode(pem, &type, &der);
    if (!found || der.failed) {
        dsp_buf_addz(error, der.failed ? "out of memory" : "no PEM data in input");
    } else {
        ok = read_key(type, dsp_buf_str(&der), key, error);
    }
    if (der.data != NULL) {
        OPENSSL_cleanse(der.data, der.len);
    }
    dsp_buf_free(&der);
    return ok;
}

EVP_PKEY *gt_key_from_pem(dsp_str pem, dsp_buf *error)
{
    EVP_PKEY *key = NULL;

    from_pem(pem, &key, error);
    return key;
}

bool gt_key_check(dsp_str pem, dsp_buf *error)
{
    return from_pem(pem, NULL, error);
}
