/*
 * URLs and paths. A URL that was written must be read again as what was written; but for a path that begins with // and
 * has no host before it, whose second part Go takes for a host too.
 */
#include <stdint.h>
#include <stdlib.h>

#include "template/gopath.h"
#include "template/ipaddr.h"
#include "template/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void paths(dsp_str s)
{
    dsp_buf once, twice;

    dsp_buf_init(&once, 1 << 20);
    dsp_buf_init(&twice, 1 << 20);
    gt_path_clean(&once, s);
    gt_path_clean(&twice, dsp_buf_str(&once));
    if (!dsp_str_eq(dsp_buf_str(&once), dsp_buf_str(&twice)) || gt_path_base(s).len == 0) {
        abort();
    }
    gt_path_ext(s);
    dsp_buf_reset(&once);
    gt_path_dir(&once, s);
    dsp_buf_free(&once);
    dsp_buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dsp_str   s = { (const char *) data, size };
    dsp_arena arena;
    dsp_buf   error, text, second;
    gt_url    u, again;
    gt_ipaddr ip;

    dsp_arena_init(&arena, 16 << 20);
    dsp_buf_init(&error, 1 << 20);
    dsp_buf_init(&text, 1 << 20);
    dsp_buf_init(&second, 1 << 20);
    if (gt_url_parse(&arena, s, &u, &error)) {
        gt_url_string(&text, &u);
        gt_url_hostname(&u);
        if ((u.host.len > 0 || !dsp_str_has_prefix(u.path, DSP_STR("//"))) &&
            gt_url_parse(&arena, dsp_buf_str(&text), &again, &error)) {
            gt_url_string(&second, &again);
            if (!dsp_str_eq(dsp_buf_str(&text), dsp_buf_str(&second))) {
                abort();
            }
        }
    }
    gt_ipaddr_parse(s, &ip, &error);
    paths(s);
    dsp_buf_free(&error);
    dsp_buf_free(&text);
    dsp_buf_free(&second);
    dsp_arena_free(&arena);
    return 0;
}
