/*
 * JobTemplate + JobExecution → the text of the Job.
 *
 * The Job is spliced from the JobTemplate's own text: only strings that contain `{{` are rewritten, every other byte of
 * spec stays, so integers of any size, unknown fields and the order of keys survive. Templates are all strings but
 * those in free-form maps (labels, annotations, nodeSelector, resource quantities, …): other systems' annotations do
 * contain `{{`, and the original leaves them alone as well.
 *
 * The payload is data, to the end. The kubelet expands $(VAR) and halves $$ in command, args, env[].value, exec probes
 * and subPathExpr; what an action of the template emits there has its `$` doubled, so that the process gets the bytes
 * that were sent. What the author wrote outside of actions keeps its meaning. The JobTemplate's annotation
 * dispatcher.ivan.vc/expand-output: "true" turns that off.
 *
 * The name depends on the JobExecution alone (model/jobname.h). A template's metadata.name and metadata.generateName
 * may be templates too; they are rendered with the JobExecution's creation time as `now` and with random bytes drawn
 * from its uid, because a second attempt must come to the same name.
 */
#ifndef DSP_CONTROLLER_RENDER_H
#define DSP_CONTROLLER_RENDER_H

#include "model/jobexecution.h"
#include "model/jobtemplate.h"
#include "template/template.h"

/* The API server's own limit on a request's body. */
#define DSP_JOB_MAX_BYTES (3u * 1024 * 1024)

/* Linux' limit on one argument or environment string (MAX_ARG_STRLEN), without its NUL: more cannot be started. */
#define DSP_ARG_MAX_BYTES 131071

/* So many are told; a template with more is told to have more. */
#define DSP_RENDER_PROBLEMS_MAX 32

typedef struct dsp_render_problem {
    dsp_str path; /* of the field in the Job: "spec.template.spec.containers[0].args[2]"; empty: the Job as a whole */
    dsp_str message; /* valid UTF-8, Go's words where it is the template's error */
} dsp_render_problem;

typedef struct dsp_rendered {
    dsp_str            name;      /* of the Job */
    bool               fixed;     /* the template fixes the name, so another execution may have it */
    bool               no_memory; /* it failed for want of memory: worth repeating, the problems are not */
    dsp_render_problem problems[DSP_RENDER_PROBLEMS_MAX];
    size_t             n_problems; /* 0: the Job is complete */
    size_t             n_more;     /* problems that did not fit */
} dsp_rendered;

typedef struct dsp_job_renderer dsp_job_renderer;

/* options as for dsp_renderer_new(), may be NULL; what they point to must outlive the renderer. NULL: no memory. */
dsp_job_renderer *dsp_job_renderer_new(const dsp_template_options *options);
void              dsp_job_renderer_free(dsp_job_renderer *r); /* NULL is fine */

/*
 * Renders the Job for je into out (emptied first; its cap is the Job's). result's strings live in the arena. true: the
 * Job is complete; false: result says why not, and out holds nothing of use.
 *
 * Labels: the template's, controller-uid (the JobExecution's uid), job-execution-name. Owner reference: je, controller,
 * blockOwnerDeletion. The template's ttlSecondsAfterFinished becomes DSP_TTL_ANNOTATION.
 */
bool dsp_render_job(dsp_job_renderer *r, const dsp_jobexecution *je, const dsp_jobtemplate *jt, dsp_arena *arena,
                    dsp_buf *out, dsp_rendered *result);

/* The problems as one text for a condition: "PATH: MESSAGE; PATH: MESSAGE (and 3 more)". */
void dsp_rendered_message(const dsp_rendered *result, dsp_buf *out);

#endif
