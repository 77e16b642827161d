/*
 * Why a request is refused, in the words of the Kubernetes API: what becomes a Status object
 * (k8s.io/apimachinery pkg/api/errors, pkg/util/validation/field).
 *
 * Functions that can refuse take a dc_fail and give false after they have filled it. A zeroed dc_fail is "no failure".
 */
#ifndef DC_FAIL_H
#define DC_FAIL_H

#include <cjson/cJSON.h>

#include "base/buf.h"

typedef struct dc_fail {
    int         code; /* HTTP status; 0: none */
    const char *reason;
    char       *message; /* owned */
    cJSON      *details; /* owned, may be NULL */
    char       *token;   /* owned: metadata.continue of an expired list, or NULL */
} dc_fail;

/* What an object is called in a message. group is "" for the core group. */
typedef struct dc_name {
    const char *group;
    const char *kind;   /* for 422 */
    const char *plural; /* for the others */
    const char *name;
} dc_name;

/* Always false, so that a caller may return it. The first failure stays; a second one is dropped. */
bool dc_fail_set(dc_fail *f, int code, const char *reason, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

bool dc_fail_not_found(dc_fail *f, dc_name n);
bool dc_fail_exists(dc_fail *f, dc_name n);
bool dc_fail_conflict(dc_fail *f, dc_name n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* details.causes of a failure, for what is not a 422. */
void dc_fail_cause(dc_fail *f, const char *reason, const char *field, const char *message);
void dc_fail_retry_after(dc_fail *f, int seconds);

/* The errors of a validation, collected: an array of {reason, message, field} as in details.causes. */
typedef struct dc_errors {
    cJSON *causes; /* NULL until the first */
} dc_errors;

void dc_required(dc_errors *e, const char *field, const char *message); /* message may be "" */
void dc_invalid(dc_errors *e, const char *field, const cJSON *value, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void dc_invalid_text(dc_errors *e, const char *field, const char *value, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* reason is FieldValue…, body the whole text behind "field: ". */
void dc_other_error(dc_errors *e, const char *reason, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* true when there is no error; else the 422 Invalid of them all. Takes the causes. */
bool dc_errors_done(dc_errors *e, dc_name n, dc_fail *f);

/* Adds the Status object. */
void dc_fail_print(const dc_fail *f, dsp_buf *out);
void dc_fail_free(dc_fail *f);

#endif
