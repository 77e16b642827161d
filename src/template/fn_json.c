#include "fn_json.h"

#include "json.h"

/* What could be decoded is kept even where there was an error: fromJson "[1, 1e999]" is [1 <nil>]. */
GT_BODY(gt_fn_from_json)
{
    (void) n;
    if (gt_json_decode(c, args[0].s, out)) {
        return true;
    }
    return c->fn->mode != GT_MODE_MUST && gt_forgive(c);
}

static bool to_json(gt_ctx *c, gt_value v, unsigned flags, gt_value *out)
{
    dsp_buf *b = gt_text_begin(c);

    if (b == NULL) {
        return false;
    }
    if (!gt_json_encode(c, b, v, flags)) {
        if (c->fn->mode == GT_MODE_MUST || !gt_forgive(c)) {
            return false;
        }
        dsp_buf_reset(b);
    }
    return gt_text_give(c, b, out);
}

GT_BODY(gt_fn_to_json)
{
    (void) n;
    return to_json(c, args[0], 0, out);
}

GT_BODY(gt_fn_to_pretty_json)
{
    (void) n;
    return to_json(c, args[0], GT_JSON_PRETTY, out);
}

GT_BODY(gt_fn_to_raw_json)
{
    (void) n;
    return to_json(c, args[0], GT_JSON_RAW, out);
}
