#include "kubeconfig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/json.h"

static void compose(dsp_buf *out, const char *url, const char *control_url, const char *ca_pem, const char *token)
{
    dsp_buf_addf(out, "# devcluster, pid %d\n# control: %s\napiVersion: v1\nkind: Config\n", (int) getpid(),
                 control_url);
    dsp_buf_addf(out, "clusters:\n- name: devcluster\n  cluster:\n    server: %s\n", url);
    if (ca_pem != NULL) {
        size_t len = strlen(ca_pem);
        char  *encoded = malloc(4 * (len / 3 + 1) + 1);
        EVP_EncodeBlock((unsigned char *) encoded, (const unsigned char *) ca_pem, (int) len);
        dsp_buf_addf(out, "    certificate-authority-data: %s\n", encoded);
        free(encoded);
    }
    dsp_buf_addz(out, "users:\n- name: devcluster\n  user:");
    if (token != NULL) {
        dsp_buf_addz(out, "\n    token: ");
        dsp_json_quote(out, dsp_str_from(token));
        dsp_buf_addc(out, '\n');
    } else {
        dsp_buf_addz(out, " {}\n");
    }
    dsp_buf_addz(out, "contexts:\n- name: devcluster\n  context:\n    cluster: devcluster\n    user: devcluster\n"
                      "current-context: devcluster\n");
}

bool dc_kubeconfig_write(const char *file, const char *url, const char *control_url, const char *ca_pem,
                         const char *token, char *error, size_t error_size)
{
    dsp_buf text;
    char    temporary[4096];
    int     fd;
    bool    good;

    dsp_buf_init(&text, 1 << 20);
    compose(&text, url, control_url, ca_pem, token);
    snprintf(temporary, sizeof(temporary), "%s.%d", file, (int) getpid());
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    good = fd >= 0 && write(fd, text.data, text.len) == (ssize_t) text.len;
    if (fd >= 0) {
        close(fd);
    }
    good = good && rename(temporary, file) == 0;
    if (!good) {
        snprintf(error, error_size, "cannot write the kubeconfig %s: %s", file, strerror(errno));
        unlink(temporary);
    }
    dsp_buf_free(&text);
    return good;
}
