#include "fn_url.h"

#include "gopath.h"
#include "url.h"

/* --- URLs --------------------------------------------------------------------------------------------------------- */

/* url.Parse with the panic's text for what is wrong. */
static bool parse(gt_ctx *c, dsp_str text, const char *before, gt_url *u)
{
    dsp_buf *error = gt_fail_text(c);
    size_t   start;

    dsp_buf_addz(error, before);
    start = error->len;
    if (gt_url_parse(c->arena, text, u, error)) {
        return true;
    }
    if (error->len == start && !error->failed) {
        return gt_fail_alloc(c);
    }
    return gt_failed(c);
}

GT_BODY(gt_fn_url_parse)
{
    gt_url  u;
    gt_map *map;
    dsp_str userinfo = { "", 0 };

    (void) n;
    if (!gt_charge_bytes(c, args[0].s.len) || !parse(c, args[0].s, "unable to parse url: ", &u)) {
        return false;
    }
    map = gt_map_new(c, GT_MAP_ANY, 8);
    if (map == NULL) {
        return false;
    }
    if (u.has_user) {
        dsp_buf *b = gt_text_begin(c);

        if (b == NULL) {
            return false;
        }
        gt_url_userinfo(b, &u);
        if (!gt_text_end(c, b, &userinfo)) {
            return false;
        }
    }
    *out = gt_of_map(map);
    return gt_map_set(c, map, DSP_STR("scheme"), gt_string(u.scheme)) &&
           gt_map_set(c, map, DSP_STR("host"), gt_string(u.host)) &&
           gt_map_set(c, map, DSP_STR("hostname"), gt_string(gt_url_hostname(&u))) &&
           gt_map_set(c, map, DSP_STR("path"), gt_string(u.path)) &&
           gt_map_set(c, map, DSP_STR("query"), gt_string(u.query)) &&
           gt_map_set(c, map, DSP_STR("opaque"), gt_string(u.opaque)) &&
           gt_map_set(c, map, DSP_STR("fragment"), gt_string(u.fragment)) &&
           gt_map_set(c, map, DSP_STR("userinfo"), gt_string(userinfo));
}

/* A member of the dict as text; "" where there is none. */
static bool member(gt_ctx *c, const gt_map *map, const char *key, dsp_str *out)
{
    const gt_value *v = gt_map_find(map, dsp_str_from(key));

    *out = DSP_STR("");
    if (v == NULL) {
        return true;
    }
    if (gt_is_nil(*v)) {
        return gt_fail(c, GT_NIL_DEREFERENCE);
    }
    if (v->type != GT_STRING) {
        return gt_fail(c, "unable to parse %s key, must be of type string, but %s found", key,
                       gt_kind_name(gt_kind_of(*v)));
    }
    *out = v->s;
    return true;
}

/* The user as url.Parse takes it from proto://user@host. */
static bool set_user(gt_ctx *c, dsp_str userinfo, gt_url *u)
{
    dsp_buf *b = gt_text_begin(c);
    gt_url   parsed;
    dsp_str  text;

    if (b == NULL) {
        return false;
    }
    dsp_buf_addz(b, "proto://");
    dsp_buf_adds(b, userinfo);
    dsp_buf_addz(b, "@host");
    if (!gt_text_end(c, b, &text) || !parse(c, text, "unable to parse userinfo in dict: ", &parsed)) {
        return false;
    }
    u->has_user = parsed.has_user;
    u->user = parsed.user;
    u->has_password = parsed.has_password;
    u->password = parsed.password;
    return true;
}

GT_BODY(gt_fn_url_join)
{
    const gt_map *map = args[0].map;
    gt_url        u = { .has_user = false };
    dsp_str       userinfo;
    dsp_buf      *b;

    (void) n;
    if (!member(c, map, "scheme", &u.scheme) || !member(c, map, "host", &u.host) || !member(c, map, "path", &u.path) ||
        !member(c, map, "query", &u.query) || !member(c, map, "opaque", &u.opaque) ||
        !member(c, map, "fragment", &u.fragment) || !member(c, map, "userinfo", &userinfo)) {
        return false;
    }
    if (userinfo.len > 0 && !set_user(c, userinfo, &u)) {
        return false;
    }
    if (!gt_charge_bytes(c, u.host.len + u.path.len + u.fragment.len)) {
        return false;
    }
    b = gt_text_begin(c);
    if (b == NULL) {
        return false;
    }
    gt_url_string(b, &u);
    return gt_text_give(c, b, out);
}

/* --- paths -------------------------------------------------------------------------------------------------------- */

GT_BODY(gt_fn_base)
{
    (void) n;
    *out = gt_string(gt_path_base(args[0].s));
    return gt_charge_bytes(c, args[0].s.len);
}

GT_BODY(gt_fn_ext)
{
    (void) n;
    *out = gt_string(gt_path_ext(args[0].s));
    return gt_charge_bytes(c, args[0].s.len);
}

GT_BODY(gt_fn_is_abs)
{
    (void) c;
    (void) n;
    *out = gt_bool(gt_path_is_abs(args[0].s));
    return true;
}

static bool written(gt_ctx *c, dsp_str path, void (*write)(dsp_buf *, dsp_str), gt_value *out)
{
    dsp_buf *b = gt_text_begin(c);

    if (b == NULL || !gt_charge_bytes(c, path.len)) {
        return false;
    }
    write(b, path);
    return gt_text_give(c, b, out);
}

GT_BODY(gt_fn_clean)
{
    (void) n;
    return written(c, args[0].s, gt_path_clean, out);
}

GT_BODY(gt_fn_dir)
{
    (void) n;
    return written(c, args[0].s, gt_path_dir, out);
}
