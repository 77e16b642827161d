/*
 * Time zones: TZif files (RFC 8536, versions 1 to 3) and the rule in their footer (POSIX TZ with the extensions of RFC
 * 8536), read as Go's package time (1.26) reads them.
 */
#ifndef DSP_TEMPLATE_TZIF_H
#define DSP_TEMPLATE_TZIF_H

#include "base/arena.h"
#include "base/str.h"

struct gt_zone {
    dsp_str name; /* abbreviation: "CET" */
    int     offset; /* seconds east of UTC */
    bool    dst;
};

struct gt_zone_change {
    int64_t when; /* Unix seconds */
    uint8_t zone;
};

/* Go's time.Location. Two of them are the same only when they are one object. */
typedef struct gt_location {
    dsp_str                      name;
    const struct gt_zone        *zones; /* none: UTC */
    size_t                       n_zones;
    const struct gt_zone_change *changes; /* in the order of time */
    size_t                       n_changes;
    dsp_str                      extend; /* the footer's rule for what comes after the last change; or empty */
} gt_location;

/* Go's UTC. */
extern const gt_location gt_utc;

/* The zone that is in force at a moment, and from when to when: [start, end), INT64_MIN and INT64_MAX for ever. */
struct gt_zone_span {
    dsp_str name;
    int     offset;
    bool    dst;
    int64_t start, end;
};

/* l NULL: UTC. The name lives as long as the location. */
struct gt_zone_span gt_location_at(const gt_location *l, int64_t unix_sec);

/*
 * The offset of an abbreviation: that of the zone with this name which is in force when the clock on the wall shows
 * `wall`, else that of any zone with this name. false: there is none.
 */
bool gt_location_by_abbreviation(const gt_location *l, dsp_str name, int64_t wall, int *offset);

/* FixedZone. false: no memory in the arena. The name is borrowed. */
bool gt_location_fixed(dsp_arena *a, dsp_str name, int offset, gt_location *out);

enum gt_tzif_result {
    GT_TZIF_OK,
    GT_TZIF_MALFORMED,
    GT_TZIF_NO_MEMORY
};

/* Reads a file's bytes; name and data are borrowed for as long as the location lives, the tables are in the arena. */
enum gt_tzif_result gt_tzif_parse(dsp_arena *a, dsp_str name, dsp_str data, gt_location *out);

#endif
