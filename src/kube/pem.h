/*
 * Whether PEM texts are what they should be, before libcurl gets them. For auth.c.
 */
#ifndef DSP_KUBE_PEM_H
#define DSP_KUBE_PEM_H

#include "config.h"

/* At least one certificate is in it. */
bool kube_pem_has_certificate(dsp_kube_blob pem);

/* The first certificate and the key belong together: while files are being rotated they may not, for a moment. */
bool kube_pem_is_pair(dsp_kube_blob cert, dsp_kube_blob key);

#endif
