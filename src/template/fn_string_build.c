/*
 * Putting strings together: repeating, indenting, quoting, joining, wrapping.
 */
#include "fn_string.h"

#include <string.h>

#include "fmt.h"
#include "strconv.h"

/* --- joining and padding ------------------------------------------------------------------------------------------ */

/* Go's panics of strings.Repeat, which indent has too. */
static bool check_repeat(gt_ctx *c, int64_t count, size_t len)
{
    size_t bytes;

    if (count < 0) {
        return gt_fail(c, "strings: negative Repeat count");
    }
    if (__builtin_mul_overflow((size_t) count, len, &bytes) || bytes > INT64_MAX) {
        return gt_fail(c, "strings: Repeat output length overflow");
    }
    if (count > 1 && bytes > 1ULL << 48) {
        return gt_fail(c, "runtime error: makeslice: len out of range"); /* over Go's address space */
    }
    return true;
}

GT_BODY(gt_fn_repeat)
{
    int64_t  count = args[0].i;
    dsp_str  s = args[1].s;
    dsp_buf *b;

    (void) n;
    if (!check_repeat(c, count, s.len)) {
        return false;
    }
    if (count == 1 || s.len == 0) {
        *out = gt_string(count == 0 ? DSP_STR("") : s);
        return true;
    }
    b = gt_text_begin(c);
    if (b == NULL || !gt_text_fits(c, b, (uint64_t) count * s.len) || !gt_charge_bytes(c, (size_t) count * s.len)) {
        return false;
    }
    for (int64_t i = 0; i < count && !b->failed; i++) {
        dsp_buf_adds(b, s);
    }
    return gt_text_give(c, b, out);
}

static void add_spaces(dsp_buf *b, size_t count)
{
    char *room = dsp_buf_room(b, count);

    if (room != NULL) {
        memset(room, ' ', count);
        b->len += count;
        b->data[b->len] = '\0';
    }
}

/* Each line, the one after a closing newline too, gets the spaces in front. */
GT_BODY(gt_fn_indent)
{
    int64_t  spaces = args[0].i;
    dsp_str  s = args[1].s;
    dsp_buf *b = gt_text_begin(c);

    (void) n;
    if (b == NULL || !check_repeat(c, spaces, 1) || !gt_text_fits(c, b, (uint64_t) spaces)) {
        return false;
    }
    if (c->fn->mode == GT_MODE_NEWLINE) {
        dsp_buf_addc(b, '\n');
    }
    add_spaces(b, (size_t) spaces);
    for (;;) {
        size_t line = dsp_str_find(s, '\n');

        if (!gt_charge(c, 1 + (line + (size_t) spaces) / 64)) {
            return false;
        }
        dsp_buf_add(b, s.data, line);
        if (line == s.len || b->failed) {
            break;
        }
        dsp_buf_addc(b, '\n');
        add_spaces(b, (size_t) spaces);
        s = dsp_str_sub(s, line + 1, s.len);
    }
    return gt_text_give(c, b, out);
}

GT_BODY(gt_fn_quote)
{
    dsp_buf *b = gt_text_begin(c);
    dsp_str  s;

    if (b == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (gt_is_nil(args[i])) {
            continue;
        }
        if (!gt_strval(c, args[i], &s) || !gt_charge(c, 1 + s.len / 16)) {
            return false;
        }
        if (b->len > 0) {
            dsp_buf_addc(b, ' ');
        }
        gt_quote(b, s, 0);
    }
    return gt_text_give(c, b, out);
}

/* 'a' 'b': nothing inside is escaped. */
GT_BODY(gt_fn_squote)
{
    dsp_buf *b = gt_text_begin(c);

    if (b == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (gt_is_nil(args[i])) {
            continue;
        }
        dsp_buf_addz(b, b->len > 0 ? " '" : "'");
        if (!gt_charge(c, 1) || !gt_fmt_value(c, b, args[i])) {
            return false;
        }
        dsp_buf_addc(b, '\'');
    }
    return gt_text_give(c, b, out);
}

GT_BODY(gt_fn_cat)
{
    dsp_buf *b = gt_text_begin(c);
    bool     first = true;

    if (b == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (gt_is_nil(args[i])) {
            continue;
        }
        if (!first) {
            dsp_buf_addc(b, ' ');
        }
        first = false;
        if (!gt_charge(c, 1) || !gt_fmt_value(c, b, args[i])) {
            return false;
        }
    }
    return gt_text_give(c, b, out);
}

GT_BODY(gt_fn_plural)
{
    (void) c;
    (void) n;
    *out = args[2].i == 1 ? args[0] : args[1];
    return true;
}

/* --- wrapping ----------------------------------------------------------------------------------------------------- */

/* goutils.WrapCustom: lines of at most `width` bytes, broken at spaces, which are left out there. */
static bool wrap(gt_ctx *c, dsp_str s, int64_t width_wanted, dsp_str newline, bool cut_words, gt_value *out)
{
    dsp_buf *b = gt_text_begin(c);
    size_t   width = width_wanted < 1 ? 1 : (size_t) width_wanted;

    if (b == NULL) {
        return false;
    }
    while (s.len > width && !b->failed) {
        size_t line, skip = 1; /* what is written of s, and what follows it and is not */

        if (!gt_charge(c, 1 + newline.len / 64)) {
            return false;
        }
        if (s.data[0] == ' ') {
            s = dsp_str_sub(s, 1, s.len);
            continue;
        }
        const char *space = memrchr(s.data, ' ', width + 1);

        if (space != NULL) {
            line = (size_t) (space - s.data);
        } else if (cut_words) {
            line = width;
            skip = 0;
        } else {
            line = width + dsp_str_find(dsp_str_sub(s, width, s.len), ' ');
            if (line == s.len) {
                break;
            }
        }
        dsp_buf_add(b, s.data, line);
        dsp_buf_adds(b, newline);
        s = dsp_str_sub(s, line + skip, s.len);
    }
    dsp_buf_adds(b, s);
    return gt_text_give(c, b, out);
}

GT_BODY(gt_fn_wrap)
{
    (void) n;
    return wrap(c, args[1].s, args[0].i, DSP_STR("\n"), false, out);
}

GT_BODY(gt_fn_wrap_with)
{
    (void) n;
    return wrap(c, args[2].s, args[0].i, args[1].s.len == 0 ? DSP_STR("\n") : args[1].s, true, out);
}
