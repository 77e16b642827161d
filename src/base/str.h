/*
 * A string that somebody else owns: pointer and length, not NUL-terminated, any bytes allowed.
 *
 * A dsp_str borrows. Whoever hands one out says how long its bytes live; nothing here frees them.
 * {NULL, 0} means "not there" where a function says so, and is an empty string everywhere else.
 */
#ifndef DSP_BASE_STR_H
#define DSP_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dsp_str {
    const char *data;
    size_t      len;
} dsp_str;

/* A dsp_str of a string literal. */
#define DSP_STR(literal) ((dsp_str){ ("" literal), sizeof(literal) - 1 })

/* For printf's "%.*s". Lengths over INT_MAX are not for printing. */
#define DSP_STR_ARG(s) (int) (s).len, ((s).data == NULL ? "" : (s).data)

/* The bytes of a NUL-terminated string; of NULL: "not there". */
dsp_str dsp_str_from(const char *cstr);

bool dsp_str_eq(dsp_str a, dsp_str b);
bool dsp_str_is(dsp_str a, const char *cstr);
bool dsp_str_has_prefix(dsp_str s, dsp_str prefix);
bool dsp_str_has_suffix(dsp_str s, dsp_str suffix);

/* Bytewise order as memcmp(3), the shorter of two equal beginnings first. */
int dsp_str_cmp(dsp_str a, dsp_str b);

/* Index of the first byte c, or s.len. */
size_t dsp_str_find(dsp_str s, char c);

/* The bytes from..to of s; both are cut to s.len, from > to gives an empty string. */
dsp_str dsp_str_sub(dsp_str s, size_t from, size_t to);

/* Without the ASCII white space (space, \t, \r, \n) at both ends. */
dsp_str dsp_str_trim(dsp_str s);

/* A NUL-terminated copy that the caller frees with free(3); NULL when memory is out. */
char *dsp_str_dup(dsp_str s);

/* A whole decimal number without sign or leading spaces; false when it is anything else or over UINT64_MAX. */
bool dsp_str_u64(dsp_str s, uint64_t *out);

#endif
