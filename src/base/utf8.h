/*
 * UTF-8 as RFC 3629 and Go's unicode/utf8 see it: no surrogates, nothing over U+10FFFF, no overlong forms.
 */
#ifndef DSP_BASE_UTF8_H
#define DSP_BASE_UTF8_H

#include "str.h"

#define DSP_RUNE_ERROR 0xFFFDu
#define DSP_UTF8_MAX   4

/* Offset of the first byte that does not belong to a valid sequence; s.len when all is valid. */
size_t dsp_utf8_invalid_at(dsp_str s);

/* The rune at s.data (s.len > 0) and its width. As Go's DecodeRune: an invalid byte is U+FFFD of width 1. */
size_t dsp_utf8_decode(dsp_str s, uint32_t *rune);

/* Writes 1..4 bytes and gives their number; a value that is no rune is written as U+FFFD. */
size_t dsp_utf8_encode(uint32_t rune, char out[DSP_UTF8_MAX]);

#endif
