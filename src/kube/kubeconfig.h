/*
 * The kubeconfig format: a list of parsed files and what one context of them says. For config.c.
 */
#ifndef DSP_KUBE_KUBECONFIG_H
#define DSP_KUBE_KUBECONFIG_H

#include "config.h"
#include "yaml.h"

typedef struct kube_config_file {
    char     *path; /* absolute where the working directory is known */
    char     *dir;
    kube_yaml yaml;
} kube_config_file;

typedef struct kube_config_files {
    kube_config_file *file;
    size_t            n;
} kube_config_files;

/* All files of a ':' list; missing ones, empty entries and repetitions are skipped. None at all is an error. */
bool kube_config_files_read(kube_config_files *files, const char *list, dsp_buf *err);

/* One file. optional: it may be missing. */
bool kube_config_file_read(kube_config_files *files, dsp_str path, bool optional, dsp_buf *err);

/* A text as if it had been read from that path. */
bool kube_config_text_add(kube_config_files *files, dsp_str text, const char *path, dsp_buf *err);

void kube_config_files_free(kube_config_files *files);

/* What the context (NULL or "": current-context) says. */
dsp_kube_config *kube_config_pick(kube_config_files *files, const char *context, dsp_buf *err);

#endif
