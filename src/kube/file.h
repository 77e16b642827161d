/*
 * Small files read whole: kubeconfigs, tokens, certificates. For the kube room only.
 */
#ifndef DSP_KUBE_FILE_H
#define DSP_KUBE_FILE_H

#include "base/buf.h"
#include "config.h"

#define KUBE_FILE_MAX (4u * 1024 * 1024)

enum kube_file_result { KUBE_FILE_OK = 0, KUBE_FILE_MISSING, KUBE_FILE_ERROR };

/* The bytes of a regular file (or pipe) of at most KUBE_FILE_MAX. Else "path: cause" is added to err and out is empty.
 */
enum kube_file_result kube_file_read(const char *path, dsp_kube_blob *out, dsp_buf *err);

/* Frees a blob or a string that may be secret, wiped. NULL is fine; *p becomes NULL. */
void kube_blob_free(dsp_kube_blob *blob);
void kube_secret_free(char **p);

#endif
