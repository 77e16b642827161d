/*
 * A JobTemplate as the controller needs it: who it is, and the text of the Job that it describes.
 */
#ifndef DSP_MODEL_JOBTEMPLATE_H
#define DSP_MODEL_JOBTEMPLATE_H

#include "base/json.h"

/* Annotation on a JobTemplate: "true" lets the kubelet expand $(VAR) in what the template's actions emit (render.h). */
#define DSP_EXPAND_OUTPUT_ANNOTATION "dispatcher.ivan.vc/expand-output"

typedef struct dsp_jobtemplate {
    dsp_str  ns;
    dsp_str  name;
    dsp_str  resource_version;
    dsp_json job_template; /* the text of spec.jobTemplate; none when there is none */
    bool     expand_output;
} dsp_jobtemplate;

/*
 * Reads an object that dsp_json_parse() accepted. Strings point into its text or the arena. false: it has no
 * metadata.name, or the arena is exhausted.
 */
bool dsp_jobtemplate_read(dsp_json object, dsp_arena *arena, dsp_jobtemplate *out);

#endif
