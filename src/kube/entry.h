/*
 * One named entry of a kubeconfig (a cluster, user or context) and its values. For kubeconfig.c.
 *
 * The first error is written to err, with file, kind, name and key, and never a value; after it every reading gives
 * nothing, so a reader asks for all it wants and looks at `failed` once.
 */
#ifndef DSP_KUBE_ENTRY_H
#define DSP_KUBE_ENTRY_H

#include "kubeconfig.h"

typedef struct kube_entry {
    kube_config_file *file; /* NULL: no file has such an entry */
    yaml_node_t      *node; /* NULL: it is empty */
    const char       *what; /* "cluster", "user", "context" */
    const char       *name;
    dsp_buf          *err;
    bool              failed;
} kube_entry;

/* Looks the name up in the list ("clusters") of each file: the first that has it wins, whole. member: "cluster". */
kube_entry kube_entry_find(kube_config_files *files, const char *list, const char *member, const char *name,
                           dsp_buf *err);

void kube_entry_fail(kube_entry *e, const char *key, const char *problem);

yaml_node_t *kube_entry_get(kube_entry *e, const char *key);

/* The caller owns what these give; NULL or empty where the key is not given. A line has no control characters, because
 * it becomes a header or an option; a path is made absolute; a list is one of strings, NULL-terminated. */
char         *kube_entry_text(kube_entry *e, const char *key);
char         *kube_entry_text_of(kube_entry *e, const char *key, yaml_node_t *node);
char         *kube_entry_line(kube_entry *e, const char *key);
char         *kube_entry_path(kube_entry *e, const char *key);
dsp_kube_blob kube_entry_base64(kube_entry *e, const char *key);
char        **kube_entry_list(kube_entry *e, const char *key, yaml_node_t *node, size_t *n);

bool kube_entry_bool(kube_entry *e, const char *key);
bool kube_entry_is_line(kube_entry *e, const char *key, const char *text);

#endif
