/*
 * One walk over a JobTemplate's text: strings that contain `{{` are rendered where they stand, all other bytes are
 * copied. For render.c and job_meta.c only.
 *
 * What goes wrong is noted in the result with the place where the walk is, and the walk goes on: an author sees all
 * errors at once. Rules of what is a template, and which fields the kubelet expands: job_fields.h.
 */
#ifndef DSP_CONTROLLER_WALK_H
#define DSP_CONTROLLER_WALK_H

#include "render.h"

typedef struct dsp_walk {
    dsp_renderer           *renderer;
    const dsp_jobexecution *je;
    dsp_str                 payload; /* decoded */
    bool                    expand_output;
    dsp_arena              *arena;
    dsp_rendered           *result;
    dsp_buf                *out;
    dsp_buf                 path; /* where we are: containers[0].args[2] */
    dsp_buf                 norm; /* the same for the table: containers[].args[] */
    unsigned                depth;
} dsp_walk;

/* Goes to a field of the Job, such as "spec". */
void dsp_walk_to(dsp_walk *w, const char *path);

/* Adds a value, rendered, to w->out. */
void dsp_walk_value(dsp_walk *w, dsp_json value);

/* The same for one member or element of the place where we are. key: the member's name; none: element number i. */
void dsp_walk_child(dsp_walk *w, dsp_json key, size_t i, dsp_json value);

/*
 * Renders one template text with w->renderer. type is the template's name in errors, as the original has it: the Go
 * type of the field. true: the output is in `text`, which is the caller's; false: the problem is noted.
 */
bool dsp_walk_text(dsp_walk *w, dsp_str source, const char *type, unsigned flags, dsp_buf *text);

/* Notes a problem at the place where we are, or at another. The strings are copied. */
void dsp_walk_problem(dsp_walk *w, const char *message);
void dsp_walk_problem_at(dsp_walk *w, dsp_str path, dsp_str message);

#endif
