#include "view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "event_view.h"
#include "table.h"
#include "tree.h"

/* One media range of the Accept header: its type and what matters of its parameters. */
static bool take_range(dc_request *r, char *range)
{
    char       *rest = range;
    char       *type = strsep(&rest, ";");
    char       *parameter;
    const char *as = NULL, *group = NULL, *version = NULL;

    while (*type == ' ') {
        type++;
    }
    type[strcspn(type, " ")] = '\0';
    while ((parameter = strsep(&rest, ";")) != NULL) {
        while (*parameter == ' ') {
            parameter++;
        }
        if (strncmp(parameter, "as=", 3) == 0) {
            as = parameter + 3;
        } else if (strncmp(parameter, "g=", 2) == 0) {
            group = parameter + 2;
        } else if (strncmp(parameter, "v=", 2) == 0) {
            version = parameter + 2;
        }
    }
    if (strcasecmp(type, "application/json") != 0 && strcmp(type, "*/*") != 0 && strcasecmp(type, "application/*") != 0) {
        return false;
    }
    if (as == NULL) {
        r->form = DC_FORM_JSON;
        return true;
    }
    if (group == NULL || version == NULL || strcmp(group, "meta.k8s.io") != 0 ||
        (strcmp(version, "v1") != 0 && strcmp(version, "v1beta1") != 0)) {
        return false;
    }
    r->form_version = strcmp(version, "v1") == 0 ? "meta.k8s.io/v1" : "meta.k8s.io/v1beta1";
    if (strcmp(as, "Table") == 0) {
        r->form = DC_FORM_TABLE;
        return r->method == EVHTTP_REQ_GET;
    }
    r->form = DC_FORM_PARTIAL;
    return strncmp(as, "PartialObjectMetadata", 21) == 0;
}

bool dc_view_negotiate(dc_request *r)
{
    const char *accept = dc_header(r, "Accept");
    bool        found = accept == NULL || *accept == '\0';

    if (found || (r->sub != NULL && strcmp(r->sub, "log") == 0)) {
        return true;
    }
    char *copy = strdup(accept), *rest = copy, *range;
    while (!found && (range = strsep(&rest, ",")) != NULL) {
        found = take_range(r, range);
    }
    free(copy);
    if (!found) {
        return dc_fail_set(&r->fail, 406, "NotAcceptable",
                           "only the following media types are accepted: application/json, application/yaml, "
                           "application/vnd.kubernetes.protobuf");
    }
    return true;
}

static void add_api_version(const dc_request *r, dsp_buf *out)
{
    char version[256];

    dc_api_version(r->kind, r->version, version);
    dsp_buf_addf(out, "{\"apiVersion\":\"%s\"", version);
}

/* The stored text with the version of the path. */
static void whole_object(const dc_request *r, const dc_object *o, dsp_buf *out)
{
    if (r->kind->view_of != NULL) {
        dc_event_view_print(o, out);
        return;
    }
    add_api_version(r, out);
    dsp_buf_adds(out, dsp_str_sub(o->text, o->after_api, o->text.len));
}

static void partial_object(const dc_request *r, const dc_object *o, dsp_buf *out)
{
    dsp_buf_addf(out, "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"%s\",\"metadata\":",
                 r->form_version);
    dsp_buf_adds(out, dsp_json_get(o->text, "metadata"));
    dsp_buf_addc(out, '}');
}

void dc_view_object(const dc_request *r, const dc_object *o, bool first, dsp_buf *out)
{
    switch (r->form) {
    case DC_FORM_JSON:
        whole_object(r, o, out);
        break;
    case DC_FORM_PARTIAL:
        partial_object(r, o, out);
        break;
    case DC_FORM_TABLE:
        dc_table_begin(r, first, o->rv, NULL, -1, out);
        dc_table_row(r, o, true, out);
        dc_table_end(out);
        break;
    }
}

/* Lists of custom resources say "continue" even when it is empty. */
static void list_metadata(bool custom, uint64_t rv, const char *token, int64_t remaining, dsp_buf *out)
{
    dsp_buf_addf(out, "\"metadata\":{\"resourceVersion\":\"%" PRIu64 "\"", rv);
    if (token != NULL || custom) {
        dsp_buf_addf(out, ",\"continue\":\"%s\"", token != NULL ? token : "");
    }
    if (token != NULL && remaining >= 0) {
        dsp_buf_addf(out, ",\"remainingItemCount\":%" PRId64, remaining);
    }
    dsp_buf_addz(out, "}");
}

void dc_view_list(const dc_request *r, dc_object **objects, size_t n, uint64_t rv, const char *token, int64_t remaining,
                  dsp_buf *out)
{
    if (r->form == DC_FORM_TABLE) {
        dc_table_begin(r, true, rv, token, remaining, out);
        for (size_t i = 0; i < n; i++) {
            dc_table_row(r, objects[i], i == 0, out);
        }
        dc_table_end(out);
        dsp_buf_addc(out, '\n');
        return;
    }
    if (r->form == DC_FORM_PARTIAL) {
        dsp_buf_addf(out, "{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"%s\",", r->form_version);
    } else {
        add_api_version(r, out);
        dsp_buf_addf(out, ",\"kind\":\"%s\",", r->kind->list_kind);
    }
    list_metadata(r->kind->custom && r->form == DC_FORM_JSON, rv, token, remaining, out);
    dsp_buf_addz(out, ",\"items\":[");
    for (size_t i = 0; i < n; i++) {
        if (i > 0) {
            dsp_buf_addc(out, ',');
        }
        if (r->form == DC_FORM_PARTIAL) {
            partial_object(r, objects[i], out);
        } else {
            whole_object(r, objects[i], out);
        }
    }
    dsp_buf_addz(out, "]}\n");
}

void dc_view_bookmark(const dc_request *r, uint64_t rv, const cJSON *annotations, dsp_buf *out)
{
    if (r->form == DC_FORM_TABLE) {
        dc_table_begin(r, false, rv, NULL, -1, out);
        dc_table_end(out);
        return;
    }
    if (r->form == DC_FORM_PARTIAL) {
        dsp_buf_addf(out, "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"%s\"", r->form_version);
    } else {
        add_api_version(r, out);
        dsp_buf_addf(out, ",\"kind\":\"%s\"", r->kind->kind);
    }
    dsp_buf_addf(out, ",\"metadata\":{\"resourceVersion\":\"%" PRIu64 "\"", rv);
    if (annotations != NULL) {
        dsp_buf_addz(out, ",\"annotations\":");
        dc_print(out, annotations);
    }
    dsp_buf_addz(out, "}}");
}
