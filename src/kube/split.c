#include "split.h"

#include <stdlib.h>
#include <string.h>

/* Memory of an unusually long text is given back at once. */
#define KEEP_MAX (64u * 1024)

#define METADATA_MAX (1024u * 1024)

static void text_done(dsp_buf *text)
{
    if (text->size > KEEP_MAX) {
        dsp_buf_free(text);
    } else {
        dsp_buf_reset(text);
    }
}

/* --- lines --- */

void kube_lines_init(kube_lines *l, size_t line_max)
{
    dsp_buf_init(&l->rest, line_max);
}

void kube_lines_free(kube_lines *l)
{
    dsp_buf_free(&l->rest);
}

enum kube_split_result kube_lines_feed(kube_lines *l, dsp_str bytes, kube_split_reader reader, void *arg)
{
    while (bytes.len > 0) {
        size_t  end = dsp_str_find(bytes, '\n');
        dsp_str line = dsp_str_sub(bytes, 0, end);
        bool    go_on = true;

        if (end == bytes.len || l->rest.len > 0) {
            if (!dsp_buf_adds(&l->rest, line)) {
                return KUBE_SPLIT_TOO_LONG;
            }
            line = dsp_buf_str(&l->rest);
        } else if (line.len > l->rest.max) {
            return KUBE_SPLIT_TOO_LONG;
        }
        if (end == bytes.len) {
            return KUBE_SPLIT_OK;
        }
        line = dsp_str_trim(line);
        if (line.len > 0) {
            go_on = reader(arg, line);
        }
        text_done(&l->rest);
        if (!go_on) {
            return KUBE_SPLIT_STOPPED;
        }
        bytes = dsp_str_sub(bytes, end + 1, bytes.len);
    }
    return KUBE_SPLIT_OK;
}

/* --- list --- */

void kube_list_init(kube_list *l, size_t item_max)
{
    *l = (kube_list){ .item_max = item_max };
    dsp_buf_init(&l->text, item_max);
}

void kube_list_free(kube_list *l)
{
    size_t item_max = l->item_max;

    dsp_buf_free(&l->text);
    free(l->metadata);
    kube_list_init(l, item_max);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void value_begin(kube_list *l, char first)
{
    l->depth = 0;
    l->in_string = false;
    l->escaped = false;
    l->scalar = first != '{' && first != '[' && first != '"';
}

/* Runs over the current value. Gives the number of bytes that belong to it; *whole says that it ends there. */
static size_t value_scan(kube_list *l, dsp_str bytes, bool *whole)
{
    *whole = false;
    for (size_t i = 0; i < bytes.len; i++) {
        char c = bytes.data[i];

        if (l->escaped) {
            l->escaped = false;
        } else if (l->in_string) {
            if (c == '\\') {
                l->escaped = true;
            } else if (c == '"') {
                l->in_string = false;
                if (l->depth == 0) {
                    *whole = true;
                    return i + 1;
                }
            }
        } else if (l->scalar) {
            if (c == ',' || c == '}' || c == ']' || is_space(c)) {
                *whole = true;
                return i;
            }
        } else if (c == '"') {
            l->in_string = true;
        } else if (c == '{' || c == '[') {
            l->depth++;
        } else if ((c == '}' || c == ']') && --l->depth == 0) {
            *whole = true;
            return i + 1;
        }
    }
    return bytes.len;
}

/* A key: what of it matters is whether it is "items" or "metadata", which nobody writes with escapes. */
static void key_done(kube_list *l, dsp_str text)
{
    dsp_str name = text.len >= 2 ? dsp_str_sub(text, 1, text.len - 1) : text;
    size_t  len = name.len < sizeof(l->key) ? name.len : 0;

    memcpy(l->key, name.data, len);
    l->key[len] = '\0';
    l->state = KUBE_LIST_COLON;
}

static enum kube_split_result member_done(kube_list *l, dsp_str text)
{
    dsp_json checked;

    l->state = KUBE_LIST_KEY_START;
    if (!dsp_json_parse(text, &checked, NULL)) {
        return KUBE_SPLIT_GARBLED;
    }
    if (strcmp(l->key, "metadata") == 0) {
        free(l->metadata);
        l->metadata = text.len <= METADATA_MAX ? dsp_str_dup(text) : NULL;
        return l->metadata != NULL ? KUBE_SPLIT_OK : KUBE_SPLIT_TOO_LONG;
    }
    return KUBE_SPLIT_OK;
}

static enum kube_split_result item_done(kube_list *l, dsp_str text, kube_split_reader item, void *arg)
{
    dsp_json checked;

    l->state = KUBE_LIST_ITEM_START;
    if (!dsp_json_parse(text, &checked, NULL) || dsp_json_kind(checked) != DSP_JSON_OBJECT) {
        return KUBE_SPLIT_GARBLED;
    }
    return item(arg, checked) ? KUBE_SPLIT_OK : KUBE_SPLIT_STOPPED;
}

/* Key, value or item: takes its bytes off the front of *bytes and handles it when it is whole. */
static enum kube_split_result run_value(kube_list *l, dsp_str *bytes, kube_split_reader item, void *arg)
{
    bool                   whole;
    size_t                 n = value_scan(l, *bytes, &whole);
    dsp_str                text = dsp_str_sub(*bytes, 0, n);
    enum kube_split_result result = KUBE_SPLIT_OK;

    *bytes = dsp_str_sub(*bytes, n, bytes->len);
    if (!whole || l->text.len > 0) {
        if (!dsp_buf_adds(&l->text, text)) {
            return KUBE_SPLIT_TOO_LONG;
        }
        text = dsp_buf_str(&l->text);
    } else if (text.len > l->item_max) {
        return KUBE_SPLIT_TOO_LONG;
    }
    if (!whole) {
        return KUBE_SPLIT_OK;
    }
    if (l->state == KUBE_LIST_KEY) {
        key_done(l, text);
    } else if (l->state == KUBE_LIST_ITEM) {
        result = item_done(l, text, item, arg);
    } else {
        result = member_done(l, text);
    }
    text_done(&l->text);
    return result;
}

/* One byte of what stands between values. The byte is taken unless a value begins with it. */
static bool between(kube_list *l, char c, bool *taken)
{
    *taken = true;
    switch (l->state) {
    case KUBE_LIST_BEFORE:
        l->state = KUBE_LIST_KEY_START;
        return c == '{';
    case KUBE_LIST_KEY_START:
        if (c == ',') {
            return true;
        }
        l->state = c == '}' ? KUBE_LIST_AFTER : KUBE_LIST_KEY;
        *taken = c == '}';
        value_begin(l, c);
        return c == '}' || c == '"';
    case KUBE_LIST_COLON:
        l->state = KUBE_LIST_VALUE_START;
        return c == ':';
    case KUBE_LIST_VALUE_START:
        if (c == '[' && strcmp(l->key, "items") == 0) {
            l->state = KUBE_LIST_ITEM_START;
            return true;
        }
        l->state = KUBE_LIST_VALUE;
        *taken = false;
        value_begin(l, c);
        return c != ',' && c != '}' && c != ']' && c != ':';
    case KUBE_LIST_ITEM_START:
        if (c == ',') {
            return true;
        }
        if (c == ']') {
            l->state = KUBE_LIST_KEY_START;
            return true;
        }
        l->state = KUBE_LIST_ITEM;
        *taken = false;
        value_begin(l, c);
        return c == '{';
    default:
        return false;
    }
}

enum kube_split_result kube_list_feed(kube_list *l, dsp_str bytes, kube_split_reader item, void *arg)
{
    while (bytes.len > 0) {
        enum kube_split_result result;
        bool                   taken;

        if (l->state == KUBE_LIST_KEY || l->state == KUBE_LIST_VALUE || l->state == KUBE_LIST_ITEM) {
            result = run_value(l, &bytes, item, arg);
            if (result != KUBE_SPLIT_OK) {
                return result;
            }
        } else if (is_space(bytes.data[0])) {
            bytes = dsp_str_sub(bytes, 1, bytes.len);
        } else {
            if (!between(l, bytes.data[0], &taken)) {
                return KUBE_SPLIT_GARBLED;
            }
            bytes = dsp_str_sub(bytes, taken ? 1 : 0, bytes.len);
        }
    }
    return KUBE_SPLIT_OK;
}

dsp_json kube_list_metadata(const kube_list *l)
{
    dsp_json none = { NULL, 0 }, out;

    if (l->state != KUBE_LIST_AFTER || l->metadata == NULL || !dsp_json_parse(dsp_str_from(l->metadata), &out, NULL)) {
        return none;
    }
    return out;
}
