/*
 * The store's parts for the three kinds, and what they share. For store*.c only.
 *
 *   store.c            finding, putting and dropping, lists that replace, what a first list means
 *   store_template.c   JobTemplates
 *   store_execution.c  JobExecutions
 *   store_job.c        Jobs, and the doubt about those that a watch does not see any more
 *   store_view.c       what is known about one JobExecution, for the decision
 *   record.c           a record's own text, and its live part
 */
#ifndef DSP_CONTROLLER_KINDS_H
#define DSP_CONTROLLER_KINDS_H

#include "record.h"

/* dsp_store_put() and dsp_store_drop() of one kind. What cannot be read as one is passed over. false: memory is out. */
typedef bool (*dsp_store_kind_fn)(dsp_store *s, dsp_json object, dsp_arena *arena);

bool dsp_store_put_template(dsp_store *s, dsp_json object, dsp_arena *arena);
bool dsp_store_put_execution(dsp_store *s, dsp_json object, dsp_arena *arena);
bool dsp_store_put_job(dsp_store *s, dsp_json object, dsp_arena *arena);
bool dsp_store_drop_template(dsp_store *s, dsp_json object, dsp_arena *arena);
bool dsp_store_drop_execution(dsp_store *s, dsp_json object, dsp_arena *arena);
bool dsp_store_drop_job(dsp_store *s, dsp_json object, dsp_arena *arena);

/* The JobTemplates' side of dsp_store_replace_begin/end and dsp_store_free. */
void dsp_store_replace_templates_begin(dsp_store *s, dsp_str ns);
void dsp_store_replace_templates_end(dsp_store *s, dsp_str ns);
void dsp_store_free_templates(dsp_store *s);

/* The JobExecution of e is no more. The record stays while a Job of it is known, else it is freed. */
void dsp_store_forget(dsp_store *s, dsp_execution *e);

/* Whether a finished JobExecution still needs a look: its Job is not there. */
bool dsp_store_needs_look(const dsp_store *s, const dsp_execution *e);

/* The watch does not see e's Job any more; e may be freed. false: memory is out. */
bool dsp_store_doubt(dsp_store *s, dsp_execution *e);

/* "ns/name" in a buffer of the caller; none: they are longer than any of an API server's. */
#define DSP_STORE_KEY_MAX 520
dsp_str dsp_store_key(char key[DSP_STORE_KEY_MAX], dsp_str ns, dsp_str name);

/* Whether a key is in a namespace; an empty one stands for all. */
bool dsp_store_in_ns(dsp_str key, dsp_str ns);

/* A resourceVersion as a number; 0: it is none. */
uint64_t dsp_store_rv(dsp_str rv);

/* Whether something at `rv` is news to one who knows `known`. What is no number cannot be ordered and is taken as it
 * comes. */
bool dsp_store_is_news(uint64_t rv, uint64_t known);

/* The store's hooks. */
void    dsp_store_changed(dsp_store *s, dsp_execution *e);
int64_t dsp_store_now(const dsp_store *s);

#endif
