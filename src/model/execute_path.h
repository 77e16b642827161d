/*
 * What a caller asks for: "[namespace/]template" behind the location (the original's grammar).
 */
#ifndef DSP_MODEL_EXECUTE_PATH_H
#define DSP_MODEL_EXECUTE_PATH_H

#include "base/buf.h"

typedef struct dsp_execute_path {
    dsp_str ns;            /* empty: the caller named none */
    dsp_str template_name;
} dsp_execute_path;

enum dsp_execute_path_fault {
    DSP_EXECUTE_PATH_OK = 0,
    DSP_EXECUTE_PATH_FORM, /* not "[namespace/]template" */
    DSP_EXECUTE_PATH_NAME  /* the namespace is no DNS label or the template no DNS subdomain */
};

/* The parts point into path. On a fault, why gets a sentence that says what is wrong where. */
enum dsp_execute_path_fault dsp_execute_path_parse(dsp_str path, dsp_execute_path *out, dsp_buf *why);

#endif
