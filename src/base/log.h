/*
 * Structured log lines on standard error, one per call: logfmt text or JSON.
 *
 *     dsp_log(DSP_LOG_INFO, "job created", DSP_LOG_STR("namespace", ns), DSP_LOG_Z("job", name), DSP_LOG_INT("attempt", n));
 *     → time=2026-11-22T18:00:00.123456Z level=info msg="job created" namespace=default job=demo-abc attempt=1
 *
 * No secret may be handed to it: tokens, authorization headers, and payloads unless the operator asked for them.
 * Not for the nginx room, which has nginx's log.
 */
#ifndef DSP_BASE_LOG_H
#define DSP_BASE_LOG_H

#include "str.h"

enum dsp_log_level { DSP_LOG_DEBUG = 0, DSP_LOG_INFO, DSP_LOG_WARN, DSP_LOG_ERROR };
enum dsp_log_format { DSP_LOG_TEXT = 0, DSP_LOG_JSON };

typedef struct dsp_log_field {
    const char *key;
    dsp_str     text;   /* used when text.data != NULL */
    int64_t     number; /* else */
} dsp_log_field;

#define DSP_LOG_STR(key, s) ((dsp_log_field){ (key), { (s).data != NULL ? (s).data : "", (s).len }, 0 })
#define DSP_LOG_Z(key, z)   ((dsp_log_field){ (key), dsp_str_from((z) != NULL ? (z) : ""), 0 })
#define DSP_LOG_INT(key, n) ((dsp_log_field){ (key), { NULL, 0 }, (int64_t) (n) })

/* Lines below level are dropped. Default: info, text. */
void dsp_log_setup(enum dsp_log_level level, enum dsp_log_format format);
bool dsp_log_enabled(enum dsp_log_level level);

void dsp_log_write(enum dsp_log_level level, const char *msg, const dsp_log_field *fields, size_t n);

#define dsp_log(level, msg, ...)                                                                                       \
    do {                                                                                                               \
        if (dsp_log_enabled(level)) {                                                                                  \
            const dsp_log_field dsp_log_fields_[] = { __VA_ARGS__ };                                                   \
            dsp_log_write((level), (msg), dsp_log_fields_, sizeof(dsp_log_fields_) / sizeof(dsp_log_fields_[0]));      \
        }                                                                                                              \
    } while (0)

#endif
