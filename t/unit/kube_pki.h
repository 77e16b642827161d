/* Certificates of a test's own: an authority and what it signs, as PEM. */
#ifndef DSP_T_KUBE_PKI_H
#define DSP_T_KUBE_PKI_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "unit.h"

typedef struct identity {
    X509     *cert;
    EVP_PKEY *key;
    char     *cert_pem;
    char     *key_pem;
} identity;

static inline char *pem_text(BIO *bio)
{
    char *data, *out;
    long  len = BIO_get_mem_data(bio, &data);

    out = strndup(data, (size_t) len);
    BIO_free(bio);
    return out;
}

static inline void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(ext);
    X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
}

/* by NULL: an authority. san: "IP:127.0.0.1,DNS:name" or NULL. */
static inline identity identity_new(const char *name, const identity *by, const char *san)
{
    static long serial = 1;
    identity    id = { .cert = X509_new(), .key = EVP_EC_gen("P-256") };
    X509_NAME  *subject = X509_get_subject_name(id.cert);

    X509_set_version(id.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(id.cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(id.cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(id.cert), 3600 * 24);
    X509_set_pubkey(id.cert, id.key);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *) name, -1, -1, 0);
    X509_set_issuer_name(id.cert, X509_get_subject_name(by != NULL ? by->cert : id.cert));
    if (by == NULL) {
        add_extension(id.cert, id.cert, NID_basic_constraints, "critical,CA:TRUE");
    }
    if (san != NULL) {
        add_extension(id.cert, by != NULL ? by->cert : id.cert, NID_subject_alt_name, san);
    }
    assert_true(X509_sign(id.cert, by != NULL ? by->key : id.key, EVP_sha256()) > 0);

    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, id.cert);
    id.cert_pem = pem_text(bio);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, id.key, NULL, NULL, 0, NULL, NULL);
    id.key_pem = pem_text(bio);
    return id;
}

static inline void identity_free(identity *id)
{
    X509_free(id->cert);
    EVP_PKEY_free(id->key);
    free(id->cert_pem);
    free(id->key_pem);
}

/* A server's side; clients NULL: it asks for no client certificate. */
static inline SSL_CTX *server_tls(const identity *id, const identity *clients)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    SSL_CTX_use_certificate(ctx, id->cert);
    SSL_CTX_use_PrivateKey(ctx, id->key);
    if (clients != NULL) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), clients->cert);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    }
    return ctx;
}

/* For a *-data member. */
static inline char *base64(const char *text)
{
    size_t len = strlen(text);
    char  *out = malloc(len * 2 + 8);

    EVP_EncodeBlock((unsigned char *) out, (const unsigned char *) text, (int) len);
    return out;
}

#endif
