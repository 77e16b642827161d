/*
 * Records of the store: making them, giving them a live part and taking it away. For store*.c only.
 */
#ifndef DSP_CONTROLLER_RECORD_H
#define DSP_CONTROLLER_RECORD_H

#include "store.h"

/* A record for this uid, in the map by uid, knowing nothing else. NULL: no memory. */
dsp_execution *dsp_record_new(dsp_store *s, dsp_str uid);

/* Takes it out of the maps and frees it with its live part. */
void dsp_record_free(dsp_store *s, dsp_execution *e);

/* What a record remembers without a live part. Members may point into e's own text. */
typedef struct dsp_record_text {
    dsp_str uid;
    dsp_str ns; /* with name empty: no JobExecution is known */
    dsp_str name;
    dsp_str job_uid;
    dsp_str job_name;
} dsp_record_text;

dsp_record_text dsp_record_text_of(const dsp_execution *e);

/*
 * Whether a record can hold it: 255 bytes of uids and namespace, 65,535 of names. No API server gives out more, but
 * anybody who writes an owner reference or a status can: such an object is passed over.
 */
bool dsp_record_fits(const dsp_record_text *text);

/* Replaces the text and keeps the maps right. The name must not be another record's. false: no memory, nothing changed.
 */
bool dsp_record_set_text(dsp_store *s, dsp_execution *e, const dsp_record_text *text);

/* Gives e a live part with what the text tells of both objects. false: no memory. */
bool dsp_record_wake(dsp_store *s, dsp_execution *e);

/* Frees the live part, which must not be queued or busy. */
void dsp_record_sleep(dsp_store *s, dsp_execution *e);

void dsp_live_clear_attempt(dsp_store *s, dsp_live *live);

#endif
