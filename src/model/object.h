/*
 * Small readings that every Kubernetes kind shares.
 */
#ifndef DSP_MODEL_OBJECT_H
#define DSP_MODEL_OBJECT_H

#include "base/json.h"

#define DSP_GROUP "dispatcher.ivan.vc"
#define DSP_API_VERSION "dispatcher.ivan.vc/v1beta1" /* what we speak; the server converts v1alpha1 */

/*
 * Several members in one pass over the object: out[i] becomes the value of names[i], none where there is no such member
 * (the last one where a name is repeated). At most DSP_PICK_MAX names. Looking each up by itself reads the whole text
 * each time.
 */
#define DSP_PICK_MAX 8
void dsp_object_pick(dsp_json object, const char *const *names, size_t n, dsp_json *out);

/* A string member; {NULL, 0} when it is missing, something else, or memory is out (see arena->state). */
dsp_str dsp_object_string(dsp_json object, const char *name, dsp_arena *arena);

/* What a string value means; {NULL, 0} when it is something else, or memory is out. */
dsp_str dsp_object_text(dsp_json value, dsp_arena *arena);

/* An integer member that fits; fallback when it is missing or something else. */
int64_t dsp_object_int(dsp_json object, const char *name, int64_t fallback);

/* An RFC 3339 member in microseconds since 1970; 0 when it is missing or unreadable. */
int64_t dsp_object_time(dsp_json object, const char *name, dsp_arena *arena);

/* Whether a boolean member is true. */
bool dsp_object_flag(dsp_json object, const char *name);

/*
 * Order of two resourceVersions: <0, 0, >0. They are decimal numbers without leading zeros, compared as such
 * (apimachinery, pkg/util/resourceversion): the shorter one is smaller. One that is empty or no number is older than
 * any number.
 */
int dsp_resource_version_cmp(dsp_str a, dsp_str b);

#endif
