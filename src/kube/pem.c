#include "pem.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

bool kube_pem_has_certificate(dsp_kube_blob pem)
{
    BIO  *bio = BIO_new_mem_buf(pem.data, (int) pem.len);
    X509 *cert = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    bool  found = cert != NULL;

    X509_free(cert);
    BIO_free(bio);
    ERR_clear_error();
    return found;
}

/* Certificate and key belong together: while files are being rotated they may not, for a moment. */
bool kube_pem_is_pair(dsp_kube_blob cert_pem, dsp_kube_blob key_pem)
{
    BIO      *cert_bio = BIO_new_mem_buf(cert_pem.data, (int) cert_pem.len);
    BIO      *key_bio = BIO_new_mem_buf(key_pem.data, (int) key_pem.len);
    X509     *cert = cert_bio != NULL ? PEM_read_bio_X509(cert_bio, NULL, NULL, NULL) : NULL;
    EVP_PKEY *key = key_bio != NULL ? PEM_read_bio_PrivateKey(key_bio, NULL, NULL, (void *) "") : NULL;
    bool      ok = cert != NULL && key != NULL && X509_check_private_key(cert, key) == 1;

    X509_free(cert);
    EVP_PKEY_free(key);
    BIO_free(cert_bio);
    BIO_free(key_bio);
    ERR_clear_error();
    return ok;
}
