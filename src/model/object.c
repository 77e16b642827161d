#include "object.h"

#include <string.h>

#include "base/clock.h"

void dsp_object_pick(dsp_json object, const char *const *names, size_t n, dsp_json *out)
{
    dsp_json_iter it = dsp_json_iterate(object);
    size_t        lens[DSP_PICK_MAX];
    dsp_json      key, value;

    for (size_t i = 0; i < n; i++) {
        out[i] = (dsp_json){ NULL, 0 };
        lens[i] = strlen(names[i]);
    }
    if (dsp_json_kind(object) != DSP_JSON_OBJECT) {
        return;
    }
    while (dsp_json_next(&it, &key, &value)) {
        bool plain = memchr(key.data, '\\', key.len) == NULL; /* else its length says nothing */

        for (size_t i = 0; i < n; i++) {
            if ((!plain || key.len == lens[i] + 2) && dsp_json_equals(key, (dsp_str){ names[i], lens[i] })) {
                out[i] = value;
                break;
            }
        }
    }
}

dsp_str dsp_object_text(dsp_json value, dsp_arena *arena)
{
    dsp_str text = { NULL, 0 };

    return dsp_json_string(value, arena, &text) ? text : (dsp_str){ NULL, 0 };
}

dsp_str dsp_object_string(dsp_json object, const char *name, dsp_arena *arena)
{
    dsp_str text = { NULL, 0 };

    if (!dsp_json_string(dsp_json_get(object, name), arena, &text)) {
        return (dsp_str){ NULL, 0 };
    }
    return text;
}

int64_t dsp_object_int(dsp_json object, const char *name, int64_t fallback)
{
    int64_t n;

    return dsp_json_int64(dsp_json_get(object, name), &n) ? n : fallback;
}

int64_t dsp_object_time(dsp_json object, const char *name, dsp_arena *arena)
{
    int64_t us;

    return dsp_time_parse(dsp_object_string(object, name, arena), &us) ? us : 0;
}

bool dsp_object_flag(dsp_json object, const char *name)
{
    bool flag;

    return dsp_json_bool(dsp_json_get(object, name), &flag) && flag;
}

static bool is_number(dsp_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return false;
        }
    }
    return s.len > 0 && (s.len == 1 || s.data[0] != '0');
}

int dsp_resource_version_cmp(dsp_str a, dsp_str b)
{
    bool na = is_number(a), nb = is_number(b);

    if (!na || !nb) {
        return (int) na - (int) nb;
    }
    if (a.len != b.len) {
        return a.len < b.len ? -1 : 1;
    }
    return dsp_str_cmp(a, b);
}
