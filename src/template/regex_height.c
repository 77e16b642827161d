/*
 * How deep a regular expression nests, as Go's parser counts it (regexp/syntax, checkHeight): the height of its tree, in
 * which a group that captures, a repetition, a row of pieces and a choice are a level each. RE2 has no such limit.
 */
#include <stdlib.h>

#include "regex_syntax.h"

enum {
    MAX_HEIGHT = 1000,
    PER_GROUP = 4 /* levels that one group can add */
};

typedef struct level {
    size_t tallest; /* of the alternatives before this one */
    size_t row;     /* the tallest piece of this one */
    size_t last;    /* its last piece; 0: none */
    size_t letters; /* how many of them the last piece is made of; 0: it is something else */
    size_t pieces, alternatives;
    bool   captures;
} level;

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void add_piece(level *l, size_t height, bool letter)
{
    l->pieces += !letter || l->letters == 0;
    l->letters = letter ? l->letters + 1 : 0;
    l->last = height;
    l->row = larger(l->row, height);
}

/* Of letters only the last is repeated. */
static void repeat_piece(level *l)
{
    l->pieces += l->letters > 1;
    l->letters = 0;
    l->last++;
    l->row = larger(l->row, l->last);
}

static void end_alternative(level *l)
{
    l->tallest = larger(l->tallest, larger(l->row, 1) + (l->pieces > 1));
    l->alternatives++;
    l->row = l->last = l->pieces = l->letters = 0;
}

/* The height of a group, which ends. */
static size_t end_group(level *l)
{
    end_alternative(l);
    return l->tallest + (l->alternatives > 1) + l->captures;
}

/* A group that only brackets a row and is not repeated is no level: its row is part of the one around it. */
static void close_group(level *group, level *around, bool repeated)
{
    if (group->captures || group->alternatives > 0 || group->pieces < 2 || repeated) {
        add_piece(around, end_group(group), false);
    } else {
        add_piece(around, group->row, false);
        around->pieces++;
    }
}

/* The index behind what begins at i, up to and with `last`. */
static size_t behind(dsp_str s, size_t i, char last)
{
    while (i < s.len && s.data[i] != last) {
        i++;
    }
    return i < s.len ? i + 1 : i;
}

static size_t class_end(dsp_str s, size_t i)
{
    i += i + 1 < s.len && s.data[i + 1] == '^' ? 2 : 1;
    for (size_t first = i; i < s.len && (s.data[i] != ']' || i == first); i++) {
        if (s.data[i] == '\\') {
            i++;
        } else if (s.data[i] == '[' && i + 1 < s.len && s.data[i + 1] == ':') {
            i = behind(s, i + 2, ']') - 1;
        }
    }
    return i + 1;
}

static size_t escape_end(dsp_str s, size_t i)
{
    if (i + 1 < s.len && s.data[i + 1] == 'Q') {
        for (i += 2; i < s.len && !dsp_str_has_prefix(dsp_str_sub(s, i, s.len), DSP_STR("\\E")); i++) {
        }
        return i + 2;
    }
    return i + 2 < s.len && s.data[i + 2] == '{' ? behind(s, i + 2, '}') : i + 2;
}

/* Opens the group that begins at i; a change of flags, (?i), is none. */
static size_t group_begin(dsp_str s, size_t i, level *levels, size_t *depth)
{
    size_t end = i + 1;
    bool   captures = true;

    if (end < s.len && s.data[end] == '?') {
        captures = end + 1 < s.len && (s.data[end + 1] == 'P' || s.data[end + 1] == '<');
        while (end < s.len && s.data[end] != (captures ? '>' : ':') && s.data[end] != ')') {
            end++;
        }
        if (end < s.len && s.data[end] == ')') {
            return end + 1;
        }
        end++;
    }
    levels[++*depth] = (level){ .captures = captures };
    return end;
}

static bool repeats(dsp_str s, size_t i)
{
    return s.data[i] == '*' || s.data[i] == '+' || s.data[i] == '?' ||
           (s.data[i] == '{' && i + 1 < s.len && s.data[i + 1] >= '0' && s.data[i + 1] <= '9');
}

static size_t repetition_end(dsp_str s, size_t i)
{
    i = s.data[i] == '{' ? behind(s, i, '}') : i + 1;
    return i < s.len && s.data[i] == '?' ? i + 1 : i;
}

static bool too_deep(dsp_str s, level *levels)
{
    size_t depth = 0;

    for (size_t i = 0; i < s.len;) {
        level *l = &levels[depth];

        if (s.data[i] == '(') {
            i = group_begin(s, i, levels, &depth);
        } else if (s.data[i] == ')' && depth > 0) {
            i++;
            close_group(l, &levels[--depth], i < s.len && repeats(s, i));
        } else if (s.data[i] == '|') {
            end_alternative(l);
            i++;
        } else if (repeats(s, i)) {
            repeat_piece(l);
            i = repetition_end(s, i);
        } else if (s.data[i] == '[') {
            add_piece(l, 1, false);
            i = class_end(s, i);
        } else {
            add_piece(l, 1, s.data[i] != '\\' && s.data[i] != '.' && s.data[i] != '^' && s.data[i] != '$');
            i = s.data[i] == '\\' ? escape_end(s, i) : i + 1;
        }
        if (levels[depth].last > MAX_HEIGHT) {
            return true;
        }
    }
    return end_group(&levels[depth]) > MAX_HEIGHT;
}

bool gt_regex_too_deep(dsp_str pattern, bool *out)
{
    size_t groups = 0;
    level *levels;

    for (size_t i = 0; i < pattern.len; i++) {
        groups += pattern.data[i] == '(';
    }
    *out = false;
    if (groups < MAX_HEIGHT / PER_GROUP - 1) {
        return true;
    }
    levels = calloc(groups + 1, sizeof(*levels));
    if (levels == NULL) {
        return false;
    }
    *out = too_deep(pattern, levels);
    free(levels);
    return true;
}
