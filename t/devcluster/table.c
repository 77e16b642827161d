#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "tree.h"

void dc_human_duration(int64_t s, char out[32])
{
    int64_t m = s / 60, h = s / 3600, d = h / 24;

    if (s < 0) {
        snprintf(out, 32, s < -1 ? "<invalid>" : "0s");
    } else if (s < 120) {
        snprintf(out, 32, "%" PRId64 "s", s);
    } else if (m < 10) {
        snprintf(out, 32, s % 60 == 0 ? "%" PRId64 "m" : "%" PRId64 "m%" PRId64 "s", m, s % 60);
    } else if (m < 180) {
        snprintf(out, 32, "%" PRId64 "m", m);
    } else if (h < 8) {
        snprintf(out, 32, m % 60 == 0 ? "%" PRId64 "h" : "%" PRId64 "h%" PRId64 "m", h, m % 60);
    } else if (h < 48) {
        snprintf(out, 32, "%" PRId64 "h", h);
    } else if (d < 8) {
        snprintf(out, 32, h % 24 == 0 ? "%" PRId64 "d" : "%" PRId64 "d%" PRId64 "h", d, h % 24);
    } else if (d < 365 * 2) {
        snprintf(out, 32, "%" PRId64 "d", d);
    } else {
        snprintf(out, 32, "%" PRId64 "y", d / 365);
    }
}

void dc_age(const char *timestamp, char out[32])
{
    int64_t then;

    if (timestamp == NULL || !dsp_time_parse(dsp_str_from(timestamp), &then)) {
        snprintf(out, 32, "<unknown>");
        return;
    }
    dc_human_duration((dsp_wall_us() - then) / 1000000, out);
}

/* One step [?(@.type=="X")] or [N] of a path; *at stands behind the bracket afterwards. */
static const cJSON *step_bracket(const cJSON *node, const char **at)
{
    char        member[64], value[128];
    int         index, used = 0;
    const char *end = strchr(*at, ']');

    if (end == NULL || !cJSON_IsArray(node)) {
        return NULL;
    }
    if (sscanf(*at, "?(@.%63[^= ]%*[= ]\"%127[^\"]\")%n", member, value, &used) == 2 ||
        sscanf(*at, "?(@.%63[^= ]%*[= ]'%127[^']')%n", member, value, &used) == 2) {
        *at += used + 1;
        for (const cJSON *e = node->child; e != NULL; e = e->next) {
            if (dc_str(e, member) != NULL && strcmp(dc_str(e, member), value) == 0) {
                return e;
            }
        }
        return NULL;
    }
    index = atoi(*at);
    *at = end + 1;
    return cJSON_GetArrayItem(node, index);
}

const cJSON *dc_json_path(const cJSON *object, const char *path)
{
    const cJSON *node = object;
    char         name[128];
    size_t       n;

    while (*path != '\0' && node != NULL) {
        if (*path == '.') {
            for (n = 0, path++; *path != '\0' && strchr(".[", *path) == NULL; path++) {
                if (*path == '\\' && path[1] == '.') {
                    path++;
                }
                if (n < sizeof(name) - 1) {
                    name[n++] = *path;
                }
            }
            name[n] = '\0';
            node = dc_get(node, name);
        } else if (*path == '[') {
            path++;
            node = step_bracket(node, &path);
        } else {
            return NULL;
        }
    }
    return node;
}

/* ---- the columns of kinds that say nothing of their own ---- */

static const dc_column plain_columns[] = {
    { "Name", "string", "name",
      "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a "
      "client to request the generation of an appropriate name automatically. Name is primarily intended for creation "
      "idempotence and configuration definition. Cannot be updated. More info: "
      "https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names", 0 },
    { "Age", "date", "", "CreationTimestamp is the time when this object was created.", 0 },
    { 0 },
};

static const cJSON *printer_columns(const dc_request *r)
{
    return r->kind->versions[r->version].columns;
}

static const dc_column *columns_of(const dc_request *r)
{
    const dc_hooks *hooks = r->kind->hooks;

    return hooks != NULL && hooks->columns != NULL ? hooks->columns : plain_columns;
}

static void add_column(const dc_column *column, bool first, dsp_buf *out)
{
    dsp_buf_addf(out, "%s{\"name\":\"%s\",\"type\":\"%s\",\"format\":\"%s\",\"description\":", first ? "" : ",",
                 column->name, column->type, column->format);
    dsp_json_quote(out, dsp_str_from(column->description));
    dsp_buf_addf(out, ",\"priority\":%d}", column->priority);
}

static void add_columns(const dc_request *r, dsp_buf *out)
{
    const cJSON *printed = printer_columns(r);

    if (printed == NULL) {
        for (const dc_column *c = columns_of(r); c->name != NULL; c++) {
            add_column(c, c == columns_of(r), out);
        }
        return;
    }
    add_column(&plain_columns[0], true, out);
    for (const cJSON *p = printed->child; p != NULL; p = p->next) {
        const char *description = dc_str(p, "description"), *format = dc_str(p, "format");
        char        otherwise[512];
        snprintf(otherwise, sizeof(otherwise), "Custom resource definition column (in JSONPath format): %s",
                 dc_str(p, "jsonPath"));
        dc_column   column = { dc_str(p, "name"), dc_str(p, "type"), format != NULL ? format : "",
                               description != NULL ? description : otherwise,
                               (int) dc_int_or(p, "priority", 0) };
        add_column(&column, false, out);
    }
}

void dc_table_begin(const dc_request *r, bool columns, uint64_t rv, const char *token, int64_t remaining, dsp_buf *out)
{
    dsp_buf_addf(out, "{\"kind\":\"Table\",\"apiVersion\":\"%s\",\"metadata\":{\"resourceVersion\":\"%" PRIu64 "\"",
                 r->form_version, rv);
    if (token != NULL) {
        dsp_buf_addf(out, ",\"continue\":\"%s\"", token);
    }
    if (token != NULL && remaining >= 0) {
        dsp_buf_addf(out, ",\"remainingItemCount\":%" PRId64, remaining);
    }
    dsp_buf_addz(out, "},\"columnDefinitions\":");
    if (columns) {
        dsp_buf_addc(out, '[');
        add_columns(r, out);
        dsp_buf_addc(out, ']');
    } else {
        dsp_buf_addz(out, "null");
    }
    dsp_buf_addz(out, ",\"rows\":[");
}

static void printer_cells(const cJSON *object, const cJSON *columns, cJSON *cells)
{
    char age[32];

    cJSON_AddItemToArray(cells, cJSON_CreateString(dc_str(dc_get(object, "metadata"), "name")));
    for (const cJSON *p = columns->child; p != NULL; p = p->next) {
        const cJSON *value = dc_json_path(object, dc_str(p, "jsonPath"));
        const char  *type = dc_str(p, "type");
        if (value != NULL && type != NULL && strcmp(type, "date") == 0 && cJSON_IsString(value)) {
            dc_age(value->valuestring, age);
            cJSON_AddItemToArray(cells, cJSON_CreateString(age));
        } else {
            cJSON_AddItemToArray(cells, value != NULL ? dc_copy(value) : cJSON_CreateNull());
        }
    }
}

void dc_table_row(const dc_request *r, const dc_object *o, bool first, dsp_buf *out)
{
    const dc_hooks *hooks = r->kind->hooks;
    cJSON          *object = dc_object_tree(o), *cells = cJSON_CreateArray();
    const char     *include = dc_query(r, "includeObject");
    char            age[32];

    if (printer_columns(r) != NULL) {
        printer_cells(object, printer_columns(r), cells);
    } else if (hooks != NULL && hooks->cells != NULL) {
        hooks->cells(object, cells);
    } else {
        dc_age(dc_str(dc_get(object, "metadata"), "creationTimestamp"), age);
        cJSON_AddItemToArray(cells, cJSON_CreateString(o->name));
        cJSON_AddItemToArray(cells, cJSON_CreateString(age));
    }
    dsp_buf_addz(out, first ? "{\"cells\":" : ",{\"cells\":");
    dc_print(out, cells);
    if (include != NULL && strcmp(include, "Object") == 0) {
        dsp_buf_addz(out, ",\"object\":");
        dc_print(out, object);
    } else if (include == NULL || strcmp(include, "None") != 0) {
        dsp_buf_addf(out, ",\"object\":{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"%s\",\"metadata\":",
                     r->form_version);
        dsp_buf_adds(out, dsp_json_get(o->text, "metadata"));
        dsp_buf_addc(out, '}');
    } else {
        dsp_buf_addz(out, ",\"object\":null");
    }
    dsp_buf_addc(out, '}');
    cJSON_Delete(object);
    cJSON_Delete(cells);
}

void dc_table_end(dsp_buf *out)
{
    dsp_buf_addz(out, "]}");
}
