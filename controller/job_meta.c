#include "job_meta.h"

#include <string.h>

#include "model/jobname.h"
#include "model/object.h"

/* metadata.name or metadata.generateName, rendered by the renderer for names; empty: not there. */
static dsp_str name_text(dsp_walk *w, dsp_renderer *names, dsp_json meta, const char *member, const char *path)
{
    dsp_renderer *fields = w->renderer;
    dsp_str       source = dsp_object_string(meta, member, w->arena), made = { NULL, 0 };
    dsp_buf       text;

    if (source.len == 0 || memmem(source.data, source.len, "{{", 2) == NULL) {
        return source;
    }
    dsp_walk_to(w, path);
    w->renderer = names;
    dsp_buf_init(&text, 64 * 1024);
    if (dsp_walk_text(w, source, "string", 0, &text)) {
        made = dsp_arena_str(w->arena, dsp_buf_str(&text));
    }
    dsp_buf_free(&text);
    w->renderer = fields;
    return made;
}

/* RFC 1123, a subdomain of at most 63 bytes: what the Job's name may be at all, and safe in a path. */
static bool name_ok(dsp_str name)
{
    bool edge = true; /* at an end of a label, where a letter or digit is wanted */

    if (name.len == 0 || name.len > DSP_JOB_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (!alnum && (edge || (c != '-' && c != '.') || (c == '.' && name.data[i - 1] == '-'))) {
            return false;
        }
        edge = c == '.';
    }
    return !edge && name.data[name.len - 1] != '-';
}

void dsp_walk_name(dsp_walk *w, dsp_renderer *names, dsp_json meta)
{
    dsp_rendered *result = w->result;
    char          name[DSP_JOB_NAME_MAX + 1];
    dsp_str       fixed = name_text(w, names, meta, "name", "metadata.name");

    if (fixed.len > 0) {
        result->name = fixed;
        result->fixed = true;
        dsp_walk_to(w, "metadata.name");
        if (!name_ok(fixed)) {
            dsp_buf message;

            dsp_buf_init(&message, 4096);
            dsp_buf_addf(&message,
                         "\"%.*s\" is no name for a Job: at most 63 of a-z, 0-9, '-' and '.', with a letter or digit "
                         "at both ends",
                         (int) (fixed.len < 300 ? fixed.len : 300), fixed.data);
            dsp_walk_problem(w, dsp_buf_cstr(&message));
            dsp_buf_free(&message);
        }
        return;
    }
    dsp_str prefix = name_text(w, names, meta, "generateName", "metadata.generateName");
    dsp_job_name(prefix.len > 0 ? prefix : w->je->name, w->je->uid, name);
    result->name = dsp_arena_str(w->arena, dsp_str_from(name));
}

static void add_member(dsp_buf *out, const char *name, dsp_str value)
{
    if (out->len > 0 && out->data[out->len - 1] != '{') {
        dsp_buf_addc(out, ',');
    }
    dsp_json_quote(out, dsp_str_from(name));
    dsp_buf_addc(out, ':');
    dsp_json_quote(out, value);
}

/* The members of a free-form map as they are, less those whose names are ours. */
static void copy_map(dsp_buf *out, dsp_json map, const char *const ours[2])
{
    dsp_json_iter it = dsp_json_iterate(map);
    dsp_json      key, value;

    while (dsp_json_kind(map) == DSP_JSON_OBJECT && dsp_json_next(&it, &key, &value)) {
        if (dsp_json_equals(key, dsp_str_from(ours[0])) || dsp_json_equals(key, dsp_str_from(ours[1]))) {
            continue;
        }
        if (out->data[out->len - 1] != '{') {
            dsp_buf_addc(out, ',');
        }
        dsp_buf_adds(out, key);
        dsp_buf_addc(out, ':');
        dsp_buf_adds(out, value);
    }
}

static void write_labels(dsp_walk *w, dsp_json meta)
{
    static const char *const ours[2] = { DSP_LABEL_UID, DSP_LABEL_EXECUTION };
    char                     label[DSP_JOB_NAME_MAX + 1];

    dsp_label_value(w->je->name, label);
    dsp_buf_addz(w->out, ",\"labels\":{");
    copy_map(w->out, dsp_json_get(meta, "labels"), ours);
    add_member(w->out, DSP_LABEL_UID, w->je->uid);
    add_member(w->out, DSP_LABEL_EXECUTION, dsp_str_from(label));
    dsp_buf_addc(w->out, '}');
}

static void write_annotations(dsp_walk *w, dsp_json meta, dsp_str template_version, dsp_json ttl)
{
    static const char *const ours[2] = { DSP_TTL_ANNOTATION, DSP_TEMPLATE_VERSION_ANNOTATION };

    dsp_buf_addz(w->out, ",\"annotations\":{");
    copy_map(w->out, dsp_json_get(meta, "annotations"), ours);
    if (template_version.len > 0) {
        add_member(w->out, DSP_TEMPLATE_VERSION_ANNOTATION, template_version);
    }
    if (dsp_json_kind(ttl) == DSP_JSON_NUMBER) {
        add_member(w->out, DSP_TTL_ANNOTATION, ttl);
    }
    dsp_buf_addc(w->out, '}');
}

void dsp_walk_metadata(dsp_walk *w, const dsp_jobtemplate *jt, dsp_json meta, dsp_json ttl)
{
    dsp_json finalizers = dsp_json_get(meta, "finalizers");

    dsp_buf_addz(w->out, "\"metadata\":{");
    add_member(w->out, "name", w->result->name);
    add_member(w->out, "namespace", w->je->ns);
    write_labels(w, meta);
    write_annotations(w, meta, jt->resource_version, ttl);
    if (dsp_json_kind(finalizers) == DSP_JSON_ARRAY) {
        dsp_buf_addz(w->out, ",\"finalizers\":");
        dsp_walk_to(w, "metadata.finalizers");
        dsp_walk_value(w, finalizers);
    }
    dsp_buf_addz(w->out,
                 ",\"ownerReferences\":[{\"apiVersion\":\"" DSP_API_VERSION "\",\"kind\":\"JobExecution\",\"name\":");
    dsp_json_quote(w->out, w->je->name);
    dsp_buf_addz(w->out, ",\"uid\":");
    dsp_json_quote(w->out, w->je->uid);
    dsp_buf_addz(w->out, ",\"controller\":true,\"blockOwnerDeletion\":true}]}");
}
