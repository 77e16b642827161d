#include "fn_date.h"

#include "capacity.h"
#include "methods.h"
#include "wrap.h"
#include "zone.h"

/* The methods of time.Time that a template can reach, and what else Go can do with such a value. */

/* Modes: which of a family a body is. */
enum {
    M_YEAR, M_DAY, M_HOUR, M_MINUTE, M_SECOND, M_NANOSECOND, M_YEAR_DAY,
    M_UNIX, M_UNIX_MILLI, M_UNIX_MICRO, M_UNIX_NANO,
    M_EQUAL, M_BEFORE, M_AFTER,
    M_ROUND, M_TRUNCATE,
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
    if (b == NULL || !gt_charge(c, args[0].s.len / 4)) {
        return false;
    }
    gt_time_format(b, args[-1].time, args[0].s);
    return gt_text_give(c, b, out);
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
    return gt_give_text(c, args[-1], write_time, out);
}

static GT_BODY(time_go_string)
{
    (void) n;
    return gt_give_text(c, args[-1], write_go_time, out);
}

/* --- bytes -------------------------------------------------------------------------------------------------------- */

/* []byte: what was in `before`, and the text. capacity: Go's cap() where nothing was before; 0: grown byte by byte. */
static bool give_bytes(gt_ctx *c, const gt_list *before, dsp_buf *b, size_t capacity, gt_value *out)
{
    gt_list *list;
    dsp_str  s;

    if (!gt_text_end(c, b, &s) || !gt_charge(c, s.len + gt_list_len(before))) {
        return false;
    }
    if (before == NULL && s.len == 0) {
        *out = gt_typed_nil(GT_LIST_UINT8);
        return true;
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
    if (gt_list_len(before) == 0 && list->len > 0) {
        list->growth = capacity > 0 ? GT_GROWTH_MADE : GT_GROWTH_APPENDED;
        list->capacity = (uint32_t) capacity;
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
    enum { TEXT = sizeof("2006-01-02T15:04:05.999999999Z07:00") - 1, BINARY = 16 };

    dsp_buf    *b = gt_text_begin(c);
    size_t      capacity = BINARY;
    const char *why;

    if (b == NULL) {
        return false;
    }
    if (c->fn->mode == M_TEXT) {
        capacity = n > 0 ? 0 : TEXT;
        why = gt_time_strict(b, args[-1].time);
        if (why != NULL) {
            return gt_fail(c, "Time.%s: %s", n > 0 ? "AppendText" : "MarshalText", why);
        }
    } else if (c->fn->mode == M_JSON) {
        capacity = TEXT + 2;
        if (!write_json_time(c, args[-1], b)) {
            return false;
        }
    } else if (!write_binary(c, args[-1].time, b)) {
        return false;
    }
    return give_bytes(c, n > 0 ? args[0].list : NULL, b, capacity, out);
}

static GT_BODY(time_append_format)
{
    dsp_buf *b = gt_text_begin(c);

    (void) n;
    if (b == NULL || !gt_charge(c, args[1].s.len / 4)) {
        return false;
    }
    gt_time_format(b, args[-1].time, args[1].s);
    return give_bytes(c, args[0].list, b, 0, out);
}

/* --- equality ----------------------------------------------------------------------------------------------------- */

static bool same_reading(const gt_time *a, const gt_time *b)
{
    return a->sec == b->sec && a->nsec == b->nsec && a->monotonic == b->monotonic && a->mono == b->mono;
}

static bool time_same(gt_value a, gt_value b)
{
    return same_reading(a.time, b.time) && gt_location_same(a.time->loc, b.time->loc);
}

static bool time_deep_equal(gt_value a, gt_value b)
{
    return same_reading(a.time, b.time) && gt_location_equal(a.time->loc, b.time->loc);
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

static const gt_method time_methods[] = {
    GT_METHOD("Add", time_add, 0, GT_METHOD_PARAMS(GT_DURATION), GT_TIME),
    GT_METHOD("AddDate", time_add_date, 0, GT_METHOD_PARAMS(GT_INT, GT_INT, GT_INT), GT_TIME),
    GT_METHOD("After", time_relation, M_AFTER, GT_METHOD_PARAMS(GT_TIME), GT_BOOL),
    GT_METHOD("AppendBinary", time_bytes, M_BINARY, GT_METHOD_PARAMS(GT_LIST_UINT8), GT_LIST_UINT8),
    GT_METHOD("AppendFormat", time_append_format, 0, GT_METHOD_PARAMS(GT_LIST_UINT8, GT_STRING), GT_LIST_UINT8),
    GT_METHOD("AppendText", time_bytes, M_TEXT, GT_METHOD_PARAMS(GT_LIST_UINT8), GT_LIST_UINT8),
    GT_METHOD("Before", time_relation, M_BEFORE, GT_METHOD_PARAMS(GT_TIME), GT_BOOL),
    GT_METHOD_REFUSED("Clock", "function Clock has 3 return values; should be 1 or 2"),
    GT_METHOD("Compare", time_compare, 0, GT_METHOD_PARAMS(GT_TIME), GT_INT),
    GT_METHOD_REFUSED("Date", "function Date has 3 return values; should be 1 or 2"),
    GT_METHOD("Day", time_int, M_DAY, GT_NO_PARAMS, GT_INT),
    GT_METHOD("Equal", time_relation, M_EQUAL, GT_METHOD_PARAMS(GT_TIME), GT_BOOL),
    GT_METHOD("Format", time_format, 0, GT_METHOD_PARAMS(GT_STRING), GT_STRING),
    GT_METHOD("GoString", time_go_string, 0, GT_NO_PARAMS, GT_STRING),
    GT_METHOD("GobEncode", time_bytes, M_BINARY, GT_NO_PARAMS, GT_LIST_UINT8),
    GT_METHOD("Hour", time_int, M_HOUR, GT_NO_PARAMS, GT_INT),
    GT_METHOD_REFUSED("ISOWeek", "invalid function signature for ISOWeek: second return value should be error; is int"),
    GT_METHOD("In", time_in, 0, GT_METHOD_PARAMS(GT_LOCATION), GT_TIME),
    GT_METHOD("IsDST", time_is_dst, 0, GT_NO_PARAMS, GT_BOOL),
    GT_METHOD("IsZero", time_is_zero, 0, GT_NO_PARAMS, GT_BOOL),
    GT_METHOD("Local", time_local, 0, GT_NO_PARAMS, GT_TIME),
    GT_METHOD("Location", time_location, 0, GT_NO_PARAMS, GT_LOCATION),
    GT_METHOD("MarshalBinary", time_bytes, M_BINARY, GT_NO_PARAMS, GT_LIST_UINT8),
    GT_METHOD("MarshalJSON", time_bytes, M_JSON, GT_NO_PARAMS, GT_LIST_UINT8),
    GT_METHOD("MarshalText", time_bytes, M_TEXT, GT_NO_PARAMS, GT_LIST_UINT8),
    GT_METHOD("Minute", time_int, M_MINUTE, GT_NO_PARAMS, GT_INT),
    GT_METHOD("Month", time_month, 0, GT_NO_PARAMS, GT_MONTH),
    GT_METHOD("Nanosecond", time_int, M_NANOSECOND, GT_NO_PARAMS, GT_INT),
    GT_METHOD("Round", time_round, M_ROUND, GT_METHOD_PARAMS(GT_DURATION), GT_TIME),
    GT_METHOD("Second", time_int, M_SECOND, GT_NO_PARAMS, GT_INT),
    GT_METHOD("String", time_string, 0, GT_NO_PARAMS, GT_STRING),
    GT_METHOD("Sub", time_sub, 0, GT_METHOD_PARAMS(GT_TIME), GT_DURATION),
    GT_METHOD("Truncate", time_round, M_TRUNCATE, GT_METHOD_PARAMS(GT_DURATION), GT_TIME),
    GT_METHOD("UTC", time_utc, 0, GT_NO_PARAMS, GT_TIME),
    GT_METHOD("Unix", time_unix, M_UNIX, GT_NO_PARAMS, GT_INT64),
    GT_METHOD("UnixMicro", time_unix, M_UNIX_MICRO, GT_NO_PARAMS, GT_INT64),
    GT_METHOD("UnixMilli", time_unix, M_UNIX_MILLI, GT_NO_PARAMS, GT_INT64),
    GT_METHOD("UnixNano", time_unix, M_UNIX_NANO, GT_NO_PARAMS, GT_INT64),
    GT_METHOD("Weekday", time_weekday, 0, GT_NO_PARAMS, GT_WEEKDAY),
    GT_METHOD("Year", time_int, M_YEAR, GT_NO_PARAMS, GT_INT),
    GT_METHOD("YearDay", time_int, M_YEAR_DAY, GT_NO_PARAMS, GT_INT),
    GT_METHOD_REFUSED("Zone", "invalid function signature for Zone: second return value should be error; is int"),
    GT_METHOD_REFUSED("ZoneBounds",
            "invalid function signature for ZoneBounds: second return value should be error; is time.Time"),
};

static const char *const time_unexported[] = { "wall", "ext", "loc", NULL };

const gt_type_ops gt_time_ops = {
    .string = write_time,
    .go_string = write_go_time,
    .json = write_json_time,
    .deep_equal = time_deep_equal,
    .same = time_same,
    .unexported = time_unexported,
    .field_at = time_field_at,
    .fields_hidden = true,
    GT_METHODS(time_methods),
};
