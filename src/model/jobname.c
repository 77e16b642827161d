#include "jobname.h"

#include <openssl/evp.h>
#include <string.h>

void dsp_uid_hash(dsp_str uid, char out[DSP_UID_HASH_LEN + 1])
{
    static const char    alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned char        digest[EVP_MAX_MD_SIZE] = { 0 };
    unsigned             bits = 0, have = 0;
    const unsigned char *p = digest;

    EVP_Digest(uid.data != NULL ? uid.data : "", uid.len, digest, NULL, EVP_sha256(), NULL);
    for (int i = 0; i < DSP_UID_HASH_LEN; i++) {
        if (have < 5) {
            bits = (bits << 8) | *p++;
            have += 8;
        }
        have -= 5;
        out[i] = alphabet[(bits >> have) & 31];
    }
    out[DSP_UID_HASH_LEN] = '\0';
}

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void dsp_job_name(dsp_str prefix, dsp_str uid, char out[DSP_JOB_NAME_MAX + 1])
{
    size_t max = DSP_JOB_NAME_MAX - 1 - DSP_UID_HASH_LEN, len = 0;

    for (size_t i = 0; i < prefix.len && len < max; i++) {
        char c = prefix.data[i];

        if (c >= 'A' && c <= 'Z') {
            c = (char) (c - 'A' + 'a');
        } else if (!is_alnum(c)) {
            c = '-';
        }
        if (c != '-' || len > 0) {
            out[len++] = c;
        }
    }
    while (len > 0 && out[len - 1] == '-') {
        len--;
    }
    if (len == 0) {
        memcpy(out, "job", 3);
        len = 3;
    }
    out[len++] = '-';
    dsp_uid_hash(uid, out + len);
}

void dsp_label_value(dsp_str name, char out[DSP_JOB_NAME_MAX + 1])
{
    size_t len = name.len < DSP_JOB_NAME_MAX ? name.len : DSP_JOB_NAME_MAX;

    memcpy(out, name.data != NULL ? name.data : "", len);
    while (len > 0 && !is_alnum(out[len - 1])) {
        len--;
    }
    out[len] = '\0';
}
