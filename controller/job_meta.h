/*
 * The Job's metadata: its name, labels, annotations and owner reference. For render.c only.
 */
#ifndef DSP_CONTROLLER_JOB_META_H
#define DSP_CONTROLLER_JOB_META_H

#include "walk.h"

/*
 * Chooses w->result->name. meta: the template's metadata, may be none. `names` renders metadata.name and
 * metadata.generateName. A fixed name that is none is noted as a problem.
 */
void dsp_walk_name(dsp_walk *w, dsp_renderer *names, dsp_json meta);

/* Adds the member "metadata" to w->out. ttl: the template's spec.ttlSecondsAfterFinished, kept in an annotation until
 * the result is recorded; may be none. */
void dsp_walk_metadata(dsp_walk *w, const dsp_jobtemplate *jt, dsp_json meta, dsp_json ttl);

#endif
