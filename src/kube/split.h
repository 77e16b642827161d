/*
 * Cutting a stream of bytes into JSON texts: the lines of a watch and the items of a list. Pure; for the reflector.
 *
 * The bytes may come in pieces of any size. A text that lies whole inside one piece is handed on without a copy.
 */
#ifndef DSP_KUBE_SPLIT_H
#define DSP_KUBE_SPLIT_H

#include "base/json.h"

enum kube_split_result {
    KUBE_SPLIT_OK = 0,   /* all bytes were taken */
    KUBE_SPLIT_STOPPED,  /* the reader gave false */
    KUBE_SPLIT_TOO_LONG, /* one text is over the cap, or memory is out */
    KUBE_SPLIT_GARBLED   /* not what it should be */
};

/* One text; it lives for the call. Lines are not looked at; items have been checked by dsp_json_parse(). */
typedef bool (*kube_split_reader)(void *arg, dsp_str text);

/* --- lines: texts that end with '\n'; empty ones are skipped --- */

typedef struct kube_lines {
    dsp_buf rest; /* of a line whose end has not come yet */
} kube_lines;

void                   kube_lines_init(kube_lines *l, size_t line_max);
void                   kube_lines_free(kube_lines *l); /* usable again */
enum kube_split_result kube_lines_feed(kube_lines *l, dsp_str bytes, kube_split_reader reader, void *arg);

/* --- a List object: {"metadata":{…},"items":[…],…}, members in any order --- */

enum kube_list_state {
    KUBE_LIST_BEFORE = 0, /* nothing but white space came yet */
    KUBE_LIST_KEY_START,  /* a key, ',' or '}' is next */
    KUBE_LIST_KEY,
    KUBE_LIST_COLON,
    KUBE_LIST_VALUE_START,
    KUBE_LIST_VALUE,      /* of a member other than items */
    KUBE_LIST_ITEM_START, /* an item, ',' or ']' is next */
    KUBE_LIST_ITEM,
    KUBE_LIST_AFTER /* the object is complete */
};

typedef struct kube_list {
    enum kube_list_state state;
    dsp_buf text; /* the beginning of the current key, value or item, as far as it lies in earlier pieces */
    char    key[16];
    size_t  depth; /* inside the current value or item */
    bool    in_string;
    bool    escaped;
    bool    scalar;   /* the current value is neither string, object nor array */
    char   *metadata; /* once it came */
    size_t  item_max;
} kube_list;

void                   kube_list_init(kube_list *l, size_t item_max);
void                   kube_list_free(kube_list *l); /* usable again for the next list */
enum kube_split_result kube_list_feed(kube_list *l, dsp_str bytes, kube_split_reader item, void *arg);

/* When the whole list has come: its metadata, checked. {NULL, 0}: it is not complete. Lives until free. */
dsp_json kube_list_metadata(const kube_list *l);

#endif
