/*
 * A certificate authority and a server certificate for one life of the program, in memory.
 */
#ifndef DC_TLS_H
#define DC_TLS_H

#include <stdbool.h>

#include <openssl/ssl.h>

/* A context with a fresh certificate for 127.0.0.1, ::1 and localhost; *ca_pem is the CA's certificate (free(3)). */
SSL_CTX *dc_tls_new(char **ca_pem);

#endif
