/*
 * Taking strings apart: cutting, trimming, searching, replacing.
 *
 * Strings are bytes to most of these, as in Go: a cut may go through the middle of a rune.
 */
#include "fn_string.h"

#include <string.h>

#include "base/utf8.h"
#include "sink.h"
#include "unicode.h"

GT_BODY(gt_fn_hello)
{
    (void) c;
    (void) args;
    (void) n;
    *out = gt_literal("Hello!");
    return true;
}

GT_BODY(gt_fn_to_string)
{
    dsp_str s;

    (void) n;
    if (!gt_strval(c, args[0], &s)) {
        return false;
    }
    *out = gt_string(s);
    return true;
}

/* --- cutting ------------------------------------------------------------------------------------------------------ */

/* The first n bytes, or the last -n. */
GT_BODY(gt_fn_trunc)
{
    int64_t max = args[0].i;
    dsp_str s = args[1].s;
    int64_t len = (int64_t) s.len;

    (void) c;
    (void) n;
    if (max < 0 && max > -len) {
        s = dsp_str_sub(s, s.len - (size_t) -max, s.len);
    } else if (max >= 0 && len > max) {
        s.len = (size_t) max;
    }
    *out = gt_string(s);
    return true;
}

/* goutils.AbbreviateFull for a width of at least 4: so much of s around the offset, with ... at the cut ends. */
static void abbreviate(dsp_buf *b, dsp_str s, int64_t offset, int64_t width)
{
    int64_t len = (int64_t) s.len;

    if (len <= width) {
        dsp_buf_adds(b, s);
        return;
    }
    if (offset > len) {
        offset = len;
    }
    if ((int64_t) ((uint64_t) len - (uint64_t) offset) < width - 3) {
        offset = len - (width - 3);
    }
    if (offset <= 4) {
        dsp_buf_add(b, s.data, (size_t) width - 3);
        dsp_buf_addz(b, "...");
        return;
    }
    if (width < 7) {
        return;
    }
    dsp_buf_addz(b, "...");
    if (offset + width - 3 < len) {
        abbreviate(b, dsp_str_sub(s, (size_t) offset, s.len), 0, width - 3);
    } else {
        dsp_buf_adds(b, dsp_str_sub(s, (size_t) (len - (width - 3)), s.len));
    }
}

static bool give_abbreviation(gt_ctx *c, dsp_str s, int64_t offset, int64_t width, gt_value *out)
{
    dsp_buf *b = gt_text_begin(c);

    if (b == NULL || !gt_charge_bytes(c, s.len)) {
        return false;
    }
    abbreviate(b, s, offset, width);
    return gt_text_give(c, b, out);
}

GT_BODY(gt_fn_abbrev)
{
    (void) n;
    if (args[0].i < 4) {
        *out = args[1];
        return true;
    }
    return give_abbreviation(c, args[1].s, 0, args[0].i, out);
}

GT_BODY(gt_fn_abbrevboth)
{
    int64_t left = args[0].i, width = args[1].i;

    (void) n;
    if (width < 4 || (left > 0 && width < 7)) {
        *out = args[2];
        return true;
    }
    return give_abbreviation(c, args[2].s, left, width, out);
}

/* s[start:end] with Go's panics; a negative start means s[:end], an end that is no place in s means s[start:]. */
GT_BODY(gt_fn_substr)
{
    long long start = args[0].i, end = args[1].i;
    dsp_str   s = args[2].s;
    long long len = (long long) s.len;

    (void) n;
    if (start < 0) {
        if (end < 0) {
            return gt_fail(c, "runtime error: slice bounds out of range [:%lld]", end);
        }
        if (end > len) {
            return gt_fail(c, "runtime error: slice bounds out of range [:%lld] with length %lld", end, len);
        }
        start = 0;
    } else if (end < 0 || end > len) {
        end = len;
    }
    if (start > end) {
        return gt_fail(c, "runtime error: slice bounds out of range [%lld:%lld]", start, end);
    }
    *out = gt_string(dsp_str_sub(s, (size_t) start, (size_t) end));
    return true;
}

/* The last rune of s (s.len > 0) and its width; an invalid byte is U+FFFD of width 1. */
static size_t decode_last(dsp_str s, uint32_t *r)
{
    for (size_t width = 1; width <= DSP_UTF8_MAX && width <= s.len; width++) {
        dsp_str tail = dsp_str_sub(s, s.len - width, s.len);

        if (dsp_utf8_decode(tail, r) == width && (width > 1 || *r != DSP_RUNE_ERROR)) {
            return width;
        }
    }
    *r = DSP_RUNE_ERROR;
    return 1;
}

/* Whether a cutset has that rune; an invalid byte in it stands for U+FFFD. */
static bool in_cutset(dsp_str cutset, uint32_t r)
{
    while (cutset.len > 0) {
        uint32_t member;
        size_t   width = dsp_utf8_decode(cutset, &member);

        if (member == r) {
            return true;
        }
        cutset = dsp_str_sub(cutset, width, cutset.len);
    }
    return false;
}

/* Both ends without the runes of the cutset, or without white space where it is NULL. */
static bool trim(gt_ctx *c, dsp_str s, const dsp_str *cutset, gt_value *out)
{
    uint64_t per_rune = cutset == NULL ? 1 : 1 + cutset->len / 4;
    uint32_t r;
    size_t   width;

    while (s.len > 0) {
        width = dsp_utf8_decode(s, &r);
        if (!(cutset == NULL ? gt_rune_is(r, GT_UNI_SPACE) : in_cutset(*cutset, r))) {
            break;
        }
        s = dsp_str_sub(s, width, s.len);
        if (!gt_charge(c, per_rune)) {
            return false;
        }
    }
    while (s.len > 0) {
        width = decode_last(s, &r);
        if (!(cutset == NULL ? gt_rune_is(r, GT_UNI_SPACE) : in_cutset(*cutset, r))) {
            break;
        }
        s.len -= width;
        if (!gt_charge(c, per_rune)) {
            return false;
        }
    }
    *out = gt_string(s);
    return true;
}

GT_BODY(gt_fn_trim)
{
    (void) n;
    return trim(c, args[0].s, NULL, out);
}

GT_BODY(gt_fn_trim_all)
{
    (void) n;
    return trim(c, args[1].s, &args[0].s, out);
}

GT_BODY(gt_fn_trim_prefix)
{
    dsp_str s = args[1].s;

    (void) n;
    *out = gt_string(dsp_str_has_prefix(s, args[0].s) ? dsp_str_sub(s, args[0].s.len, s.len) : s);
    return gt_charge_bytes(c, args[0].s.len);
}

GT_BODY(gt_fn_trim_suffix)
{
    dsp_str s = args[1].s;

    (void) n;
    *out = gt_string(dsp_str_has_suffix(s, args[0].s) ? dsp_str_sub(s, 0, s.len - args[0].s.len) : s);
    return gt_charge_bytes(c, args[0].s.len);
}

/* --- searching ---------------------------------------------------------------------------------------------------- */

GT_BODY(gt_fn_contains)
{
    (void) n;
    *out = gt_bool(args[0].s.len == 0 ||
                   (args[1].s.len > 0 && memmem(args[1].s.data, args[1].s.len, args[0].s.data, args[0].s.len) != NULL));
    return gt_charge_bytes(c, args[1].s.len);
}

GT_BODY(gt_fn_has_prefix)
{
    (void) n;
    *out = gt_bool(dsp_str_has_prefix(args[1].s, args[0].s));
    return gt_charge_bytes(c, args[0].s.len);
}

GT_BODY(gt_fn_has_suffix)
{
    (void) n;
    *out = gt_bool(dsp_str_has_suffix(args[1].s, args[0].s));
    return gt_charge_bytes(c, args[0].s.len);
}

/* The new text before each rune and at the end: what strings.Replace does for an empty old text. */
static void replace_empty(dsp_buf *b, dsp_str new, dsp_str s)
{
    gt_sink  sink;
    uint32_t r;

    gt_sink_open(&sink, b);
    gt_sink_str(&sink, new);
    for (size_t i = 0, width; i < s.len && !b->failed; i += width) {
        width = gt_rune_at(s, i, &r);
        gt_sink_str(&sink, (dsp_str){ s.data + i, width });
        gt_sink_str(&sink, new);
    }
    gt_sink_close(&sink);
}

GT_BODY(gt_fn_replace)
{
    dsp_str  old = args[0].s, new = args[1].s, s = args[2].s;
    dsp_buf *b;

    (void) n;
    if (!gt_charge_bytes(c, s.len)) {
        return false;
    }
    if (dsp_str_eq(old, new)) {
        *out = gt_string(s);
        return true;
    }
    b = gt_text_begin(c);
    if (b == NULL) {
        return false;
    }
    if (old.len == 0) {
        replace_empty(b, new, s);
        return gt_charge_bytes(c, b->len) && gt_text_give(c, b, out);
    }
    while (s.len >= old.len && !b->failed) {
        const char *at = memmem(s.data, s.len, old.data, old.len);
        size_t      before = at == NULL ? s.len : (size_t) (at - s.data);

        if (at == NULL) {
            break;
        }
        dsp_buf_add(b, s.data, before);
        dsp_buf_adds(b, new);
        s = dsp_str_sub(s, before + old.len, s.len);
    }
    dsp_buf_adds(b, s);
    return gt_charge_bytes(c, b->len) && gt_text_give(c, b, out);
}
