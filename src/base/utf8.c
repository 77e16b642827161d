#include "utf8.h"

/*
 * Width of the valid sequence at p, 0 when there is none. The bounds on the second byte keep out overlong forms,
 * surrogates and what lies over U+10FFFF (RFC 3629 §4).
 */
static size_t sequence(const unsigned char *p, size_t len, uint32_t *rune)
{
    unsigned char c = p[0];
    unsigned char low = 0x80, high = 0xBF;
    size_t        width;

    if (c < 0x80) {
        *rune = c;
        return 1;
    }
    if (c < 0xC2 || c > 0xF4) {
        return 0;
    }
    if (c < 0xE0) {
        width = 2;
        *rune = c & 0x1Fu;
    } else if (c < 0xF0) {
        width = 3;
        *rune = c & 0x0Fu;
        low = c == 0xE0 ? 0xA0 : 0x80;
        high = c == 0xED ? 0x9F : 0xBF;
    } else {
        width = 4;
        *rune = c & 0x07u;
        low = c == 0xF0 ? 0x90 : 0x80;
        high = c == 0xF4 ? 0x8F : 0xBF;
    }
    if (len < width) {
        return 0;
    }
    for (size_t i = 1; i < width; i++) {
        if (p[i] < low || p[i] > high) {
            return 0;
        }
        *rune = (*rune << 6) | (p[i] & 0x3Fu);
        low = 0x80;
        high = 0xBF;
    }
    return width;
}

size_t dsp_utf8_invalid_at(dsp_str s)
{
    const unsigned char *p = (const unsigned char *) s.data;
    size_t               i = 0;

    while (i < s.len) {
        uint32_t rune;
        size_t   width = p[i] < 0x80 ? 1 : sequence(p + i, s.len - i, &rune);

        if (width == 0) {
            return i;
        }
        i += width;
    }
    return s.len;
}

size_t dsp_utf8_decode(dsp_str s, uint32_t *rune)
{
    size_t width = sequence((const unsigned char *) s.data, s.len, rune);

    if (width == 0) {
        *rune = DSP_RUNE_ERROR;
        return 1;
    }
    return width;
}

size_t dsp_utf8_encode(uint32_t rune, char out[DSP_UTF8_MAX])
{
    if (rune > 0x10FFFF || (rune >= 0xD800 && rune <= 0xDFFF)) {
        rune = DSP_RUNE_ERROR;
    }
    if (rune < 0x80) {
        out[0] = (char) rune;
        return 1;
    }
    if (rune < 0x800) {
        out[0] = (char) (0xC0 | (rune >> 6));
        out[1] = (char) (0x80 | (rune & 0x3F));
        return 2;
    }
    if (rune < 0x10000) {
        out[0] = (char) (0xE0 | (rune >> 12));
        out[1] = (char) (0x80 | ((rune >> 6) & 0x3F));
        out[2] = (char) (0x80 | (rune & 0x3F));
        return 3;
    }
    out[0] = (char) (0xF0 | (rune >> 18));
    out[1] = (char) (0x80 | ((rune >> 12) & 0x3F));
    out[2] = (char) (0x80 | ((rune >> 6) & 0x3F));
    out[3] = (char) (0x80 | (rune & 0x3F));
    return 4;
}
