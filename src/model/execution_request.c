#include "execution_request.h"

#include <string.h>

#include "object.h"

/* The object's text is literals with these strings between them. */
enum part_kind { LITERAL, TEXT, RAW };

struct part {
    enum part_kind kind;
    dsp_str        text;
};

#define MAX_PARTS 12

static size_t parts_of(const dsp_execution_request *request, struct part parts[MAX_PARTS])
{
    size_t n = 0;

    parts[n++] = (struct part){ LITERAL, DSP_STR("{\"apiVersion\":\"" DSP_API_VERSION "\",\"kind\":\"JobExecution\",\"metadata\":{\"name\":") };
    parts[n++] = (struct part){ TEXT, request->name };
    parts[n++] = (struct part){ LITERAL, DSP_STR(",\"namespace\":") };
    parts[n++] = (struct part){ TEXT, request->ns };
    if (request->labels.len > 0) {
        parts[n++] = (struct part){ LITERAL, DSP_STR(",\"labels\":") };
        parts[n++] = (struct part){ RAW, request->labels };
    }
    parts[n++] = (struct part){ LITERAL, DSP_STR(",\"annotations\":{\"" DSP_REQUEST_ID_ANNOTATION "\":") };
    parts[n++] = (struct part){ TEXT, request->request_id };
    parts[n++] = (struct part){ LITERAL, DSP_STR("}},\"spec\":{\"jobTemplateName\":") };
    parts[n++] = (struct part){ TEXT, request->template_name };
    parts[n++] = (struct part){ LITERAL, DSP_STR(",\"payload\":") };
    parts[n++] = (struct part){ TEXT, request->payload };
    return n;
}

size_t dsp_execution_request_len(const dsp_execution_request *request)
{
    struct part parts[MAX_PARTS];
    size_t      n = parts_of(request, parts), len = 2;

    for (size_t i = 0; i < n; i++) {
        len += parts[i].kind == TEXT ? dsp_json_quoted_len(parts[i].text) : parts[i].text.len;
    }
    return len;
}

char *dsp_execution_request_write(char *out, const dsp_execution_request *request)
{
    struct part parts[MAX_PARTS];
    size_t      n = parts_of(request, parts);

    for (size_t i = 0; i < n; i++) {
        if (parts[i].kind == TEXT) {
            out = dsp_json_quote_to(out, parts[i].text);
        } else {
            memcpy(out, parts[i].text.data, parts[i].text.len);
            out += parts[i].text.len;
        }
    }
    *out++ = '}';
    *out++ = '}';
    return out;
}

void dsp_execution_choose_name(dsp_str template_name, dsp_str id, char out[DSP_EXECUTION_NAME_MAX + 1])
{
    size_t id_len = id.len < DSP_EXECUTION_ID_LEN ? id.len : DSP_EXECUTION_ID_LEN;
    size_t max = DSP_EXECUTION_NAME_MAX - 1 - id_len;
    size_t len = template_name.len < max ? template_name.len : max;

    while (len > 0 && (template_name.data[len - 1] == '-' || template_name.data[len - 1] == '.')) {
        len--;
    }
    memcpy(out, template_name.data, len);
    out[len++] = '-';
    memcpy(out + len, id.data, id_len);
    out[len + id_len] = '\0';
}

bool dsp_stored_object_read(dsp_json object, dsp_arena *arena, dsp_stored_object *out)
{
    enum { NAME, UID, CREATED, ANNOTATIONS, LABELS, N };
    static const char *const names[N] = { "name", "uid", "creationTimestamp", "annotations", "labels" };
    dsp_json                 member[N];

    dsp_object_pick(dsp_json_get(object, "metadata"), names, N, member);
    *out = (dsp_stored_object){ 0 };
    out->name = dsp_object_text(member[NAME], arena);
    out->uid = dsp_object_text(member[UID], arena);
    out->created = dsp_object_text(member[CREATED], arena);
    out->request_id = dsp_object_string(member[ANNOTATIONS], DSP_REQUEST_ID_ANNOTATION, arena);
    if (dsp_json_kind(member[LABELS]) == DSP_JSON_OBJECT) {
        out->labels = member[LABELS];
    }
    return out->name.len > 0 && out->uid.len > 0 && arena->state == DSP_ARENA_OK;
}
