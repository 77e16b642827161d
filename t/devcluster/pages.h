/*
 * What a paged list holds on to: all pages show the state of the first one, as etcd's old revisions allow a real API
 * server to do. A bounded number of lists is remembered for some minutes; the continue token of a forgotten one is
 * answered with 410 Expired.
 */
#ifndef DC_PAGES_H
#define DC_PAGES_H

#include "kind.h"
#include "store.h"

typedef struct dc_page {
    dc_kind    *kind;
    char       *ns; /* NULL: all namespaces */
    uint64_t    rv;
    int64_t     made_ms;
    dc_object **objects;
    size_t      n;
    LIST_ENTRY(dc_page) all;
} dc_page;

typedef struct dc_pages {
    LIST_HEAD(, dc_page) all; /* newest first */
    size_t n;
} dc_pages;

dc_pages *dc_pages_new(void);
void      dc_pages_free(dc_pages *pages);

/* Remembers a list; takes the objects. */
dc_page *dc_pages_add(dc_pages *pages, dc_kind *kind, const char *ns, uint64_t rv, dc_object **objects, size_t n);

/* The remembered list, or NULL when it expired. */
dc_page *dc_pages_find(dc_pages *pages, const dc_kind *kind, const char *ns, uint64_t rv);

/* Forgets the lists of a kind (compaction), of all kinds when it is NULL. */
void dc_pages_drop(dc_pages *pages, const dc_kind *kind);

/* The first object of the list that comes after "ns/name". */
size_t dc_page_after(const dc_page *page, const char *ns, const char *name);

/* Continue tokens: base64url of {"v":"meta.k8s.io/v1","rv":N,"start":"ns/name\0"}; the token is malloc'd. */
char *dc_token_write(uint64_t rv, const char *ns, const char *name);
/* ns and name are malloc'd. */
bool dc_token_read(const char *token, uint64_t *rv, char **ns, char **name);

#endif
