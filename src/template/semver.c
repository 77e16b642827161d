#include "semver.h"

#include <string.h>

#include "strconv.h"

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool allowed(char c)
{
    return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

static dsp_str rest_from(dsp_str s, size_t from)
{
    return dsp_str_sub(s, from, s.len);
}

/* --- parsing ------------------------------------------------------------------------------------------------------ */

/* The next piece of s up to a '.', or all of it; false at the end. *s starts as the text, data NULL when it is used up.
 */
static bool next_part(dsp_str *s, dsp_str *part)
{
    size_t dot;

    if (s->data == NULL) {
        return false;
    }
    dot = dsp_str_find(*s, '.');
    *part = dsp_str_sub(*s, 0, dot);
    *s = dot < s->len ? rest_from(*s, dot + 1) : (dsp_str){ NULL, 0 };
    return true;
}

static bool all(dsp_str s, bool (*is)(char))
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is(s.data[i])) {
            return false;
        }
    }
    return true;
}

const char *gt_semver_check_pre(dsp_str pre)
{
    dsp_str part, rest = pre.data == NULL ? DSP_STR("") : pre;

    while (next_part(&rest, &part)) {
        if (part.len == 0) {
            return "invalid prerelease string";
        }
        if (all(part, digit)) {
            if (part.len > 1 && part.data[0] == '0') {
                return "version segment starts with 0";
            }
        } else if (!all(part, allowed)) {
            return "invalid prerelease string";
        }
    }
    return NULL;
}

const char *gt_semver_check_metadata(dsp_str metadata)
{
    dsp_str part, rest = metadata.data == NULL ? DSP_STR("") : metadata;

    while (next_part(&rest, &part)) {
        if (part.len == 0 || !all(part, allowed)) {
            return "invalid metadata string";
        }
    }
    return NULL;
}

/* Identifiers with points between them, none empty: the length of the longest such text in front of s, 0: none. */
static size_t identifiers_len(dsp_str s)
{
    size_t end = 0, i = 0;

    for (;;) {
        size_t from = i;

        while (i < s.len && allowed(s.data[i])) {
            i++;
        }
        if (i == from) {
            return end;
        }
        end = i;
        if (i == s.len || s.data[i] != '.') {
            return end;
        }
        i++;
    }
}

static size_t digits_len(dsp_str s)
{
    size_t n = 0;

    while (n < s.len && digit(s.data[n])) {
        n++;
    }
    return n;
}

static bool number(dsp_str s, uint64_t *out, dsp_buf *error)
{
    enum gt_num_error e = gt_parse_uint(s, 10, out);

    if (e == GT_NUM_OK) {
        return true;
    }
    dsp_buf_addz(error, "error parsing version segment: strconv.ParseUint: parsing ");
    gt_quote(error, s, 0);
    dsp_buf_addf(error, ": %s", gt_num_error_text(e));
    return false;
}

static bool refuse(dsp_buf *error, const char *why)
{
    dsp_buf_addz(error, why);
    return false;
}

/* v?N(.N)?(.N)?(-ids)?(+ids)?, all of the text. */
static bool split(dsp_str text, dsp_str n[3], gt_semver *out)
{
    dsp_str s = text;
    size_t  len;

    if (s.len > 0 && s.data[0] == 'v') {
        s = rest_from(s, 1);
    }
    for (int i = 0; i < 3; i++) {
        size_t skip = i == 0 ? 0 : 1;

        n[i] = (dsp_str){ NULL, 0 };
        if (i > 0 && (s.len == 0 || s.data[0] != '.')) {
            continue;
        }
        len = digits_len(rest_from(s, skip));
        if (len == 0) {
            return false;
        }
        n[i] = dsp_str_sub(s, skip, skip + len);
        s = rest_from(s, skip + len);
    }
    *out = (gt_semver){ .original = text };
    if (s.len > 0 && s.data[0] == '-') {
        len = identifiers_len(rest_from(s, 1));
        out->pre = dsp_str_sub(s, 1, 1 + len);
        s = rest_from(s, 1 + len);
        if (len == 0) {
            return false;
        }
    }
    if (s.len > 0 && s.data[0] == '+') {
        len = identifiers_len(rest_from(s, 1));
        out->metadata = dsp_str_sub(s, 1, 1 + len);
        s = rest_from(s, 1 + len);
        if (len == 0) {
            return false;
        }
    }
    return s.len == 0;
}

bool gt_semver_parse(dsp_str text, gt_semver *out, dsp_buf *error)
{
    dsp_str     n[3];
    const char *why;

    if (!split(text, n, out)) {
        return refuse(error, "invalid semantic version");
    }
    if (!number(n[0], &out->major, error) || (n[1].len > 0 && !number(n[1], &out->minor, error)) ||
        (n[2].len > 0 && !number(n[2], &out->patch, error))) {
        return false;
    }
    why = out->pre.len > 0 ? gt_semver_check_pre(out->pre) : NULL;
    return why == NULL || refuse(error, why);
}

void gt_semver_string(dsp_buf *out, const gt_semver *v)
{
    dsp_buf_addf(out, "%llu.%llu.%llu", (unsigned long long) v->major, (unsigned long long) v->minor,
                 (unsigned long long) v->patch);
    if (v->pre.len > 0) {
        dsp_buf_addc(out, '-');
        dsp_buf_adds(out, v->pre);
    }
    if (v->metadata.len > 0) {
        dsp_buf_addc(out, '+');
        dsp_buf_adds(out, v->metadata);
    }
}

gt_semver gt_semver_increment(const gt_semver *v, enum gt_semver_part part)
{
    gt_semver next = *v;

    next.pre = next.metadata = (dsp_str){ NULL, 0 };
    switch (part) {
    case GT_SEMVER_PATCH:
        next.patch += v->pre.len > 0 ? 0 : 1; /* 1.2.3-rc.1 becomes 1.2.3 */
        break;
    case GT_SEMVER_MINOR:
        next.patch = 0;
        next.minor++;
        break;
    case GT_SEMVER_MAJOR:
        next.patch = next.minor = 0;
        next.major++;
        break;
    }
    return next;
}

bool gt_semver_set_original(dsp_arena *a, gt_semver *v)
{
    dsp_buf b;
    bool    ok;

    dsp_buf_init(&b, v->pre.len + v->metadata.len + 80);
    if (v->original.len > 0 && v->original.data[0] == 'v') {
        dsp_buf_addc(&b, 'v');
    }
    gt_semver_string(&b, v);
    v->original = dsp_arena_str(a, dsp_buf_str(&b));
    ok = !b.failed && v->original.data != NULL;
    dsp_buf_free(&b);
    return ok;
}

/* --- order -------------------------------------------------------------------------------------------------------- */

static int compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b ? 1 : 0;
}

/* Two parts of prereleases; a missing one is empty. Numbers come before words. */
static int compare_parts(dsp_str a, dsp_str b)
{
    uint64_t x, y;
    bool     word_a, word_b;

    if (dsp_str_eq(a, b)) {
        return 0;
    }
    if (a.len == 0 || b.len == 0) {
        return a.len == 0 ? -1 : 1;
    }
    word_b = gt_parse_uint(b, 10, &y) != GT_NUM_OK;
    word_a = gt_parse_uint(a, 10, &x) != GT_NUM_OK;
    if (word_a && word_b) {
        return dsp_str_cmp(a, b) > 0 ? 1 : -1;
    }
    if (word_a || word_b) {
        return word_b ? -1 : 1;
    }
    return x > y ? 1 : -1;
}

static int compare_pre(dsp_str a, dsp_str b)
{
    dsp_str rest_a = a.data == NULL ? DSP_STR("") : a, rest_b = b.data == NULL ? DSP_STR("") : b;
    int     d = 0;

    while (d == 0) {
        dsp_str part_a = { NULL, 0 }, part_b = { NULL, 0 };
        bool    more_a = next_part(&rest_a, &part_a), more_b = next_part(&rest_b, &part_b);

        if (!more_a && !more_b) {
            break;
        }
        d = compare_parts(part_a, part_b);
    }
    return d;
}

int gt_semver_compare(const gt_semver *a, const gt_semver *b)
{
    int d = compare_numbers(a->major, b->major);

    if (d == 0) {
        d = compare_numbers(a->minor, b->minor);
    }
    if (d == 0) {
        d = compare_numbers(a->patch, b->patch);
    }
    if (d != 0) {
        return d;
    }
    if (a->pre.len == 0 || b->pre.len == 0) {
        return a->pre.len == b->pre.len ? 0 : a->pre.len == 0 ? 1 : -1;
    }
    return compare_pre(a->pre, b->pre);
}
