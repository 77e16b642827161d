#include "jobtemplate.h"

#include "object.h"

bool dsp_jobtemplate_read(dsp_json object, dsp_arena *arena, dsp_jobtemplate *out)
{
    dsp_json meta = dsp_json_get(object, "metadata");
    dsp_json expand = dsp_json_path(meta, "annotations", DSP_EXPAND_OUTPUT_ANNOTATION, NULL);

    *out = (dsp_jobtemplate){
        .ns = dsp_object_string(meta, "namespace", arena),
        .name = dsp_object_string(meta, "name", arena),
        .resource_version = dsp_object_string(meta, "resourceVersion", arena),
        .job_template = dsp_json_path(object, "spec", "jobTemplate", NULL),
        .expand_output = dsp_json_equals(expand, DSP_STR("true")),
    };
    return out->name.len > 0 && arena->state == DSP_ARENA_OK;
}
