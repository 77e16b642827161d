#include "fn_date.h"
#include "methods.h"

/* *time.Location: its method, and what else Go can do with such a value. */

static bool write_location(gt_ctx *c, gt_value v, dsp_buf *out)
{
    (void) c;
    dsp_buf_adds(out, v.location != NULL ? v.location->name : gt_utc.name);
    return true;
}

static GT_BODY(location_string)
{
    (void) n;
    return gt_give_text(c, args[-1], write_location, out);
}

/* --- equality and copies ------------------------------------------------------------------------------------------ */

/* FixedZone("", h) gives one object per whole hour from -12 to +14. */
static bool shared_fixed(const gt_location *l)
{
    int offset;

    if (l == NULL || l->name.len > 0 || l->n_zones != 1) {
        return false;
    }
    offset = l->zones[0].offset;
    return offset % 3600 == 0 && offset >= -12 * 3600 && offset <= 14 * 3600;
}

bool gt_location_same(const gt_location *a, const gt_location *b)
{
    return a == b || (shared_fixed(a) && shared_fixed(b) && a->zones[0].offset == b->zones[0].offset);
}

bool gt_location_equal(const gt_location *a, const gt_location *b)
{
    if (gt_location_same(a, b)) {
        return true;
    }
    if (a == NULL || b == NULL || a->n_zones != b->n_zones || a->n_changes != b->n_changes ||
        !dsp_str_eq(a->name, b->name) || !dsp_str_eq(a->extend, b->extend)) {
        return false;
    }
    for (size_t i = 0; i < a->n_zones; i++) {
        if (a->zones[i].offset != b->zones[i].offset || a->zones[i].dst != b->zones[i].dst ||
            !dsp_str_eq(a->zones[i].name, b->zones[i].name)) {
            return false;
        }
    }
    for (size_t i = 0; i < a->n_changes; i++) {
        if (a->changes[i].when != b->changes[i].when || a->changes[i].zone != b->changes[i].zone) {
            return false;
        }
    }
    return true;
}

static bool location_same(gt_value a, gt_value b)
{
    return gt_location_same(a.location, b.location);
}

static bool location_deep_equal(gt_value a, gt_value b)
{
    return gt_location_equal(a.location, b.location);
}

/* copystructure copies exported fields, of which a Location has none. */
static bool location_copy(gt_ctx *c, gt_value v, gt_value *out)
{
    gt_location *l;

    *out = v;
    if (v.location == NULL) {
        return true;
    }
    l = gt_alloc(c, sizeof(*l));
    if (l == NULL) {
        return false;
    }
    *l = (gt_location){ .n_zones = 0 };
    out->location = l;
    return true;
}

static bool write_empty_object(gt_ctx *c, gt_value v, dsp_buf *out)
{
    (void) c;
    dsp_buf_addz(out, v.location == NULL ? "null" : "{}");
    return true;
}

/* --- tables ------------------------------------------------------------------------------------------------------- */

static const gt_method location_methods[] = { GT_METHOD("String", location_string, 0, GT_NO_PARAMS, GT_STRING) };

static const char *const location_unexported[] = { "name",       "zone",     "tx",        "extend",
                                                   "cacheStart", "cacheEnd", "cacheZone", NULL };

/* time.Location's fields; its tables are shown as those of a zone without any, which UTC and a Local of UTC are. */
static bool location_field_at(gt_value v, size_t i, const char **name, gt_value *out)
{
    static const char *const names[] = { "name", "zone", "tx", "extend", "cacheStart", "cacheEnd", "cacheZone" };

    if (i >= sizeof(names) / sizeof(names[0])) {
        return false;
    }
    *name = names[i];
    switch (i) {
    case 0:
        *out = gt_string(v.location->name);
        break;
    case 3:
        *out = gt_string(v.location->extend);
        break;
    case 4:
    case 5:
        *out = gt_int64(0);
        break;
    default:
        *out = gt_typed_nil(i == 6 ? GT_LOCATION : GT_LIST_ANY);
    }
    return true;
}

static const char *const location_field_types[] = {NULL, "[]time.zone", "[]time.zoneTrans", NULL,
                                                   NULL, NULL,          "*time.zone"};

const gt_type_ops gt_location_ops = {
    .field_at = location_field_at,
    .field_types = location_field_types,
    .fields_hidden = true,
    .string = write_location,
    .json = write_empty_object,
    .deep_equal = location_deep_equal,
    .same = location_same,
    .copy = location_copy,
    .unexported = location_unexported,
    .struct_name = "time.Location",
    GT_METHODS(location_methods),
};
