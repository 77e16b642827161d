#include "execute_path.h"

#include "name.h"

static bool is_empty(dsp_str s, const char *what, dsp_buf *why)
{
    return s.len == 0 && (dsp_buf_addf(why, "The path has no %s; it must be [namespace/]template.", what), true);
}

enum dsp_execute_path_fault dsp_execute_path_parse(dsp_str path, dsp_execute_path *out, dsp_buf *why)
{
    size_t slash = dsp_str_find(path, '/');
    bool   with_ns = slash < path.len;

    out->ns = with_ns ? dsp_str_sub(path, 0, slash) : (dsp_str){ "", 0 };
    out->template_name = with_ns ? dsp_str_sub(path, slash + 1, path.len) : path;

    if ((with_ns && is_empty(out->ns, "namespace before its '/'", why)) || is_empty(out->template_name, "template", why)) {
        return DSP_EXECUTE_PATH_FORM;
    }
    if (dsp_str_find(out->template_name, '/') < out->template_name.len) {
        dsp_buf_addz(why, "The path has too many segments; it must be [namespace/]template.");
        return DSP_EXECUTE_PATH_FORM;
    }
    dsp_buf_addz(why, "The namespace ");
    if (with_ns && !dsp_name_is_label(out->ns, why)) {
        dsp_buf_addc(why, '.');
        return DSP_EXECUTE_PATH_NAME;
    }
    dsp_buf_reset(why);
    dsp_buf_addz(why, "The template's name ");
    if (!dsp_name_is_subdomain(out->template_name, why)) {
        dsp_buf_addc(why, '.');
        return DSP_EXECUTE_PATH_NAME;
    }
    dsp_buf_reset(why);
    return DSP_EXECUTE_PATH_OK;
}
