#include "fn_random.h"

#include <string.h>

#include "base/utf8.h"
#include "fn_encoding.h"
#include "wrap.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

/* Go's make([]T, n): over its address space it is an error, below that our own limits are met first. */
static bool makeslice(gt_ctx *c, int64_t n, uint64_t size)
{
    return (n >= 0 && (uint64_t) n <= (1ULL << 48) / size) || gt_fail(c, "runtime error: makeslice: len out of range");
}

/* --- texts -------------------------------------------------------------------------------------------------------- */

/* n characters, each of the alphabet with the same chance: bytes that would favour some are thrown away. */
static bool add_random(gt_ctx *c, dsp_buf *b, size_t n, const char *alphabet, size_t size)
{
    unsigned char bytes[256];
    unsigned      limit = 256 - 256 % (unsigned) size;

    while (n > 0) {
        if (!gt_random(c, bytes, sizeof(bytes)) || !gt_charge(c, 4)) {
            return false;
        }
        for (size_t i = 0; i < sizeof(bytes) && n > 0; i++) {
            if (bytes[i] < limit) {
                dsp_buf_addc(b, alphabet[bytes[i] % size]);
                n--;
            }
        }
    }
    return true;
}

GT_BODY(gt_fn_rand_text)
{
    char        ascii[0x7F - ' '];
    const char *alphabet = ascii;
    size_t      size = sizeof(ascii);
    dsp_buf    *b;

    (void) n;
    for (size_t i = 0; i < sizeof(ascii); i++) {
        ascii[i] = (char) (' ' + i);
    }
    if (c->fn->mode == GT_MODE_RAND_ALPHANUM) {
        alphabet = LETTERS DIGITS;
        size = strlen(alphabet);
    } else if (c->fn->mode == GT_MODE_RAND_ALPHA) {
        alphabet = LETTERS;
        size = strlen(alphabet);
    } else if (c->fn->mode == GT_MODE_RAND_NUMERIC) {
        alphabet = DIGITS;
        size = strlen(alphabet);
    }
    b = gt_text_begin(c);
    if (b == NULL) {
        return false;
    }
    if (args[0].i > 0 && (!makeslice(c, args[0].i, sizeof(uint32_t)) ||
                          !gt_text_fits(c, b, (uint64_t) args[0].i) ||
                          !add_random(c, b, (size_t) args[0].i, alphabet, size))) {
        return false;
    }
    return gt_text_give(c, b, out);
}

GT_BODY(gt_fn_rand_bytes)
{
    int64_t  len = args[0].i;
    dsp_buf *b;
    char    *bytes;

    (void) n;
    if (!makeslice(c, len, 1) || !gt_charge_bytes(c, (size_t) len)) {
        return false;
    }
    bytes = gt_alloc(c, (size_t) len);
    if (bytes == NULL || !gt_random(c, bytes, (size_t) len)) {
        return false;
    }
    b = gt_text_begin(c);
    if (b == NULL) {
        return false;
    }
    gt_base64_encode(b, (dsp_str){ bytes, (size_t) len });
    return gt_text_give(c, b, out);
}

/* RFC 9562, version 4. */
GT_BODY(gt_fn_uuidv4)
{
    unsigned char u[16];
    dsp_buf      *b;

    (void) args;
    (void) n;
    if (!gt_random(c, u, sizeof(u))) {
        return false;
    }
    u[6] = (unsigned char) ((u[6] & 0x0F) | 0x40);
    u[8] = (unsigned char) ((u[8] & 0x3F) | 0x80);
    b = gt_text_begin(c);
    if (b == NULL) {
        return false;
    }
    for (size_t i = 0; i < sizeof(u); i++) {
        dsp_buf_addf(b, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", u[i]);
    }
    return gt_text_give(c, b, out);
}

/* --- numbers ------------------------------------------------------------------------------------------------------ */

GT_BODY(gt_fn_rand_int)
{
    int64_t  range = gt_wrap_sub(args[1].i, args[0].i);
    uint64_t random;

    (void) n;
    if (range <= 0) {
        return gt_fail(c, "invalid argument to Intn");
    }
    if (!gt_random_below(c, (uint64_t) range, &random)) {
        return false;
    }
    *out = gt_int(gt_wrap_add((int64_t) random, args[0].i));
    return true;
}

/* --- order -------------------------------------------------------------------------------------------------------- */

/* Fisher and Yates, over the runes; a byte that belongs to none becomes U+FFFD. */
GT_BODY(gt_fn_shuffle)
{
    dsp_str   s = args[0].s;
    uint32_t *runes = gt_alloc_n(c, s.len, sizeof(*runes));
    size_t    count = 0;
    dsp_buf  *b;

    (void) n;
    if (runes == NULL || !gt_charge(c, s.len)) {
        return false;
    }
    for (size_t i = 0; i < s.len;) {
        i += dsp_utf8_decode(dsp_str_sub(s, i, s.len), &runes[count++]);
    }
    for (size_t i = count; i > 1; i--) {
        uint64_t at;
        uint32_t rune = runes[i - 1];

        if (!gt_random_below(c, i, &at)) {
            return false;
        }
        runes[i - 1] = runes[at];
        runes[at] = rune;
    }
    b = gt_text_begin(c);
    if (b == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        char bytes[DSP_UTF8_MAX];

        dsp_buf_add(b, bytes, dsp_utf8_encode(runes[i], bytes));
    }
    return gt_text_give(c, b, out);
}
