#include "tls.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool            good = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

static X509 *new_certificate(const char *name, EVP_PKEY *key)
{
    X509         *certificate = X509_new();
    X509_NAME    *subject = X509_get_subject_name(certificate);
    unsigned char serial[8];
    BIGNUM       *number;

    RAND_bytes(serial, sizeof(serial));
    serial[0] &= 0x7F;
    number = BN_bin2bn(serial, sizeof(serial), NULL);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    X509_set_version(certificate, 2);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 365L * 24 * 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *) name, -1, -1, 0);
    return certificate;
}

static char *to_pem(X509 *certificate)
{
    BIO  *out = BIO_new(BIO_s_mem());
    char *text, *copy;

    PEM_write_bio_X509(out, certificate);
    long len = BIO_get_mem_data(out, &text);
    copy = strndup(text, (size_t) len);
    BIO_free(out);
    return copy;
}

SSL_CTX *dc_tls_new(char **ca_pem)
{
    EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    X509     *ca = new_certificate("devcluster CA", ca_key), *certificate = new_certificate("devcluster", key);
    SSL_CTX  *context = SSL_CTX_new(TLS_server_method());
    bool      good;

    X509_set_issuer_name(ca, X509_get_subject_name(ca));
    X509_set_issuer_name(certificate, X509_get_subject_name(ca));
    good = add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE") &&
           add_extension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
           add_extension(ca, ca, NID_subject_key_identifier, "hash") && X509_sign(ca, ca_key, EVP_sha256()) > 0 &&
           add_extension(certificate, ca, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, ca, NID_key_usage, "critical,digitalSignature") &&
           add_extension(certificate, ca, NID_ext_key_usage, "serverAuth") &&
           add_extension(certificate, ca, NID_authority_key_identifier, "keyid") &&
           add_extension(certificate, ca, NID_subject_alt_name,
                         "IP:127.0.0.1,IP:::1,DNS:localhost,DNS:kubernetes.default.svc") &&
           X509_sign(certificate, ca_key, EVP_sha256()) > 0 && SSL_CTX_use_certificate(context, certificate) == 1 &&
           SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1;
    *ca_pem = good ? to_pem(ca) : NULL;
    X509_free(ca);
    X509_free(certificate);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(key);
    if (!good) {
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}
