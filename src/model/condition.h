/*
 * The conditions of a JobExecution: Waiting, Running, Succeeded, as the original names them.
 *
 * The rules are Kubernetes' own (apimachinery, pkg/api/meta/conditions.go): lastTransitionTime moves only when `status`
 * changes, times are whole seconds. Conditions of other types, set by somebody else, are kept as they are; the array is
 * always written whole, because a merge-patch replaces lists whole (RFC 7386).
 */
#ifndef DSP_MODEL_CONDITION_H
#define DSP_MODEL_CONDITION_H

#include "base/json.h"

/* What the API server accepts in a condition. */
#define DSP_CONDITION_MAX_REASON 1024
#define DSP_CONDITION_MAX_MESSAGE 32768

enum dsp_condition_status { DSP_COND_ABSENT = 0, DSP_COND_TRUE, DSP_COND_FALSE, DSP_COND_UNKNOWN };

enum dsp_condition_type { DSP_WAITING = 0, DSP_RUNNING, DSP_SUCCEEDED, DSP_CONDITIONS };

typedef struct dsp_condition {
    enum dsp_condition_status status;
    dsp_str                   reason;
    dsp_str                   message;
    int64_t                   since_us; /* lastTransitionTime, microseconds since 1970 */
} dsp_condition;

/* All three, indexed by enum dsp_condition_type. The strings are borrowed. */
typedef struct dsp_conditions {
    dsp_condition of[DSP_CONDITIONS];
} dsp_conditions;

const char *dsp_condition_type_name(enum dsp_condition_type type);

/*
 * Reads a conditions array (or none). Strings point into the text or the arena. An entry without a usable status is as
 * good as absent; of repeated types the last one counts. false: the arena is exhausted.
 */
bool dsp_conditions_read(dsp_json array, dsp_arena *arena, dsp_conditions *out);

/* As much of a message as a condition holds. */
dsp_str dsp_condition_message(dsp_str message);

/*
 * Sets one condition, to what can be stored: a reason that none can have becomes "Unknown", a message is cut. since_us
 * moves to now_us only when the status differs from what it was.
 */
void dsp_condition_set(dsp_conditions *c, enum dsp_condition_type type, enum dsp_condition_status status,
                       dsp_str reason, dsp_str message, int64_t now_us);

/* Whether status, reason and message are the same; times do not count. */
bool dsp_conditions_equal(const dsp_conditions *a, const dsp_conditions *b);

/*
 * Writes the whole array: `stored` with our three replaced in place and foreign entries byte for byte, then those of
 * ours that it does not have yet. A reason that the API server would refuse becomes "Unknown", a long message is cut at
 * a rune.
 */
void dsp_conditions_write(dsp_buf *out, dsp_json stored, const dsp_conditions *c);

/* Whether the API server takes this as a reason: ^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$, at most 1024 bytes. */
bool dsp_condition_reason_ok(dsp_str reason);

#endif
