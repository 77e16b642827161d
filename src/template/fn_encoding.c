#include "fn_encoding.h"

#include <string.h>

#include <openssl/evp.h>

#include "sink.h"

/* --- base 64 and 32: the same with other numbers ------------------------------------------------------------------ */

static const char base64_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base32_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* Groups of `bytes` bytes become `letters` letters of `bits` bits. */
struct base {
    const char *alphabet;
    unsigned    bits, bytes, letters;
};

static const struct base base64 = { base64_letters, 6, 3, 4 };
static const struct base base32 = { base32_letters, 5, 5, 8 };

static void encode(dsp_buf *out, const struct base *base, dsp_str s)
{
    gt_sink sink;

    gt_sink_open(&sink, out);
    for (size_t at = 0; at < s.len && !out->failed; at += base->bytes) {
        size_t   taken = s.len - at < base->bytes ? s.len - at : base->bytes;
        size_t   written = (taken * 8 + base->bits - 1) / base->bits;
        unsigned shift = base->letters * base->bits;
        uint64_t group = 0;

        for (size_t i = 0; i < base->bytes; i++) {
            group = group << 8 | (i < taken ? (unsigned char) s.data[at + i] : 0);
        }
        for (size_t i = 0; i < base->letters; i++) {
            shift -= base->bits;
            gt_sink_byte(&sink, i < written ? base->alphabet[group >> shift & ((1u << base->bits) - 1)] : '=');
        }
    }
    gt_sink_close(&sink);
}

void gt_base64_encode(dsp_buf *out, dsp_str s) { encode(out, &base64, s); }

/* The value of a letter, or -1. In both alphabets the capitals come first and the digits are in order. */
static int value_of(const struct base *base, char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (base->bits == 5) {
        return c >= '2' && c <= '7' ? 26 + c - '2' : -1;
    }
    if (c >= 'a' && c <= 'z') {
        return 26 + c - 'a';
    }
    if (c >= '0' && c <= '9') {
        return 52 + c - '0';
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Adds the whole bytes that n letters have given. */
static void add_group(gt_sink *out, const struct base *base, const unsigned *values, size_t n)
{
    uint64_t group = 0;
    size_t   bytes = n * base->bits / 8;

    for (size_t i = 0; i < base->letters; i++) {
        group = group << base->bits | (i < n ? values[i] : 0);
    }
    for (size_t i = 0; i < bytes; i++) {
        gt_sink_byte(out, (char) (group >> (base->bytes - 1 - i) * 8 & 0xff));
    }
}

static size_t skip_newlines(dsp_str s, size_t i)
{
    while (i < s.len && (s.data[i] == '\n' || s.data[i] == '\r')) {
        i++;
    }
    return i;
}

/* The padding from s.data[i] on, behind n letters of the last group. SIZE_MAX: it is right, else the bad offset. */
static size_t check_base64_padding(dsp_str s, size_t i, size_t n)
{
    if (n < 2) {
        return i;
    }
    i++;
    if (n == 2) {
        i = skip_newlines(s, i);
        if (i == s.len) {
            return s.len;
        }
        if (s.data[i] != '=') {
            return i - 1;
        }
        i++;
    }
    i = skip_newlines(s, i);
    return i < s.len ? i : SIZE_MAX;
}

static bool base64_decode(gt_sink *out, dsp_str s, size_t *bad)
{
    unsigned values[4];
    size_t   n = 0;

    for (size_t i = 0; i < s.len; i++) {
        int value = value_of(&base64, s.data[i]);

        if (value >= 0) {
            values[n++] = (unsigned) value;
            if (n == 4) {
                add_group(out, &base64, values, 4);
                n = 0;
            }
        } else if (s.data[i] == '=') {
            *bad = check_base64_padding(s, i, n);
            if (*bad == SIZE_MAX) {
                add_group(out, &base64, values, n);
                return true;
            }
            return false;
        } else if (s.data[i] != '\n' && s.data[i] != '\r') {
            *bad = i;
            return false;
        }
    }
    *bad = s.len - n; /* Go counts letters back from the end, newlines among them */
    return n == 0;
}

bool gt_base64_decode(dsp_buf *out, dsp_str s, size_t *bad)
{
    gt_sink sink;
    bool    good;

    gt_sink_open(&sink, out);
    good = base64_decode(&sink, s, bad);
    gt_sink_close(&sink);
    return good;
}

/* As Go: newlines are taken out before offsets are counted. */
static bool base32_decode(gt_sink *out, dsp_str s, size_t *bad)
{
    unsigned values[8];
    size_t   n = 0;

    for (size_t i = 0; i < s.len; i++) {
        size_t rest = s.len - i - 1; /* bytes behind this one */
        int    value = value_of(&base32, s.data[i]);

        if (s.data[i] == '=' && n >= 2 && rest < 8) {
            if (rest + n < 7) {
                *bad = s.len;
                return false;
            }
            for (size_t k = 0; k < 7 - n; k++) {
                if (rest > k && s.data[i + 1 + k] != '=') {
                    *bad = i + k;
                    return false;
                }
            }
            if (n == 3 || n == 6) {
                *bad = i;
                return false;
            }
            add_group(out, &base32, values, n);
            return true;
        }
        if (value < 0) {
            *bad = i;
            return false;
        }
        values[n++] = (unsigned) value;
        if (n == 8) {
            add_group(out, &base32, values, 8);
            n = 0;
        }
    }
    *bad = s.len - n;
    return n == 0;
}

GT_BODY(gt_fn_b64enc)
{
    dsp_buf *b = gt_text_begin(c);

    (void) n;
    if (b == NULL || !gt_charge(c, args[0].s.len / 16)) {
        return false;
    }
    encode(b, &base64, args[0].s);
    return gt_text_give(c, b, out);
}

GT_BODY(gt_fn_b32enc)
{
    dsp_buf *b = gt_text_begin(c);

    (void) n;
    if (b == NULL || !gt_charge(c, args[0].s.len / 16)) {
        return false;
    }
    encode(b, &base32, args[0].s);
    return gt_text_give(c, b, out);
}

/* An error is the result, not an error. */
GT_BODY(gt_fn_b64dec)
{
    dsp_buf *b = gt_text_begin(c);
    size_t   bad;

    (void) n;
    if (b == NULL || !gt_charge(c, args[0].s.len / 8)) {
        return false;
    }
    if (!gt_base64_decode(b, args[0].s, &bad)) {
        dsp_buf_reset(b);
        dsp_buf_addf(b, "illegal base64 data at input byte %zu", bad);
    }
    return gt_text_give(c, b, out);
}

GT_BODY(gt_fn_b32dec)
{
    dsp_buf *b = gt_text_begin(c), *stripped = gt_text_begin(c);
    dsp_str  s = args[0].s;
    gt_sink  sink;
    size_t   bad;
    bool     good;

    (void) n;
    if (b == NULL || stripped == NULL || !gt_charge(c, s.len / 8)) {
        return false;
    }
    gt_sink_open(&sink, stripped);
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] != '\n' && s.data[i] != '\r') {
            gt_sink_byte(&sink, s.data[i]);
        }
    }
    gt_sink_close(&sink);
    if (!gt_text_end(c, stripped, &s)) {
        return false;
    }
    gt_sink_open(&sink, b);
    good = base32_decode(&sink, s, &bad);
    gt_sink_close(&sink);
    if (!good) {
        dsp_buf_reset(b);
        dsp_buf_addf(b, "illegal base32 data at input byte %zu", bad);
    }
    return gt_text_give(c, b, out);
}

/* --- digests ------------------------------------------------------------------------------------------------------ */

static bool give_digest(gt_ctx *c, const EVP_MD *type, dsp_str s, gt_value *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned      len;
    dsp_buf      *b = gt_text_begin(c);

    if (b == NULL || !gt_charge(c, s.len / 16)) {
        return false;
    }
    if (EVP_Digest(s.data == NULL ? "" : s.data, s.len, digest, &len, type, NULL) != 1) {
        return gt_fail_memory(c);
    }
    for (unsigned i = 0; i < len; i++) {
        dsp_buf_addc(b, "0123456789abcdef"[digest[i] >> 4]);
        dsp_buf_addc(b, "0123456789abcdef"[digest[i] & 15]);
    }
    return gt_text_give(c, b, out);
}

GT_BODY(gt_fn_sha1sum)
{
    (void) n;
    return give_digest(c, EVP_sha1(), args[0].s, out);
}

GT_BODY(gt_fn_sha256sum)
{
    (void) n;
    return give_digest(c, EVP_sha256(), args[0].s, out);
}

GT_BODY(gt_fn_sha512sum)
{
    (void) n;
    return give_digest(c, EVP_sha512(), args[0].s, out);
}

/* RFC 1950, in decimal. */
GT_BODY(gt_fn_adler32sum)
{
    enum { MODULUS = 65521, RUN = 5552 /* so many sums fit 32 bits */ };

    dsp_str  s = args[0].s;
    uint32_t low = 1, high = 0;
    dsp_buf *b = gt_text_begin(c);

    (void) n;
    if (b == NULL || !gt_charge_bytes(c, s.len)) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        low += (unsigned char) s.data[i];
        high += low;
        if (i % RUN == RUN - 1) {
            low %= MODULUS;
            high %= MODULUS;
        }
    }
    dsp_buf_addf(b, "%u", (unsigned) ((high % MODULUS) << 16 | low % MODULUS));
    return gt_text_give(c, b, out);
}
