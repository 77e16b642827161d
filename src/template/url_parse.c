/*
 * Taking URLs apart, in Go's order: fragment, scheme, query, authority, path; each part is decoded on the way.
 */
#include <string.h>

#include "ipaddr.h"
#include "strconv.h"
#include "url_chars.h"

/* --- decoding ----------------------------------------------------------------------------------------------------- */

struct parse {
    dsp_arena *arena;
    dsp_buf   *error; /* without the prefix 'parse "…": ' */
};

static bool refuse(const struct parse *p, const char *why)
{
    dsp_buf_addz(p->error, why);
    return false;
}

static bool refuse_quoted(const struct parse *p, const char *before, dsp_str s, const char *behind)
{
    dsp_buf_addz(p->error, before);
    gt_quote(p->error, s, 0);
    dsp_buf_addz(p->error, behind);
    return false;
}

static int hex_value(char c)
{
    if (gt_url_is_digit(c)) {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A %xx of s at i: whether it may stand in that part. */
static bool good_escape(dsp_str s, size_t i, enum gt_url_part part)
{
    int v;

    if (i + 2 >= s.len || hex_value(s.data[i + 1]) < 0 || hex_value(s.data[i + 2]) < 0) {
        return false;
    }
    v = hex_value(s.data[i + 1]) << 4 | hex_value(s.data[i + 2]);
    if (part == GT_URL_HOST) { /* RFC 6874: only bytes over 127, and %25 before a zone */
        return v >= 0x80 || v == '%';
    }
    if (part == GT_URL_ZONE) {
        return v == '%' || v == ' ' || !gt_url_must_escape((char) v, GT_URL_HOST);
    }
    return true;
}

static bool unescape(const struct parse *p, dsp_str s, enum gt_url_part part, dsp_str *out)
{
    size_t n = 0, len = 0;
    char  *plain;

    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '%') {
            if (!good_escape(s, i, part)) {
                return refuse_quoted(p, "invalid URL escape ", dsp_str_sub(s, i, i + 3), "");
            }
            n++;
            i += 2;
        } else if ((part == GT_URL_HOST || part == GT_URL_ZONE) && (unsigned char) s.data[i] < 0x80 &&
                   gt_url_must_escape(s.data[i], part)) {
            return refuse_quoted(p, "invalid character ", dsp_str_sub(s, i, i + 1), " in host name");
        }
    }
    *out = s;
    if (n == 0) {
        return true;
    }
    plain = dsp_arena_alloc(p->arena, s.len - 2 * n);
    if (plain == NULL) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '%') {
            plain[len++] = (char) (hex_value(s.data[i + 1]) << 4 | hex_value(s.data[i + 2]));
            i += 2;
        } else {
            plain[len++] = s.data[i];
        }
    }
    *out = (dsp_str){ plain, len };
    return true;
}

/* --- parsing ------------------------------------------------------------------------------------------------------ */

static dsp_str rest_from(dsp_str s, size_t from)
{
    return dsp_str_sub(s, from, s.len);
}

/* Index of the last c, or s.len. */
static size_t find_last(dsp_str s, char c)
{
    for (size_t i = s.len; i-- > 0;) {
        if (s.data[i] == c) {
            return i;
        }
    }
    return s.len;
}

static bool take_scheme(const struct parse *p, dsp_str *s, dsp_str *scheme)
{
    char *small;

    *scheme = (dsp_str){ "", 0 };
    for (size_t i = 0; i < s->len; i++) {
        char c = s->data[i];

        if (gt_url_is_letter(c) || (i > 0 && (gt_url_is_digit(c) || gt_url_is_one_of(c, "+-.")))) {
            continue;
        }
        if (c != ':') {
            return true;
        }
        if (i == 0) {
            return refuse(p, "missing protocol scheme");
        }
        small = dsp_arena_alloc(p->arena, i);
        if (small == NULL) {
            return false;
        }
        for (size_t k = 0; k < i; k++) {
            small[k] = (char) (s->data[k] >= 'A' && s->data[k] <= 'Z' ? s->data[k] + 32 : s->data[k]);
        }
        *scheme = (dsp_str){ small, i };
        *s = rest_from(*s, i + 1);
        return true;
    }
    return true;
}

/* "" or a colon and digits. */
static bool optional_port(dsp_str s)
{
    if (s.len == 0) {
        return true;
    }
    if (s.data[0] != ':') {
        return false;
    }
    for (size_t i = 1; i < s.len; i++) {
        if (!gt_url_is_digit(s.data[i])) {
            return false;
        }
    }
    return true;
}

/* The address in brackets, which may end in %25zone. */
static bool unescape_literal(const struct parse *p, dsp_str s, dsp_str *out)
{
    const char *percent = s.len == 0 ? NULL : memmem(s.data, s.len, "%25", 3);
    dsp_str     address, zone;
    char       *joined;

    if (percent == NULL) {
        return unescape(p, s, GT_URL_HOST, out);
    }
    if (!unescape(p, dsp_str_sub(s, 0, (size_t) (percent - s.data)), GT_URL_HOST, &address) ||
        !unescape(p, rest_from(s, (size_t) (percent - s.data)), GT_URL_ZONE, &zone)) {
        return false;
    }
    joined = dsp_arena_alloc(p->arena, address.len + zone.len);
    if (joined == NULL) {
        return false;
    }
    if (address.len > 0) {
        memcpy(joined, address.data, address.len);
    }
    memcpy(joined + address.len, zone.data, zone.len);
    *out = (dsp_str){ joined, address.len + zone.len };
    return true;
}

static bool parse_literal(const struct parse *p, dsp_str host, dsp_str *out)
{
    size_t    close = find_last(host, ']');
    dsp_str   port = rest_from(host, close + 1), address;
    gt_ipaddr ip;
    dsp_buf   why;
    bool      ok;
    char     *joined;

    if (close == host.len) {
        return refuse(p, "missing ']' in host");
    }
    if (!optional_port(port)) {
        return refuse_quoted(p, "invalid port ", port, " after host");
    }
    if (!unescape_literal(p, dsp_str_sub(host, 1, close), &address)) {
        return false;
    }
    dsp_buf_init(&why, p->error->max);
    ok = gt_ipaddr_parse(address, &ip, &why);
    if (!ok) {
        dsp_buf_addz(p->error, "invalid host: ");
        dsp_buf_adds(p->error, dsp_buf_str(&why));
    }
    dsp_buf_free(&why);
    if (!ok) {
        return false;
    }
    if (ip.v4) {
        return refuse(p, "invalid IP-literal");
    }
    joined = dsp_arena_alloc(p->arena, address.len + port.len + 2);
    if (joined == NULL) {
        return false;
    }
    joined[0] = '[';
    memcpy(joined + 1, address.data, address.len);
    joined[address.len + 1] = ']';
    if (port.len > 0) {
        memcpy(joined + address.len + 2, port.data, port.len);
    }
    *out = (dsp_str){ joined, address.len + port.len + 2 };
    return true;
}

static bool parse_host(const struct parse *p, dsp_str scheme, dsp_str host, dsp_str *out)
{
    size_t open = find_last(host, '['), colon = dsp_str_find(host, ':');

    if (open < host.len) {
        return open > 0 ? refuse(p, "invalid IP-literal") : parse_literal(p, host, out);
    }
    if (colon < host.len) {
        if (!dsp_str_is(scheme, "http") && !dsp_str_is(scheme, "https")) {
            colon = find_last(host, ':'); /* other schemes may have colons in their names */
        }
        if (!optional_port(rest_from(host, colon))) {
            return refuse_quoted(p, "invalid port ", rest_from(host, colon), " after host");
        }
    }
    return unescape(p, host, GT_URL_HOST, out);
}

static bool parse_user(const struct parse *p, dsp_str s, gt_url *u)
{
    size_t colon = dsp_str_find(s, ':');

    for (size_t i = 0; i < s.len; i++) {
        if (!gt_url_is_letter(s.data[i]) && !gt_url_is_digit(s.data[i]) && !gt_url_is_one_of(s.data[i], "-._:~!$&'()*+,;=%@")) {
            return refuse(p, "net/url: invalid userinfo");
        }
    }
    u->has_user = true;
    u->has_password = colon < s.len;
    return unescape(p, dsp_str_sub(s, 0, colon), GT_URL_USER, &u->user) &&
           unescape(p, rest_from(s, colon + 1), GT_URL_USER, &u->password);
}

static bool parse_authority(const struct parse *p, dsp_str s, gt_url *u)
{
    size_t at = find_last(s, '@');
    bool   has_user = at < s.len;

    return parse_host(p, u->scheme, has_user ? rest_from(s, at + 1) : s, &u->host) &&
           (!has_user || parse_user(p, dsp_str_sub(s, 0, at), u));
}

static bool set_part(const struct parse *p, dsp_str s, enum gt_url_part part, dsp_str *plain, dsp_str *raw)
{
    if (!unescape(p, s, part, plain)) {
        return false;
    }
    *raw = gt_url_is_escaped(s, *plain, part) ? (dsp_str){ "", 0 } : s;
    return true;
}

static void take_query(dsp_str *s, gt_url *u)
{
    size_t mark = dsp_str_find(*s, '?');

    u->query = (dsp_str){ "", 0 };
    if (mark < s->len) {
        u->force_query = mark + 1 == s->len;
        u->query = rest_from(*s, mark + 1);
        *s = dsp_str_sub(*s, 0, mark);
    }
}

static bool parse(const struct parse *p, dsp_str s, gt_url *u)
{
    size_t slash;

    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char) s.data[i] < ' ' || s.data[i] == 0x7F) {
            return refuse(p, "net/url: invalid control character in URL");
        }
    }
    if (dsp_str_is(s, "*")) {
        u->path = s;
        return true;
    }
    if (!take_scheme(p, &s, &u->scheme)) {
        return false;
    }
    take_query(&s, u);
    if (s.len == 0 || s.data[0] != '/') {
        if (u->scheme.len > 0) {
            u->opaque = s;
            return true;
        }
        if (gt_url_colon_first(s)) {
            return refuse(p, "first path segment in URL cannot contain colon");
        }
    }
    if (dsp_str_has_prefix(s, DSP_STR("//")) && (u->scheme.len > 0 || !dsp_str_has_prefix(s, DSP_STR("///")))) {
        dsp_str authority = rest_from(s, 2);

        slash = dsp_str_find(authority, '/');
        s = rest_from(authority, slash);
        if (!parse_authority(p, dsp_str_sub(authority, 0, slash), u)) {
            return false;
        }
    } else if (u->scheme.len > 0 && s.len > 0) {
        u->omit_host = true;
    }
    return set_part(p, s, GT_URL_PATH, &u->path, &u->raw_path);
}

bool gt_url_parse(dsp_arena *a, dsp_str text, gt_url *out, dsp_buf *error)
{
    size_t       hash = dsp_str_find(text, '#');
    dsp_str      before = dsp_str_sub(text, 0, hash), fragment = rest_from(text, hash + 1), shown = before;
    dsp_buf      why;
    struct parse p = { a, &why };
    bool         ok;

    *out = (gt_url){ .has_user = false };
    dsp_buf_init(&why, error->max);
    ok = parse(&p, before, out);
    if (ok && fragment.len > 0) {
        shown = text;
        ok = set_part(&p, fragment, GT_URL_FRAGMENT, &out->fragment, &out->raw_fragment);
    }
    if (!ok && why.len > 0) {
        dsp_buf_addz(error, "parse ");
        gt_quote(error, shown, 0);
        dsp_buf_addz(error, ": ");
        dsp_buf_adds(error, dsp_buf_str(&why));
    }
    dsp_buf_free(&why);
    return ok;
}

/* --- the host ----------------------------------------------------------------------------------------------------- */

dsp_str gt_url_hostname(const gt_url *u)
{
    dsp_str host = u->host;
    size_t  colon = find_last(host, ':');

    if (colon < host.len && optional_port(rest_from(host, colon))) {
        host = dsp_str_sub(host, 0, colon);
    }
    if (host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']') {
        host = dsp_str_sub(host, 1, host.len - 1);
    }
    return host;
}
