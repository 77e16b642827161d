#include "json.h"

#include <string.h>

#include "json_scan.h"
#include "utf8.h"

/* The escape of the character at s.data (s.len > 0) if it needs one; NULL: copy *width bytes as they are. */
static const char *escape(dsp_str s, size_t *width, char hex[7])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char     c = (unsigned char) s.data[0];

    *width = 1;
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        break;
    }
    if (c < 0x20) {
        memcpy(hex, "\\u00", 4);
        hex[4] = digits[c >> 4];
        hex[5] = digits[c & 15];
        hex[6] = '\0';
        return hex;
    }
    if (c >= 0x80) {
        uint32_t rune;
        *width = dsp_utf8_decode(s, &rune);
        if (*width == 1) {
            return "\xEF\xBF\xBD";
        }
    }
    return NULL;
}

size_t dsp_json_quoted_len(dsp_str s)
{
    size_t len = 2;

    while (s.len > 0) {
        char        hex[7];
        const char *text = NULL;
        size_t      width = dsp_json_plain_run(s.data, s.data + s.len);

        if (width == 0) {
            text = escape(s, &width, hex);
        }
        len += text == NULL ? width : strlen(text);
        s = dsp_str_sub(s, width, s.len);
    }
    return len;
}

char *dsp_json_quote_to(char *out, dsp_str s)
{
    *out++ = '"';
    while (s.len > 0) {
        char        hex[7];
        const char *text = NULL;
        size_t      width = dsp_json_plain_run(s.data, s.data + s.len);

        if (width == 0) {
            text = escape(s, &width, hex);
        }
        size_t len = text == NULL ? width : strlen(text);

        memcpy(out, text == NULL ? s.data : text, len);
        out += len;
        s = dsp_str_sub(s, width, s.len);
    }
    *out++ = '"';
    return out;
}

bool dsp_json_quote(dsp_buf *out, dsp_str s)
{
    char *room = dsp_buf_room(out, dsp_json_quoted_len(s));

    if (room == NULL) {
        return false;
    }
    char *end = dsp_json_quote_to(room, s);
    *end = '\0';
    out->len += (size_t) (end - room);
    return true;
}
