/*
 * URLs as Go's net/url (1.26) takes them apart, escapes them and puts them together.
 */
#ifndef DSP_TEMPLATE_URL_H
#define DSP_TEMPLATE_URL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

/* Which part of a URL a text is; it decides which bytes are escaped. */
enum gt_url_part {
    GT_URL_PATH,
    GT_URL_HOST,
    GT_URL_ZONE, /* of an IPv6 address */
    GT_URL_USER, /* user name or password */
    GT_URL_QUERY, /* a key or value: url.QueryEscape */
    GT_URL_FRAGMENT
};

/* Go's url.URL. Empty and missing is the same but for the user. */
typedef struct gt_url {
    dsp_str scheme; /* in small letters */
    dsp_str opaque; /* as it is written */
    bool    has_user, has_password;
    dsp_str user, password; /* decoded */
    dsp_str host;           /* with port, decoded */
    dsp_str path;           /* decoded */
    dsp_str raw_path;       /* as it is written, where escaping `path` would not give that; else empty */
    dsp_str query;          /* as it is written */
    dsp_str fragment;       /* decoded */
    dsp_str raw_fragment;   /* as raw_path */
    bool    force_query;    /* "?" and nothing behind it */
    bool    omit_host;      /* scheme:/path: no "//" */
} gt_url;

/*
 * url.Parse. What has to be decoded lies in the arena, the rest is borrowed from text.
 * false: Go's text is in error ('parse "…": …'); empty when the arena is full.
 */
bool gt_url_parse(dsp_arena *a, dsp_str text, gt_url *out, dsp_buf *error);

/* URL.String(). */
void gt_url_string(dsp_buf *out, const gt_url *u);

/* Userinfo.String(): user or user:password, escaped. */
void gt_url_userinfo(dsp_buf *out, const gt_url *u);

/* URL.Hostname(): the host without port and brackets. */
dsp_str gt_url_hostname(const gt_url *u);

void gt_url_escape(dsp_buf *out, dsp_str s, enum gt_url_part part);

#endif
