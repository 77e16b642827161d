/*
 * dispatcher-template --manifest: the Jobs that the JobTemplates of a manifest would make.
 */
#ifndef DSP_CONTROLLER_TRY_MANIFEST_H
#define DSP_CONTROLLER_TRY_MANIFEST_H

#include "base/buf.h"
#include "template/template.h"

typedef struct dsp_try_options {
    dsp_str              payload;
    const char          *name;      /* of the JobExecution; "": the JobTemplate's name and "-example" */
    const char          *uid;       /* of the JobExecution; "": zeros */
    bool                 yaml;      /* the output; else JSON, one document a line */
    dsp_template_options templates; /* what templates may do */
} dsp_try_options;

enum dsp_try_result {
    DSP_TRY_OK = 0,
    DSP_TRY_FAILED,  /* a JobTemplate makes no Job; each error is in `errors` with its field's path, one a line */
    DSP_TRY_UNUSABLE /* the manifest cannot be read, or holds no JobTemplate; why is in `errors` */
};

/* Reads a manifest's text; the Jobs that can be made go to out even when others fail. Documents of other kinds are
 * passed over. */
enum dsp_try_result dsp_try_manifest(dsp_str manifest, const dsp_try_options *options, dsp_buf *out, dsp_buf *errors);

#endif
