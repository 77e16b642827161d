#include <math.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/utf8.h"
#include "json.h"
#include "strconv.h"

/* Go looks for cycles below this depth. */
enum { CYCLES_BELOW = 1000 };

/* The containers around the value that is being written, innermost first. */
typedef struct around {
    const struct around *outer;
    const void          *container;
} around;

typedef struct encoder {
    gt_ctx  *c;
    dsp_buf *out;
    unsigned flags;
    unsigned depth;
} encoder;

static bool encode(encoder *e, gt_value v, const around *outer);

/* --- scalars ------------------------------------------------------------------------------------------------------ */

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
        dsp_buf_addf(e->out, "\\u%04x", (unsigned) ch);
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
            dsp_buf_addf(e->out, "\\u%04x", (unsigned) rune);
        }
        i += width;
        start = i;
    }
    dsp_buf_add(e->out, s.data + start, s.len - start);
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

static void new_line(encoder *e)
{
    if ((e->flags & GT_JSON_PRETTY) != 0) {
        dsp_buf_addc(e->out, '\n');
        for (unsigned i = 0; i < e->depth && !e->out->failed; i++) {
            dsp_buf_addz(e->out, "  ");
        }
    }
}

static bool begin(encoder *e, char bracket, gt_value v, const around *outer)
{
    unsigned depth = e->depth;

    if (!gt_charge(e->c, 1) || !gt_deeper(e->c)) {
        return false;
    }
    e->depth++;
    for (const around *a = outer; a != NULL && depth >= CYCLES_BELOW; a = a->outer, depth--) {
        if (a->container == v.list) {
            return gt_fail(e->c, "json: unsupported value: encountered a cycle via %s",
                           gt_type_name((enum gt_type) v.type));
        }
    }
    dsp_buf_addc(e->out, bracket);
    return true;
}

static void end(encoder *e, char bracket, bool empty)
{
    e->depth--;
    gt_shallower(e->c);
    if (!empty) {
        new_line(e);
    }
    dsp_buf_addc(e->out, bracket);
}

static bool member(encoder *e, dsp_str key, gt_value v, bool first, const around *outer)
{
    if (!first) {
        dsp_buf_addc(e->out, ',');
    }
    new_line(e);
    if (!encode_string(e, key)) {
        return false;
    }
    dsp_buf_addz(e->out, (e->flags & GT_JSON_PRETTY) != 0 ? ": " : ":");
    return encode(e, v, outer);
}

static bool encode_map(encoder *e, gt_value v, const around *outer)
{
    const around here = { outer, v.map };
    size_t       n = gt_map_len(v.map);
    gt_entry    *entries;

    if (!begin(e, '{', v, outer)) {
        return false;
    }
    entries = gt_map_sorted(e->c, v.map);
    if (entries == NULL) {
        return false;
    }
    for (size_t i = 0; i < n && !e->out->failed; i++) {
        if (!member(e, entries[i].key, entries[i].value, i == 0, &here)) {
            return false;
        }
    }
    end(e, '}', n == 0);
    return true;
}

static bool encode_list(encoder *e, gt_value v, const around *outer)
{
    const around here = { outer, v.list };
    size_t       n = gt_list_len(v.list);

    if (!begin(e, '[', v, outer)) {
        return false;
    }
    for (size_t i = 0; i < n && !e->out->failed; i++) {
        if (i > 0) {
            dsp_buf_addc(e->out, ',');
        }
        new_line(e);
        if (!gt_charge(e->c, 1) || !encode(e, v.list->items[i], &here)) {
            return false;
        }
    }
    end(e, ']', n == 0);
    return true;
}

/* A struct, or a pointer to one, by its exported fields. */
static bool encode_object(encoder *e, gt_value v)
{
    const gt_type_ops *ops = gt_ops((enum gt_type) v.type);
    const char        *name;
    gt_value           field;
    size_t             n = 0;

    if (!begin(e, '{', v, NULL)) {
        return false;
    }
    while (!ops->fields_hidden && ops->field_at != NULL && ops->field_at(v, n, &name, &field)) {
        if (!member(e, dsp_str_from(name), field, n == 0, NULL)) {
            return false;
        }
        n++;
    }
    end(e, '}', n == 0);
    return true;
}

/* --- any value ---------------------------------------------------------------------------------------------------- */

static bool encode(encoder *e, gt_value v, const around *outer)
{
    enum gt_kind kind = gt_kind_of(v);

    if (gt_is_nil(v) || ((kind == GT_KIND_SLICE || kind == GT_KIND_MAP) && v.list == NULL) ||
        (kind == GT_KIND_PTR && v.type != GT_ERROR && v.env == NULL)) {
        dsp_buf_addz(e->out, "null");
        return true;
    }
    if (gt_ops((enum gt_type) v.type)->json != NULL) {
        return gt_ops((enum gt_type) v.type)->json(e->c, v, e->out);
    }
    switch (kind) {
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
        return v.type == GT_LIST_UINT8 ? encode_bytes(e, v) : encode_list(e, v, outer);
    case GT_KIND_MAP:
        return encode_map(e, v, outer);
    default:
        return encode_object(e, v);
    }
}

bool gt_json_encode(gt_ctx *c, dsp_buf *out, gt_value v, unsigned flags)
{
    encoder e = { .c = c, .out = out, .flags = flags };

    return encode(&e, v, NULL);
}
