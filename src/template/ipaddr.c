#include "ipaddr.h"

#include <string.h>

#include "strconv.h"

/* What is being read, for the error's text. */
struct parse {
    dsp_str  in;
    dsp_buf *error;
};

/* at: the text from where it went wrong; empty: not said. */
static bool refuse(const struct parse *p, const char *why, dsp_str at)
{
    if (p->error == NULL) {
        return false;
    }
    dsp_buf_addz(p->error, "ParseAddr(");
    gt_quote(p->error, p->in, 0);
    dsp_buf_addf(p->error, "): %s", why);
    if (at.len > 0) {
        dsp_buf_addz(p->error, " (at ");
        gt_quote(p->error, at, 0);
        dsp_buf_addc(p->error, ')');
    }
    return false;
}

static const dsp_str nowhere = { NULL, 0 };

static bool parse_v4(const struct parse *p, dsp_str s, uint8_t out[4])
{
    int value = 0, field = 0, digits = 0;

    for (size_t i = 0; i < s.len; i++) {
        char ch = s.data[i];

        if (ch >= '0' && ch <= '9') {
            if (digits == 1 && value == 0) {
                return refuse(p, "IPv4 field has octet with leading zero", nowhere);
            }
            value = value * 10 + (ch - '0');
            digits++;
            if (value > 255) {
                return refuse(p, "IPv4 field has value >255", nowhere);
            }
        } else if (ch == '.') {
            if (i == 0 || i == s.len - 1 || s.data[i - 1] == '.') {
                return refuse(p, "IPv4 field must have at least one digit", dsp_str_sub(s, i, s.len));
            }
            if (field == 3) {
                return refuse(p, "IPv4 address too long", nowhere);
            }
            out[field++] = (uint8_t) value;
            value = digits = 0;
        } else {
            return refuse(p, "unexpected character", dsp_str_sub(s, i, s.len));
        }
    }
    if (field < 3) {
        return refuse(p, "IPv4 address too short", nowhere);
    }
    out[3] = (uint8_t) value;
    return true;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The hexadecimal digits in front of s; gives their number, or false. */
static bool take_group(const struct parse *p, dsp_str s, size_t *n, unsigned *value)
{
    *value = 0;
    for (*n = 0; *n < s.len && hex_value(s.data[*n]) >= 0; ++*n) {
        if (*n > 3) {
            return refuse(p, "each group must have 4 or less digits", s);
        }
        *value = *value << 4 | (unsigned) hex_value(s.data[*n]);
    }
    return *n > 0 || refuse(p, "each colon-separated field must have at least one digit", s);
}

/* Where the groups stand: bytes filled, and where "::" was (-1: nowhere). */
struct groups {
    uint8_t ip[16];
    int     filled, ellipsis;
};

static bool embedded_v4(const struct parse *p, dsp_str s, struct groups *g)
{
    if (g->ellipsis < 0 && g->filled != 12) {
        return refuse(p, "embedded IPv4 address must replace the final 2 fields of the address", s);
    }
    if (g->filled + 4 > 16) {
        return refuse(p, "too many hex fields to fit an embedded IPv4 at the end of the address", s);
    }
    if (!parse_v4(p, s, g->ip + g->filled)) {
        return false;
    }
    g->filled += 4;
    return true;
}

/* Between two groups: one colon or two. *done: the address ends here. */
static bool take_colon(const struct parse *p, dsp_str *s, struct groups *g, bool *done)
{
    if (s->data[0] != ':') {
        return refuse(p, "unexpected character, want colon", *s);
    }
    if (s->len == 1) {
        return refuse(p, "colon must be followed by more characters", *s);
    }
    *s = dsp_str_sub(*s, 1, s->len);
    if (s->data[0] == ':') {
        if (g->ellipsis >= 0) {
            return refuse(p, "multiple :: in address", *s);
        }
        g->ellipsis = g->filled;
        *s = dsp_str_sub(*s, 1, s->len);
        *done = s->len == 0;
    }
    return true;
}

static bool parse_groups(const struct parse *p, dsp_str *s, struct groups *g)
{
    bool done = false;

    while (!done && g->filled < 16) {
        size_t   n;
        unsigned value;

        if (!take_group(p, *s, &n, &value)) {
            return false;
        }
        if (n < s->len && s->data[n] == '.') {
            if (!embedded_v4(p, *s, g)) {
                return false;
            }
            *s = nowhere;
            return true;
        }
        g->ip[g->filled++] = (uint8_t) (value >> 8);
        g->ip[g->filled++] = (uint8_t) value;
        *s = dsp_str_sub(*s, n, s->len);
        if (s->len == 0) {
            return true;
        }
        if (!take_colon(p, s, g, &done)) {
            return false;
        }
    }
    return true;
}

static bool parse_v6(const struct parse *p, gt_ipaddr *out)
{
    dsp_str       s = p->in;
    struct groups g = { .ellipsis = -1 };
    size_t        percent = dsp_str_find(s, '%'), tail;

    if (percent < s.len) {
        out->zone = true;
        if (percent + 1 == s.len) {
            return refuse(p, "zone must be a non-empty string", nowhere);
        }
        s = dsp_str_sub(s, 0, percent);
    }
    if (dsp_str_has_prefix(s, DSP_STR("::"))) {
        g.ellipsis = 0;
        s = dsp_str_sub(s, 2, s.len);
        if (s.len == 0) {
            return true;
        }
    }
    if (!parse_groups(p, &s, &g)) {
        return false;
    }
    if (s.len > 0) {
        return refuse(p, "trailing garbage after address", s);
    }
    if (g.filled == 16) {
        if (g.ellipsis >= 0) {
            return refuse(p, "the :: must expand to at least one field of zeros", nowhere);
        }
    } else if (g.ellipsis < 0) {
        return refuse(p, "address string too short", nowhere);
    }
    tail = g.ellipsis < 0 ? 0 : (size_t) (g.filled - g.ellipsis);
    memcpy(out->bytes, g.ip, (size_t) g.filled - tail);
    memcpy(out->bytes + 16 - tail, g.ip + g.filled - tail, tail);
    return true;
}

bool gt_ipaddr_parse(dsp_str text, gt_ipaddr *out, dsp_buf *error)
{
    struct parse p = { text, error };

    *out = (gt_ipaddr){ .v4 = false };
    for (size_t i = 0; i < text.len; i++) {
        switch (text.data[i]) {
        case '.': out->v4 = true; return parse_v4(&p, text, out->bytes);
        case ':': return parse_v6(&p, out);
        case '%': return refuse(&p, "missing IPv6 address", nowhere);
        }
    }
    return refuse(&p, "unable to parse IP", nowhere);
}
