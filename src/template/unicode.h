/*
 * What Go's package unicode says about a rune (Unicode 15.0, as Go 1.21 to 1.26): classes and simple case mappings,
 * one rune to one rune, without locale. The tables are made by unicode_gen.pl.
 *
 * A value over U+10FFFF is in no class and maps to itself.
 */
#ifndef DSP_TEMPLATE_UNICODE_H
#define DSP_TEMPLATE_UNICODE_H

#include "base/str.h"

/* Keep in step with unicode_gen.pl. */
enum {
    GT_UNI_SPACE   = 0x001, /* White_Space; IsSpace */
    GT_UNI_LETTER  = 0x002, /* L */
    GT_UNI_UPPER   = 0x004, /* Lu */
    GT_UNI_LOWER   = 0x008, /* Ll */
    GT_UNI_TITLE   = 0x010, /* Lt */
    GT_UNI_DIGIT   = 0x020, /* Nd */
    GT_UNI_NUMBER  = 0x040, /* N */
    GT_UNI_MARK    = 0x080, /* M */
    GT_UNI_PUNCT   = 0x100, /* P */
    GT_UNI_SYMBOL  = 0x200, /* S */
    GT_UNI_PRINT   = 0x400, /* L, M, N, P, S and U+0020; IsPrint */
    GT_UNI_CONTROL = 0x800, /* Cc */
    GT_UNI_OTHER   = 0x1000 /* Cf, Co, Cs: the rest of what is assigned */
};

/* The mappings are distances: to_upper(r) = r + upper. */
struct gt_unicode_record {
    uint16_t flags;
    int32_t  upper, lower, title;
};

extern const struct gt_unicode_record gt_unicode_records[];
extern const uint8_t                  gt_unicode_blocks[][128];
extern const uint8_t                  gt_unicode_index[];

static inline const struct gt_unicode_record *gt_unicode(uint32_t r)
{
    static const struct gt_unicode_record none = { 0, 0, 0, 0 };

    return r > 0x10FFFF ? &none : &gt_unicode_records[gt_unicode_blocks[gt_unicode_index[r >> 7]][r & 127]];
}

/* Whether the rune is in one of the classes: gt_rune_is(r, GT_UNI_LETTER | GT_UNI_DIGIT). */
static inline bool gt_rune_is(uint32_t r, unsigned classes) { return (gt_unicode(r)->flags & classes) != 0; }

static inline uint32_t gt_rune_upper(uint32_t r) { return r + (uint32_t) gt_unicode(r)->upper; }
static inline uint32_t gt_rune_lower(uint32_t r) { return r + (uint32_t) gt_unicode(r)->lower; }
static inline uint32_t gt_rune_title(uint32_t r) { return r + (uint32_t) gt_unicode(r)->title; }

#endif
