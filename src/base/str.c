#include "str.h"

#include <stdlib.h>
#include <string.h>

dsp_str dsp_str_from(const char *cstr)
{
    return (dsp_str){ cstr, cstr == NULL ? 0 : strlen(cstr) };
}

bool dsp_str_eq(dsp_str a, dsp_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool dsp_str_is(dsp_str a, const char *cstr)
{
    return dsp_str_eq(a, dsp_str_from(cstr));
}

bool dsp_str_has_prefix(dsp_str s, dsp_str prefix)
{
    return s.len >= prefix.len && dsp_str_eq(dsp_str_sub(s, 0, prefix.len), prefix);
}

bool dsp_str_has_suffix(dsp_str s, dsp_str suffix)
{
    return s.len >= suffix.len && dsp_str_eq(dsp_str_sub(s, s.len - suffix.len, s.len), suffix);
}

int dsp_str_cmp(dsp_str a, dsp_str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int    order = n == 0 ? 0 : memcmp(a.data, b.data, n);

    if (order != 0) {
        return order;
    }
    return (a.len > b.len) - (a.len < b.len);
}

size_t dsp_str_find(dsp_str s, char c)
{
    const char *p = s.len == 0 ? NULL : memchr(s.data, c, s.len);

    return p == NULL ? s.len : (size_t) (p - s.data);
}

dsp_str dsp_str_sub(dsp_str s, size_t from, size_t to)
{
    if (to > s.len) {
        to = s.len;
    }
    if (from > to) {
        from = to;
    }
    return (dsp_str){ s.data == NULL ? NULL : s.data + from, to - from };
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

dsp_str dsp_str_trim(dsp_str s)
{
    while (s.len > 0 && is_space(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && is_space(s.data[s.len - 1])) {
        s.len--;
    }
    return s;
}

char *dsp_str_dup(dsp_str s)
{
    char *copy = malloc(s.len + 1);

    if (copy == NULL) {
        return NULL;
    }
    if (s.len > 0) {
        memcpy(copy, s.data, s.len);
    }
    copy[s.len] = '\0';
    return copy;
}

bool dsp_str_u64(dsp_str s, uint64_t *out)
{
    uint64_t n = 0;

    if (s.len == 0) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9' || __builtin_mul_overflow(n, (uint64_t) 10, &n) ||
            __builtin_add_overflow(n, (uint64_t) (s.data[i] - '0'), &n)) {
            return false;
        }
    }
    *out = n;
    return true;
}
