#include "pages.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "tree.h"

#define MAX_PAGES  64
#define MAX_AGE_MS (5 * 60 * 1000)

dc_pages *dc_pages_new(void)
{
    dc_pages *pages = calloc(1, sizeof(*pages));

    LIST_INIT(&pages->all);
    return pages;
}

static void drop_page(dc_pages *pages, dc_page *page)
{
    LIST_REMOVE(page, all);
    pages->n--;
    dc_objects_free(page->objects, page->n);
    free(page->ns);
    free(page);
}

/* Old ones, and the oldest when there are too many. The list is short. */
static void expire(dc_pages *pages)
{
    dc_page *page, *next;
    size_t   i = 0;
    int64_t  now = dsp_clock_ms();

    for (page = LIST_FIRST(&pages->all); page != NULL; page = next) {
        next = LIST_NEXT(page, all);
        if (++i > MAX_PAGES || now - page->made_ms > MAX_AGE_MS) {
            drop_page(pages, page);
        }
    }
}

void dc_pages_free(dc_pages *pages)
{
    if (pages != NULL) {
        dc_pages_drop(pages, NULL);
        free(pages);
    }
}

dc_page *dc_pages_add(dc_pages *pages, dc_kind *kind, const char *ns, uint64_t rv, dc_object **objects, size_t n)
{
    dc_page *page = calloc(1, sizeof(*page));

    page->kind = kind;
    page->ns = ns != NULL ? strdup(ns) : NULL;
    page->rv = rv;
    page->made_ms = dsp_clock_ms();
    page->objects = objects;
    page->n = n;
    LIST_INSERT_HEAD(&pages->all, page, all);
    pages->n++;
    expire(pages);
    return page;
}

dc_page *dc_pages_find(dc_pages *pages, const dc_kind *kind, const char *ns, uint64_t rv)
{
    dc_page *page;

    expire(pages);
    LIST_FOREACH(page, &pages->all, all) {
        if (page->kind == kind && page->rv == rv &&
            (ns == NULL ? page->ns == NULL : page->ns != NULL && strcmp(ns, page->ns) == 0)) {
            return page;
        }
    }
    return NULL;
}

void dc_pages_drop(dc_pages *pages, const dc_kind *kind)
{
    dc_page *page, *next;

    for (page = LIST_FIRST(&pages->all); page != NULL; page = next) {
        next = LIST_NEXT(page, all);
        if (kind == NULL || page->kind == kind) {
            drop_page(pages, page);
        }
    }
}

size_t dc_page_after(const dc_page *page, const char *ns, const char *name)
{
    size_t from = 0, to = page->n;

    while (from < to) {
        size_t           middle = (from + to) / 2;
        const dc_object *o = page->objects[middle];
        int              order = strcmp(o->ns, ns);
        if (order == 0) {
            order = strcmp(o->name, name);
        }
        if (order <= 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

char *dc_token_write(uint64_t rv, const char *ns, const char *name)
{
    dsp_buf text;
    char   *token;

    dsp_buf_init(&text, 4096);
    dsp_buf_addf(&text, "{\"v\":\"meta.k8s.io/v1\",\"rv\":%" PRIu64 ",\"start\":\"%s/%s\\u0000\"}", rv, ns, name);
    token = calloc(1, 4 * (text.len / 3 + 1) + 1);
    EVP_EncodeBlock((unsigned char *) token, (const unsigned char *) text.data, (int) text.len);
    dsp_buf_free(&text);
    for (char *p = token; *p != '\0'; p++) { /* base64url without padding, as Go's RawURLEncoding */
        *p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
    }
    token[strcspn(token, "=")] = '\0';
    return token;
}

static bool read_start(cJSON *tree, uint64_t *rv, char **ns, char **name)
{
    const char *start = dc_str(tree, "start");
    const char *slash = start != NULL ? strchr(start, '/') : NULL;
    int64_t     number;

    if (slash == NULL || !dc_int(dc_get(tree, "rv"), &number) || number < 0) {
        return false;
    }
    *rv = (uint64_t) number;
    *ns = strndup(start, (size_t) (slash - start));
    *name = strdup(slash + 1);
    return true;
}

bool dc_token_read(const char *token, uint64_t *rv, char **ns, char **name)
{
    size_t         len = strlen(token);
    char          *padded = malloc(len + 5);
    unsigned char *text = malloc(len + 5);
    bool           good = false;

    memcpy(padded, token, len);
    while (len % 4 != 0) {
        padded[len++] = '=';
    }
    padded[len] = '\0';
    for (char *p = padded; *p != '\0'; p++) {
        *p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
    }
    int n = EVP_DecodeBlock(text, (unsigned char *) padded, (int) len);
    while (n > 0 && text[n - 1] == '\0') { /* what the padding stood for */
        n--;
    }
    if (n > 0) {
        /* the closing NUL of the key is \u0000 in the text, which the tree reader does not take */
        text[n] = '\0';
        char *nul = strstr((char *) text, "\\u0000");
        if (nul != NULL) {
            memmove(nul, nul + 6, strlen(nul + 6) + 1);
        }
        cJSON *tree = dc_parse(dsp_str_from((char *) text), NULL, NULL);
        good = tree != NULL && read_start(tree, rv, ns, name);
        cJSON_Delete(tree);
    }
    free(padded);
    free(text);
    return good;
}
