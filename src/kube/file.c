#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

static enum kube_file_result read_fd(int fd, const char *path, dsp_kube_blob *out, dsp_buf *err)
{
    struct stat st;
    size_t      size = 4096;

    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && (uint64_t) st.st_size < KUBE_FILE_MAX) {
        size = (size_t) st.st_size + 1;
    }
    out->data = malloc(size + 1);
    while (out->data != NULL) {
        ssize_t n = read(fd, out->data + out->len, size - out->len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            dsp_buf_addf(err, "%s: %s", path, strerror(errno));
            return KUBE_FILE_ERROR;
        }
        if (n == 0) {
            out->data[out->len] = '\0';
            return KUBE_FILE_OK;
        }
        out->len += (size_t) n;
        if (out->len > KUBE_FILE_MAX) {
            dsp_buf_addf(err, "%s: is over %u bytes", path, KUBE_FILE_MAX);
            return KUBE_FILE_ERROR;
        }
        if (out->len == size) {
            char *more = malloc(size * 2 + 1);

            if (more != NULL) {
                memcpy(more, out->data, out->len);
            }
            OPENSSL_cleanse(out->data, out->len);
            free(out->data);
            out->data = more;
            size *= 2;
        }
    }
    dsp_buf_addf(err, "%s: out of memory", path);
    return KUBE_FILE_ERROR;
}

enum kube_file_result kube_file_read(const char *path, dsp_kube_blob *out, dsp_buf *err)
{
    *out = (dsp_kube_blob){ 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        int e = errno;

        dsp_buf_addf(err, "%s: %s", path, strerror(e));
        return e == ENOENT || e == ENOTDIR ? KUBE_FILE_MISSING : KUBE_FILE_ERROR;
    }
    enum kube_file_result result = read_fd(fd, path, out, err);
    close(fd);
    if (result != KUBE_FILE_OK) {
        kube_blob_free(out);
    }
    return result;
}

void kube_blob_free(dsp_kube_blob *blob)
{
    if (blob->data != NULL) {
        OPENSSL_cleanse(blob->data, blob->len);
        free(blob->data);
    }
    *blob = (dsp_kube_blob){ 0 };
}

void kube_secret_free(char **p)
{
    if (*p != NULL) {
        OPENSSL_cleanse(*p, strlen(*p));
        free(*p);
    }
    *p = NULL;
}
