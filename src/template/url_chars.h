/*
 * The characters of URLs: what parsing (url_parse.c) and writing (url_string.c) ask of escaping (url_escape.c).
 */
#ifndef DSP_TEMPLATE_URL_CHARS_H
#define DSP_TEMPLATE_URL_CHARS_H

#include <string.h>

#include "url.h"

static inline bool gt_url_is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static inline bool gt_url_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool gt_url_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether the first segment of a path has a colon: it would read as a scheme. */
static inline bool gt_url_colon_first(dsp_str path)
{
    return dsp_str_find(path, ':') < dsp_str_find(path, '/');
}

/* RFC 3986 as Go reads it: whether that byte must be written as %xx in that part. */
bool gt_url_must_escape(char c, enum gt_url_part part);

/* Whether escaping `plain` gives exactly that text. */
bool gt_url_is_escaped(dsp_str text, dsp_str plain, enum gt_url_part part);

/* Whether a text may stand as it is for what it decodes to. */
bool gt_url_may_stand(dsp_str s, enum gt_url_part part);

#endif
