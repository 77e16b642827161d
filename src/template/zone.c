#include "zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_ZONE_FILE (1 << 20)
#define MAX_ZONE_PATH 4096

struct zone_entry {
    struct zone_entry *next;
    dsp_str            name;
    const gt_location *location; /* NULL: there is none of that name */
};

struct zones {
    const gt_location *local;
    struct zone_entry *entries;
};

static struct zones *zones(gt_ctx *c)
{
    if (c->zones == NULL) {
        struct zones *z = gt_alloc(c, sizeof(*z));

        if (z != NULL) {
            *z = (struct zones){ NULL, NULL };
            c->zones = z;
        }
    }
    return c->zones;
}

static const char *zone_dir(const gt_ctx *c)
{
    const char *dir = c->options->host.zone_dir;

    return dir != NULL ? dir : "/usr/share/zoneinfo";
}

/* Reads an open file into the arena. *data has data NULL when it is no file of a sensible size. false: the error is
 * set. */
static bool read_all(gt_ctx *c, int fd, dsp_str *data)
{
    struct stat st;
    char       *p;
    size_t      n = 0;

    *data = (dsp_str){ NULL, 0 };
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > MAX_ZONE_FILE) {
        return true;
    }
    p = gt_alloc(c, (size_t) st.st_size);
    if (p == NULL) {
        return false;
    }
    while (n < (size_t) st.st_size) {
        ssize_t got = read(fd, p + n, (size_t) st.st_size - n);

        if (got <= 0) {
            return true;
        }
        n += (size_t) got;
    }
    *data = (dsp_str){ p, n };
    return true;
}

/* The zone of a file; *out is NULL where that is none. */
static bool load_file(gt_ctx *c, const char *path, dsp_str name, const gt_location **out)
{
    gt_location *l = gt_alloc(c, sizeof(*l));
    int          fd;
    dsp_str      data;
    bool         ok;

    *out = NULL;
    if (l == NULL) {
        return false;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return true;
    }
    ok = read_all(c, fd, &data);
    close(fd);
    if (!ok || data.data == NULL) {
        return ok;
    }
    switch (gt_tzif_parse(c->arena, name, data, l)) {
    case GT_TZIF_OK: *out = l; return true;
    case GT_TZIF_MALFORMED: return true;
    default: return gt_fail_alloc(c);
    }
}

static bool load_named(gt_ctx *c, dsp_str name, const gt_location **out)
{
    char path[MAX_ZONE_PATH];
    int  n;

    *out = NULL;
    if (memchr(name.data, '\0', name.len) != NULL || name.len >= sizeof(path)) {
        return true;
    }
    n = snprintf(path, sizeof(path), "%s/%.*s", zone_dir(c), DSP_STR_ARG(name));
    return n < 0 || (size_t) n >= sizeof(path) || load_file(c, path, name, out);
}

static bool leads_out(dsp_str name)
{
    if (name.data[0] == '/' || name.data[0] == '\\') {
        return true;
    }
    for (size_t i = 0; i + 1 < name.len; i++) {
        if (name.data[i] == '.' && name.data[i + 1] == '.') {
            return true;
        }
    }
    return false;
}

bool gt_zone_load(gt_ctx *c, dsp_str name, const gt_location **out)
{
    struct zones      *z = zones(c);
    struct zone_entry *e;

    *out = NULL;
    if (z == NULL) {
        return false;
    }
    if (name.len == 0 || dsp_str_is(name, "UTC")) {
        *out = &gt_utc;
        return true;
    }
    if (dsp_str_is(name, "Local")) {
        *out = gt_zone_local(c);
        return *out != NULL;
    }
    if (leads_out(name)) {
        return true;
    }
    for (e = z->entries; e != NULL; e = e->next) {
        if (dsp_str_eq(e->name, name)) {
            *out = e->location;
            return true;
        }
    }
    e = gt_alloc(c, sizeof(*e));
    if (e == NULL || !load_named(c, name, &e->location)) {
        return false;
    }
    e->name = name;
    e->next = z->entries;
    z->entries = e;
    *out = e->location;
    return true;
}

/* As Go's initLocal for unix. */
static bool load_local(gt_ctx *c, const gt_location **out)
{
    const char *tz = c->options->host.local_zone != NULL ? c->options->host.local_zone : getenv("TZ");

    *out = NULL;
    if (tz == NULL) {
        return load_file(c, "/etc/localtime", DSP_STR("Local"), out);
    }
    tz += *tz == ':' ? 1 : 0;
    if (*tz == '/') {
        return load_file(c, tz, strcmp(tz, "/etc/localtime") == 0 ? DSP_STR("Local") : dsp_str_from(tz), out);
    }
    if (*tz == '\0' || strcmp(tz, "UTC") == 0) {
        return true;
    }
    return load_named(c, dsp_str_from(tz), out);
}

const gt_location *gt_zone_local(gt_ctx *c)
{
    struct zones *z = zones(c);

    if (z == NULL) {
        return NULL;
    }
    if (z->local == NULL) {
        const gt_location *l;

        if (!load_local(c, &l)) {
            return NULL;
        }
        if (l == NULL) { /* UTC, but an object of its own: Go tells the two apart */
            gt_location *utc = gt_alloc(c, sizeof(*utc));

            if (utc == NULL) {
                return NULL;
            }
            *utc = (gt_location){ .name = DSP_STR("UTC") };
            l = utc;
        }
        z->local = l;
    }
    return z->local;
}
