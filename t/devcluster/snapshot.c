#include "snapshot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree.h"

/* The file: {"revision":N} and then an object a line, definitions first, because they make the kinds of the others. */
#define NAME "devcluster.jsonl"

static dc_kind *kind_of(dc_cluster *c, const cJSON *tree)
{
    const char *api = dc_str(tree, "apiVersion"), *name = dc_str(tree, "kind");
    const char *slash = api != NULL ? strchr(api, '/') : NULL;
    char        group[256] = "";

    if (api == NULL || name == NULL) {
        return NULL;
    }
    if (slash != NULL) {
        snprintf(group, sizeof(group), "%.*s", (int) (slash - api), api);
    }
    return dc_kinds_by_kind(&c->kinds, group, name);
}

/* Through the listeners, so that definitions make kinds, Jobs go on and owners are looked at. */
static void restore(dc_cluster *c, cJSON *tree, uint64_t *revision)
{
    dc_kind    *kind = kind_of(c, tree);
    const char *phase = dc_str(dc_get(tree, "status"), "phase");

    dsp_str_u64(dsp_str_from(dc_str(tree, "revision")), revision);
    if (kind == NULL || dc_str(dc_get(tree, "metadata"), "uid") == NULL) {
        return;
    }
    if (kind == c->pods && phase != NULL && strcmp(phase, "Running") == 0) {
        cJSON *status = dc_ensure(tree, "status"); /* its process is gone */
        dc_set_str(status, "phase", "Failed");
        dc_set_str(status, "reason", "NodeLost");
        dc_set_str(status, "message", "devcluster was restarted while the process ran");
        dc_del(status, "containerStatuses");
    }
    dc_store_put(&c->store, kind, tree);
}

bool dc_snapshot_load(dc_cluster *c, const char *dir, char *error, size_t error_size)
{
    char        path[4096];
    char       *line = NULL;
    size_t      size = 0, number = 0;
    ssize_t     len;
    const char *why;
    uint64_t    revision = 0;
    bool        good = true;

    snprintf(path, sizeof(path), "%s/%s", dir, NAME);
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        snprintf(error, error_size, "cannot read %s: %s", path, strerror(errno));
        return errno == ENOENT;
    }
    while (good && (len = getline(&line, &size, in)) > 0) {
        cJSON *tree = dc_parse((dsp_str){ line, (size_t) len }, &why, NULL);
        number++;
        good = tree != NULL;
        if (good) {
            restore(c, tree, &revision);
            if (revision > c->store.rv) { /* revisions never go back */
                c->store.rv = c->store.first_rv = revision;
            }
        } else {
            snprintf(error, error_size, "%s, line %zu: %s", path, number, why);
        }
        cJSON_Delete(tree);
    }
    free(line);
    fclose(in);
    return good;
}

static void save_object(void *arg, dc_object *o)
{
    fprintf(arg, "%.*s\n", (int) o->text.len, o->text.data);
}

bool dc_snapshot_save(dc_cluster *c, const char *dir, char *error, size_t error_size)
{
    char path[4096], temporary[4200];

    snprintf(path, sizeof(path), "%s/%s", dir, NAME);
    snprintf(temporary, sizeof(temporary), "%s.%d", path, (int) getpid());
    mkdir(dir, 0700);
    FILE *out = fopen(temporary, "we");
    if (out == NULL) {
        snprintf(error, error_size, "cannot write %s: %s", temporary, strerror(errno));
        return false;
    }
    fprintf(out, "{\"revision\":\"%" PRIu64 "\"}\n", c->store.rv);
    dc_store_each(c->crds, NULL, save_object, out);
    dc_store_each(c->namespaces, NULL, save_object, out);
    for (const dc_kind *k = c->kinds.first; k != NULL; k = k->next) {
        if (k != c->crds && k != c->namespaces && !k->gone) {
            dc_store_each(k, NULL, save_object, out);
        }
    }
    bool good = ferror(out) == 0;
    good = fclose(out) == 0 && good && rename(temporary, path) == 0;
    if (!good) {
        snprintf(error, error_size, "cannot write %s: %s", path, strerror(errno));
        unlink(temporary);
    }
    return good;
}
