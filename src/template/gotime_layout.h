/*
 * Layouts of Go's package time, taken apart: what gotime_format.c and gotime_parse.c share.
 */
#ifndef DSP_TEMPLATE_GOTIME_LAYOUT_H
#define DSP_TEMPLATE_GOTIME_LAYOUT_H

#include "base/str.h"

enum gt_layout_kind {
    GT_LAYOUT_END = 0,
    GT_LAYOUT_LONG_MONTH,   /* January */
    GT_LAYOUT_MONTH,        /* Jan */
    GT_LAYOUT_NUM_MONTH,    /* 1 */
    GT_LAYOUT_ZERO_MONTH,   /* 01 */
    GT_LAYOUT_LONG_WEEKDAY, /* Monday */
    GT_LAYOUT_WEEKDAY,      /* Mon */
    GT_LAYOUT_DAY,          /* 2 */
    GT_LAYOUT_UNDER_DAY,    /* _2 */
    GT_LAYOUT_ZERO_DAY,     /* 02 */
    GT_LAYOUT_UNDER_YDAY,   /* __2 */
    GT_LAYOUT_ZERO_YDAY,    /* 002 */
    GT_LAYOUT_HOUR,         /* 15 */
    GT_LAYOUT_HOUR12,       /* 3 */
    GT_LAYOUT_ZERO_HOUR12,  /* 03 */
    GT_LAYOUT_MINUTE,       /* 4 */
    GT_LAYOUT_ZERO_MINUTE,  /* 04 */
    GT_LAYOUT_SECOND,       /* 5 */
    GT_LAYOUT_ZERO_SECOND,  /* 05 */
    GT_LAYOUT_LONG_YEAR,    /* 2006 */
    GT_LAYOUT_YEAR,         /* 06 */
    GT_LAYOUT_PM,           /* PM */
    GT_LAYOUT_pm,           /* pm */
    GT_LAYOUT_ZONE_NAME,    /* MST */
    GT_LAYOUT_OFFSET,       /* Z07, -0700, …: see the fields below */
    GT_LAYOUT_FRACTION_0,   /* .000 */
    GT_LAYOUT_FRACTION_9    /* .999 */
};

typedef struct gt_layout_elem {
    enum gt_layout_kind kind;
    dsp_str             prefix; /* the text before it */
    dsp_str             text;   /* the element as the layout spells it */
    dsp_str             rest;   /* what follows */

    /* GT_LAYOUT_OFFSET */
    bool z;       /* UTC is written as Z */
    bool minutes;
    bool seconds;
    bool colon;

    /* GT_LAYOUT_FRACTION_… */
    size_t digits;
    char   separator; /* '.' or ',' */
} gt_layout_elem;

/* The first element of a layout; kind GT_LAYOUT_END: there is none, prefix is all of it. */
gt_layout_elem gt_layout_next(dsp_str layout);

extern const char *const gt_long_months[12];
extern const char *const gt_long_weekdays[7];

#endif
