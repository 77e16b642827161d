#include <math.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/utf8.h"
#include "json.h"
#include "strconv.h"

/* Go looks for cycles below this depth. */
enum { CYCLES_BELOW = 1000 };

/* Lists and maps that are being written: walked without recursion, as JSON may nest them 10,000 deep. */
typedef struct frame {
    gt_value  v;
    gt_entry *entries; /* of a map, sorted */
    size_t    i, n;
} frame;

enum { FIRST_FRAMES = 16 };

typedef struct encoder {
    gt_ctx  *c;
    dsp_buf *out;
    unsigned flags;
    frame    first[FIRST_FRAMES];
    frame   *frames;
    size_t   depth, size;
} encoder;

/* --- scalars ------------------------------------------------------------------------------------------------------ */

static void add_u(encoder *e, uint32_t rune)
{
    static const char hex[] = "0123456789abcdef";

    dsp_buf_add(e->out, (char[]){ '\\', 'u', hex[rune >> 12 & 15], hex[rune >> 8 & 15], hex[rune >> 4 & 15], hex[rune & 15] }, 6);
}

static void escape_ascii(encoder *e, char ch)
{
    const char *short_form = "\b\f\n\r\t";
    const char *at = ch != '\0' ? strchr(short_form, ch) : NULL;

    if (ch == '"' || ch == '\\') {
        dsp_buf_addc(e->out, '\\');
        dsp_buf_addc(e->out, ch);
    } else if (at != NULL) {
        dsp_buf_addc(e->out, '\\');
        dsp_buf_addc(e->out, "bfnrt"[at - short_form]);
    } else {
        add_u(e, (unsigned char) ch);
    }
}

static bool is_plain(const encoder *e, unsigned char ch)
{
    if (ch == '<' || ch == '>' || ch == '&') {
        return (e->flags & GT_JSON_RAW) != 0;
    }
    return ch >= ' ' && ch < 0x80 && ch != '"' && ch != '\\';
}

static bool encode_string(encoder *e, dsp_str s)
{
    size_t start = 0;
    size_t i = 0;

    if (!gt_charge_bytes(e->c, s.len)) {
        return false;
    }
    dsp_buf_addc(e->out, '"');
    while (i < s.len && !e->out->failed) {
        unsigned char ch = (unsigned char) s.data[i];
        uint32_t      rune = ch;
        size_t        width = 1;

        if (is_plain(e, ch)) {
            i++;
            continue;
        }
        if (ch >= 0x80) {
            width = dsp_utf8_decode(dsp_str_sub(s, i, s.len), &rune);
            if (!(rune == DSP_RUNE_ERROR && width == 1) && rune != 0x2028 && rune != 0x2029) {
                i += width;
                continue;
            }
        }
        dsp_buf_add(e->out, s.data + start, i - start);
        if (ch < 0x80) {
            escape_ascii(e, (char) ch);
        } else {
            add_u(e, rune);
        }
        i += width;
        start = i;
    }
    dsp_buf_adds(e->out, dsp_str_sub(s, start, s.len));
    dsp_buf_addc(e->out, '"');
    return true;
}

static bool encode_float(encoder *e, double f)
{
    double absolute = fabs(f);
    char   text[GT_FLOAT_MAX];

    if (isnan(f) || isinf(f)) {
        return gt_fail(e->c, "json: unsupported value: %.*s", (int) gt_float_text(f, text), text);
    }
    if (absolute == 0 || (absolute >= 1e-6 && absolute < 1e21)) {
        gt_format_float(e->out, f, 'f', -1);
        return true;
    }
    gt_format_float(e->out, f, 'e', -1);
    size_t n = e->out->len;
    if (!e->out->failed && n >= 4 && memcmp(e->out->data + n - 4, "e-0", 3) == 0) {
        e->out->data[n - 2] = e->out->data[n - 1]; /* e-09 is e-9 here */
        e->out->len--;
    }
    return true;
}

/* []byte: base64. */
static bool encode_bytes(encoder *e, gt_value v)
{
    dsp_str s;
    char   *room;

    if (!gt_strval(e->c, v, &s)) {
        return false;
    }
    dsp_buf_addc(e->out, '"');
    room = dsp_buf_room(e->out, (s.len + 2) / 3 * 4);
    if (room != NULL) {
        EVP_EncodeBlock((unsigned char *) room, (const unsigned char *) s.data, (int) s.len);
        e->out->len += (s.len + 2) / 3 * 4;
    }
    dsp_buf_addc(e->out, '"');
    return true;
}

/* --- containers --------------------------------------------------------------------------------------------------- */

static void new_line(encoder *e, size_t depth)
{
    if ((e->flags & GT_JSON_PRETTY) != 0) {
        dsp_buf_addc(e->out, '\n');
        for (size_t i = 0; i < depth && !e->out->failed; i++) {
            dsp_buf_addz(e->out, "  ");
        }
    }
}

static bool check_cycle(encoder *e, gt_value v)
{
    for (size_t i = CYCLES_BELOW; i < e->depth; i++) {
        if (e->frames[i].v.list == v.list) {
            return gt_fail(e->c, "json: unsupported value: encountered a cycle via %s",
                           gt_type_name((enum gt_type) v.type));
        }
    }
    if (e->depth + e->c->depth >= e->c->options->limits.value_depth) {
        return gt_fail_limit(e->c, "values are nested deeper than %u levels", e->c->options->limits.value_depth);
    }
    return e->depth < CYCLES_BELOW || gt_charge(e->c, e->depth / 64);
}

static bool enter(encoder *e, gt_value v)
{
    bool   map = gt_is_map(v);
    frame *f;

    if (!gt_charge(e->c, 1) || !check_cycle(e, v)) {
        return false;
    }
    if (e->depth == e->size) {
        frame *more = gt_regrow(e->c, e->frames, e->depth, e->size * 2, sizeof(*more));
        if (more == NULL) {
            return false;
        }
        e->frames = more;
        e->size *= 2;
    }
    f = &e->frames[e->depth++];
    *f = (frame){ .v = v, .n = map ? gt_map_len(v.map) : gt_list_len(v.list) };
    f->entries = map ? gt_map_sorted(e->c, v.map) : NULL;
    dsp_buf_addc(e->out, map ? '{' : '[');
    return !map || f->entries != NULL;
}

static bool key(encoder *e, dsp_str name)
{
    if (!encode_string(e, name)) {
        return false;
    }
    dsp_buf_addz(e->out, (e->flags & GT_JSON_PRETTY) != 0 ? ": " : ":");
    return true;
}

/* A struct, or a pointer to one, by its exported fields, which are strings. */
static bool encode_object(encoder *e, gt_value v)
{
    const gt_type_ops *ops = gt_ops((enum gt_type) v.type);
    const char        *name;
    gt_value           field;
    size_t             n = 0;

    dsp_buf_addc(e->out, '{');
    while (!ops->fields_hidden && ops->field_at != NULL && ops->field_at(v, n, &name, &field)) {
        if (n > 0) {
            dsp_buf_addc(e->out, ',');
        }
        new_line(e, e->depth + 1);
        if (!key(e, dsp_str_from(name)) || !encode_string(e, field.s)) {
            return false;
        }
        n++;
    }
    if (n > 0) {
        new_line(e, e->depth);
    }
    dsp_buf_addc(e->out, '}');
    return true;
}

/* --- any value ---------------------------------------------------------------------------------------------------- */

static bool is_null(gt_value v)
{
    enum gt_kind kind = gt_kind_of(v);

    return gt_is_nil(v) || ((kind == GT_KIND_SLICE || kind == GT_KIND_MAP) && v.list == NULL) ||
           (kind == GT_KIND_PTR && v.env == NULL);
}

/* A whole value, or the beginning of a list or map. */
static bool encode(encoder *e, gt_value v)
{
    if (is_null(v)) {
        dsp_buf_addz(e->out, "null");
        return true;
    }
    if (gt_ops((enum gt_type) v.type)->json != NULL) {
        return gt_ops((enum gt_type) v.type)->json(e->c, v, e->out);
    }
    switch (gt_kind_of(v)) {
    case GT_KIND_BOOL:
        dsp_buf_addz(e->out, v.b ? "true" : "false");
        return true;
    case GT_KIND_INT:
    case GT_KIND_INT32:
    case GT_KIND_INT64:
        dsp_buf_addf(e->out, "%lld", (long long) v.i);
        return true;
    case GT_KIND_UINT8:
    case GT_KIND_UINT32:
    case GT_KIND_UINT64:
        dsp_buf_addf(e->out, "%llu", (unsigned long long) v.u);
        return true;
    case GT_KIND_FLOAT64:
        return encode_float(e, v.f);
    case GT_KIND_COMPLEX128:
        return gt_fail(e->c, "json: unsupported type: complex128");
    case GT_KIND_STRING:
        return encode_string(e, v.s);
    case GT_KIND_SLICE:
    case GT_KIND_MAP:
        return v.type == GT_LIST_UINT8 ? encode_bytes(e, v) : enter(e, v);
    default:
        return encode_object(e, v);
    }
}

/* The next element of the innermost container, or its end. */
static bool step(encoder *e)
{
    frame *f = &e->frames[e->depth - 1];
    size_t i = f->i++;

    if (i == f->n) {
        e->depth--;
        if (f->n > 0) {
            new_line(e, e->depth);
        }
        dsp_buf_addc(e->out, f->entries != NULL ? '}' : ']');
        return true;
    }
    if (i > 0) {
        dsp_buf_addc(e->out, ',');
    }
    new_line(e, e->depth);
    if (!gt_charge(e->c, 1)) {
        return false;
    }
    if (f->entries == NULL) {
        return encode(e, f->v.list->items[i]);
    }
    return key(e, f->entries[i].key) && encode(e, f->entries[i].value);
}

bool gt_json_encode(gt_ctx *c, dsp_buf *out, gt_value v, unsigned flags)
{
    encoder e = { .c = c, .out = out, .flags = flags, .size = FIRST_FRAMES };
    bool    ok;

    e.frames = e.first;
    ok = encode(&e, v);
    while (ok && e.depth > 0 && !out->failed) {
        ok = step(&e);
    }
    return ok;
}
