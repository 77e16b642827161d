/* What reading, walking and quoting of JSON texts share; for json*.c only. */
#ifndef DSP_BASE_JSON_SCAN_H
#define DSP_BASE_JSON_SCAN_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline const char *dsp_json_skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) {
        p++;
    }
    return p;
}

#define DSP_EACH_BYTE(c) (UINT64_C(0x0101010101010101) * (c))

/*
 * How many bytes from p on need no look at them one by one, in a string or when quoted: ASCII but for control
 * characters, '"' and '\\'. Nearly all of them, nearly always, so they are taken by eights. A subtraction sets the high
 * bit of a byte that was below the subtrahend; what it borrows from the bytes above cannot hide that one, which is the
 * first.
 */
static inline size_t dsp_json_plain_run(const char *p, const char *end)
{
    const char *start = p;

    for (uint64_t bytes; end - p >= (ptrdiff_t) sizeof(bytes); p += sizeof(bytes)) {
        memcpy(&bytes, p, sizeof(bytes));
        bytes = le64toh(bytes);

        uint64_t quote = (bytes ^ DSP_EACH_BYTE('"')) - DSP_EACH_BYTE(1),
                 backslash = (bytes ^ DSP_EACH_BYTE('\\')) - DSP_EACH_BYTE(1);
        uint64_t found = (bytes | (bytes - DSP_EACH_BYTE(0x20)) | quote | backslash) & DSP_EACH_BYTE(0x80);

        if (found != 0) {
            return (size_t) (p - start) + (size_t) __builtin_ctzll(found) / 8;
        }
    }
    while (p < end && (unsigned char) *p >= 0x20 && (unsigned char) *p < 0x80 && *p != '"' && *p != '\\') {
        p++;
    }
    return (size_t) (p - start);
}

#endif
