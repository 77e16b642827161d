#include "entry.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "file.h"

void kube_entry_fail(kube_entry *e, const char *key, const char *problem)
{
    if (!e->failed) {
        dsp_buf_addf(e->err, "%s: %s \"%s\": %s%s%s", e->file->path, e->what, e->name, key, *key != '\0' ? ": " : "",
                     problem);
    }
    e->failed = true;
}

yaml_node_t *kube_entry_get(kube_entry *e, const char *key)
{
    return e->failed ? NULL : kube_yaml_get(&e->file->yaml, e->node, key);
}

/* A scalar as text; NULL: not given or empty. */
char *kube_entry_text_of(kube_entry *e, const char *key, yaml_node_t *node)
{
    dsp_str text = kube_yaml_text(node);

    if (node == NULL || (text.data != NULL && text.len == 0)) {
        return NULL;
    }
    if (text.data == NULL || memchr(text.data, '\0', text.len) != NULL) {
        kube_entry_fail(e, key, "must be a string");
        return NULL;
    }
    char *copy = dsp_str_dup(text);
    if (copy == NULL) {
        kube_entry_fail(e, key, "out of memory");
    }
    return copy;
}

char *kube_entry_text(kube_entry *e, const char *key)
{
    return kube_entry_text_of(e, key, kube_entry_get(e, key));
}

/* A text that becomes a header or an argument of the transport: no control characters. */
bool kube_entry_is_line(kube_entry *e, const char *key, const char *text)
{
    for (const char *p = text; p != NULL && *p != '\0'; p++) {
        if ((unsigned char) *p < 0x20 || *p == 0x7F) {
            kube_entry_fail(e, key, "must not contain control characters");
            return false;
        }
    }
    return true;
}

char *kube_entry_line(kube_entry *e, const char *key)
{
    char *text = kube_entry_text(e, key);

    if (!kube_entry_is_line(e, key, text)) {
        kube_secret_free(&text);
    }
    return text;
}

/* A path; a relative one belongs to the file's directory. */
char *kube_entry_path(kube_entry *e, const char *key)
{
    char *text = kube_entry_text(e, key), *full = NULL;

    if (text == NULL || text[0] == '/') {
        return text;
    }
    if (asprintf(&full, "%s/%s", e->file->dir, text) < 0) {
        full = NULL;
        kube_entry_fail(e, key, "out of memory");
    }
    free(text);
    return full;
}

bool kube_entry_bool(kube_entry *e, const char *key)
{
    yaml_node_t *node = kube_entry_get(e, key);
    dsp_str      text = kube_yaml_text(node);

    if (node == NULL || dsp_str_is(text, "false")) {
        return false;
    }
    if (!dsp_str_is(text, "true")) {
        kube_entry_fail(e, key, "must be true or false");
        return false;
    }
    return true;
}

static bool is_base64(dsp_str text)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n";

    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\0' || strchr(set, text.data[i]) == NULL) {
            return false;
        }
    }
    return true;
}

dsp_kube_blob kube_entry_base64(kube_entry *e, const char *key)
{
    char           *text = kube_entry_text(e, key);
    dsp_kube_blob   blob = { 0 };
    EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
    int             n = 0, last = 0;
    size_t          len = text != NULL ? strlen(text) : 0;

    if (text == NULL) {
        EVP_ENCODE_CTX_free(ctx);
        return blob;
    }
    blob.data = ctx != NULL ? malloc(len / 4 * 3 + 4) : NULL;
    if (blob.data == NULL) {
        kube_entry_fail(e, key, "out of memory");
    } else {
        EVP_DecodeInit(ctx);
        if (!is_base64((dsp_str){ text, len }) ||
            EVP_DecodeUpdate(ctx, (unsigned char *) blob.data, &n, (const unsigned char *) text, (int) len) < 0 ||
            EVP_DecodeFinal(ctx, (unsigned char *) blob.data + n, &last) < 0 || n + last == 0) {
            blob.len = (size_t) n;
            kube_entry_fail(e, key, "is not base64");
            kube_blob_free(&blob);
        } else {
            blob.len = (size_t) (n + last);
            blob.data[blob.len] = '\0';
        }
    }
    EVP_ENCODE_CTX_free(ctx);
    kube_secret_free(&text);
    return blob;
}

/* A list of strings, NULL-terminated; NULL when there is none. */
char **kube_entry_list(kube_entry *e, const char *key, yaml_node_t *node, size_t *n_out)
{
    size_t n = kube_yaml_len(node);
    char **list;

    *n_out = 0;
    if (node == NULL || e->failed) {
        return NULL;
    }
    if (node->type != YAML_SEQUENCE_NODE) {
        kube_entry_fail(e, key, "must be a list of strings");
        return NULL;
    }
    list = calloc(n + 1, sizeof(*list));
    if (list == NULL) {
        kube_entry_fail(e, key, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < n && !e->failed; i++) {
        list[i] = kube_entry_text_of(e, key, kube_yaml_at(&e->file->yaml, node, i));
        if (list[i] == NULL && !e->failed && (list[i] = strdup("")) == NULL) {
            kube_entry_fail(e, key, "out of memory");
        }
        *n_out += list[i] != NULL;
    }
    return list;
}

/* --- finding an entry --- */

/* The entry of that name in one file's list; e->node NULL when there is none. */
static void kube_entry_find_in(kube_entry *e, kube_config_file *file, const char *list, const char *member)
{
    yaml_node_t *all = kube_yaml_get(&file->yaml, kube_yaml_root(&file->yaml), list);
    unsigned     found = 0;

    e->file = file;
    e->node = NULL;
    if (all != NULL && all->type != YAML_SEQUENCE_NODE) {
        dsp_buf_addf(e->err, "%s: %s: must be a list", file->path, list);
        e->failed = true;
        return;
    }
    for (size_t i = 0; i < kube_yaml_len(all); i++) {
        yaml_node_t *one = kube_yaml_at(&file->yaml, all, i);

        if (dsp_str_is(kube_yaml_text(kube_yaml_get(&file->yaml, one, "name")), e->name)) {
            e->node = kube_yaml_get(&file->yaml, one, member);
            found++;
        }
    }
    if (found > 1) {
        kube_entry_fail(e, "", "is defined more than once in this file");
    }
    if (found == 0) {
        e->file = NULL;
    }
}

/* The first file that has the name wins, whole. */
kube_entry kube_entry_find(kube_config_files *files, const char *list, const char *member, const char *name,
                           dsp_buf *err)
{
    kube_entry e = { .what = member, .name = name, .err = err };

    for (size_t i = 0; i < files->n && e.file == NULL && !e.failed; i++) {
        kube_entry_find_in(&e, &files->file[i], list, member);
    }
    return e;
}
