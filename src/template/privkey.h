/*
 * Private keys as Sprig makes, reads and writes them: RSA, DSA, ECDSA on P-256 and Ed25519, in PEM.
 * Keys come from OpenSSL's generator, which the operating system seeds: no caller's source of randomness can weaken
 * them.
 */
#ifndef DSP_TEMPLATE_PRIVKEY_H
#define DSP_TEMPLATE_PRIVKEY_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/str.h"

enum gt_key_type { GT_KEY_RSA_2048, GT_KEY_RSA_4096, GT_KEY_DSA, GT_KEY_ECDSA, GT_KEY_ED25519 };

/* A new key, the caller's to free with EVP_PKEY_free(). NULL: OpenSSL could not. */
EVP_PKEY *gt_key_generate(enum gt_key_type type);

/* PKCS #1, SEC 1 and the like for RSA, DSA and EC, PKCS #8 for Ed25519. false: OpenSSL could not, or out is full. */
bool gt_key_to_pem(EVP_PKEY *key, dsp_buf *out);

/* The first PEM block as a key. NULL: the text of Go is in error. */
EVP_PKEY *gt_key_from_pem(dsp_str pem, dsp_buf *error);

/* Whether Go takes it. OpenSSL may still not: Go works out the public key itself, and lets negative numbers of DSA pass. */
bool gt_key_check(dsp_str pem, dsp_buf *error);

/* One PEM block. */
void gt_pem_encode(dsp_buf *out, const char *type, const unsigned char *der, size_t len);

#endif
