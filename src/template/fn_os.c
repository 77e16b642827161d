#include "fn_os.h"

#include <string.h>

static dsp_str variable(gt_ctx *c, dsp_str name)
{
    return c->options->host.env(c->options->host.context, name);
}

/* A variable that is not set is "". */
GT_BODY(gt_fn_env)
{
    dsp_str value;

    (void) n;
    if (!gt_copy(c, variable(c, args[0].s), &value)) {
        return false;
    }
    *out = gt_string(value);
    return true;
}

static bool is_special(char ch) { return ch != '\0' && strchr("*#$@!?-0123456789", ch) != NULL; }

static bool is_name(char ch)
{
    return ch == '_' || (ch >= '0' && ch <= '9') || ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'z');
}

/*
 * Go's os.getShellName: the name at the front of s, which stands behind a $ and is not empty. Gives the number of bytes
 * that go with it; an empty name with bytes is bad syntax, which is eaten.
 */
static size_t shell_name(dsp_str s, dsp_str *name)
{
    size_t i = 0;

    *name = DSP_STR("");
    if (s.data[0] == '{') {
        if (s.len > 2 && is_special(s.data[1]) && s.data[2] == '}') {
            *name = dsp_str_sub(s, 1, 2);
            return 3;
        }
        i = dsp_str_find(s, '}');
        if (i == s.len) {
            return 1;
        }
        *name = dsp_str_sub(s, 1, i);
        return i + 1;
    }
    if (is_special(s.data[0])) {
        *name = dsp_str_sub(s, 0, 1);
        return 1;
    }
    while (i < s.len && is_name(s.data[i])) {
        i++;
    }
    *name = dsp_str_sub(s, 0, i);
    return i;
}

GT_BODY(gt_fn_expandenv)
{
    dsp_str  s = args[0].s;
    dsp_buf *b = gt_text_begin(c);

    (void) n;
    if (b == NULL) {
        return false;
    }
    for (;;) {
        size_t  dollar = dsp_str_find(s, '$'), width;
        dsp_str name;

        if (!gt_charge(c, 1 + dollar / 64)) {
            return false;
        }
        if (dollar + 1 >= s.len) {
            dsp_buf_adds(b, s);
            return gt_text_give(c, b, out);
        }
        dsp_buf_add(b, s.data, dollar);
        s = dsp_str_sub(s, dollar + 1, s.len);
        width = shell_name(s, &name);
        if (width == 0) {
            dsp_buf_addc(b, '$');
        } else if (name.len > 0) {
            dsp_buf_adds(b, variable(c, name));
        }
        s = dsp_str_sub(s, width, s.len);
    }
}

/* One of the host's addresses, by chance. Without any Go draws from none, and that is the error's text. */
GT_BODY(gt_fn_get_host_by_name)
{
    enum { MAX_ADDRESSES = 16 };

    char     addresses[MAX_ADDRESSES][46];
    size_t   found = c->options->host.lookup(c->options->host.context, args[0].s, addresses, MAX_ADDRESSES);
    uint64_t chosen;
    dsp_str  address;

    (void) n;
    if (found == 0) {
        return gt_fail(c, "invalid argument to Intn");
    }
    if (!gt_random_below(c, found, &chosen) || !gt_copy(c, dsp_str_from(addresses[chosen]), &address)) {
        return false;
    }
    *out = gt_string(address);
    return true;
}
