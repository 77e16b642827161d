/* The kubeconfig reader: any text gives a configuration or an error. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kube/config.h"
#include "kube/exec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_credential(dsp_str text, dsp_buf *err)
{
    kube_exec_credential credential;

    dsp_buf_reset(err);
    if (kube_exec_parse(text, "client.authentication.k8s.io/v1", &credential, err)) {
        if (credential.token == NULL && credential.cert.data == NULL) {
            abort();
        }
        kube_exec_credential_free(&credential);
    } else if (err->len == 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dsp_str          text = { (const char *) data, size };
    dsp_buf          err, info;
    dsp_kube_config *c;

    dsp_buf_init(&err, 4u * 1024 * 1024);
    dsp_buf_init(&info, 4u * 1024 * 1024);
    c = dsp_kube_config_parse(text, "/dir/file", NULL, &err);
    if (c != NULL) {
        if (c->server == NULL || c->namespace_ == NULL || c->source == NULL || err.len > 0) {
            abort();
        }
        if (c->exec != NULL) {
            kube_exec_info(c, c->ca_data.data != NULL ? DSP_STR("ca") : DSP_STR(""), &info);
        }
    } else if (err.len == 0) {
        abort();
    }
    dsp_kube_config_free(c);
    read_credential(text, &err);
    dsp_buf_free(&err);
    dsp_buf_free(&info);
    return 0;
}
