#include "pem.h"

#include <string.h>

#include "fn_encoding.h"

#define BEGIN "-----BEGIN "
#define END   "\n-----END "
#define TAIL  "-----"

static dsp_str rest_from(dsp_str s, size_t from)
{
    return dsp_str_sub(s, from, s.len);
}

/* The line without its end and the blanks before that; *rest is what follows. */
static dsp_str take_line(dsp_str s, dsp_str *rest)
{
    size_t end = dsp_str_find(s, '\n'), len = end;

    *rest = rest_from(s, end + 1);
    if (end < s.len && len > 0 && s.data[len - 1] == '\r') {
        len--;
    }
    while (len > 0 && (s.data[len - 1] == ' ' || s.data[len - 1] == '\t')) {
        len--;
    }
    return dsp_str_sub(s, 0, len);
}

/* The last BEGIN before `end`, at the start of a line; false: none. */
static bool find_begin(dsp_str s, size_t end, size_t *at)
{
    size_t n = strlen(BEGIN);

    for (size_t i = end + 1; i-- > 0;) {
        if (i + n <= end && memcmp(s.data + i, BEGIN, n) == 0) {
            *at = i;
            return i == 0 || s.data[i - 1] == '\n';
        }
    }
    return false;
}

/* The base 64 between header and trailer. */
static bool decode_body(dsp_str body, dsp_buf *bytes)
{
    dsp_buf packed;
    size_t  bad, start = bytes->len;
    bool    ok;

    dsp_buf_init(&packed, body.len + 1);
    for (size_t i = 0; i < body.len; i++) {
        if (body.data[i] != ' ' && body.data[i] != '\t') {
            dsp_buf_addc(&packed, body.data[i]);
        }
    }
    bytes->failed = bytes->failed || packed.failed;
    ok = gt_base64_decode(bytes, dsp_buf_str(&packed), &bad);
    dsp_buf_free(&packed);
    if (!ok) {
        bytes->len = start;
    }
    return ok;
}

/* The block whose BEGIN line s starts behind and whose END stands at `end` in s. */
static bool decode_block(dsp_str s, size_t end, dsp_str *type, dsp_buf *bytes)
{
    const char *start = s.data, *stop = s.data + end;
    dsp_str     rest, line = take_line(s, &rest), trailer, ignored;

    if (!dsp_str_has_suffix(line, DSP_STR(TAIL))) {
        return false;
    }
    *type = dsp_str_sub(line, 0, line.len - strlen(TAIL));
    for (;;) { /* headers */
        dsp_str next;

        if (rest.len == 0) {
            return false;
        }
        line = take_line(rest, &next);
        if (dsp_str_find(line, ':') == line.len) {
            break;
        }
        rest = next;
    }
    trailer = rest_from(s, (size_t) (stop - start) + strlen(END));
    if (!dsp_str_has_prefix(trailer, *type) ||
        !dsp_str_has_prefix(rest_from(trailer, type->len), DSP_STR(TAIL)) ||
        take_line(rest_from(trailer, type->len + strlen(TAIL)), &ignored).len > 0) {
        return false;
    }
    return rest.data >= stop || decode_body((dsp_str){ rest.data, (size_t) (stop - rest.data) }, bytes);
}

bool gt_pem_decode(dsp_str data, dsp_str *type, dsp_buf *bytes)
{
    dsp_str s = data;

    while (s.len > 0) {
        const char *found = memmem(s.data, s.len, END, strlen(END));
        size_t      end, begin;

        if (found == NULL) {
            return false;
        }
        end = (size_t) (found - s.data);
        if (find_begin(s, end, &begin)) {
            begin += strlen(BEGIN);
            if (decode_block(rest_from(s, begin), end - begin, type, bytes)) {
                return true;
            }
        }
        s = rest_from(s, end + strlen(END));
    }
    return false;
}
