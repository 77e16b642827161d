#include "container.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "expand.h"
#include "tree.h"

#define MAX_TEXT (16 << 20)

/* The variables so far, in order; a later one of the same name wins. */
struct environment {
    char **entries; /* "NAME=value" */
    size_t n;
};

static void set_variable(struct environment *e, const char *name, const char *value)
{
    size_t len = strlen(name), i = 0;
    char  *entry = malloc(len + strlen(value) + 2);

    sprintf(entry, "%s=%s", name, value);
    while (i < e->n && (strncmp(e->entries[i], name, len) != 0 || e->entries[i][len] != '=')) {
        i++;
    }
    if (i < e->n) {
        free(e->entries[i]);
    } else {
        e->entries = realloc(e->entries, (++e->n + 1) * sizeof(char *));
        e->entries[e->n] = NULL;
    }
    e->entries[i] = entry;
}

/* Only what the container's own env has set can be referred to, as with kubelet: not what we add. */
struct scope {
    const struct environment *environment;
    const cJSON              *names; /* an array of strings */
};

static const char *lookup(void *arg, const char *name)
{
    const struct scope *s = arg;
    size_t              len = strlen(name);

    if (!dc_array_has(s->names, name)) {
        return NULL;
    }
    for (size_t i = 0; i < s->environment->n; i++) {
        const char *entry = s->environment->entries[i];
        if (strncmp(entry, name, len) == 0 && entry[len] == '=') {
            return entry + len + 1;
        }
    }
    return NULL;
}

static char *expanded(const char *text, struct scope *scope)
{
    dsp_buf out;

    dsp_buf_init(&out, MAX_TEXT);
    dsp_buf_addz(&out, "");
    dc_expand(&out, text, lookup, scope);
    char *result = strdup(dsp_buf_cstr(&out));
    dsp_buf_free(&out);
    return result;
}

/* valueFrom.fieldRef of what the pod itself knows; "" for what only a real node does. */
static const char *field_value(const cJSON *pod, const char *path)
{
    const cJSON *metadata = dc_get(pod, "metadata");
    const char  *value = NULL;
    char         key[256];

    if (sscanf(path, "metadata.labels['%255[^']']", key) == 1) {
        value = dc_str(dc_get(metadata, "labels"), key);
    } else if (sscanf(path, "metadata.annotations['%255[^']']", key) == 1) {
        value = dc_str(dc_get(metadata, "annotations"), key);
    } else if (strncmp(path, "metadata.", 9) == 0) {
        value = dc_str(metadata, path + 9);
    } else if (strncmp(path, "spec.", 5) == 0) {
        value = dc_str(dc_get(pod, "spec"), path + 5);
    } else if (strcmp(path, "status.podIP") == 0 || strcmp(path, "status.hostIP") == 0) {
        value = "127.0.0.1";
    }
    return value != NULL ? value : "";
}

static void read_environment(const cJSON *pod, const cJSON *container, struct environment *e, cJSON *names)
{
    static const char *const ours[] = { "PATH", "TMPDIR", "LANG", "TZ", NULL };
    const cJSON             *list = dc_get(container, "env");
    struct scope             scope = { e, names };

    for (int i = 0; ours[i] != NULL; i++) {
        if (getenv(ours[i]) != NULL) {
            set_variable(e, ours[i], getenv(ours[i]));
        }
    }
    set_variable(e, "HOSTNAME", dc_str(dc_get(pod, "metadata"), "name"));
    for (const cJSON *v = list != NULL ? list->child : NULL; v != NULL; v = v->next) {
        const char *name = dc_str(v, "name"), *value = dc_str(v, "value");
        const char *field = dc_str(dc_at(v, "valueFrom", "fieldRef", NULL), "fieldPath");
        if (name == NULL) {
            continue;
        }
        char *text = field != NULL ? strdup(field_value(pod, field)) : expanded(value != NULL ? value : "", &scope);
        set_variable(e, name, text);
        dc_array_add(names, name);
        free(text);
    }
}

static void add_words(const cJSON *list, struct scope *scope, char ***argv, size_t *n)
{
    for (const cJSON *w = list != NULL ? list->child : NULL; w != NULL; w = w->next) {
        *argv = realloc(*argv, (*n + 2) * sizeof(char *));
        (*argv)[(*n)++] = expanded(dc_text(w) != NULL ? dc_text(w) : "", scope);
        (*argv)[*n] = NULL;
    }
}

static void read_simulation(const cJSON *pod, dc_container *out)
{
    const char *text = dc_str(dc_at(pod, "metadata", "annotations", NULL), DC_SIMULATE);

    out->simulated = text != NULL;
    for (const char *p = text; p != NULL && *p != '\0'; p += *p == ',') {
        if (sscanf(p, "exit=%d", &out->simulated_code) != 1) {
            sscanf(p, "after=%d", &out->simulated_ms);
        }
        p += strcspn(p, ",");
    }
}

bool dc_container_read(const cJSON *pod, dc_container *out, char *error, size_t error_size)
{
    const cJSON       *container = cJSON_GetArrayItem(dc_at(pod, "spec", "containers", NULL), 0);
    struct environment e = { NULL, 0 };
    cJSON             *names = cJSON_CreateArray();
    struct scope       scope = { &e, names };
    const char        *name = dc_str(container, "name");
    size_t             n = 0;

    memset(out, 0, sizeof(*out));
    read_simulation(pod, out);
    if (!out->simulated && cJSON_GetArraySize(dc_get(container, "command")) == 0) {
        snprintf(error, error_size,
                 "container \"%s\" has no command: devcluster runs no images, so the image's own entry point is not "
                 "there", name != NULL ? name : "");
        cJSON_Delete(names);
        return false;
    }
    read_environment(pod, container, &e, names);
    add_words(dc_get(container, "command"), &scope, &out->argv, &n);
    add_words(dc_get(container, "args"), &scope, &out->argv, &n);
    out->env = e.entries;
    cJSON_Delete(names);
    return true;
}

static void free_words(char **words)
{
    for (char **w = words; w != NULL && *w != NULL; w++) {
        free(*w);
    }
    free(words);
}

void dc_container_free(dc_container *c)
{
    free_words(c->argv);
    free_words(c->env);
}
