#include "fn_builtin.h"

#include "fmt.h"
#include "sink.h"
#include "unicode.h"

/* --- index, len --------------------------------------------------------------------------------------------------- */

/* The type that a pointer points to; of all others their own. */
static const char *pointed_type(gt_value v)
{
    const char *name = gt_type_name((enum gt_type) v.type);

    return name[0] == '*' ? name + 1 : name;
}

static bool index_number(gt_ctx *c, gt_value index, size_t len, size_t *out)
{
    int64_t i;

    if (gt_is_signed(index)) {
        i = index.i;
    } else if (gt_is_unsigned(index)) {
        i = (int64_t) index.u; /* wraps, as in Go */
    } else if (gt_is_nil(index)) {
        return gt_fail(c, "cannot index slice/array with nil");
    } else {
        return gt_fail(c, "cannot index slice/array with type %s", gt_type_name((enum gt_type) index.type));
    }
    if (i < 0 || (uint64_t) i > len) {
        return gt_fail(c, "index out of range: %lld", (long long) i);
    }
    *out = (size_t) i;
    return true;
}

static bool index_map(gt_ctx *c, gt_value item, gt_value key, gt_value *out)
{
    const gt_value *found;

    if (gt_is_nil(key)) {
        return gt_fail(c, "value is nil; should be of type string");
    }
    if (key.type != GT_STRING) {
        return gt_fail(c, "value has type %s; should be string", gt_type_name((enum gt_type) key.type));
    }
    found = gt_map_find(item.map, key.s);
    *out = found != NULL ? *found : item.type == GT_MAP_STRING ? gt_literal("") : gt_nil();
    out->flags = item.type == GT_MAP_ANY ? GT_IFACE : 0;
    return true;
}

static bool index_one(gt_ctx *c, gt_value item, gt_value index, gt_value *out)
{
    size_t len;
    size_t i = 0;

    if (gt_is_nil(item)) {
        return gt_fail(c, "index of nil pointer");
    }
    if (gt_is_map(item)) {
        return index_map(c, item, index, out);
    }
    if (!gt_len(item, &len)) {
        return gt_fail(c, "can't index item of type %s", pointed_type(item));
    }
    if (!index_number(c, index, len, &i)) {
        return false;
    }
    if (i == len) {
        return gt_fail(c, item.type == GT_STRING ? "reflect: string index out of range"
                                                 : "reflect: slice index out of range");
    }
    *out = item.type == GT_STRING ? gt_uint8((uint8_t) item.s.data[i]) : gt_list_at(item.list, i);
    return true;
}

GT_BODY(gt_fn_index)
{
    gt_value item = gt_plain(args[0]);

    if (gt_is_nil(item)) {
        return gt_fail(c, "index of untyped nil");
    }
    for (size_t i = 1; i < n; i++) {
        gt_value next;
        if (!index_one(c, item, args[i], &next)) {
            return false;
        }
        item = next;
    }
    *out = item;
    return true;
}

GT_BODY(gt_fn_len)
{
    size_t len;

    (void) n;
    if (gt_is_nil(args[0])) {
        return gt_fail(c, (args[0].flags & GT_IFACE) != 0 ? "len of nil pointer"
                                                          : "reflect: call of reflect.Value.Type on zero Value");
    }
    if (!gt_len(args[0], &len)) {
        return gt_fail(c, "len of type %s", pointed_type(args[0]));
    }
    *out = gt_int((int64_t) len);
    return true;
}

/* --- printing ----------------------------------------------------------------------------------------------------- */

GT_BODY(gt_fn_print)
{
    dsp_buf *b = gt_text_begin(c);

    return b != NULL && gt_fmt_sprint(c, b, args, n) && gt_text_give(c, b, out);
}

GT_BODY(gt_fn_println)
{
    dsp_buf *b = gt_text_begin(c);

    return b != NULL && gt_fmt_sprintln(c, b, args, n) && gt_text_give(c, b, out);
}

GT_BODY(gt_fn_printf)
{
    dsp_buf *b = gt_text_begin(c);

    return b != NULL && gt_fmt_sprintf(c, b, args[0].s, args + 1, n - 1) && gt_text_give(c, b, out);
}

/* --- escaping ----------------------------------------------------------------------------------------------------- */

/* The arguments printed as an action would print them: Sprint, but nil is the string <no value>. */
static bool print_args(gt_ctx *c, const gt_value *args, size_t n, dsp_str *out)
{
    bool     was_string = false;
    dsp_buf *b;

    if (n == 1 && args[0].type == GT_STRING) {
        *out = args[0].s;
        return true;
    }
    b = gt_text_begin(c);
    if (b == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        bool is_string = args[i].type == GT_STRING || gt_is_nil(args[i]);
        if (i > 0 && !is_string && !was_string) {
            dsp_buf_addc(b, ' ');
        }
        if (!gt_fmt_action(c, b, args[i])) {
            return false;
        }
        was_string = is_string;
    }
    return gt_text_end(c, b, out);
}

/* The arguments as one text and a sink to write what becomes of it. NULL: the context has an error. */
static dsp_buf *begin_escape(gt_ctx *c, const gt_value *args, size_t n, dsp_str *s, gt_sink *sink)
{
    dsp_buf *b;

    if (!print_args(c, args, n, s) || !gt_charge_bytes(c, s->len) || (b = gt_text_begin(c)) == NULL) {
        return NULL;
    }
    gt_sink_open(sink, b);
    return b;
}

static bool end_escape(gt_ctx *c, dsp_buf *b, gt_sink *sink, gt_value *out)
{
    gt_sink_close(sink);
    return gt_text_give(c, b, out);
}

GT_BODY(gt_fn_html)
{
    gt_sink  sink;
    dsp_str  s;
    dsp_buf *b = begin_escape(c, args, n, &s, &sink);

    if (b == NULL) {
        return false;
    }
    for (size_t i = 0; i < s.len && !b->failed; i++) {
        switch (s.data[i]) {
        case '\0':
            gt_sink_rune(&sink, DSP_RUNE_ERROR);
            break;
        case '"':
            gt_sink_str(&sink, DSP_STR("&#34;"));
            break;
        case '\'':
            gt_sink_str(&sink, DSP_STR("&#39;"));
            break;
        case '&':
            gt_sink_str(&sink, DSP_STR("&amp;"));
            break;
        case '<':
            gt_sink_str(&sink, DSP_STR("&lt;"));
            break;
        case '>':
            gt_sink_str(&sink, DSP_STR("&gt;"));
            break;
        default:
            gt_sink_byte(&sink, s.data[i]);
        }
    }
    return end_escape(c, b, &sink, out);
}

static const char upper_hex[] = "0123456789ABCDEF";

/* \uXXXX, with as many digits as the rune has but four at least */
static void js_hex(gt_sink *sink, uint32_t r)
{
    int digits = 4;

    while (r >> 4 * digits != 0) {
        digits++;
    }
    gt_sink_str(sink, DSP_STR("\\u"));
    while (digits-- > 0) {
        gt_sink_byte(sink, upper_hex[r >> 4 * digits & 15]);
    }
}

static void js_rune(gt_sink *sink, uint32_t r)
{
    if (r == '\\' || r == '\'' || r == '"') {
        gt_sink_byte(sink, '\\');
        gt_sink_byte(sink, (char) r);
    } else if (r < 0x80 ? r < ' ' || r == '<' || r == '>' || r == '&' || r == '=' : !gt_rune_is(r, GT_UNI_PRINT)) {
        js_hex(sink, r);
    } else {
        gt_sink_rune(sink, r);
    }
}

GT_BODY(gt_fn_js)
{
    gt_sink  sink;
    dsp_str  s;
    dsp_buf *b = begin_escape(c, args, n, &s, &sink);
    uint32_t r;

    if (b == NULL) {
        return false;
    }
    for (size_t i = 0, width; i < s.len && !b->failed; i += width) {
        width = gt_rune_at(s, i, &r);
        if (width == 1 && r == DSP_RUNE_ERROR) {
            gt_sink_byte(&sink, s.data[i]); /* printable, as Go sees it, and copied as it is */
        } else {
            js_rune(&sink, r);
        }
    }
    return end_escape(c, b, &sink, out);
}

static bool is_unreserved(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '-' || ch == '_' ||
           ch == '.' || ch == '~';
}

GT_BODY(gt_fn_urlquery)
{
    gt_sink  sink;
    dsp_str  s;
    dsp_buf *b = begin_escape(c, args, n, &s, &sink);

    if (b == NULL) {
        return false;
    }
    for (size_t i = 0; i < s.len && !b->failed; i++) {
        unsigned char byte = (unsigned char) s.data[i];

        if (is_unreserved(s.data[i])) {
            gt_sink_byte(&sink, s.data[i]);
        } else if (byte == ' ') {
            gt_sink_byte(&sink, '+');
        } else {
            gt_sink_byte(&sink, '%');
            gt_sink_byte(&sink, upper_hex[byte >> 4]);
            gt_sink_byte(&sink, upper_hex[byte & 15]);
        }
    }
    return end_escape(c, b, &sink, out);
}
