/*
 * Time. Durations and deadlines use a clock that nobody sets and that runs while the machine sleeps (CLOCK_BOOTTIME);
 * what is written into objects uses the wall clock. Rules that depend on time take it as an argument, so that tests
 * and the pure rooms never call these.
 */
#ifndef DSP_BASE_CLOCK_H
#define DSP_BASE_CLOCK_H

#include "buf.h"
#include "str.h"

/* Milliseconds since an arbitrary start. */
int64_t dsp_clock_ms(void);

/* Microseconds since 1970-01-01T00:00:00Z. */
int64_t dsp_wall_us(void);

#define DSP_TIME_LEN 28 /* the longest text below and its NUL */

/* RFC 3339 in UTC: Kubernetes' Time (whole seconds, "2006-01-02T15:04:05Z") and MicroTime ("…05.000000Z"). */
void dsp_time_format(int64_t unix_us, char out[DSP_TIME_LEN]);
void dsp_microtime_format(int64_t unix_us, char out[DSP_TIME_LEN]);

/* Reads RFC 3339 with any offset and fraction (digits below a microsecond are cut). */
bool dsp_time_parse(dsp_str text, int64_t *unix_us);

#endif
