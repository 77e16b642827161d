/*
 * The names of what belongs to one JobExecution. A name that is computed from the JobExecution's uid makes creating the
 * Job repeatable: a second POST, by whomever, meets AlreadyExists instead of making a second Job.
 */
#ifndef DSP_MODEL_JOBNAME_H
#define DSP_MODEL_JOBNAME_H

#include "base/str.h"

/* A Job's name becomes the label batch.kubernetes.io/job-name of its pods: 63 bytes. */
#define DSP_JOB_NAME_MAX 63
#define DSP_UID_HASH_LEN 10

/* 10 characters [a-z2-7]: the first 50 bits of SHA-256(uid) in base32 (RFC 4648, lower case). NUL-terminated. */
void dsp_uid_hash(dsp_str uid, char out[DSP_UID_HASH_LEN + 1]);

/*
 * "{prefix}-{hash of uid}", NUL-terminated, at most 63 bytes and a DNS label whatever the prefix is: one dash at the
 * end of the prefix (as generateName has it) is dropped, upper case becomes lower, any other byte that a label cannot
 * have becomes '-', what is too long is cut. A prefix that leaves nothing counts as "job".
 */
void dsp_job_name(dsp_str prefix, dsp_str uid, char out[DSP_JOB_NAME_MAX + 1]);

/* name as a label's value: at most 63 bytes, ending in a letter or digit. NUL-terminated. */
void dsp_label_value(dsp_str name, char out[DSP_JOB_NAME_MAX + 1]);

#endif
