/*
 * Semantic versions and constraints on them as github.com/Masterminds/semver v3.4.0, which Sprig calls.
 * Texts are borrowed from what was parsed, or lie in the arena.
 */
#ifndef DSP_TEMPLATE_SEMVER_H
#define DSP_TEMPLATE_SEMVER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

typedef struct gt_semver {
    uint64_t major, minor, patch;
    dsp_str  pre;      /* without the dash */
    dsp_str  metadata; /* without the plus */
    dsp_str  original; /* as it was given */
} gt_semver;

/*
 * NewVersion: up to three numbers, the missing ones 0, with a v before them if you like, -prerelease, +metadata.
 * false: Go's text is in error.
 */
bool gt_semver_parse(dsp_str text, gt_semver *out, dsp_buf *error);

/* The canonical text, "1.2.0-rc.1+build". */
void gt_semver_string(dsp_buf *out, const gt_semver *v);

/* -1, 0, 1; metadata does not count. */
int gt_semver_compare(const gt_semver *a, const gt_semver *b);

/* Go's text for what is wrong with a prerelease or with metadata; NULL: nothing. */
const char *gt_semver_check_pre(dsp_str pre);
const char *gt_semver_check_metadata(dsp_str metadata);

enum gt_semver_part { GT_SEMVER_PATCH, GT_SEMVER_MINOR, GT_SEMVER_MAJOR };

/* IncPatch, IncMinor, IncMajor; `original` is left as it was, see gt_semver_set_original(). */
gt_semver gt_semver_increment(const gt_semver *v, enum gt_semver_part part);

/* What Go does to `original` after a change: the canonical text, with the v if there was one. false: the arena is full.
 */
bool gt_semver_set_original(dsp_arena *a, gt_semver *v);

enum gt_semver_result {
    GT_SEMVER_ERROR = -1, /* the constraint or the version is none: Go's text is in error */
    GT_SEMVER_NO = 0,
    GT_SEMVER_YES = 1,
    GT_SEMVER_NO_MEMORY = 2
};

/*
 * semverCompare: whether the version meets the constraint ("^1.2, <1.5 || 2.x"). What it has to rewrite ("1.2 - 2.0")
 * lies in the arena. The work grows with the square of the constraint's length at worst (many ranges in one text).
 */
enum gt_semver_result gt_semver_check(dsp_arena *a, dsp_str constraint, dsp_str version, dsp_buf *error);

#endif
