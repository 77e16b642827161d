#include "regex_syntax.h"

#include <string.h>

#include "base/utf8.h"
#include "unicode.h"

/*
 * What RE2 takes while it parses, by measurement: for a byte of the pattern, for a Unicode class (\pL has 650 ranges) and
 * for each time that something may be repeated.
 */
enum { TREE_BYTE = 128, TREE_CLASS = 16 * 1024, TREE_REPEAT = 256 };

/* Where the reading stands. */
struct scan {
    gt_regex_syntax *out;
    dsp_str          s; /* all of the pattern */
    size_t           i;
    bool             in_class;
    bool             unclosed; /* there is no :] from here on */
    size_t           left;     /* bytes that RE2 may still need */
    dsp_buf          unassigned; /* see unassigned_ranges() */
};

static void need(struct scan *sc, size_t bytes)
{
    sc->out->too_large = sc->out->too_large || bytes > sc->left;
    sc->left -= bytes > sc->left ? sc->left : bytes;
}

static bool at_end(const struct scan *sc)
{
    return sc->out->too_large || sc->i >= sc->s.len;
}

static dsp_str ahead(const struct scan *sc)
{
    return dsp_str_sub(sc->s, sc->i, sc->s.len);
}

static size_t find_text(dsp_str s, const char *text, size_t from)
{
    size_t n = strlen(text);

    for (size_t i = from; i + n <= s.len; i++) {
        if (memcmp(s.data + i, text, n) == 0) {
            return i;
        }
    }
    return s.len;
}

/* Copies n bytes as they are. */
static void copy(struct scan *sc, size_t n)
{
    dsp_buf_adds(&sc->out->pattern, dsp_str_sub(sc->s, sc->i, sc->i + n));
    sc->i = sc->i + n < sc->s.len ? sc->i + n : sc->s.len;
}

/* Writes text instead of n bytes, and remembers it. */
static void change(struct scan *sc, size_t n, const char *text, size_t len)
{
    gt_regex_syntax *o = sc->out;

    if (o->n_changes < GT_REGEX_CHANGES) {
        o->changes[o->n_changes].given = dsp_str_sub(sc->s, sc->i, sc->i + n);
        o->changes[o->n_changes].at = o->pattern.len;
        o->changes[o->n_changes++].len = len;
    }
    dsp_buf_add(&o->pattern, text, len);
    sc->i += n;
}

/* --- Unicode classes ---------------------------------------------------------------------------------------------- */

/* Unicode's long names of categories, in Go's canonical spelling, and what RE2 calls them. */
static const struct {
    const char *name, *category;
} categories[] = {
    { "Closepunctuation", "Pe" }, { "Combiningmark", "M" },      { "Connectorpunctuation", "Pc" },
    { "Control", "Cc" },          { "Currencysymbol", "Sc" },    { "Dashpunctuation", "Pd" },
    { "Decimalnumber", "Nd" },    { "Enclosingmark", "Me" },     { "Finalpunctuation", "Pf" },
    { "Format", "Cf" },           { "Initialpunctuation", "Pi" }, { "Letter", "L" },
    { "Letternumber", "Nl" },     { "Lineseparator", "Zl" },     { "Lowercaseletter", "Ll" },
    { "Mark", "M" },              { "Mathsymbol", "Sm" },        { "Modifierletter", "Lm" },
    { "Modifiersymbol", "Sk" },   { "Nonspacingmark", "Mn" },    { "Number", "N" },
    { "Openpunctuation", "Ps" },  { "Other", "C" },              { "Otherletter", "Lo" },
    { "Othernumber", "No" },      { "Otherpunctuation", "Po" },  { "Othersymbol", "So" },
    { "Paragraphseparator", "Zp" }, { "Privateuse", "Co" },      { "Punctuation", "P" },
    { "Separator", "Z" },         { "Spaceseparator", "Zs" },    { "Spacingmark", "Mc" },
    { "Surrogate", "Cs" },        { "Symbol", "S" },             { "Titlecaseletter", "Lt" },
    { "Uppercaseletter", "Lu" },  { "Cntrl", "Cc" },             { "Digit", "Nd" },
    { "Punct", "P" },             { "Casedletter", "Lc" },       { "Unassigned", "Cn" },
};

#define VISIBLE   "\\pM\\pN\\pP\\pS\\pZ"
#define INVISIBLE "\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}" /* C without what is unassigned */

/*
 * Classes that RE2 does not have: what is in them and what is not, as the inside of a positive class. What is unassigned
 * belongs to C in Go (since 1.25); RE2 has no name for it, so it is spelt out where it cannot be left to the opposite.
 */
static const struct {
    const char *name, *members, *others;
    bool        unassigned; /* belongs to the members, else to the others */
} unions[] = {
    { "C", INVISIBLE, "\\pL" VISIBLE, true },
    { "Cn", "", "\\pL" VISIBLE INVISIBLE, true },
    { "Assigned", "\\pL" VISIBLE INVISIBLE, "", false },
    { "Lc", "\\p{Lu}\\p{Ll}\\p{Lt}", "\\p{Lm}\\p{Lo}" VISIBLE INVISIBLE, false },
    { "Ascii", "\\x00-\\x7F", "\\x{80}-\\x{10FFFF}", false },
};

/* Go's canonical spelling: no blanks, dashes and underscores; the first letter large, all others small. */
static bool canonical(dsp_str name, char *out, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        if (c == '_' || c == '-' || c == ' ') {
            continue;
        }
        if (n + 1 == size) {
            return false;
        }
        if (n == 0 && c >= 'a' && c <= 'z') {
            c = (char) (c - 32);
        } else if (n > 0 && c >= 'A' && c <= 'Z') {
            c = (char) (c + 32);
        }
        out[n++] = c;
    }
    out[n] = '\0';
    for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++) {
        if (strcmp(out, categories[i].name) == 0) {
            strcpy(out, categories[i].category);
        }
    }
    return true;
}

/* No letter, mark, …, control, format, private use or surrogate. */
static bool is_unassigned(uint32_t rune)
{
    return !gt_rune_is(rune, GT_UNI_SPACE | GT_UNI_LETTER | GT_UNI_MARK | GT_UNI_NUMBER | GT_UNI_PUNCT | GT_UNI_SYMBOL |
                                 GT_UNI_CONTROL | GT_UNI_OTHER);
}

/* A class in a class has no opposite in RE2's syntax. All of Unicode is asked for them, so it is done once. */
static dsp_str unassigned_ranges(struct scan *sc)
{
    dsp_buf *out = &sc->unassigned;

    for (uint32_t from = out->len > 0 ? UINT32_MAX : 0; from <= 0x10FFFF; from++) {
        uint32_t to = from;

        if (!is_unassigned(from)) {
            continue;
        }
        while (to < 0x10FFFF && is_unassigned(to + 1)) {
            to++;
        }
        dsp_buf_addf(out, "\\x{%x}-\\x{%x}", (unsigned) from, (unsigned) to);
        from = to;
    }
    return dsp_buf_str(out);
}

/* \p or \P and its name, len bytes in all. */
static void add_class(struct scan *sc, size_t len, dsp_str name, bool negative)
{
    char    spelt[64];
    dsp_buf b;

    need(sc, TREE_CLASS);
    if (name.len > 0 && name.data[0] == '^') {
        negative = !negative;
        name = dsp_str_sub(name, 1, name.len);
    }
    if (!canonical(name, spelt, sizeof(spelt))) {
        copy(sc, len);
        return;
    }
    dsp_buf_init(&b, 32 * 1024);
    dsp_buf_addf(&b, "\\%c{%s}", negative ? 'P' : 'p', spelt);
    for (size_t i = 0; i < sizeof(unions) / sizeof(unions[0]); i++) {
        if (strcmp(spelt, unions[i].name) == 0) {
            const char *wanted = negative ? unions[i].others : unions[i].members;
            const char *rest = negative ? unions[i].members : unions[i].others;
            bool        unassigned = unions[i].unassigned != negative && strcmp(spelt, "Ascii") != 0;

            dsp_buf_reset(&b);
            if (!sc->in_class) {
                dsp_buf_addf(&b, "[%s%s]", unassigned ? "^" : "", unassigned ? rest : wanted);
            } else {
                dsp_buf_addz(&b, wanted);
                if (unassigned) {
                    dsp_buf_adds(&b, unassigned_ranges(sc));
                }
            }
        }
    }
    change(sc, len, dsp_buf_cstr(&b), b.len);
    dsp_buf_free(&b);
}

/* Of bytes that are not UTF-8 in the next len ones Go quotes no more than is in these. */
static void bad_bytes_within(struct scan *sc, size_t len)
{
    dsp_str  s = ahead(sc);
    dsp_str *bad = &sc->out->bad_bytes;

    if (bad->len > 0 && bad->data >= s.data && bad->data < s.data + len) {
        bad->len = (size_t) (s.data + len - bad->data);
    }
}

static void unicode_class(struct scan *sc)
{
    dsp_str s = ahead(sc);
    bool    negative = s.data[1] == 'P';
    size_t  end;

    if (s.len < 3) {
        copy(sc, 2);
    } else if (s.data[2] != '{') {
        uint32_t rune;
        size_t   n = dsp_utf8_decode(dsp_str_sub(s, 2, s.len), &rune);

        if (rune >= 0x80 || ((rune | 32) >= 'a' && (rune | 32) <= 'z')) {
            add_class(sc, 2 + n, dsp_str_sub(s, 2, 2 + n), negative);
        } else {
            copy(sc, 2 + n);
        }
    } else {
        end = dsp_str_find(s, '}');
        if (end == s.len) {
            copy(sc, s.len);
        } else {
            bad_bytes_within(sc, end);
            add_class(sc, end + 1, dsp_str_sub(s, 3, end), negative);
        }
    }
}

/* --- the rest ----------------------------------------------------------------------------------------------------- */

static bool hex_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* \x with its two characters, or with { and all up to the first that is no digit: whatever they are, errors quote them.
 */
static size_t hex_escape_len(dsp_str s)
{
    uint32_t rune;
    size_t   n = 2, more = 2;

    if (n < s.len && s.data[n] == '{') {
        more = 1;
        for (n++; n < s.len && hex_digit(s.data[n]); n++) {
        }
    }
    for (; more > 0 && n < s.len; more--) {
        n += dsp_utf8_decode(dsp_str_sub(s, n, s.len), &rune);
    }
    return n;
}

static void escape(struct scan *sc)
{
    dsp_str s = ahead(sc);

    if (s.len < 2) {
        copy(sc, 1);
    } else if (s.data[1] == 'p' || s.data[1] == 'P') {
        unicode_class(sc);
    } else if (s.data[1] == 'x') {
        copy(sc, hex_escape_len(s));
    } else if (s.data[1] == 'C') {
        change(sc, 2, "\\j", 2);
    } else if (s.data[1] == 'Q' && !sc->in_class) {
        size_t end = find_text(s, "\\E", 2);

        bad_bytes_within(sc, end);
        copy(sc, end + 2);
    } else {
        copy(sc, 2);
    }
}

/* From [: to its :]; 1 where there is none. */
static size_t posix_class_len(struct scan *sc)
{
    dsp_str s = ahead(sc);
    size_t  end = sc->unclosed ? s.len : find_text(s, ":]", 2);

    sc->unclosed = end == s.len;
    return sc->unclosed ? 1 : end + 2;
}

/* From [ to its ]. A ] that comes first is a member. */
static void char_class(struct scan *sc)
{
    dsp_str from = ahead(sc);

    copy(sc, 1);
    sc->in_class = true;
    if (sc->i < sc->s.len && sc->s.data[sc->i] == '^') {
        copy(sc, 1);
    }
    if (sc->i < sc->s.len && sc->s.data[sc->i] == ']') {
        copy(sc, 1);
    }
    while (!at_end(sc) && sc->s.data[sc->i] != ']') {
        dsp_str s = ahead(sc);

        if (s.data[0] == '\\' && s.len > 1 && (s.data[1] | 32) == 'p' && s.data - from.data > 2 && s.data[-1] == '-') {
            copy(sc, 2); /* the end of a range, which no class can be */
        } else if (s.data[0] == '\\') {
            escape(sc);
        } else {
            copy(sc, dsp_str_has_prefix(s, DSP_STR("[:")) ? posix_class_len(sc) : 1);
        }
    }
    if (sc->i == sc->s.len) {
        sc->out->open_class = from;
    }
    copy(sc, 1);
    sc->in_class = false;
}

static bool valid_name(dsp_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        if (c != '_' && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')) {
            return false;
        }
    }
    return name.len > 0;
}

static void add_group(struct scan *sc, dsp_str name)
{
    sc->out->groups++;
    dsp_buf_adds(&sc->out->names, name);
    dsp_buf_addc(&sc->out->names, '\0');
}

/* (?P<name> or (?<name>: `start` bytes before the name. */
static void named_group(struct scan *sc, size_t start)
{
    dsp_str s = ahead(sc), name;
    size_t  end = dsp_str_find(s, '>'), bad = 0;

    name = dsp_str_sub(s, start, end);
    if (end < s.len && valid_name(name)) {
        add_group(sc, name);
        if (end + 1 < s.len && s.data[end + 1] == '?') { /* "(?" would mean something else */
            dsp_buf_addf(&sc->out->pattern, "(?P<_%zu>", sc->out->groups);
        } else {
            dsp_buf_addc(&sc->out->pattern, '(');
        }
        sc->i += end + 1;
        return;
    }
    if (end < s.len) {
        bad = dsp_utf8_invalid_at(name);
        sc->out->bad_bytes = bad < name.len ? dsp_str_sub(name, bad, name.len) : sc->out->bad_bytes;
        sc->out->bad_name = dsp_str_sub(s, 0, end + 1);
    } else {
        sc->out->bad_name = s;
    }
    /* RE2 stops here too; it takes more names for good */
    dsp_buf_addz(&sc->out->pattern, end < s.len && bad == name.len ? "(?P<!>" : "(?P<");
    sc->i += start;
    copy(sc, s.len);
}

static void group(struct scan *sc)
{
    dsp_str s = ahead(sc);

    if (s.len > 4 && dsp_str_has_prefix(s, DSP_STR("(?P<"))) {
        named_group(sc, 4);
    } else if (s.len > 3 && dsp_str_has_prefix(s, DSP_STR("(?<"))) {
        named_group(sc, 3);
    } else if (dsp_str_has_prefix(s, DSP_STR("(?"))) {
        size_t   n = 2;
        uint32_t rune;

        while (n < s.len && memchr("imsU-", s.data[n], 5) != NULL) {
            n++;
        }
        /* what ends the flags, be it right or wrong, is quoted as it stands */
        copy(sc, n < s.len ? n + dsp_utf8_decode(dsp_str_sub(s, n, s.len), &rune) : n);
    } else {
        add_group(sc, DSP_STR(""));
        copy(sc, 1);
    }
}

/* The digits at i, which do not begin with a needless 0: the index behind them, or i if there is no number. */
static size_t number_end(dsp_str s, size_t i)
{
    size_t end = i;

    while (end < s.len && s.data[end] >= '0' && s.data[end] <= '9') {
        end++;
    }
    return end > i + 1 && s.data[i] == '0' ? i : end;
}

static void need_repeats(struct scan *sc, dsp_str times)
{
    uint64_t n;

    if (dsp_str_u64(times, &n) && n <= 1000) {
        need(sc, n * TREE_REPEAT);
    }
}

/* {n}, {n,} or {n,m}. RE2 takes one with more than nine digits for text, Go for a count that is too large. */
static void repetition(struct scan *sc)
{
    static const char TOO_LARGE[] = "{1001,1001}";

    enum { READ_BY_RE2 = 9 };

    dsp_str s = ahead(sc);
    size_t  end = number_end(s, 1);
    bool    huge = end > 1 + READ_BY_RE2, found = end > 1;

    need_repeats(sc, dsp_str_sub(s, 1, end));
    if (found && end < s.len && s.data[end] == ',') {
        size_t second = end + 1;

        end = number_end(s, second);
        huge = huge || end - second > READ_BY_RE2;
        need_repeats(sc, dsp_str_sub(s, second, end));
    }
    if (found && huge && end < s.len && s.data[end] == '}') {
        change(sc, end + 1, TOO_LARGE, strlen(TOO_LARGE));
    } else {
        copy(sc, 1);
    }
}

/* RE2 takes surrogates in UTF-8, Go no more than any other byte that means nothing. */
static void spoil_surrogates(dsp_buf *pattern)
{
    for (size_t i = 0; i + 1 < pattern->len; i++) {
        if ((unsigned char) pattern->data[i] == 0xED && (unsigned char) pattern->data[i + 1] >= 0xA0) {
            pattern->data[i] = '\xFF';
        }
    }
}

bool gt_regex_syntax_init(gt_regex_syntax *o, dsp_str pattern, size_t max)
{
    struct scan sc = { .out = o, .s = pattern, .left = max };
    size_t      bad = dsp_utf8_invalid_at(pattern);

    memset(o, 0, sizeof(*o));
    need(&sc, pattern.len > max ? max + 1 : pattern.len * TREE_BYTE);
    /* a class is written in fewer bytes than what it needs, and all else in less than twice what was given */
    dsp_buf_init(&o->pattern, max + 64 * 1024);
    dsp_buf_init(&o->names, pattern.len + 16);
    dsp_buf_init(&sc.unassigned, TREE_CLASS);
    o->bad_bytes = dsp_str_sub(pattern, bad, pattern.len);
    while (!at_end(&sc)) {
        switch (pattern.data[sc.i]) {
        case '\\': escape(&sc); break;
        case '[': char_class(&sc); break;
        case '(': group(&sc); break;
        case '{': repetition(&sc); break;
        default: copy(&sc, 1);
        }
    }
    spoil_surrogates(&o->pattern);
    dsp_buf_free(&sc.unassigned);
    return !o->pattern.failed && !o->names.failed;
}

void gt_regex_syntax_free(gt_regex_syntax *o)
{
    dsp_buf_free(&o->pattern);
    dsp_buf_free(&o->names);
}

dsp_str gt_regex_syntax_given(const gt_regex_syntax *o, dsp_str pattern, dsp_str piece)
{
    if (dsp_str_eq(piece, dsp_buf_str(&o->pattern))) {
        return pattern;
    }
    for (size_t i = 0; i < o->n_changes; i++) {
        dsp_str changed = { o->pattern.data + o->changes[i].at, o->changes[i].len };

        if (dsp_str_eq(piece, changed)) {
            return o->changes[i].given;
        }
    }
    return piece;
}
