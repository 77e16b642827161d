#include "log.h"

#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "json.h"

#define LINE_MAX_BYTES (256 * 1024)

static enum dsp_log_level  log_level = DSP_LOG_INFO;
static enum dsp_log_format log_format = DSP_LOG_TEXT;

static const char *const level_names[] = { "debug", "info", "warn", "error" };

void dsp_log_setup(enum dsp_log_level level, enum dsp_log_format format)
{
    log_level = level;
    log_format = format;
}

bool dsp_log_enabled(enum dsp_log_level level)
{
    return level >= log_level;
}

static bool is_bare(dsp_str s)
{
    if (s.len == 0) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char) s.data[i];

        if (c <= ' ' || c >= 0x7F || c == '"' || c == '=' || c == '\\') {
            return false;
        }
    }
    return true;
}

static void add_text(dsp_buf *b, const char *key, dsp_str value)
{
    if (log_format == DSP_LOG_JSON) {
        dsp_buf_addc(b, b->len == 0 ? '{' : ',');
        dsp_json_quote(b, dsp_str_from(key));
        dsp_buf_addc(b, ':');
        dsp_json_quote(b, value);
        return;
    }
    dsp_buf_addf(b, "%s%s=", b->len == 0 ? "" : " ", key);
    if (is_bare(value)) {
        dsp_buf_adds(b, value);
    } else {
        dsp_json_quote(b, value);
    }
}

static void add_number(dsp_buf *b, const char *key, int64_t value)
{
    if (log_format == DSP_LOG_JSON) {
        dsp_buf_addf(b, ",\"%s\":%lld", key, (long long) value);
    } else {
        dsp_buf_addf(b, " %s=%lld", key, (long long) value);
    }
}

void dsp_log_write(enum dsp_log_level level, const char *msg, const dsp_log_field *fields, size_t n)
{
    char    now[DSP_TIME_LEN];
    dsp_buf b;

    dsp_microtime_format(dsp_wall_us(), now);
    dsp_buf_init(&b, LINE_MAX_BYTES);
    add_text(&b, "time", dsp_str_from(now));
    add_text(&b, "level", dsp_str_from(level_names[level]));
    add_text(&b, "msg", dsp_str_from(msg));
    for (size_t i = 0; i < n; i++) {
        if (fields[i].text.data != NULL) {
            add_text(&b, fields[i].key, fields[i].text);
        } else {
            add_number(&b, fields[i].key, fields[i].number);
        }
    }
    dsp_buf_addz(&b, log_format == DSP_LOG_JSON ? "}\n" : "\n");
    /* One write a line, so that lines of several processes on one pipe do not mix. A log that cannot be written is
     * no reason to fail. */
    if (b.failed) {
        static const char lost[] = "level=error msg=\"a log line was too long and is lost\"\n";
        if (write(STDERR_FILENO, lost, sizeof(lost) - 1) < 0) {
            ;
        }
    } else if (write(STDERR_FILENO, b.data, b.len) < 0) {
        ;
    }
    dsp_buf_free(&b);
}
