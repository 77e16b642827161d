/* The splitter: the same bytes in other pieces give the same texts and the same result. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kube/split.h"

#define CAP 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool keep(void *arg, dsp_str text)
{
    dsp_buf *seen = arg;

    if (text.len > CAP) {
        abort();
    }
    return dsp_buf_adds(seen, text) && dsp_buf_addc(seen, '\0');
}

static enum kube_split_result lines(dsp_str bytes, size_t piece, dsp_buf *seen)
{
    enum kube_split_result result = KUBE_SPLIT_OK;
    kube_lines             l;

    kube_lines_init(&l, CAP);
    for (size_t at = 0; at < bytes.len && result == KUBE_SPLIT_OK; at += piece) {
        result = kube_lines_feed(&l, dsp_str_sub(bytes, at, at + piece), keep, seen);
    }
    kube_lines_free(&l);
    return result;
}

static enum kube_split_result list(dsp_str bytes, size_t piece, dsp_buf *seen)
{
    enum kube_split_result result = KUBE_SPLIT_OK;
    kube_list              l;

    kube_list_init(&l, CAP);
    for (size_t at = 0; at < bytes.len && result == KUBE_SPLIT_OK; at += piece) {
        result = kube_list_feed(&l, dsp_str_sub(bytes, at, at + piece), keep, seen);
    }
    dsp_json metadata = kube_list_metadata(&l);
    dsp_buf_adds(seen, metadata);
    kube_list_free(&l);
    return result;
}

static void compare(enum kube_split_result (*split)(dsp_str, size_t, dsp_buf *), dsp_str bytes, size_t piece)
{
    dsp_buf whole, pieces;

    dsp_buf_init(&whole, 1u << 20);
    dsp_buf_init(&pieces, 1u << 20);
    if (split(bytes, bytes.len + 1, &whole) != split(bytes, piece, &pieces) ||
        !dsp_str_eq(dsp_buf_str(&whole), dsp_buf_str(&pieces))) {
        abort();
    }
    dsp_buf_free(&whole);
    dsp_buf_free(&pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 4096) {
        return 0;
    }
    size_t  piece = 1 + data[0] % 32;
    dsp_str bytes = { (const char *) data + 1, size - 1 };

    compare(lines, bytes, piece);
    compare(list, bytes, piece);
    return 0;
}
