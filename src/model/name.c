#include "name.h"

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static void add_byte(dsp_buf *why, unsigned char c)
{
    if (c > 0x20 && c < 0x7F) {
        dsp_buf_addf(why, "'%c'", c);
    } else {
        dsp_buf_addf(why, "the byte 0x%02x", c);
    }
}

static bool refuse_byte(dsp_str name, size_t at, const char *rule, dsp_buf *why)
{
    if (why != NULL) {
        dsp_buf_addz(why, "has ");
        add_byte(why, (unsigned char) name.data[at]);
        dsp_buf_addf(why, " at position %zu, %s", at + 1, rule);
    }
    return false;
}

static bool is_name(dsp_str name, size_t max, bool dots, dsp_buf *why)
{
    if (name.len == 0) {
        if (why != NULL) {
            dsp_buf_addz(why, "must not be empty");
        }
        return false;
    }
    if (name.len > max) {
        if (why != NULL) {
            dsp_buf_addf(why, "has %zu bytes, %zu are allowed", name.len, max);
        }
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool edge = i == 0 || i + 1 == name.len || (dots && (name.data[i - 1] == '.' || name.data[i + 1] == '.'));

        if (!is_alnum(c) && c != '-' && !(dots && c == '.')) {
            return refuse_byte(name, i, dots ? "only a-z, 0-9, '-' and '.' are allowed" : "only a-z, 0-9 and '-' are allowed", why);
        }
        if (edge && !is_alnum(c) && !(c == '.' && i > 0 && i + 1 < name.len && is_alnum(name.data[i - 1]))) {
            return refuse_byte(name, i, "where a-z or 0-9 must be", why);
        }
    }
    return true;
}

bool dsp_name_is_label(dsp_str name, dsp_buf *why)
{
    return is_name(name, DSP_LABEL_MAX, false, why);
}

bool dsp_name_is_subdomain(dsp_str name, dsp_buf *why)
{
    return is_name(name, DSP_SUBDOMAIN_MAX, true, why);
}
