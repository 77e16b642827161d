#include "fn_crypto.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "fn_encoding.h"

/* --- bcrypt ------------------------------------------------------------------------------------------------------- */

#define BCRYPT_COST 10
#define BCRYPT_MAX  72

/*
 * crypt(3) computes what Go's bcrypt does under the name $2b$; Go calls it $2a$, which crypt(3) uses for a variant that
 * guards against a bug of others. So it is asked for $2b$ and the name is changed.
 */
static bool hash_bcrypt(gt_ctx *c, dsp_str password, dsp_buf *out)
{
    char               key[BCRYPT_MAX + 1], random[16], setting[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_data *data = calloc(1, sizeof(*data));
    const char        *hash = NULL;

    if (data == NULL) {
        return gt_fail_memory(c);
    }
    if (!gt_random(c, random, sizeof(random))) {
        free(data);
        return false;
    }
    memcpy(key, password.data, password.len);
    key[password.len] = '\0';
    if (crypt_gensalt_rn("$2b$", BCRYPT_COST, random, sizeof(random), setting, sizeof(setting)) != NULL) {
        hash = crypt_r(key, setting, data);
    }
    if (hash != NULL && strncmp(hash, "$2b$", 4) == 0) {
        dsp_buf_addz(out, "$2a$");
        dsp_buf_addz(out, hash + 4);
    } else {
        dsp_buf_addz(out, "failed to encrypt string with bcrypt: crypt(3) does not know it");
    }
    OPENSSL_cleanse(key, sizeof(key));
    OPENSSL_cleanse(data, sizeof(*data));
    free(data);
    return true;
}

static bool add_bcrypt(gt_ctx *c, dsp_str password, dsp_buf *out)
{
    if (password.len > BCRYPT_MAX) {
        dsp_buf_addz(out, "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes");
        return true;
    }
    if (password.len > 0 && memchr(password.data, '\0', password.len) != NULL) {
        /* crypt(3) would stop there and accept all that begins so */
        dsp_buf_addz(out, "failed to encrypt string with bcrypt: password contains a NUL byte");
        return true;
    }
    return hash_bcrypt(c, password.data == NULL ? DSP_STR("") : password, out);
}

GT_BODY(gt_fn_bcrypt)
{
    dsp_buf *b = gt_text_begin(c);

    (void) n;
    return b != NULL && add_bcrypt(c, args[0].s, b) && gt_text_give(c, b, out);
}

GT_BODY(gt_fn_htpasswd)
{
    dsp_str  user = args[0].s;
    bool     valid = dsp_str_find(user, ':') == user.len;
    dsp_buf *b = gt_text_begin(c);

    (void) n;
    if (b == NULL) {
        return false;
    }
    dsp_buf_addz(b, valid ? "" : "invalid username: ");
    dsp_buf_adds(b, user);
    if (valid) {
        dsp_buf_addc(b, ':');
        if (!add_bcrypt(c, args[1].s, b)) {
            return false;
        }
    }
    return gt_text_give(c, b, out);
}

/* --- Master Password (masterpassword.app), version of Sprig ------------------------------------------------------- */

#define SEED_TEXT "com.lyndir.masterpassword"

enum { MAX_TEMPLATES = 21, KEY_LEN = 64, SEED_LEN = 32 };

static const struct {
    const char *name;
    const char *templates[MAX_TEMPLATES + 1];
} password_types[] = {
    { "maximum", { "anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno" } },
    { "long",
      { "CvcvnoCvcvCvcv", "CvcvCvcvnoCvcv", "CvcvCvcvCvcvno", "CvccnoCvcvCvcv", "CvccCvcvnoCvcv", "CvccCvcvCvcvno",
        "CvcvnoCvccCvcv", "CvcvCvccnoCvcv", "CvcvCvccCvcvno", "CvcvnoCvcvCvcc", "CvcvCvcvnoCvcc", "CvcvCvcvCvccno",
        "CvccnoCvccCvcv", "CvccCvccnoCvcv", "CvccCvccCvcvno", "CvcvnoCvccCvcc", "CvcvCvccnoCvcc", "CvcvCvccCvccno",
        "CvccnoCvcvCvcc", "CvccCvcvnoCvcc", "CvccCvcvCvccno" } },
    { "medium", { "CvcnoCvc", "CvcCvcno" } },
    { "short", { "Cvcn" } },
    { "basic", { "aaanaaan", "aannaaan", "aaannaaa" } },
    { "pin", { "nnnn" } },
};

static const char *characters(char class)
{
    switch (class) {
    case 'V': return "AEIOU";
    case 'C': return "BCDFGHJKLMNPQRSTVWXYZ";
    case 'v': return "aeiou";
    case 'c': return "bcdfghjklmnpqrstvwxyz";
    case 'a': return "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
    case 'n': return "0123456789";
    case 'o': return "@&%?,=[]_:-+*$#!'^~;()/.";
    default: return "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()";
    }
}

static void add_u32(dsp_buf *b, uint32_t v)
{
    char bytes[4] = { (char) (v >> 24), (char) (v >> 16), (char) (v >> 8), (char) v };

    dsp_buf_add(b, bytes, sizeof(bytes));
}

/* The master key of the user and with it the site's seed. */
static bool derive_seed(gt_ctx *c, uint32_t counter, dsp_str password, dsp_str user, dsp_str site,
                        unsigned char seed[SEED_LEN])
{
    dsp_buf       *b = gt_text_begin(c);
    unsigned char  key[KEY_LEN];
    unsigned       len = 0;
    dsp_str        used;
    bool           ok;

    if (b == NULL) {
        return false;
    }
    dsp_buf_addz(b, SEED_TEXT);
    add_u32(b, (uint32_t) user.len);
    dsp_buf_adds(b, user);
    if (!gt_text_ok(c, b)) {
        return false;
    }
    ok = EVP_PBE_scrypt(password.data == NULL ? "" : password.data, password.len, (const unsigned char *) b->data,
                        b->len, 32768, 8, 2, (uint64_t) 128 << 20, key, sizeof(key)) == 1;
    dsp_buf_reset(b);
    dsp_buf_addz(b, SEED_TEXT);
    add_u32(b, (uint32_t) site.len);
    dsp_buf_adds(b, site);
    add_u32(b, counter);
    if (!gt_text_ok(c, b)) {
        OPENSSL_cleanse(key, sizeof(key));
        return false;
    }
    ok = ok && HMAC(EVP_sha256(), key, sizeof(key), (const unsigned char *) b->data, b->len, seed, &len) != NULL;
    OPENSSL_cleanse(key, sizeof(key));
    return gt_text_end(c, b, &used) && (ok || gt_fail_memory(c));
}

GT_BODY(gt_fn_derive_password)
{
    const char *const *templates = NULL;
    const char        *template;
    unsigned char      seed[SEED_LEN];
    size_t             count = 0;
    dsp_buf           *b;

    (void) n;
    for (size_t i = 0; i < sizeof(password_types) / sizeof(password_types[0]); i++) {
        if (dsp_str_is(args[1].s, password_types[i].name)) {
            templates = password_types[i].templates;
        }
    }
    b = templates == NULL ? gt_text_begin(c) : NULL;
    if (b != NULL) {
        dsp_buf_addz(b, "cannot find password template ");
        dsp_buf_adds(b, args[1].s);
        return gt_text_give(c, b, out);
    }
    if (templates == NULL || !derive_seed(c, (uint32_t) args[0].u, args[2].s, args[3].s, args[4].s, seed)) {
        return false;
    }
    while (templates[count] != NULL) {
        count++;
    }
    template = templates[seed[0] % count];
    b = gt_text_begin(c);
    if (b == NULL) {
        return false;
    }
    for (size_t i = 0; template[i] != '\0'; i++) {
        const char *set = characters(template[i]);

        dsp_buf_addc(b, set[seed[i + 1] % strlen(set)]);
    }
    return gt_text_give(c, b, out);
}

/* --- AES-256-CBC -------------------------------------------------------------------------------------------------- */

enum { AES_BLOCK = 16, AES_KEY = 32 };

/* Whole blocks in, whole blocks out. */
static bool run_aes(gt_ctx *c, dsp_str password, const unsigned char *iv, const char *in, size_t len, char *out,
                    bool encrypt)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    unsigned char   key[AES_KEY] = { 0 };
    int             done = 0;
    bool            ok;

    if (password.len > 0) {
        memcpy(key, password.data, password.len < sizeof(key) ? password.len : sizeof(key));
    }
    ok = ctx != NULL && EVP_CipherInit_ex2(ctx, EVP_aes_256_cbc(), key, iv, encrypt, NULL) == 1 &&
         EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
         EVP_CipherUpdate(ctx, (unsigned char *) out, &done, (const unsigned char *) in, (int) len) == 1 &&
         (size_t) done == len;
    EVP_CIPHER_CTX_free(ctx);
    OPENSSL_cleanse(key, sizeof(key));
    return ok || gt_fail_memory(c);
}

GT_BODY(gt_fn_encrypt_aes)
{
    dsp_str  plain = args[1].s;
    size_t   padding = AES_BLOCK - plain.len % AES_BLOCK, len = plain.len + padding;
    char    *padded, *cipher;
    dsp_buf *b;

    (void) n;
    *out = gt_literal("");
    if (plain.len == 0) {
        return true;
    }
    if (!gt_charge_bytes(c, len)) {
        return false;
    }
    padded = gt_alloc(c, len);
    cipher = padded == NULL ? NULL : gt_alloc(c, AES_BLOCK + len);
    if (cipher == NULL || !gt_random(c, cipher, AES_BLOCK)) {
        return false;
    }
    memcpy(padded, plain.data, plain.len);
    memset(padded + plain.len, (int) padding, padding);
    if (!run_aes(c, args[0].s, (const unsigned char *) cipher, padded, len, cipher + AES_BLOCK, true)) {
        return false;
    }
    b = gt_text_begin(c);
    if (b == NULL) {
        return false;
    }
    gt_base64_encode(b, (dsp_str){ cipher, AES_BLOCK + len });
    return gt_text_give(c, b, out);
}

/* The bytes between initialisation vector and end, where they can be that; Go's panics where not. */
static bool check_cipher_text(gt_ctx *c, dsp_str coded, dsp_str cipher)
{
    size_t capacity = coded.len / 4 * 3; /* what Go allocates: a slice may be made longer up to it */

    if (cipher.len < AES_BLOCK) {
        if (capacity < AES_BLOCK) {
            return gt_fail(c, "runtime error: slice bounds out of range [:16] with capacity %zu", capacity);
        }
        return gt_fail(c, "runtime error: slice bounds out of range [16:%zu]", cipher.len);
    }
    if (cipher.len % AES_BLOCK != 0) {
        return gt_fail(c, "crypto/cipher: input not full blocks");
    }
    if (cipher.len == AES_BLOCK) {
        return gt_fail(c, "runtime error: index out of range [-1]");
    }
    return true;
}

GT_BODY(gt_fn_decrypt_aes)
{
    dsp_str  coded = args[1].s, cipher;
    dsp_buf *b;
    char    *plain;
    size_t   len, bad, padding;

    (void) n;
    *out = gt_literal("");
    if (coded.len == 0) {
        return true;
    }
    b = gt_text_begin(c);
    if (b == NULL || !gt_charge_bytes(c, coded.len)) {
        return false;
    }
    if (!gt_base64_decode(b, coded, &bad)) {
        return gt_text_ok(c, b) && gt_fail(c, "illegal base64 data at input byte %zu", bad);
    }
    if (!gt_text_end(c, b, &cipher) || !check_cipher_text(c, coded, cipher)) {
        return false;
    }
    len = cipher.len - AES_BLOCK;
    plain = gt_alloc(c, len);
    if (plain == NULL ||
        !run_aes(c, args[0].s, (const unsigned char *) cipher.data, cipher.data + AES_BLOCK, len, plain, false)) {
        return false;
    }
    padding = (unsigned char) plain[len - 1];
    if (padding > len) {
        return gt_fail(c, "runtime error: slice bounds out of range [:%lld]", (long long) len - (long long) padding);
    }
    *out = gt_string((dsp_str){ plain, len - padding });
    return true;
}
