/*
 * A growable byte buffer with a hard cap (the idea of curl's dynbuf): every use says how large it may become.
 *
 * Adding past the cap, or running out of memory, sets `failed`; from then on every add is refused and nothing is
 * written, so a caller may build a whole text and look once at the end. The text is always NUL-terminated.
 */
#ifndef DSP_BASE_BUF_H
#define DSP_BASE_BUF_H

#include <stdarg.h>

#include "str.h"

typedef struct dsp_buf {
    char  *data; /* NULL until the first add */
    size_t len;  /* bytes in use, the closing NUL not counted */
    size_t size; /* bytes allocated */
    size_t max;  /* cap on len */
    bool   failed;
} dsp_buf;

/* An empty buffer of at most max bytes. Nothing is allocated. */
void dsp_buf_init(dsp_buf *b, size_t max);

/* Frees the bytes; the buffer is empty and usable again, with the same cap. */
void dsp_buf_free(dsp_buf *b);

/* Empty again and not failed, keeping the memory. */
void dsp_buf_reset(dsp_buf *b);

/* Each gives false when the buffer has failed, now or before. */
bool dsp_buf_add(dsp_buf *b, const void *data, size_t len);
bool dsp_buf_adds(dsp_buf *b, dsp_str s);
bool dsp_buf_addz(dsp_buf *b, const char *cstr);
bool dsp_buf_addc(dsp_buf *b, char c);
bool dsp_buf_addf(dsp_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool dsp_buf_addv(dsp_buf *b, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));

/* Room for len more bytes at data + len, for a caller that writes itself and then adds to b->len. NULL: failed. */
char *dsp_buf_room(dsp_buf *b, size_t len);

/* Drops the first n bytes (all of them when n >= len). */
void dsp_buf_drop(dsp_buf *b, size_t n);

/* The bytes so far; they live until the next change. */
dsp_str dsp_buf_str(const dsp_buf *b);

/* As a C string, "" when empty. */
const char *dsp_buf_cstr(const dsp_buf *b);

/* Gives the bytes away (free(3)), NULL when empty or failed; the buffer is empty afterwards. */
char *dsp_buf_take(dsp_buf *b);

#endif
