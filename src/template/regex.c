#include "regex.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "re2_shim.h"
#include "regex_syntax.h"
#include "unicode.h"

struct gt_regex {
    struct gt_re2 *re;
    size_t         groups;
    char          *names; /* per group its name and a NUL; NULL: no group */
    bool           empty; /* the pattern is "" */
};

/* --- compiling ---------------------------------------------------------------------------------------------------- */

static const char *sentence(enum gt_re2_error e)
{
    switch (e) {
    case GT_RE2_BAD_ESCAPE: return "invalid escape sequence";
    case GT_RE2_BAD_CHAR_CLASS: return "invalid character class";
    case GT_RE2_BAD_CHAR_RANGE: return "invalid character class range";
    case GT_RE2_MISSING_BRACKET: return "missing closing ]";
    case GT_RE2_MISSING_PAREN: return "missing closing )";
    case GT_RE2_UNEXPECTED_PAREN: return "unexpected )";
    case GT_RE2_TRAILING_BACKSLASH: return "trailing backslash at end of expression";
    case GT_RE2_REPEAT_ARGUMENT: return "missing argument to repetition operator";
    case GT_RE2_REPEAT_SIZE: return "invalid repeat count";
    case GT_RE2_REPEAT_OP: return "invalid nested repetition operator";
    case GT_RE2_BAD_PERL_OP: return "invalid or unsupported Perl syntax";
    case GT_RE2_BAD_UTF8: return "invalid UTF-8";
    case GT_RE2_BAD_NAMED_CAPTURE: return "invalid named capture";
    default: return "regexp/syntax: internal error";
    }
}

static dsp_str last_hex_escape(dsp_str pattern)
{
    size_t i = pattern.len;

    while (i > 0 && !dsp_str_has_prefix(dsp_str_sub(pattern, i - 1, pattern.len), DSP_STR("\\x"))) {
        i--;
    }
    return i == 0 ? pattern : dsp_str_sub(pattern, i - 1, pattern.len);
}

/* Whether a text ends in {n,m} with numbers that Go does not allow; then *repeat is that. */
static bool bad_repeat(dsp_str arg, dsp_str *repeat)
{
    size_t   open = arg.len, close = arg.len;
    uint64_t min, max;
    dsp_str  inner;
    size_t   comma;

    while (close > 0 && arg.data[close - 1] != '}') {
        close--;
    }
    while (open > 0 && arg.data[open - 1] != '{') {
        open--;
    }
    if (open == 0 || close <= open) {
        return false;
    }
    inner = dsp_str_sub(arg, open, close - 1);
    comma = dsp_str_find(inner, ',');
    if (!dsp_str_u64(dsp_str_sub(inner, 0, comma), &min)) {
        min = UINT64_MAX;
    }
    max = comma == inner.len ? min : UINT64_MAX;
    if (comma + 1 < inner.len) {
        dsp_str_u64(dsp_str_sub(inner, comma + 1, inner.len), &max);
    } else if (comma < inner.len) {
        max = min > 1000 ? min : 1000; /* {n,}: no limit */
    }
    if (min <= 1000 && max <= 1000 && min <= max) {
        return false;
    }
    *repeat = dsp_str_sub(arg, open - 1, close);
    return true;
}

static void explain(const struct gt_re2 *re, const gt_regex_syntax *s, dsp_str pattern, dsp_buf *error)
{
    enum gt_re2_error e = gt_re2_error(re);
    dsp_str           arg;

    arg.data = gt_re2_error_arg(re, &arg.len);
    arg = gt_regex_syntax_given(s, pattern, arg);
    if (e == GT_RE2_BAD_NAMED_CAPTURE && s->bad_name.len > 0) {
        arg = s->bad_name;
    } else if (e == GT_RE2_MISSING_BRACKET && s->open_class.len > 0) {
        arg = s->open_class;
    } else if (e == GT_RE2_TRAILING_BACKSLASH) {
        arg.len = 0;
    } else if (e == GT_RE2_BAD_ESCAPE && (dsp_str_is(arg, "\\p") || dsp_str_is(arg, "\\P")) &&
               dsp_str_has_suffix(pattern, arg) && (pattern.len < 3 || pattern.data[pattern.len - 3] != '-')) {
        e = GT_RE2_BAD_CHAR_RANGE; /* cut off in a class */
    } else if ((e == GT_RE2_REPEAT_OP || e == GT_RE2_REPEAT_SIZE) && bad_repeat(arg, &arg)) {
        e = GT_RE2_REPEAT_SIZE; /* Go looks at the numbers first */
        arg = gt_regex_syntax_given(s, pattern, arg);
    } else if (e == GT_RE2_BAD_UTF8 && s->bad_bytes.len > 0) {
        arg = s->bad_bytes;
    } else if (e == GT_RE2_BAD_UTF8) { /* RE2 ran over the end in \x{ */
        e = GT_RE2_BAD_ESCAPE;
        arg = last_hex_escape(pattern);
    }
    dsp_buf_addf(error, "error parsing regexp: %s: `", sentence(e));
    dsp_buf_adds(error, arg);
    dsp_buf_addc(error, '`');
}

enum gt_regex_result gt_regex_new(dsp_str pattern, size_t max_mem, gt_regex **out, dsp_buf *error)
{
    gt_regex            *re = calloc(1, sizeof(*re));
    gt_regex_syntax      s;
    enum gt_regex_result result = GT_REGEX_OK;
    bool                 deep = false, ok = gt_regex_syntax_init(&s, pattern, max_mem);

    *out = NULL;
    if (ok && re != NULL && !s.too_large) {
        re->empty = pattern.len == 0;
        re->groups = s.groups;
        re->re = gt_re2_new(dsp_buf_cstr(&s.pattern), s.pattern.len, max_mem);
    }
    if (ok && s.too_large) {
        result = GT_REGEX_TOO_LARGE;
    } else if (re == NULL || re->re == NULL || !gt_regex_too_deep(pattern, &deep)) {
        result = GT_REGEX_NO_MEMORY;
    } else if (gt_re2_error(re->re) == GT_RE2_TOO_LARGE) {
        result = GT_REGEX_TOO_LARGE;
    } else if (gt_re2_error(re->re) != GT_RE2_OK) {
        explain(re->re, &s, pattern, error);
        result = GT_REGEX_INVALID;
    } else if (deep) {
        dsp_buf_addz(error, "error parsing regexp: expression nests too deeply: `");
        dsp_buf_adds(error, pattern);
        dsp_buf_addc(error, '`');
        result = GT_REGEX_INVALID;
    } else if (gt_re2_groups(re->re) != s.groups) {
        dsp_buf_addz(error, "error parsing regexp: regexp/syntax: internal error: ``");
        result = GT_REGEX_INVALID;
    } else {
        re->names = dsp_buf_take(&s.names);
    }
    gt_regex_syntax_free(&s);
    if (result != GT_REGEX_OK) {
        gt_regex_free(re);
        return result;
    }
    *out = re;
    return GT_REGEX_OK;
}

void gt_regex_free(gt_regex *re)
{
    if (re == NULL) {
        return;
    }
    if (re->re != NULL) {
        gt_re2_free(re->re);
    }
    free(re->names);
    free(re);
}

/* --- texts -------------------------------------------------------------------------------------------------------- */

bool gt_regex_text_init(dsp_arena *a, dsp_str given, gt_regex_text *out)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    size_t            valid = dsp_utf8_invalid_at(given), n = 0;
    char             *text;
    uint32_t         *map;

    *out = (gt_regex_text){ .given = given, .text = given.data == NULL ? DSP_STR("") : given };
    if (given.len > UINT32_MAX / 16) {
        return false;
    }
    if (valid == given.len) {
        return true;
    }
    text = dsp_arena_alloc(a, given.len * 3);
    map = dsp_arena_alloc(a, (given.len * 3 + 1) * sizeof(*map));
    if (text == NULL || map == NULL) {
        return false;
    }
    for (size_t i = 0; i < given.len;) {
        uint32_t    rune;
        size_t      width = dsp_utf8_decode(dsp_str_sub(given, i, given.len), &rune);
        bool        wrong = width == 1 && (unsigned char) given.data[i] >= 0x80;
        const char *from = wrong ? replacement : given.data + i;

        for (size_t k = 0; k < (wrong ? 3 : width); k++) {
            map[n] = (uint32_t) i;
            text[n++] = from[k];
        }
        i += width;
    }
    map[n] = (uint32_t) given.len;
    out->text = (dsp_str){ text, n };
    out->map = map;
    return true;
}

/* A piece of the text, as the caller gave it. */
static dsp_str piece(const gt_regex_text *t, ptrdiff_t from, ptrdiff_t to)
{
    if (t->map != NULL) {
        from = t->map[from];
        to = t->map[to];
    }
    return dsp_str_sub(t->given, (size_t) from, (size_t) to);
}

static size_t rune_width(const gt_regex_text *t, size_t at)
{
    uint32_t rune;

    return at >= t->text.len ? 0 : dsp_utf8_decode(dsp_str_sub(t->text, at, t->text.len), &rune);
}

static bool inside_rune(const gt_regex_text *t, size_t at)
{
    return ((unsigned char) t->text.data[at] & 0xC0) == 0x80;
}

static int match(const gt_regex *re, const gt_regex_text *t, size_t from, ptrdiff_t *caps, size_t n)
{
    int found;

    /* RE2 takes \B and nothing else for true inside of a rune, so such a match is empty: on from the next rune */
    do {
        if (t->step != NULL && !t->step(t->arg, t->text.len - from)) {
            return GT_REGEX_STOPPED;
        }
        found = gt_re2_match(re->re, t->text.data, t->text.len, from, caps, n);
        from = found == GT_RE2_MATCH ? (size_t) caps[0] : t->text.len;
        while (from < t->text.len && inside_rune(t, from)) {
            from++;
        }
    } while (found == GT_RE2_MATCH && from != (size_t) caps[0]);
    return found == GT_RE2_FAILED ? GT_REGEX_STOPPED : found == GT_RE2_MATCH ? GT_REGEX_FOUND : GT_REGEX_DONE;
}

/* --- find and split ----------------------------------------------------------------------------------------------- */

int gt_regex_find(const gt_regex *re, const gt_regex_text *t, dsp_str *found)
{
    ptrdiff_t caps[2];
    int       result = match(re, t, 0, caps, 1);

    *found = result == GT_REGEX_FOUND ? piece(t, caps[0], caps[1]) : (dsp_str){ "", 0 };
    return result;
}

typedef bool (*each_match)(void *arg, ptrdiff_t from, ptrdiff_t to);

/* Go's allMatches: up to n matches; an empty one is none when it touches the one before it. n < 0: all. */
static int all_matches(const gt_regex *re, const gt_regex_text *t, int64_t n, each_match each, void *arg)
{
    size_t    pos = 0;
    ptrdiff_t caps[2], end_before = -1;
    int       result = GT_REGEX_DONE;

    while (n != 0 && pos <= t->text.len && (result = match(re, t, pos, caps, 1)) == GT_REGEX_FOUND) {
        bool accept = true;

        if ((size_t) caps[1] == pos) {
            accept = caps[0] != end_before;
            pos += pos < t->text.len ? rune_width(t, pos) : 1;
        } else {
            pos = (size_t) caps[1];
        }
        end_before = caps[1];
        if (accept) {
            if (!each(arg, caps[0], caps[1])) {
                return GT_REGEX_DONE;
            }
            n -= n > 0 ? 1 : 0;
        }
    }
    return result == GT_REGEX_STOPPED ? GT_REGEX_STOPPED : GT_REGEX_DONE;
}

struct collect {
    const gt_regex_text *t;
    gt_regex_each        each;
    void                *arg;
    /* split only */
    int64_t   n, given;
    ptrdiff_t begin, end;
    bool      stopped; /* each() gave false */
};

static bool give_match(void *arg, ptrdiff_t from, ptrdiff_t to)
{
    struct collect *c = arg;

    return c->each(c->arg, piece(c->t, from, to));
}

int gt_regex_find_all(const gt_regex *re, const gt_regex_text *t, int64_t n, gt_regex_each each, void *arg)
{
    struct collect c = { .t = t, .each = each, .arg = arg };

    return all_matches(re, t, n, give_match, &c);
}

static bool give_before(void *arg, ptrdiff_t from, ptrdiff_t to)
{
    struct collect *c = arg;

    if (c->n > 0 && c->given >= c->n - 1) {
        return false;
    }
    c->end = from;
    if (to != 0) {
        c->given++;
        if (!c->each(c->arg, piece(c->t, c->begin, c->end))) {
            c->stopped = true;
            return false;
        }
    }
    c->begin = to;
    return true;
}

int gt_regex_split(const gt_regex *re, const gt_regex_text *t, int64_t n, gt_regex_each each, void *arg)
{
    struct collect c = { .t = t, .each = each, .arg = arg, .n = n };
    int            result;

    if (n == 0) {
        return GT_REGEX_DONE;
    }
    if (!re->empty && t->text.len == 0) {
        each(arg, DSP_STR(""));
        return GT_REGEX_DONE;
    }
    result = all_matches(re, t, n, give_before, &c);
    if (result == GT_REGEX_DONE && !c.stopped && (size_t) c.end != t->text.len) {
        each(arg, piece(t, c.begin, (ptrdiff_t) t->text.len));
    }
    return result;
}

/* --- replace ------------------------------------------------------------------------------------------------------ */

/* The name or number behind a $; *rest is what follows. false: there is none, the $ stands for itself. */
static bool take_reference(dsp_str s, dsp_str *name, dsp_str *rest)
{
    size_t start = s.len > 0 && s.data[0] == '{' ? 1 : 0, i = start;

    while (i < s.len) {
        uint32_t rune;
        size_t   width = dsp_utf8_decode(dsp_str_sub(s, i, s.len), &rune);

        if (rune != '_' && !gt_rune_is(rune, GT_UNI_LETTER | GT_UNI_DIGIT)) {
            break;
        }
        i += width;
    }
    if (i == start || (start == 1 && (i == s.len || s.data[i] != '}'))) {
        return false;
    }
    *name = dsp_str_sub(s, start, i);
    *rest = dsp_str_sub(s, i + start, s.len);
    return true;
}

/* The number that a name is; -1: none. */
static int64_t reference_number(dsp_str name)
{
    int64_t n = 0;

    if (name.data[0] == '0' && name.len > 1) {
        return -1;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] < '0' || name.data[i] > '9' || n >= 100000000) {
            return -1;
        }
        n = n * 10 + (name.data[i] - '0');
    }
    return n;
}

static void add_reference(const gt_regex *re, const gt_regex_text *t, const ptrdiff_t *caps, dsp_str name, dsp_buf *out)
{
    int64_t     number = reference_number(name);
    const char *p = re->names;

    if (number >= 0) {
        if ((uint64_t) number <= re->groups && caps[2 * number] >= 0) {
            dsp_buf_adds(out, piece(t, caps[2 * number], caps[2 * number + 1]));
        }
        return;
    }
    for (size_t i = 1; i <= re->groups; i++, p += strlen(p) + 1) {
        if (caps[2 * i] >= 0 && dsp_str_is(name, p)) {
            dsp_buf_adds(out, piece(t, caps[2 * i], caps[2 * i + 1]));
            return;
        }
    }
}

static void expand(const gt_regex *re, const gt_regex_text *t, const ptrdiff_t *caps, dsp_str repl, dsp_buf *out)
{
    while (repl.len > 0) {
        size_t  dollar = dsp_str_find(repl, '$');
        dsp_str name, rest;

        dsp_buf_adds(out, dsp_str_sub(repl, 0, dollar));
        if (dollar == repl.len) {
            return;
        }
        repl = dsp_str_sub(repl, dollar + 1, repl.len);
        if (repl.len > 0 && repl.data[0] == '$') {
            dsp_buf_addc(out, '$');
            repl = dsp_str_sub(repl, 1, repl.len);
        } else if (take_reference(repl, &name, &rest)) {
            add_reference(re, t, caps, name, out);
            repl = rest;
        } else {
            dsp_buf_addc(out, '$');
        }
    }
}

static size_t next_search(const gt_regex_text *t, size_t pos, size_t match_end)
{
    size_t width = rune_width(t, pos);

    if (pos + width > match_end) {
        return pos + width;
    }
    return pos + 1 > match_end ? pos + 1 : match_end;
}

int gt_regex_replace_all(const gt_regex *re, const gt_regex_text *t, dsp_str repl, bool literal, dsp_buf *out)
{
    bool       references = !literal && dsp_str_find(repl, '$') < repl.len;
    size_t     n = references ? re->groups + 1 : 1, last_end = 0, pos = 0;
    ptrdiff_t *caps = calloc(n, 2 * sizeof(*caps));
    int        result = GT_REGEX_DONE;

    if (caps == NULL) {
        return GT_REGEX_STOPPED;
    }
    while (pos <= t->text.len && !out->failed && (result = match(re, t, pos, caps, n)) == GT_REGEX_FOUND) {
        dsp_buf_adds(out, piece(t, (ptrdiff_t) last_end, caps[0]));
        /* an empty match that touches the one before it is none */
        if ((size_t) caps[1] > last_end || caps[0] == 0) {
            if (references) {
                expand(re, t, caps, repl, out);
            } else {
                dsp_buf_adds(out, repl);
            }
        }
        last_end = (size_t) caps[1];
        pos = next_search(t, pos, last_end);
    }
    dsp_buf_adds(out, piece(t, (ptrdiff_t) last_end, (ptrdiff_t) t->text.len));
    free(caps);
    return result == GT_REGEX_STOPPED ? GT_REGEX_STOPPED : GT_REGEX_DONE;
}

void gt_regex_quote_meta(dsp_buf *out, dsp_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (memchr("\\.+*?()|[]{}^$", s.data[i], 14) != NULL) {
            dsp_buf_addc(out, '\\');
        }
        dsp_buf_addc(out, s.data[i]);
    }
}
