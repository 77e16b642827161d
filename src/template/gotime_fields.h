/*
 * Reading times element by element: what gotime_element.c and gotime_parse.c share.
 */
#ifndef DSP_TEMPLATE_GOTIME_FIELDS_H
#define DSP_TEMPLATE_GOTIME_FIELDS_H

#include "gotime.h"
#include "gotime_layout.h"

/*
 * What was read so far. -1: not said (month, day, yday, offset). The value shrinks from the front.
 */
struct gt_time_fields {
    dsp_str            value;
    int64_t            year;
    int                month, day, yday;
    int                hour, min, sec;
    int64_t            nsec;
    bool               am, pm;
    bool               utc;
    int                offset;
    dsp_str            zone;
    const char        *range; /* what is out of its range */
    const gt_location *local;
};

/* Reads one element from the front of p->value. false: it is not there; or p->range says what is out of its range. */
bool gt_time_parse_element(struct gt_time_fields *p, const gt_layout_elem *e);

/* Digits with a sign, all of s; few enough not to overflow. */
bool gt_time_signed_num(dsp_str s, int64_t *out);

#endif
