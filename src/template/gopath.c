#include "gopath.h"

/* Where the name behind the last slash begins. */
static size_t name_at(dsp_str path)
{
    size_t i = path.len;

    while (i > 0 && path.data[i - 1] != '/') {
        i--;
    }
    return i;
}

dsp_str gt_path_base(dsp_str path)
{
    if (path.len == 0) {
        return DSP_STR(".");
    }
    while (path.len > 0 && path.data[path.len - 1] == '/') {
        path.len--;
    }
    return path.len == 0 ? DSP_STR("/") : dsp_str_sub(path, name_at(path), path.len);
}

dsp_str gt_path_ext(dsp_str path)
{
    for (size_t i = path.len; i > 0 && path.data[i - 1] != '/'; i--) {
        if (path.data[i - 1] == '.') {
            return dsp_str_sub(path, i - 1, path.len);
        }
    }
    return DSP_STR("");
}

bool gt_path_is_abs(dsp_str path)
{
    return path.len > 0 && path.data[0] == '/';
}

/* ".." as an element: takes the last element away, if it is not one of the leading ".." (which end at *fixed). */
static void add_parent(dsp_buf *out, bool rooted, size_t *fixed)
{
    if (out->len > *fixed) {
        out->len--;
        while (out->len > *fixed && out->data[out->len] != '/') {
            out->len--;
        }
    } else if (!rooted) {
        if (out->len > 0) {
            dsp_buf_addc(out, '/');
        }
        dsp_buf_addz(out, "..");
        *fixed = out->len;
    }
}

void gt_path_clean(dsp_buf *out, dsp_str path)
{
    bool   rooted = gt_path_is_abs(path);
    size_t fixed = rooted ? 1 : 0;

    if (rooted) {
        dsp_buf_addc(out, '/');
    }
    for (size_t i = 0; i < path.len && !out->failed;) {
        dsp_str elem = dsp_str_sub(path, i, path.len);

        elem = dsp_str_sub(elem, 0, dsp_str_find(elem, '/'));
        i += elem.len + 1;
        if (elem.len == 0 || dsp_str_is(elem, ".")) {
            continue;
        }
        if (dsp_str_is(elem, "..")) {
            add_parent(out, rooted, &fixed);
            continue;
        }
        if (out->len != (rooted ? 1 : 0)) {
            dsp_buf_addc(out, '/');
        }
        dsp_buf_adds(out, elem);
    }
    if (out->len == 0) {
        dsp_buf_addc(out, '.');
    }
}

void gt_path_dir(dsp_buf *out, dsp_str path)
{
    gt_path_clean(out, dsp_str_sub(path, 0, name_at(path)));
}
