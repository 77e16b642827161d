/*
 * Escaping: which bytes stand for themselves in which part of a URL, and how the others are written.
 */
#include "url_chars.h"

/* Which characters besides letters, digits and -_.~ may stand for themselves. */
bool gt_url_must_escape(char c, enum gt_url_part part)
{
    if (gt_url_is_letter(c) || gt_url_is_digit(c) || gt_url_is_one_of(c, "-_.~")) {
        return false;
    }
    switch (part) {
    case GT_URL_PATH: return !gt_url_is_one_of(c, "$&+,/:;=@");
    case GT_URL_HOST:
    case GT_URL_ZONE: return !gt_url_is_one_of(c, "!$&'()*+,;=:[]<>\""); /* <>" cannot be written otherwise */
    case GT_URL_USER: return !gt_url_is_one_of(c, "$&+,;=");
    case GT_URL_QUERY: return true;
    case GT_URL_FRAGMENT: return !gt_url_is_one_of(c, "$&+,/:;=?@!()*");
    }
    return true;
}

/* One byte as it stands in that part; gives the number of bytes, 1 or 3. */
static size_t escape_byte(char c, enum gt_url_part part, char out[3])
{
    static const char hex[] = "0123456789ABCDEF";

    if (c == ' ' && part == GT_URL_QUERY) {
        out[0] = '+';
        return 1;
    }
    if (!gt_url_must_escape(c, part)) {
        out[0] = c;
        return 1;
    }
    out[0] = '%';
    out[1] = hex[(unsigned char) c >> 4];
    out[2] = hex[(unsigned char) c & 15];
    return 3;
}

void gt_url_escape(dsp_buf *out, dsp_str s, enum gt_url_part part)
{
    char escaped[3];

    for (size_t i = 0; i < s.len; i++) {
        dsp_buf_add(out, escaped, escape_byte(s.data[i], part, escaped));
    }
}

bool gt_url_is_escaped(dsp_str text, dsp_str plain, enum gt_url_part part)
{
    size_t at = 0;

    for (size_t i = 0; i < plain.len; i++) {
        char   escaped[3];
        size_t n = escape_byte(plain.data[i], part, escaped);

        if (text.len - at < n || memcmp(text.data + at, escaped, n) != 0) {
            return false;
        }
        at += n;
    }
    return at == text.len;
}

bool gt_url_may_stand(dsp_str s, enum gt_url_part part)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!gt_url_is_one_of(s.data[i], "!$&'()*+,;=:@[]%") && gt_url_must_escape(s.data[i], part)) {
            return false;
        }
    }
    return true;
}
