#include "buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 64

void dsp_buf_init(dsp_buf *b, size_t max)
{
    *b = (dsp_buf){ .max = max };
}

void dsp_buf_free(dsp_buf *b)
{
    free(b->data);
    dsp_buf_init(b, b->max);
}

void dsp_buf_reset(dsp_buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data != NULL) {
        b->data[0] = '\0';
    }
}

char *dsp_buf_room(dsp_buf *b, size_t len)
{
    if (b->failed || len > b->max - b->len || b->max - b->len == SIZE_MAX) {
        b->failed = true;
        return NULL;
    }
    size_t need = b->len + len + 1; /* the closing NUL */
    if (need > b->size) {
        size_t size = b->size == 0 ? FIRST_SIZE : b->size;

        while (size < need) {
            size = size > SIZE_MAX / 2 ? need : size * 2;
        }
        if (size > b->max && b->max + 1 >= need) {
            size = b->max + 1;
        }
        char *data = realloc(b->data, size);
        if (data == NULL) {
            b->failed = true;
            return NULL;
        }
        b->data = data;
        b->size = size;
    }
    return b->data + b->len;
}

bool dsp_buf_add(dsp_buf *b, const void *data, size_t len)
{
    char *room = dsp_buf_room(b, len);

    if (room == NULL) {
        return false;
    }
    if (len > 0) {
        memcpy(room, data, len);
    }
    b->len += len;
    b->data[b->len] = '\0';
    return true;
}

bool dsp_buf_adds(dsp_buf *b, dsp_str s)
{
    return dsp_buf_add(b, s.data, s.len);
}

bool dsp_buf_addz(dsp_buf *b, const char *cstr)
{
    return dsp_buf_add(b, cstr, strlen(cstr));
}

bool dsp_buf_addc(dsp_buf *b, char c)
{
    return dsp_buf_add(b, &c, 1);
}

bool dsp_buf_addv(dsp_buf *b, const char *fmt, va_list args)
{
    va_list again;

    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    char *room = len < 0 ? NULL : dsp_buf_room(b, (size_t) len);
    if (room == NULL) {
        b->failed = true;
        return false;
    }
    vsnprintf(room, (size_t) len + 1, fmt, args);
    b->len += (size_t) len;
    return true;
}

bool dsp_buf_addf(dsp_buf *b, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    bool ok = dsp_buf_addv(b, fmt, args);
    va_end(args);
    return ok;
}

void dsp_buf_drop(dsp_buf *b, size_t n)
{
    if (n > b->len) {
        n = b->len;
    }
    if (n == 0) {
        return;
    }
    b->len -= n;
    memmove(b->data, b->data + n, b->len + 1);
}

dsp_str dsp_buf_str(const dsp_buf *b)
{
    return (dsp_str){ dsp_buf_cstr(b), b->len };
}

const char *dsp_buf_cstr(const dsp_buf *b)
{
    return b->len == 0 ? "" : b->data;
}

char *dsp_buf_take(dsp_buf *b)
{
    char *data = NULL;

    if (!b->failed && b->len > 0) {
        data = b->data;
        b->data = NULL;
    }
    dsp_buf_free(b);
    return data;
}
