#include "expand.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void dc_expand(dsp_buf *out, const char *input, dc_lookup lookup, void *arg)
{
    for (const char *p = input; *p != '\0'; p++) {
        if (*p != '$' || p[1] == '\0') {
            dsp_buf_addc(out, *p);
            continue;
        }
        p++;
        const char *end = *p == '(' ? strchr(p, ')') : NULL;
        if (*p == '$') {
            dsp_buf_addc(out, '$');
        } else if (end != NULL) {
            char       *name = strndup(p + 1, (size_t) (end - p - 1));
            const char *value = lookup(arg, name);
            if (value != NULL) {
                dsp_buf_addz(out, value);
            } else {
                dsp_buf_addf(out, "$(%s)", name);
            }
            free(name);
            p = end;
        } else {
            char   rune[DSP_UTF8_MAX];
            size_t len = dsp_utf8_encode((unsigned char) *p, rune);
            dsp_buf_addc(out, '$');
            dsp_buf_add(out, rune, len);
        }
    }
}
