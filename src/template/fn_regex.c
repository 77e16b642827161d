#include "fn_regex.h"

#include <stdlib.h>

#include "capacity.h"
#include "regex.h"
#include "strconv.h"

/*
 * Expressions are kept until the end of the rendering, the last KEPT of them: a template that uses one in a loop
 * compiles it once. What a search costs is counted by the clock: a step per match, and a look at the clock for each
 * LOOK bytes.
 */
enum { KEPT = 4 };
#define LOOK (256u * 1024)

struct kept {
    dsp_str   pattern; /* in the arena */
    gt_regex *re;
};

struct regexes {
    struct kept kept[KEPT];
    size_t      next;   /* the one to go */
    size_t      unseen; /* bytes searched since the last look at the clock */
};

static void free_all(gt_ctx *c)
{
    struct regexes *r = c->regexes;

    for (size_t i = 0; i < KEPT; i++) {
        gt_regex_free(r->kept[i].re);
    }
    c->regexes = NULL;
    c->regexes_free = NULL;
}

static struct regexes *regexes(gt_ctx *c)
{
    if (c->regexes == NULL) {
        struct regexes *r = gt_alloc(c, sizeof(*r));

        if (r == NULL) {
            return NULL;
        }
        *r = (struct regexes){ .next = 0 };
        c->regexes = r;
        c->regexes_free = free_all;
    }
    return c->regexes;
}

/* regexp: Compile(`(`): error parsing regexp: … */
static bool fail_compile(gt_ctx *c, dsp_str pattern, const dsp_buf *why, bool must)
{
    dsp_buf *error = gt_fail_text(c);

    if (!must) {
        dsp_buf_addz(error, "regexp: Compile(");
        if (gt_can_backquote(pattern)) {
            dsp_buf_addc(error, '`');
            dsp_buf_adds(error, pattern);
            dsp_buf_addc(error, '`');
        } else {
            gt_quote(error, pattern, 0);
        }
        dsp_buf_addz(error, "): ");
    }
    dsp_buf_adds(error, dsp_buf_str(why));
    return gt_failed(c);
}

static bool new_regex(gt_ctx *c, dsp_str pattern, bool must, gt_regex **out)
{
    size_t               max = c->options->limits.regex_bytes;
    dsp_buf              why;
    enum gt_regex_result result;

    /* compiling costs about a microsecond per byte */
    if (!gt_charge(c, 16 + pattern.len)) {
        return false;
    }
    dsp_buf_init(&why, pattern.len * 4 + 256);
    result = gt_regex_new(pattern, max, out, &why);
    if (result == GT_REGEX_INVALID) {
        fail_compile(c, pattern, &why, must);
    } else if (result == GT_REGEX_TOO_LARGE) {
        gt_fail_limit(c, "regular expression needs more than %zu bytes", max);
    } else if (result == GT_REGEX_NO_MEMORY) {
        gt_fail_memory(c);
    }
    dsp_buf_free(&why);
    return result == GT_REGEX_OK;
}

/* The compiled expression, which stays the cache's. NULL: the error is set. */
static const gt_regex *compile(gt_ctx *c, dsp_str pattern, bool must)
{
    struct regexes *r = regexes(c);
    gt_regex       *re;
    struct kept    *slot;

    if (r == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < KEPT; i++) {
        if (r->kept[i].re != NULL && dsp_str_eq(r->kept[i].pattern, pattern)) {
            return r->kept[i].re;
        }
    }
    if (!new_regex(c, pattern, must, &re)) {
        return NULL;
    }
    slot = &r->kept[r->next];
    r->next = (r->next + 1) % KEPT;
    gt_regex_free(slot->re);
    *slot = (struct kept){ pattern, re };
    return re;
}

/* Before each match. */
static bool step(void *arg, size_t bytes)
{
    gt_ctx         *c = arg;
    struct regexes *r = c->regexes;

    if (!gt_charge(c, 1)) {
        return false;
    }
    r->unseen += bytes;
    if (r->unseen < LOOK) {
        return true;
    }
    r->unseen = 0;
    return gt_clock_ok(c);
}

/* Expression args[0] and text args[1]. */
static const gt_regex *begin(gt_ctx *c, const gt_value *args, gt_regex_text *text)
{
    const gt_regex *re = compile(c, args[0].s, c->fn->mode == GT_MODE_MUST);

    if (re == NULL) {
        return NULL;
    }
    if (!gt_charge_bytes(c, args[1].s.len)) {
        return NULL;
    }
    if (!gt_regex_text_init(c->arena, args[1].s, text)) {
        gt_fail_alloc(c);
        return NULL;
    }
    text->step = step;
    text->arg = c;
    return re;
}

/* What a search ended with; where it was stopped and no limit says why, memory was out. */
static bool ended(gt_ctx *c, int result)
{
    return result != GT_REGEX_STOPPED || (!c->failed && gt_fail_memory(c));
}

GT_BODY(gt_fn_regex_match)
{
    gt_regex_text   text;
    const gt_regex *re = begin(c, args, &text);
    dsp_str         found;
    int             result;

    (void) n;
    *out = gt_bool(false);
    if (re == NULL) {
        return c->fn->mode != GT_MODE_MUST && gt_forgive(c);
    }
    result = gt_regex_find(re, &text, &found);
    *out = gt_bool(result == GT_REGEX_FOUND);
    return ended(c, result);
}

GT_BODY(gt_fn_regex_find)
{
    gt_regex_text   text;
    const gt_regex *re = begin(c, args, &text);
    dsp_str         found;

    (void) n;
    if (re == NULL || !ended(c, gt_regex_find(re, &text, &found))) {
        return false;
    }
    *out = gt_string(found);
    return true;
}

/* --- lists -------------------------------------------------------------------------------------------------------- */

struct pieces {
    gt_ctx  *c;
    gt_list *list;
};

static bool add_piece(void *arg, dsp_str piece)
{
    struct pieces *p = arg;

    return gt_list_add(p->c, p->list, gt_string(piece));
}

typedef int (*search)(const gt_regex *, const gt_regex_text *, int64_t, gt_regex_each, void *);

static bool give_list(gt_ctx *c, const gt_value *args, search find, bool nil, gt_value *out)
{
    gt_regex_text   text;
    const gt_regex *re = begin(c, args, &text);
    struct pieces   p = { .c = c };

    if (re == NULL) {
        return false;
    }
    p.list = gt_list_new(c, GT_LIST_STRING, 0);
    if (p.list == NULL || !ended(c, find(re, &text, args[2].i, add_piece, &p)) || c->failed) {
        return false;
    }
    p.list->growth = find == gt_regex_find_all ? GT_GROWTH_FOUND : GT_GROWTH_PUSHED;
    *out = p.list->len == 0 && nil ? gt_typed_nil(GT_LIST_STRING) : gt_of_list(p.list);
    return true;
}

GT_BODY(gt_fn_regex_find_all)
{
    (void) n;
    return give_list(c, args, gt_regex_find_all, true, out);
}

GT_BODY(gt_fn_regex_split)
{
    (void) n;
    return give_list(c, args, gt_regex_split, args[2].i == 0, out);
}

/* --- replace ------------------------------------------------------------------------------------------------------ */

static bool replace(gt_ctx *c, const gt_value *args, bool literal, gt_value *out)
{
    gt_regex_text   text;
    const gt_regex *re = begin(c, args, &text);
    dsp_buf        *b = re == NULL ? NULL : gt_text_begin(c);

    if (b == NULL || !ended(c, gt_regex_replace_all(re, &text, args[2].s, literal, b))) {
        return false;
    }
    return gt_text_give(c, b, out);
}

GT_BODY(gt_fn_regex_replace_all)
{
    (void) n;
    return replace(c, args, false, out);
}

GT_BODY(gt_fn_regex_replace_all_literal)
{
    (void) n;
    return replace(c, args, true, out);
}

GT_BODY(gt_fn_regex_quote_meta)
{
    dsp_buf *b = gt_text_begin(c);

    (void) n;
    if (b == NULL || !gt_charge_bytes(c, args[0].s.len)) {
        return false;
    }
    gt_regex_quote_meta(b, args[0].s);
    return gt_text_give(c, b, out);
}
