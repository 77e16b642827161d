/*
 * Putting URLs together. A part that was parsed is written as it was read where that is a way to write it.
 */
#include "url_chars.h"

/* `raw` decodes to `plain` whenever gt_url_parse() made them, the only one that sets raw. */
static void add_part(dsp_buf *out, dsp_str plain, dsp_str raw, enum gt_url_part part)
{
    if (raw.len > 0 && gt_url_may_stand(raw, part)) {
        dsp_buf_adds(out, raw);
    } else if (part == GT_URL_PATH && dsp_str_is(plain, "*")) {
        dsp_buf_addc(out, '*');
    } else {
        gt_url_escape(out, plain, part);
    }
}

void gt_url_userinfo(dsp_buf *out, const gt_url *u)
{
    gt_url_escape(out, u->user, GT_URL_USER);
    if (u->has_password) {
        dsp_buf_addc(out, ':');
        gt_url_escape(out, u->password, GT_URL_USER);
    }
}

static void add_authority(dsp_buf *out, const gt_url *u)
{
    if (u->scheme.len == 0 && u->host.len == 0 && !u->has_user) {
        return;
    }
    if (u->omit_host && u->host.len == 0 && !u->has_user) {
        return;
    }
    if (u->host.len > 0 || u->path.len > 0 || u->has_user) {
        dsp_buf_addz(out, "//");
    }
    if (u->has_user) {
        gt_url_userinfo(out, u);
        dsp_buf_addc(out, '@');
    }
    gt_url_escape(out, u->host, GT_URL_HOST);
}

/* The path; a "./" before it keeps a first segment with a colon from being a scheme. start: of the URL in out. */
static void add_path(dsp_buf *out, size_t start, const gt_url *u)
{
    size_t  at = out->len;
    dsp_str path;

    add_part(out, u->path, u->raw_path, GT_URL_PATH);
    if (out->failed || out->len == at) {
        return;
    }
    path = (dsp_str){ out->data + at, out->len - at };
    if (path.data[0] != '/' && u->host.len > 0) {
        out->len = at;
        dsp_buf_addc(out, '/');
        add_part(out, u->path, u->raw_path, GT_URL_PATH);
    } else if (at == start && gt_url_colon_first(path)) {
        out->len = at;
        dsp_buf_addz(out, "./");
        add_part(out, u->path, u->raw_path, GT_URL_PATH);
    }
}

void gt_url_string(dsp_buf *out, const gt_url *u)
{
    size_t start = out->len;

    if (u->scheme.len > 0) {
        dsp_buf_adds(out, u->scheme);
        dsp_buf_addc(out, ':');
    }
    if (u->opaque.len > 0) {
        dsp_buf_adds(out, u->opaque);
    } else {
        add_authority(out, u);
        add_path(out, start, u);
    }
    if (u->force_query || u->query.len > 0) {
        dsp_buf_addc(out, '?');
        dsp_buf_adds(out, u->query);
    }
    if (u->fragment.len > 0) {
        dsp_buf_addc(out, '#');
        add_part(out, u->fragment, u->raw_fragment, GT_URL_FRAGMENT);
    }
}
