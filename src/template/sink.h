/*
 * Writing byte by byte, or rune by rune, into a dsp_buf without a call for each. While a sink is open only it may
 * write to the buffer; the text is in the buffer after gt_sink_close().
 */
#ifndef DSP_TEMPLATE_SINK_H
#define DSP_TEMPLATE_SINK_H

#include "base/buf.h"
#include "base/utf8.h"

typedef struct gt_sink {
    dsp_buf *buf;
    char    *next, *end; /* room that was taken from the buffer */
} gt_sink;

enum { GT_SINK_ROOM = 1024 };

static inline void gt_sink_open(gt_sink *s, dsp_buf *buf) { *s = (gt_sink){ buf, NULL, NULL }; }

static inline void gt_sink_close(gt_sink *s)
{
    if (s->next != NULL && !s->buf->failed) {
        s->buf->len = (size_t) (s->next - s->buf->data);
        s->buf->data[s->buf->len] = '\0';
    }
    s->next = s->end = NULL;
}

/* More room, as far as the buffer's cap allows. false: the buffer has failed, and swallows what follows. */
static inline bool gt_sink_more(gt_sink *s)
{
    size_t rest;

    gt_sink_close(s);
    rest = s->buf->max - s->buf->len;
    rest = rest == 0 ? 1 : rest < GT_SINK_ROOM ? rest : GT_SINK_ROOM;
    s->next = dsp_buf_room(s->buf, rest);
    s->end = s->next == NULL ? NULL : s->next + rest;
    return s->next != NULL;
}

static inline void gt_sink_byte(gt_sink *s, char c)
{
    if (s->next == s->end && !gt_sink_more(s)) {
        return;
    }
    *s->next++ = c;
}

static inline void gt_sink_rune(gt_sink *s, uint32_t r)
{
    char   bytes[DSP_UTF8_MAX];
    size_t n;

    if (r < 0x80) {
        gt_sink_byte(s, (char) r);
        return;
    }
    n = dsp_utf8_encode(r, bytes);
    for (size_t i = 0; i < n; i++) {
        gt_sink_byte(s, bytes[i]);
    }
}

static inline void gt_sink_str(gt_sink *s, dsp_str text)
{
    if (text.len > 16) {
        gt_sink_close(s);
        dsp_buf_adds(s->buf, text);
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        gt_sink_byte(s, text.data[i]);
    }
}

/* The rune at s.data[at], at < s.len, and its width: dsp_utf8_decode() with a short way for ASCII. */
static inline size_t gt_rune_at(dsp_str s, size_t at, uint32_t *r)
{
    if ((unsigned char) s.data[at] < 0x80) {
        *r = (unsigned char) s.data[at];
        return 1;
    }
    return dsp_utf8_decode((dsp_str){ s.data + at, s.len - at }, r);
}

#endif
