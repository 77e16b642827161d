#include "condition.h"

#include "base/clock.h"
#include "base/utf8.h"

static const char *const type_names[DSP_CONDITIONS] = { "Waiting", "Running", "Succeeded" };
static const char *const status_names[] = { "", "True", "False", "Unknown" };

const char *dsp_condition_type_name(enum dsp_condition_type type)
{
    return type_names[type];
}

/* The type of one entry of the array; DSP_CONDITIONS when it is none of ours. */
static enum dsp_condition_type entry_type(dsp_json entry)
{
    dsp_json type = dsp_json_get(entry, "type");

    for (int i = 0; i < DSP_CONDITIONS; i++) {
        if (dsp_json_equals(type, dsp_str_from(type_names[i]))) {
            return (enum dsp_condition_type) i;
        }
    }
    return DSP_CONDITIONS;
}

static enum dsp_condition_status entry_status(dsp_json entry)
{
    dsp_json status = dsp_json_get(entry, "status");

    for (int i = DSP_COND_TRUE; i <= DSP_COND_UNKNOWN; i++) {
        if (dsp_json_equals(status, dsp_str_from(status_names[i]))) {
            return (enum dsp_condition_status) i;
        }
    }
    return DSP_COND_ABSENT;
}

/* A string member, or nothing when it is missing or something else. */
static dsp_str entry_string(dsp_json entry, const char *name, dsp_arena *arena)
{
    dsp_str text = { NULL, 0 };

    if (!dsp_json_string(dsp_json_get(entry, name), arena, &text)) {
        return (dsp_str){ NULL, 0 };
    }
    return text;
}

bool dsp_conditions_read(dsp_json array, dsp_arena *arena, dsp_conditions *out)
{
    dsp_json_iter it = dsp_json_iterate(array);
    dsp_json      entry;

    *out = (dsp_conditions){ 0 };
    if (dsp_json_kind(array) != DSP_JSON_ARRAY) {
        return true;
    }
    while (dsp_json_next(&it, NULL, &entry)) {
        enum dsp_condition_type type = entry_type(entry);

        if (type == DSP_CONDITIONS) {
            continue;
        }
        dsp_condition *c = &out->of[type];
        *c = (dsp_condition){ .status = entry_status(entry) };
        if (c->status == DSP_COND_ABSENT) {
            continue;
        }
        c->reason = entry_string(entry, "reason", arena);
        c->message = entry_string(entry, "message", arena);
        if (!dsp_time_parse(entry_string(entry, "lastTransitionTime", arena), &c->since_us)) {
            c->since_us = 0;
        }
    }
    return arena->state == DSP_ARENA_OK;
}

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(char c)
{
    return is_alpha(c) || (c >= '0' && c <= '9') || c == '_';
}

bool dsp_condition_reason_ok(dsp_str reason)
{
    if (reason.len == 0 || reason.len > DSP_CONDITION_MAX_REASON || !is_alpha(reason.data[0]) ||
        !is_word(reason.data[reason.len - 1])) {
        return false;
    }
    for (size_t i = 0; i < reason.len; i++) {
        if (!is_word(reason.data[i]) && reason.data[i] != ',' && reason.data[i] != ':') {
            return false;
        }
    }
    return true;
}

/* The limit of the API server counts runes; bytes are never fewer, so cutting by bytes is safe. */
dsp_str dsp_condition_message(dsp_str message)
{
    if (message.len <= DSP_CONDITION_MAX_MESSAGE) {
        return message;
    }
    size_t len = DSP_CONDITION_MAX_MESSAGE;
    while (len > 0 && ((unsigned char) message.data[len] & 0xC0) == 0x80) {
        len--;
    }
    return dsp_str_sub(message, 0, len);
}

void dsp_condition_set(dsp_conditions *c, enum dsp_condition_type type, enum dsp_condition_status status,
                       dsp_str reason, dsp_str message, int64_t now_us)
{
    dsp_condition *cond = &c->of[type];

    if (cond->status != status) {
        cond->status = status;
        cond->since_us = now_us;
    }
    cond->reason = dsp_condition_reason_ok(reason) ? reason : DSP_STR("Unknown");
    cond->message = dsp_condition_message(message);
}

bool dsp_conditions_equal(const dsp_conditions *a, const dsp_conditions *b)
{
    for (int i = 0; i < DSP_CONDITIONS; i++) {
        const dsp_condition *x = &a->of[i], *y = &b->of[i];

        if (x->status != y->status || !dsp_str_eq(x->reason, y->reason) || !dsp_str_eq(x->message, y->message)) {
            return false;
        }
    }
    return true;
}

static void write_one(dsp_buf *out, enum dsp_condition_type type, const dsp_condition *c)
{
    char since[DSP_TIME_LEN];

    dsp_time_format(c->since_us, since);
    dsp_buf_addf(out, "{\"type\":\"%s\",\"status\":\"%s\",\"reason\":", type_names[type], status_names[c->status]);
    dsp_json_quote(out, dsp_condition_reason_ok(c->reason) ? c->reason : DSP_STR("Unknown")); /* one that was read */
    dsp_buf_addz(out, ",\"message\":");
    dsp_json_quote(out, dsp_condition_message(c->message));
    dsp_buf_addf(out, ",\"lastTransitionTime\":\"%s\"}", since);
}

void dsp_conditions_write(dsp_buf *out, dsp_json stored, const dsp_conditions *c)
{
    bool          written[DSP_CONDITIONS] = { false };
    const char   *comma = "";
    dsp_json_iter it = dsp_json_iterate(stored);
    dsp_json      entry;

    dsp_buf_addc(out, '[');
    while (dsp_json_kind(stored) == DSP_JSON_ARRAY && dsp_json_next(&it, NULL, &entry)) {
        enum dsp_condition_type type = entry_type(entry);

        if (type != DSP_CONDITIONS && (written[type] || c->of[type].status == DSP_COND_ABSENT)) {
            continue;
        }
        dsp_buf_addz(out, comma);
        comma = ",";
        if (type == DSP_CONDITIONS) {
            dsp_buf_adds(out, entry);
        } else {
            write_one(out, type, &c->of[type]);
            written[type] = true;
        }
    }
    for (int i = 0; i < DSP_CONDITIONS; i++) {
        if (!written[i] && c->of[i].status != DSP_COND_ABSENT) {
            dsp_buf_addz(out, comma);
            comma = ",";
            write_one(out, (enum dsp_condition_type) i, &c->of[i]);
        }
    }
    dsp_buf_addc(out, ']');
}
