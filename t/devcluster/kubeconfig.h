/*
 * The kubeconfig that --kubeconfig-out writes. It appears whole or not at all (rename(2)), when the server is ready, so
 * that a test may wait for it. Its first lines are comments with the control URL.
 */
#ifndef DC_KUBECONFIG_H
#define DC_KUBECONFIG_H

#include <stdbool.h>
#include <stddef.h>

/* ca_pem: NULL for plain HTTP; token: NULL for none. false: the reason is in error. */
bool dc_kubeconfig_write(const char *file, const char *url, const char *control_url, const char *ca_pem,
                         const char *token, char *error, size_t error_size);

#endif
