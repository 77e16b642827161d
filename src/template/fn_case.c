/*
 * Case and words. Mappings are those of unicode.h, one rune to one rune. Where Go goes over the runes of a string, an
 * invalid byte comes out as U+FFFD; initials and nospace go over bytes and write each as a rune, as their originals do.
 */
#include <string.h>

#include "base/utf8.h"
#include "fn_string.h"
#include "sink.h"
#include "unicode.h"

/* What a mapping over the runes of a string keeps in mind; `previous` starts as a space. */
struct mapping {
    uint32_t previous;
    bool     flag;
};

typedef uint32_t (*map_rune)(uint32_t r, struct mapping *m);

/* Every rune through the function. */
static bool map_runes(gt_ctx *c, dsp_str s, map_rune map, struct mapping m, gt_value *out)
{
    dsp_buf *b;
    gt_sink  sink;
    uint32_t r;

    if (!gt_charge(c, s.len / 32) || (b = gt_text_begin(c)) == NULL) {
        return false;
    }
    gt_sink_open(&sink, b);
    for (size_t i = 0; i < s.len && !b->failed;) {
        i += gt_rune_at(s, i, &r);
        gt_sink_rune(&sink, map(r, &m));
    }
    gt_sink_close(&sink);
    return gt_text_give(c, b, out);
}

static uint32_t upper(uint32_t r, struct mapping *m)
{
    (void) m;
    return gt_rune_upper(r);
}

static uint32_t lower(uint32_t r, struct mapping *m)
{
    (void) m;
    return gt_rune_lower(r);
}

/* ASCII alone: letters between first and last change by the bit that is their case. false: there are other bytes. */
static bool map_ascii(gt_ctx *c, dsp_str s, char first, char last, gt_value *out)
{
    unsigned char all = 0;
    char         *copy;

    for (size_t i = 0; i < s.len; i++) {
        all |= (unsigned char) s.data[i];
    }
    if (all >= 0x80 || (copy = gt_alloc(c, s.len)) == NULL) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        char ch = s.data[i];

        copy[i] = (char) (ch >= first && ch <= last ? ch ^ 0x20 : ch);
    }
    *out = gt_string((dsp_str){ copy, s.len });
    return true;
}

static bool map_case(gt_ctx *c, dsp_str s, char first, char last, map_rune map, gt_value *out)
{
    return gt_charge_bytes(c, s.len) &&
           (map_ascii(c, s, first, last, out) || (!c->failed && map_runes(c, s, map, (struct mapping){ 0 }, out)));
}

GT_BODY(gt_fn_upper)
{
    (void) n;
    return map_case(c, args[0].s, 'a', 'z', upper, out);
}

GT_BODY(gt_fn_lower)
{
    (void) n;
    return map_case(c, args[0].s, 'A', 'Z', lower, out);
}

/* strings.Title's idea of what stands between words. */
static bool is_separator(uint32_t r)
{
    if (r == '_' || gt_rune_is(r, GT_UNI_LETTER | GT_UNI_DIGIT)) {
        return false;
    }
    return r < 0x80 || gt_rune_is(r, GT_UNI_SPACE);
}

static uint32_t title(uint32_t r, struct mapping *m)
{
    uint32_t mapped = is_separator(m->previous) ? gt_rune_title(r) : r;

    m->previous = r;
    return mapped;
}

GT_BODY(gt_fn_title)
{
    (void) n;
    return map_runes(c, args[0].s, title, (struct mapping){ .previous = ' ' }, out);
}

/* flag: the next rune that is no space begins a word */
static uint32_t untitle(uint32_t r, struct mapping *m)
{
    if (gt_rune_is(r, GT_UNI_SPACE)) {
        m->flag = true;
        return r;
    }
    if (m->flag) {
        r = gt_rune_lower(r);
        m->flag = false;
    }
    return r;
}

GT_BODY(gt_fn_untitle)
{
    (void) n;
    return map_runes(c, args[0].s, untitle, (struct mapping){ .flag = true }, out);
}

/* flag: only spaces, or nothing, came before */
static uint32_t swapcase(uint32_t r, struct mapping *m)
{
    unsigned flags = gt_unicode(r)->flags;

    if ((flags & (GT_UNI_UPPER | GT_UNI_TITLE)) != 0) {
        m->flag = false;
        return gt_rune_lower(r);
    }
    if ((flags & GT_UNI_LOWER) != 0) {
        r = m->flag ? gt_rune_title(r) : gt_rune_upper(r);
        m->flag = false;
        return r;
    }
    m->flag = (flags & GT_UNI_SPACE) != 0;
    return r;
}

GT_BODY(gt_fn_swapcase)
{
    (void) n;
    return map_runes(c, args[0].s, swapcase, (struct mapping){ .flag = true }, out);
}

/* --- over bytes --------------------------------------------------------------------------------------------------- */

GT_BODY(gt_fn_initials)
{
    dsp_str  s = args[0].s;
    dsp_buf *b = gt_text_begin(c);
    gt_sink  sink;
    bool     gap = true;

    (void) n;
    if (b == NULL || !gt_charge_bytes(c, s.len)) {
        return false;
    }
    gt_sink_open(&sink, b);
    for (size_t i = 0; i < s.len; i++) {
        uint32_t byte = (unsigned char) s.data[i];

        if (gt_rune_is(byte, GT_UNI_SPACE)) {
            gap = true;
        } else if (gap) {
            gt_sink_rune(&sink, byte);
            gap = false;
        }
    }
    gt_sink_close(&sink);
    return gt_text_give(c, b, out);
}

/* Without a white space byte in it the text stays as it is; else every byte that is kept becomes a rune. */
GT_BODY(gt_fn_nospace)
{
    dsp_str  s = args[0].s;
    dsp_buf *b = gt_text_begin(c);
    gt_sink  sink;
    size_t   kept = 0;

    (void) n;
    if (b == NULL || !gt_charge_bytes(c, s.len)) {
        return false;
    }
    gt_sink_open(&sink, b);
    for (size_t i = 0; i < s.len; i++) {
        uint32_t byte = (unsigned char) s.data[i];

        if (!gt_rune_is(byte, GT_UNI_SPACE)) {
            gt_sink_rune(&sink, byte);
            kept++;
        }
    }
    gt_sink_close(&sink);
    if (kept == s.len) {
        dsp_buf_reset(b);
        dsp_buf_adds(b, s);
    }
    return gt_text_give(c, b, out);
}

/* --- words: huandu/xstrings 1.5 ----------------------------------------------------------------------------------- */

static bool is_connector(uint32_t r) { return r == '-' || r == '_' || gt_rune_is(r, GT_UNI_SPACE); }

/*
 * ToPascalCase. Connectors in front stay; between words one connector goes, of several all but one stay. A word whose
 * first letter is a capital has its further capitals lowered, up to the first letter that is none.
 */
GT_BODY(gt_fn_camelcase)
{
    dsp_str  s = args[0].s;
    dsp_buf *b = gt_text_begin(c);
    gt_sink  sink;
    uint32_t r = 0, previous;
    size_t   i = 0;
    bool     lowering = false, leading = true;

    (void) n;
    if (b == NULL || !gt_charge(c, s.len / 16)) {
        return false;
    }
    gt_sink_open(&sink, b);
    while (i < s.len && leading) {
        i += gt_rune_at(s, i, &r);
        leading = is_connector(r);
        if (leading) {
            gt_sink_rune(&sink, r);
        } else {
            lowering = gt_rune_is(r, GT_UNI_UPPER);
            r = gt_rune_upper(r);
        }
    }
    while (i < s.len && !b->failed) {
        previous = r;
        i += gt_rune_at(s, i, &r);
        if (is_connector(previous)) {
            if (is_connector(r)) {
                gt_sink_rune(&sink, previous);
                continue;
            }
            lowering = gt_rune_is(r, GT_UNI_UPPER);
            r = gt_rune_upper(r);
        } else {
            if (lowering && gt_rune_is(r, GT_UNI_UPPER)) {
                r = gt_rune_lower(r);
            } else {
                lowering = false;
            }
            gt_sink_rune(&sink, previous);
        }
    }
    if (s.len > 0) {
        gt_sink_rune(&sink, r); /* of a text of connectors only, the last one a second time */
    }
    gt_sink_close(&sink);
    return gt_text_give(c, b, out);
}

enum word_type { WORD_INVALID, WORD_NUMBER, WORD_UPPER, WORD_ALPHABET, WORD_CONNECTOR, WORD_PUNCT, WORD_OTHER };

/* A text being read word by word: `word` of `type` was read last, `rest` is what follows. */
struct words {
    enum word_type type;
    dsp_str        word, rest;
};

/* Letters, less the Chinese characters that xstrings knows. */
static bool is_alphabet(uint32_t r)
{
    return gt_rune_is(r, GT_UNI_LETTER) && !(r >= 0x4E00 && r <= 0x9FCC) && !(r >= 0x3400 && r <= 0x4D85) &&
           !(r >= 0x20000 && r <= 0x2B81D);
}

static bool is_upper(uint32_t r) { return gt_rune_is(r, GT_UNI_UPPER); }
static bool is_punct(uint32_t r) { return gt_rune_is(r, GT_UNI_PUNCT); }
static bool is_number(uint32_t r) { return gt_rune_is(r, GT_UNI_NUMBER); }
static bool is_small(uint32_t r) { return is_alphabet(r) && !is_upper(r); }

static bool is_other(uint32_t r) { return !is_connector(r) && !is_alphabet(r) && !is_number(r) && !is_punct(r); }

/*
 * The next rune of s from *offset on; *offset moves behind it. Runes U+FFFD (and so invalid bytes) are skipped; where
 * nothing else follows the answer is `otherwise`.
 */
static uint32_t next_valid(dsp_str s, size_t *offset, uint32_t otherwise)
{
    while (*offset < s.len) {
        uint32_t r;

        *offset += gt_rune_at(s, *offset, &r);
        if (r != DSP_RUNE_ERROR) {
            return r;
        }
    }
    return otherwise;
}

/* Moves *end on while the runes are of a class. Gives the rune that is not, or the last one; *last is its start. */
static uint32_t run(dsp_str s, size_t *end, uint32_t r, bool (*is)(uint32_t), size_t *last)
{
    while (*end < s.len) {
        size_t next = *end;

        r = next_valid(s, &next, r);
        if (!is(r)) {
            break;
        }
        *last = *end;
        *end = next;
    }
    return r;
}

/* A word that begins with a capital: HTTP of HTTPStatus, Status, S. */
static void upper_word(dsp_str s, size_t *end, uint32_t r)
{
    size_t next = *end, last = 0;

    if (*end == s.len) {
        return;
    }
    r = next_valid(s, &next, r);
    if (is_upper(r)) {
        last = *end;
        *end = next;
        r = run(s, end, r, is_upper, &last);
        if (*end < s.len && is_alphabet(r)) {
            *end = last; /* the last capital belongs to what follows */
        }
    } else if (is_alphabet(r)) {
        *end = next;
        run(s, end, r, is_small, &last);
    }
}

static void next_word(struct words *w)
{
    dsp_str  s = w->rest;
    size_t   end = 0, last;
    uint32_t r = next_valid(s, &end, DSP_RUNE_ERROR);

    if (r == DSP_RUNE_ERROR) {
        w->type = WORD_INVALID;
    } else if (is_connector(r)) {
        w->type = WORD_CONNECTOR;
        run(s, &end, r, is_connector, &last);
    } else if (is_punct(r)) {
        w->type = WORD_PUNCT;
        run(s, &end, r, is_punct, &last);
    } else if (is_upper(r)) {
        w->type = WORD_UPPER;
        upper_word(s, &end, r);
    } else if (is_alphabet(r)) {
        w->type = WORD_ALPHABET;
        run(s, &end, r, is_small, &last);
    } else if (is_number(r)) {
        w->type = WORD_NUMBER;
        run(s, &end, r, is_number, &last);
    } else {
        w->type = WORD_OTHER;
        run(s, &end, r, is_other, &last);
    }
    w->word = dsp_str_sub(s, 0, end);
    w->rest = dsp_str_sub(s, end, s.len);
}

/* Writes a word in lower case, and connectors as the one that is wanted. */
static void add_word(gt_sink *sink, enum word_type type, dsp_str word, char connector)
{
    uint32_t r;

    if (type != WORD_UPPER && type != WORD_CONNECTOR) {
        gt_sink_str(sink, word);
        return;
    }
    for (size_t i = 0; i < word.len;) {
        i += gt_rune_at(word, i, &r);
        gt_sink_rune(sink, is_connector(r) ? (uint32_t) connector : is_upper(r) ? gt_rune_lower(r) : r);
    }
}

static void add_alphanumeric(gt_sink *sink, struct words *w, char connector)
{
    while (w->type == WORD_ALPHABET || w->type == WORD_NUMBER) {
        add_word(sink, w->type, w->word, connector);
        next_word(w);
    }
}

/* A number after a word: part of that word before a capital (bld4_floor), else a beginning (http_2xx). */
static void after_word(gt_sink *sink, struct words *w, char connector)
{
    dsp_str number = w->word;

    if (w->type != WORD_NUMBER) {
        if (w->type != WORD_CONNECTOR && w->type != WORD_PUNCT) {
            gt_sink_byte(sink, connector);
        }
        return;
    }
    if (w->rest.len == 0) {
        return;
    }
    next_word(w);
    if (w->type != WORD_ALPHABET) {
        gt_sink_str(sink, number);
        if (w->type != WORD_CONNECTOR && w->type != WORD_PUNCT) {
            gt_sink_byte(sink, connector);
        }
        return;
    }
    gt_sink_byte(sink, connector);
    gt_sink_str(sink, number);
    add_alphanumeric(sink, w, connector);
    if (w->type != WORD_INVALID && w->type != WORD_CONNECTOR && w->type != WORD_PUNCT) {
        gt_sink_byte(sink, connector);
    }
}

/* ToSnakeCase, ToKebabCase */
GT_BODY(gt_fn_snakecase)
{
    char         connector = c->fn->mode == GT_MODE_KEBAB ? '-' : '_';
    struct words w = { .rest = args[0].s };
    dsp_buf     *b = gt_text_begin(c);
    gt_sink      sink;

    (void) n;
    if (b == NULL || !gt_charge(c, w.rest.len / 8)) {
        return false;
    }
    gt_sink_open(&sink, b);
    next_word(&w);
    while (w.rest.len > 0 && !b->failed) {
        enum word_type previous = w.type;
        dsp_str        word = w.word;

        if (previous != WORD_CONNECTOR) {
            add_word(&sink, previous, word, connector);
        }
        next_word(&w);
        switch (previous) {
        case WORD_NUMBER:
            add_alphanumeric(&sink, &w, connector);
            if (w.type != WORD_INVALID && w.type != WORD_PUNCT && w.type != WORD_CONNECTOR) {
                gt_sink_byte(&sink, connector);
            }
            break;
        case WORD_CONNECTOR:
            add_word(&sink, previous, word, connector);
            break;
        case WORD_PUNCT:
            break;
        default:
            after_word(&sink, &w, connector);
        }
    }
    add_word(&sink, w.type, w.word, connector);
    gt_sink_close(&sink);
    return gt_text_give(c, b, out);
}
