#include <string.h>

#include "semver.h"

#include "strconv.h"

/*
 * The original finds its way with four regular expressions. What they accept, with ws = [\t\n\f\r ]:
 *
 *     constraint = alternative { "||" alternative }
 *     alternative = item { (ws+ | ws* "," ) item }          an item may have ws around it
 *     item = [ operator ] ws* version
 *     version = [v] part [.part] [.part] [-ids] [+ids]      part: a run of digits, x, X, * and, by mistake, |
 *
 * Before that every "version ws+ - ws+ version" in the text becomes ">= version, <= version ".
 * Nothing is kept: the text is read once to see that it is a constraint, and once more to check the version.
 */

struct item {
    enum op { OP_EQ, OP_NE, OP_GT, OP_LT, OP_GE, OP_LE, OP_TILDE, OP_CARET } op;
    gt_semver con;
    bool      dirty; /* parts are missing or wild … */
    bool      minor_dirty, patch_dirty; /* … from this one on */
};

/* A version in a constraint, in its pieces. */
struct pieces {
    dsp_str part[3]; /* without the point */
    dsp_str pre;     /* without the dash */
    size_t  len;     /* of it all */
};

static bool space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static bool wild_digit(char c)
{
    return (c >= '0' && c <= '9') || c == 'x' || c == 'X' || c == '*' || c == '|';
}

static bool id_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

static dsp_str rest_from(dsp_str s, size_t from)
{
    return dsp_str_sub(s, from, s.len);
}

static size_t run(dsp_str s, size_t from, bool (*is)(char))
{
    size_t i = from;

    while (i < s.len && is(s.data[i])) {
        i++;
    }
    return i - from;
}

static size_t ids_len(dsp_str s, size_t from)
{
    size_t end = from, n;

    while ((n = run(s, end, id_char)) > 0) {
        end += n;
        if (end >= s.len || s.data[end] != '.' || run(s, end + 1, id_char) == 0) {
            break;
        }
        end++;
    }
    return end - from;
}

/* The longest version in front of s; false: none. */
static bool match_version(dsp_str s, struct pieces *p)
{
    size_t at = s.len > 0 && s.data[0] == 'v' ? 1 : 0, n;

    *p = (struct pieces){ .len = 0 };
    for (int i = 0; i < 3; i++) {
        if (i > 0 && (at >= s.len || s.data[at] != '.')) {
            break;
        }
        n = run(s, i > 0 ? at + 1 : at, wild_digit);
        if (n == 0) {
            break;
        }
        at += i > 0 ? 1 : 0;
        p->part[i] = dsp_str_sub(s, at, at + n);
        at += n;
    }
    if (p->part[0].len == 0) {
        return false;
    }
    if (at < s.len && s.data[at] == '-' && (n = ids_len(s, at + 1)) > 0) {
        p->pre = dsp_str_sub(s, at + 1, at + 1 + n);
        at += 1 + n;
    }
    if (at < s.len && s.data[at] == '+' && (n = ids_len(s, at + 1)) > 0) {
        at += 1 + n;
    }
    p->len = at;
    return true;
}

/* --- ranges: 1.2 - 2.0 -------------------------------------------------------------------------------------------- */

struct range {
    dsp_str whole, from, to;
};

/* ws+ - ws+ version, from `at` on. */
static bool match_range_end(dsp_str s, size_t at, struct range *r, size_t *end)
{
    struct pieces p;
    size_t        n = run(s, at, space);

    if (n == 0 || at + n >= s.len || s.data[at + n] != '-') {
        return false;
    }
    at += n + 1;
    n = run(s, at, space);
    if (n == 0 || !match_version(rest_from(s, at + n), &p)) {
        return false;
    }
    r->to = dsp_str_sub(s, at + n, at + n + p.len);
    *end = at + n + p.len;
    *end += run(s, *end, space);
    return true;
}

/* The first range at or behind *at, which then stands behind it. */
static bool next_range(dsp_str s, size_t *at, struct range *r)
{
    struct pieces p;

    for (size_t start = *at; start < s.len; start++) {
        size_t from = start + run(s, start, space), end;

        if (!match_version(rest_from(s, from), &p) || !match_range_end(s, from + p.len, r, &end)) {
            start = from > start ? from - 1 : start; /* no later blank of this run would do better */
            continue;
        }
        r->whole = dsp_str_sub(s, start, end);
        r->from = dsp_str_sub(s, from, from + p.len);
        *at = end;
        return true;
    }
    return false;
}

/* Replaces the first occurrence of the range's text in o. */
static void rewrite_one(dsp_buf *o, const struct range *r)
{
    char   *found = o->len == 0 ? NULL : memmem(o->data, o->len, r->whole.data, r->whole.len);
    dsp_buf next;
    size_t  at;

    if (found == NULL) {
        return;
    }
    at = (size_t) (found - o->data);
    dsp_buf_init(&next, o->max);
    dsp_buf_add(&next, o->data, at);
    dsp_buf_addz(&next, ">= ");
    dsp_buf_adds(&next, r->from);
    dsp_buf_addz(&next, ", <= ");
    dsp_buf_adds(&next, r->to);
    dsp_buf_addc(&next, ' ');
    dsp_buf_add(&next, found + r->whole.len, o->len - at - r->whole.len);
    dsp_buf_free(o);
    *o = next;
}

static bool rewrite(dsp_arena *a, dsp_str *s)
{
    struct range r;
    size_t       at = 0;
    dsp_buf      o;
    bool         ok = true;

    if (!next_range(*s, &at, &r)) {
        return true;
    }
    dsp_buf_init(&o, s->len * 4 + 64);
    dsp_buf_adds(&o, *s);
    do {
        rewrite_one(&o, &r);
    } while (!o.failed && next_range(*s, &at, &r));
    *s = o.failed ? (dsp_str){ NULL, 0 } : dsp_arena_str(a, dsp_buf_str(&o));
    ok = s->data != NULL;
    dsp_buf_free(&o);
    return ok;
}

/* --- items -------------------------------------------------------------------------------------------------------- */

static bool operator_char(char c)
{
    return c == '=' || c == '!' || c == '>' || c == '<' || c == '~' || c == '^';
}

static bool operator_of(dsp_str s, enum op *op)
{
    static const struct {
        const char *text;
        enum op     op;
    } ops[] = {
        { "", OP_EQ },  { "=", OP_EQ },  { "!=", OP_NE }, { ">", OP_GT },    { "<", OP_LT },     { ">=", OP_GE },
        { "=>", OP_GE }, { "<=", OP_LE }, { "=<", OP_LE }, { "~", OP_TILDE }, { "~>", OP_TILDE }, { "^", OP_CARET },
    };

    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        if (dsp_str_is(s, ops[i].text)) {
            *op = ops[i].op;
            return true;
        }
    }
    return false;
}

/* What stands between two items must hold a blank or one comma. */
static bool skip_separator(dsp_str *s)
{
    size_t n = run(*s, 0, space);

    *s = rest_from(*s, n);
    if (s->len > 0 && s->data[0] == ',') {
        *s = rest_from(*s, 1);
        return true;
    }
    return n > 0;
}

/* One item and the blanks around it; false: *s is no sequence of items. */
static bool take_item(dsp_str *s, enum op *op, dsp_str *version, struct pieces *p)
{
    size_t at = run(*s, 0, space), n = run(*s, at, operator_char);

    if (!operator_of(dsp_str_sub(*s, at, at + n), op)) {
        return false;
    }
    at += n;
    at += run(*s, at, space);
    if (!match_version(rest_from(*s, at), p)) {
        return false;
    }
    *version = dsp_str_sub(*s, at, at + p->len);
    *s = rest_from(*s, at + p->len);
    return true;
}

static bool is_x(dsp_str s)
{
    return s.len == 1 && (s.data[0] == 'x' || s.data[0] == 'X' || s.data[0] == '*');
}

static bool whole_version(enum op op, dsp_str version, const struct pieces *p, struct item *out)
{
    dsp_buf ignored;
    bool    ok = true;

    *out = (struct item){ .op = op };
    dsp_buf_init(&ignored, 0);
    out->dirty = true;
    if (is_x(p->part[0])) {
        out->con = (gt_semver){ .pre = p->pre };
    } else if (p->part[1].len == 0 || is_x(p->part[1])) {
        out->minor_dirty = true;
        ok = gt_parse_uint(p->part[0], 10, &out->con.major) == GT_NUM_OK;
    } else if (p->part[2].len == 0 || is_x(p->part[2])) {
        out->patch_dirty = true;
        ok = gt_parse_uint(p->part[0], 10, &out->con.major) == GT_NUM_OK &&
             gt_parse_uint(p->part[1], 10, &out->con.minor) == GT_NUM_OK;
    } else {
        out->dirty = false;
        ok = gt_semver_parse(version, &out->con, &ignored);
    }
    out->con.pre = p->pre;
    dsp_buf_free(&ignored);
    return ok && (p->pre.len == 0 || gt_semver_check_pre(p->pre) == NULL);
}

/* Whether an alternative is a sequence of items at all. */
static bool well_formed(dsp_str s)
{
    enum op       op;
    dsp_str       version;
    struct pieces p;

    for (;;) {
        if (!take_item(&s, &op, &version, &p)) {
            return false;
        }
        if (run(s, 0, space) == s.len) {
            return true;
        }
        if (!skip_separator(&s)) {
            return false;
        }
    }
}

/* Takes the next item of a well-formed alternative; false: there is none, or (*bad) its version is none. */
static bool next_item(dsp_str *s, struct item *out, bool *bad)
{
    enum op       op;
    dsp_str       version;
    struct pieces p;

    if (run(*s, 0, space) == s->len || !take_item(s, &op, &version, &p)) {
        return false;
    }
    skip_separator(s);
    if (!whole_version(op, version, &p, out)) {
        *bad = true;
        return false;
    }
    return true;
}

/* --- checking: the original's functions, one per operator --------------------------------------------------------- */

static bool not_equal(const gt_semver *v, const struct item *c)
{
    if (c->dirty) {
        if (c->con.major != v->major) {
            return true;
        }
        if (c->minor_dirty) {
            return false;
        }
        if (c->con.minor != v->minor) {
            return true;
        }
        if (c->patch_dirty) {
            gt_semver pre_v = { .pre = v->pre }, pre_c = { .pre = c->con.pre };

            return (v->pre.len > 0 || c->con.pre.len > 0) && gt_semver_compare(&pre_v, &pre_c) != 0;
        }
        if (c->con.patch != v->patch) {
            return true;
        }
    }
    return gt_semver_compare(v, &c->con) != 0;
}

static bool greater(const gt_semver *v, const struct item *c)
{
    if (c->dirty) {
        if (v->major != c->con.major) {
            return v->major > c->con.major;
        }
        if (c->minor_dirty) {
            return false;
        }
        if (c->patch_dirty) {
            return v->minor > c->con.minor;
        }
    }
    return gt_semver_compare(v, &c->con) > 0;
}

static bool less_or_equal(const gt_semver *v, const struct item *c)
{
    if (!c->dirty) {
        return gt_semver_compare(v, &c->con) <= 0;
    }
    return v->major < c->con.major ||
           (v->major == c->con.major && (v->minor <= c->con.minor || c->minor_dirty));
}

static bool tilde(const gt_semver *v, const struct item *c)
{
    if (gt_semver_compare(v, &c->con) < 0) {
        return false;
    }
    if (c->con.major == 0 && c->con.minor == 0 && c->con.patch == 0 && !c->minor_dirty && !c->patch_dirty) {
        return true; /* ~0.0.0 and *: anything */
    }
    return v->major == c->con.major && (v->minor == c->con.minor || c->minor_dirty);
}

static bool caret(const gt_semver *v, const struct item *c)
{
    if (gt_semver_compare(v, &c->con) < 0) {
        return false;
    }
    if (c->con.major > 0 || c->minor_dirty) {
        return v->major == c->con.major;
    }
    if (v->major > 0) {
        return false;
    }
    if (c->con.minor > 0 || c->patch_dirty) {
        return v->minor == c->con.minor;
    }
    return v->minor == 0 && c->con.patch == v->patch;
}

static bool meets(const gt_semver *v, const struct item *c)
{
    switch (c->op) {
    case OP_NE: return not_equal(v, c);
    case OP_GT: return greater(v, c);
    case OP_LT: return gt_semver_compare(v, &c->con) < 0;
    case OP_GE: return gt_semver_compare(v, &c->con) >= 0;
    case OP_LE: return less_or_equal(v, c);
    case OP_TILDE: return tilde(v, c);
    case OP_CARET: return caret(v, c);
    default: return c->dirty ? tilde(v, c) : gt_semver_compare(v, &c->con) == 0;
    }
}

/* Prereleases meet no alternative in which no constraint names one. */
static bool meets_all(const gt_semver *v, dsp_str alternative)
{
    struct item item;
    dsp_str     s = alternative;
    bool        bad = false, pre = false;

    while (next_item(&s, &item, &bad)) {
        pre = pre || item.con.pre.len > 0;
    }
    if (v->pre.len > 0 && !pre) {
        return false;
    }
    for (s = alternative; next_item(&s, &item, &bad);) {
        if (!meets(v, &item)) {
            return false;
        }
    }
    return true;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

/* The next text up to "||"; *s has data NULL when it is used up. */
static bool next_alternative(dsp_str *s, dsp_str *alternative)
{
    const char *bars;

    if (s->data == NULL) {
        return false;
    }
    bars = s->len == 0 ? NULL : memmem(s->data, s->len, "||", 2);
    if (bars == NULL) {
        *alternative = *s;
        *s = (dsp_str){ NULL, 0 };
    } else {
        *alternative = dsp_str_sub(*s, 0, (size_t) (bars - s->data));
        *s = rest_from(*s, alternative->len + 2);
    }
    return true;
}

static bool check_syntax(dsp_str s, dsp_buf *error)
{
    dsp_str alternative;

    while (next_alternative(&s, &alternative)) {
        struct item item;
        bool        bad = false;

        if (!well_formed(alternative)) {
            dsp_buf_addz(error, "improper constraint: ");
            dsp_buf_adds(error, alternative);
            return false;
        }
        while (next_item(&alternative, &item, &bad)) {
        }
        if (bad) {
            dsp_buf_addz(error, "constraint parser error");
            return false;
        }
    }
    return true;
}

enum gt_semver_result gt_semver_check(dsp_arena *a, dsp_str constraint, dsp_str version, dsp_buf *error)
{
    dsp_str   s = constraint.data == NULL ? DSP_STR("") : constraint, alternative;
    gt_semver v;

    if (!rewrite(a, &s)) {
        return GT_SEMVER_NO_MEMORY;
    }
    if (!check_syntax(s, error) || !gt_semver_parse(version, &v, error)) {
        return GT_SEMVER_ERROR;
    }
    while (next_alternative(&s, &alternative)) {
        if (meets_all(&v, alternative)) {
            return GT_SEMVER_YES;
        }
    }
    return GT_SEMVER_NO;
}
