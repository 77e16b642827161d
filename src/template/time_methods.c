#include <string.h>

#include "fn_date.h"
#include "wrap.h"
#include "zone.h"

/*
 * The methods of time.Time, time.Duration, time.Month, time.Weekday and *time.Location that a template can reach, and
 * what else Go can do with such values. c->fn is the method's row; the receiver is args[-1].
 */

/* Modes: which of a family a body is. */
enum {
    M_YEAR, M_DAY, M_HOUR, M_MINUTE, M_SECOND, M_NANOSECOND, M_YEAR_DAY,
    M_UNIX, M_UNIX_MILLI, M_UNIX_MICRO, M_UNIX_NANO,
    M_EQUAL, M_BEFORE, M_AFTER,
    M_ROUND, M_TRUNCATE,
    M_HOURS, M_MINUTES, M_SECONDS,
    M_NANOSECONDS, M_MICROSECONDS, M_MILLISECONDS,
    M_TEXT, M_JSON, M_BINARY
};

/* --- parts of a moment -------------------------------------------------------------------------------------------- */

static GT_BODY(time_int)
{
    const gt_time  *t = args[-1].time;
    struct gt_civil civil = gt_time_civil(t);
    int64_t         v = 0;

    (void) n;
    switch (c->fn->mode) {
    case M_YEAR: v = civil.year; break;
    case M_DAY: v = civil.day; break;
    case M_HOUR: v = civil.hour; break;
    case M_MINUTE: v = civil.min; break;
    case M_SECOND: v = civil.sec; break;
    case M_NANOSECOND: v = t->nsec; break;
    default: v = civil.yday;
    }
    *out = gt_int(v);
    return true;
}

static GT_BODY(time_unix)
{
    const gt_time *t = args[-1].time;
    int64_t        sec = gt_time_unix_sec(t);

    (void) n;
    switch (c->fn->mode) {
    case M_UNIX: break;
    case M_UNIX_MILLI: sec = gt_wrap_add(gt_wrap_mul(sec, 1000), t->nsec / 1000000); break;
    case M_UNIX_MICRO: sec = gt_wrap_add(gt_wrap_mul(sec, 1000000), t->nsec / 1000); break;
    default: sec = gt_wrap_add(gt_wrap_mul(sec, GT_NS_PER_SEC), t->nsec);
    }
    *out = gt_int64(sec);
    return true;
}

static GT_BODY(time_month)
{
    (void) c;
    (void) n;
    *out = (gt_value){ .type = GT_MONTH, .i = gt_time_civil(args[-1].time).month };
    return true;
}

static GT_BODY(time_weekday)
{
    (void) c;
    (void) n;
    *out = (gt_value){ .type = GT_WEEKDAY, .i = gt_time_civil(args[-1].time).weekday };
    return true;
}

static GT_BODY(time_is_zero)
{
    (void) c;
    (void) n;
    *out = gt_bool(gt_time_is_zero(args[-1].time));
    return true;
}

static GT_BODY(time_is_dst)
{
    const gt_time *t = args[-1].time;

    (void) c;
    (void) n;
    *out = gt_bool(gt_location_at(t->loc, gt_time_unix_sec(t)).dst);
    return true;
}

static GT_BODY(time_location)
{
    const gt_time *t = args[-1].time;

    (void) c;
    (void) n;
    *out = (gt_value){ .type = GT_LOCATION, .location = t->loc != NULL ? t->loc : &gt_utc };
    return true;
}

/* --- two moments -------------------------------------------------------------------------------------------------- */

static GT_BODY(time_compare)
{
    (void) c;
    (void) n;
    *out = gt_int(gt_time_compare(args[-1].time, args[0].time));
    return true;
}

static GT_BODY(time_relation)
{
    int order = gt_time_compare(args[-1].time, args[0].time);

    (void) n;
    *out = gt_bool(c->fn->mode == M_EQUAL ? order == 0 : c->fn->mode == M_BEFORE ? order < 0 : order > 0);
    return true;
}

static GT_BODY(time_sub)
{
    (void) c;
    (void) n;
    *out = gt_duration(gt_time_sub(*args[-1].time, *args[0].time));
    return true;
}

/* --- moving ------------------------------------------------------------------------------------------------------- */

static GT_BODY(time_add)
{
    (void) n;
    return gt_time_value(c, gt_time_add(*args[-1].time, args[0].i), out);
}

static GT_BODY(time_add_date)
{
    (void) n;
    return gt_time_value(c, gt_time_add_date(*args[-1].time, args[0].i, args[1].i, args[2].i), out);
}

static GT_BODY(time_round)
{
    gt_time t = *args[-1].time;

    (void) n;
    return gt_time_value(c, c->fn->mode == M_ROUND ? gt_time_round(t, args[0].i) : gt_time_truncate(t, args[0].i), out);
}

static GT_BODY(time_utc)
{
    (void) n;
    return gt_time_value(c, gt_time_in(*args[-1].time, NULL), out);
}

static GT_BODY(time_local)
{
    const gt_location *local = gt_zone_local(c);

    (void) n;
    return local != NULL && gt_time_value(c, gt_time_in(*args[-1].time, local), out);
}

static GT_BODY(time_in)
{
    (void) n;
    if (args[0].location == NULL) {
        return gt_fail(c, "time: missing Location in call to Time.In");
    }
    return gt_time_value(c, gt_time_in(*args[-1].time, args[0].location), out);
}

/* --- text --------------------------------------------------------------------------------------------------------- */

static GT_BODY(time_format)
{
    dsp_buf *b = gt_text_begin(c);

    (void) n;
    if (b == NULL || !gt_charge_bytes(c, args[0].s.len)) {
        return false;
    }
    gt_time_format(b, args[-1].time, args[0].s);
    return gt_text_give(c, b, out);
}

/* Gives a value's text by one of the operations of its type. */
static bool give_text(gt_ctx *c, gt_value v, bool (*write)(gt_ctx *, gt_value, dsp_buf *), gt_value *out)
{
    dsp_buf *b = gt_text_begin(c);

    return b != NULL && write(c, v, b) && gt_text_give(c, b, out);
}

static bool write_time(gt_ctx *c, gt_value v, dsp_buf *out)
{
    (void) c;
    gt_time_string(out, v.time);
    return true;
}

static bool write_go_time(gt_ctx *c, gt_value v, dsp_buf *out)
{
    const gt_location *local = gt_zone_local(c);

    if (local == NULL) {
        return false;
    }
    gt_time_go_string(out, v.time, local);
    return true;
}

static bool write_json_time(gt_ctx *c, gt_value v, dsp_buf *out)
{
    const char *why;

    dsp_buf_addc(out, '"');
    why = gt_time_strict(out, v.time);
    dsp_buf_addc(out, '"');
    return why == NULL || gt_fail(c, "Time.MarshalJSON: %s", why);
}

static GT_BODY(time_string)
{
    (void) n;
    return give_text(c, args[-1], write_time, out);
}

static GT_BODY(time_go_string)
{
    (void) n;
    return give_text(c, args[-1], write_go_time, out);
}

/* --- bytes -------------------------------------------------------------------------------------------------------- */

/* []byte: what was in `before`, and the text. */
static bool give_bytes(gt_ctx *c, const gt_list *before, dsp_buf *b, gt_value *out)
{
    gt_list *list;
    dsp_str  s;

    if (!gt_text_end(c, b, &s) || !gt_charge(c, s.len + gt_list_len(before))) {
        return false;
    }
    list = gt_list_new(c, GT_LIST_UINT8, s.len + gt_list_len(before));
    if (list == NULL) {
        return false;
    }
    for (size_t i = 0; i < gt_list_len(before); i++) {
        if (!gt_list_add(c, list, before->items[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < s.len; i++) {
        if (!gt_list_add(c, list, gt_uint8((uint8_t) s.data[i]))) {
            return false;
        }
    }
    *out = gt_of_list(list);
    return true;
}

static void add_big_endian(dsp_buf *b, uint64_t v, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--) {
        dsp_buf_addc(b, (char) (v >> (8 * i) & 0xFF));
    }
}

/* Go's own format: version, seconds since year 1, nanoseconds, offset in minutes (-1: UTC). */
static bool write_binary(gt_ctx *c, const gt_time *t, dsp_buf *b)
{
    int  offset = gt_location_at(t->loc, gt_time_unix_sec(t)).offset, minutes = offset / 60;
    bool seconds = t->loc != NULL && offset % 60 != 0;

    if (t->loc == NULL) {
        minutes = -1;
    } else if (minutes < -32768 || minutes == -1 || minutes > 32767) {
        return gt_fail(c, "Time.MarshalBinary: unexpected zone offset");
    }
    dsp_buf_addc(b, seconds ? 2 : 1);
    add_big_endian(b, (uint64_t) t->sec, 8);
    add_big_endian(b, (uint64_t) t->nsec, 4);
    add_big_endian(b, (uint64_t) minutes, 2);
    if (seconds) {
        dsp_buf_addc(b, (char) (offset % 60));
    }
    return true;
}

/* MarshalText, AppendText, … : n tells whether there is a []byte to append to. */
static GT_BODY(time_bytes)
{
    dsp_buf    *b = gt_text_begin(c);
    const char *why;

    if (b == NULL) {
        return false;
    }
    if (c->fn->mode == M_TEXT) {
        why = gt_time_strict(b, args[-1].time);
        if (why != NULL) {
            return gt_fail(c, "Time.%s: %s", n > 0 ? "AppendText" : "MarshalText", why);
        }
    } else if (c->fn->mode == M_JSON) {
        if (!write_json_time(c, args[-1], b)) {
            return false;
        }
    } else if (!write_binary(c, args[-1].time, b)) {
        return false;
    }
    return give_bytes(c, n > 0 ? args[0].list : NULL, b, out);
}

static GT_BODY(time_append_format)
{
    dsp_buf *b = gt_text_begin(c);

    (void) n;
    if (b == NULL || !gt_charge_bytes(c, args[1].s.len)) {
        return false;
    }
    gt_time_format(b, args[-1].time, args[1].s);
    return give_bytes(c, args[0].list, b, out);
}

/* --- durations ---------------------------------------------------------------------------------------------------- */

static bool write_duration(gt_ctx *c, gt_value v, dsp_buf *out)
{
    (void) c;
    gt_duration_string(out, v.i);
    return true;
}

static GT_BODY(duration_string)
{
    (void) n;
    return give_text(c, args[-1], write_duration, out);
}

static GT_BODY(duration_float)
{
    int64_t unit = GT_NS_PER_SEC;

    (void) n;
    unit *= c->fn->mode == M_HOURS ? 3600 : c->fn->mode == M_MINUTES ? 60 : 1;
    *out = gt_float(gt_duration_in(args[-1].i, unit));
    return true;
}

static GT_BODY(duration_int)
{
    (void) n;
    *out = gt_int64(args[-1].i / (c->fn->mode == M_MICROSECONDS ? 1000 : c->fn->mode == M_MILLISECONDS ? 1000000 : 1));
    return true;
}

static GT_BODY(duration_round)
{
    int64_t d = args[-1].i;

    (void) n;
    *out = gt_duration(c->fn->mode == M_ROUND ? gt_duration_round(d, args[0].i) : gt_duration_truncate(d, args[0].i));
    return true;
}

static GT_BODY(duration_abs)
{
    (void) c;
    (void) n;
    *out = gt_duration(gt_duration_abs(args[-1].i));
    return true;
}

/* --- names -------------------------------------------------------------------------------------------------------- */

static bool write_month(gt_ctx *c, gt_value v, dsp_buf *out)
{
    (void) c;
    gt_month_name(out, v.i);
    return true;
}

static bool write_weekday(gt_ctx *c, gt_value v, dsp_buf *out)
{
    (void) c;
    gt_weekday_name(out, v.i);
    return true;
}

static bool write_location(gt_ctx *c, gt_value v, dsp_buf *out)
{
    (void) c;
    dsp_buf_adds(out, v.location != NULL ? v.location->name : gt_utc.name);
    return true;
}

static GT_BODY(month_string)
{
    (void) n;
    return give_text(c, args[-1], write_month, out);
}

static GT_BODY(weekday_string)
{
    (void) n;
    return give_text(c, args[-1], write_weekday, out);
}

static GT_BODY(location_string)
{
    (void) n;
    return give_text(c, args[-1], write_location, out);
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

static bool one_location(const gt_location *a, const gt_location *b)
{
    return a == b || (shared_fixed(a) && shared_fixed(b) && a->zones[0].offset == b->zones[0].offset);
}

static bool equal_location(const gt_location *a, const gt_location *b)
{
    if (one_location(a, b)) {
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

static bool same_reading(const gt_time *a, const gt_time *b)
{
    return a->sec == b->sec && a->nsec == b->nsec && a->monotonic == b->monotonic && a->mono == b->mono;
}

static bool time_same(gt_value a, gt_value b)
{
    return same_reading(a.time, b.time) && one_location(a.time->loc, b.time->loc);
}

static bool time_deep_equal(gt_value a, gt_value b)
{
    return same_reading(a.time, b.time) && equal_location(a.time->loc, b.time->loc);
}

static bool location_same(gt_value a, gt_value b)
{
    return one_location(a.location, b.location);
}

static bool location_deep_equal(gt_value a, gt_value b)
{
    return equal_location(a.location, b.location);
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

/* --- fields as printf sees them ----------------------------------------------------------------------------------- */

#define WALL_TO_INTERNAL INT64_C(59453308800) /* 1885-01-01 in seconds since year 1 */

static bool time_field_at(gt_value v, size_t i, const char **name, gt_value *out)
{
    const gt_time *t = v.time;

    switch (i) {
    case 0:
        *name = "wall";
        *out = gt_uint64((uint64_t) t->nsec);
        if (t->monotonic) {
            out->u |= UINT64_C(1) << 63 | (uint64_t) (t->sec - WALL_TO_INTERNAL) << 30;
        }
        return true;
    case 1:
        *name = "ext";
        *out = gt_int64(t->monotonic ? t->mono : t->sec);
        return true;
    case 2:
        *name = "loc";
        *out = (gt_value){ .type = GT_LOCATION, .location = t->loc };
        return true;
    default:
        return false;
    }
}

/* --- tables ------------------------------------------------------------------------------------------------------- */

#define M(name, body, mode, params, result) { { name, body, mode, params, 0, result, 1, 0 }, NULL }
#define P(...) GT_PARAMS(__VA_ARGS__)
#define REFUSED(name, why) { { name, NULL, 0, GT_NO_PARAMS, 0, GT_ANY, 1, 0 }, why }

static const gt_method time_methods[] = {
    M("Add", time_add, 0, P(GT_DURATION), GT_TIME),
    M("AddDate", time_add_date, 0, P(GT_INT, GT_INT, GT_INT), GT_TIME),
    M("After", time_relation, M_AFTER, P(GT_TIME), GT_BOOL),
    M("AppendBinary", time_bytes, M_BINARY, P(GT_LIST_UINT8), GT_LIST_UINT8),
    M("AppendFormat", time_append_format, 0, P(GT_LIST_UINT8, GT_STRING), GT_LIST_UINT8),
    M("AppendText", time_bytes, M_TEXT, P(GT_LIST_UINT8), GT_LIST_UINT8),
    M("Before", time_relation, M_BEFORE, P(GT_TIME), GT_BOOL),
    REFUSED("Clock", "function Clock has 3 return values; should be 1 or 2"),
    M("Compare", time_compare, 0, P(GT_TIME), GT_INT),
    REFUSED("Date", "function Date has 3 return values; should be 1 or 2"),
    M("Day", time_int, M_DAY, GT_NO_PARAMS, GT_INT),
    M("Equal", time_relation, M_EQUAL, P(GT_TIME), GT_BOOL),
    M("Format", time_format, 0, P(GT_STRING), GT_STRING),
    M("GoString", time_go_string, 0, GT_NO_PARAMS, GT_STRING),
    M("GobEncode", time_bytes, M_BINARY, GT_NO_PARAMS, GT_LIST_UINT8),
    M("Hour", time_int, M_HOUR, GT_NO_PARAMS, GT_INT),
    REFUSED("ISOWeek", "invalid function signature for ISOWeek: second return value should be error; is int"),
    M("In", time_in, 0, P(GT_LOCATION), GT_TIME),
    M("IsDST", time_is_dst, 0, GT_NO_PARAMS, GT_BOOL),
    M("IsZero", time_is_zero, 0, GT_NO_PARAMS, GT_BOOL),
    M("Local", time_local, 0, GT_NO_PARAMS, GT_TIME),
    M("Location", time_location, 0, GT_NO_PARAMS, GT_LOCATION),
    M("MarshalBinary", time_bytes, M_BINARY, GT_NO_PARAMS, GT_LIST_UINT8),
    M("MarshalJSON", time_bytes, M_JSON, GT_NO_PARAMS, GT_LIST_UINT8),
    M("MarshalText", time_bytes, M_TEXT, GT_NO_PARAMS, GT_LIST_UINT8),
    M("Minute", time_int, M_MINUTE, GT_NO_PARAMS, GT_INT),
    M("Month", time_month, 0, GT_NO_PARAMS, GT_MONTH),
    M("Nanosecond", time_int, M_NANOSECOND, GT_NO_PARAMS, GT_INT),
    M("Round", time_round, M_ROUND, P(GT_DURATION), GT_TIME),
    M("Second", time_int, M_SECOND, GT_NO_PARAMS, GT_INT),
    M("String", time_string, 0, GT_NO_PARAMS, GT_STRING),
    M("Sub", time_sub, 0, P(GT_TIME), GT_DURATION),
    M("Truncate", time_round, M_TRUNCATE, P(GT_DURATION), GT_TIME),
    M("UTC", time_utc, 0, GT_NO_PARAMS, GT_TIME),
    M("Unix", time_unix, M_UNIX, GT_NO_PARAMS, GT_INT64),
    M("UnixMicro", time_unix, M_UNIX_MICRO, GT_NO_PARAMS, GT_INT64),
    M("UnixMilli", time_unix, M_UNIX_MILLI, GT_NO_PARAMS, GT_INT64),
    M("UnixNano", time_unix, M_UNIX_NANO, GT_NO_PARAMS, GT_INT64),
    M("Weekday", time_weekday, 0, GT_NO_PARAMS, GT_WEEKDAY),
    M("Year", time_int, M_YEAR, GT_NO_PARAMS, GT_INT),
    M("YearDay", time_int, M_YEAR_DAY, GT_NO_PARAMS, GT_INT),
    REFUSED("Zone", "invalid function signature for Zone: second return value should be error; is int"),
    REFUSED("ZoneBounds",
            "invalid function signature for ZoneBounds: second return value should be error; is time.Time"),
};

static const gt_method duration_methods[] = {
    M("Abs", duration_abs, 0, GT_NO_PARAMS, GT_DURATION),
    M("Hours", duration_float, M_HOURS, GT_NO_PARAMS, GT_FLOAT64),
    M("Microseconds", duration_int, M_MICROSECONDS, GT_NO_PARAMS, GT_INT64),
    M("Milliseconds", duration_int, M_MILLISECONDS, GT_NO_PARAMS, GT_INT64),
    M("Minutes", duration_float, M_MINUTES, GT_NO_PARAMS, GT_FLOAT64),
    M("Nanoseconds", duration_int, M_NANOSECONDS, GT_NO_PARAMS, GT_INT64),
    M("Round", duration_round, M_ROUND, P(GT_DURATION), GT_DURATION),
    M("Seconds", duration_float, M_SECONDS, GT_NO_PARAMS, GT_FLOAT64),
    M("String", duration_string, 0, GT_NO_PARAMS, GT_STRING),
    M("Truncate", duration_round, M_TRUNCATE, P(GT_DURATION), GT_DURATION),
};

static const gt_method month_methods[] = { M("String", month_string, 0, GT_NO_PARAMS, GT_STRING) };
static const gt_method weekday_methods[] = { M("String", weekday_string, 0, GT_NO_PARAMS, GT_STRING) };
static const gt_method location_methods[] = { M("String", location_string, 0, GT_NO_PARAMS, GT_STRING) };

#define METHODS(table) .methods = table, .n_methods = sizeof(table) / sizeof(table[0])

static const char *const time_unexported[] = { "wall", "ext", "loc", NULL };
static const char *const location_unexported[] = { "name",       "zone",     "tx",        "extend",
                                                   "cacheStart", "cacheEnd", "cacheZone", NULL };

const gt_type_ops gt_time_ops = {
    .string = write_time,
    .go_string = write_go_time,
    .json = write_json_time,
    .deep_equal = time_deep_equal,
    .same = time_same,
    .unexported = time_unexported,
    .field_at = time_field_at,
    .fields_hidden = true,
    METHODS(time_methods),
};

const gt_type_ops gt_duration_ops = { .string = write_duration, METHODS(duration_methods) };
const gt_type_ops gt_month_ops = { .string = write_month, METHODS(month_methods) };
const gt_type_ops gt_weekday_ops = { .string = write_weekday, METHODS(weekday_methods) };

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
    METHODS(location_methods),
};
