/* Keys and certificates of a payload: the first byte says as what the rest is read. */
#include <stdint.h>

#include "template/cert_rules.h"
#include "template/key_rules.h"
#include "template/pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool (*const readers[])(dsp_str, dsp_buf *) = { gt_cert_rules, gt_key_rules_pkcs1, gt_key_rules_ec,
                                                           gt_key_rules_pkcs8, gt_key_rules_dsa };
    const size_t n = sizeof(readers) / sizeof(readers[0]);
    dsp_buf      error;

    if (size == 0) {
        return 0;
    }
    dsp_str text = { (const char *) data + 1, size - 1 };
    dsp_buf_init(&error, 1 << 20);
    if (data[0] % (n + 1) < n) {
        readers[data[0] % (n + 1)](text, &error);
    } else {
        dsp_str type;
        gt_pem_decode(text, &type, &error);
    }
    dsp_buf_free(&error);
    return 0;
}
