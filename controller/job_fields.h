/*
 * What the strings of a batch/v1 JobTemplateSpec are: which may hold templates, under which name Go's errors know them,
 * and in which the kubelet expands $(VAR).
 */
#ifndef DSP_CONTROLLER_JOB_FIELDS_H
#define DSP_CONTROLLER_JOB_FIELDS_H

#include "base/str.h"

enum {
    DSP_FIELD_VERBATIM = 1, /* a free-form map, a time, a quantity: everything below it is copied as it is */
    DSP_FIELD_EXPANDED = 2  /* the kubelet expands $(VAR) and halves $$ in it */
};

typedef struct dsp_job_field {
    const char *path; /* with [] for every index: "spec.template.spec.containers[].args" */
    const char *type; /* the Go type's name */
    unsigned    flags;
} dsp_job_field;

/*
 * The row of a path; NULL when the table does not have it. Strings that are not in the table (newer Kubernetes) are
 * templates of the type "string", so that a field works before the table knows it.
 */
const dsp_job_field *dsp_job_field_find(dsp_str path);

/* The table, sorted by path; made by job_fields_gen.pl. */
extern const dsp_job_field dsp_job_fields[];
extern const size_t        dsp_job_fields_count;

#endif
