/* The registry, and the table of the built-in kinds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.h"
#include "crd.h"
#include "kind.h"
#include "kind_hooks.h"
#include "namespaces.h"

void dc_kinds_add(dc_kinds *kinds, dc_kind *kind)
{
    kind->next = NULL;
    if (kinds->last == NULL) {
        kinds->first = kind;
    } else {
        kinds->last->next = kind;
    }
    kinds->last = kind;
}

dc_kind *dc_kinds_find(const dc_kinds *kinds, const char *group, const char *plural)
{
    for (dc_kind *k = kinds->first; k != NULL; k = k->next) {
        if (!k->gone && strcmp(k->plural, plural) == 0 && strcmp(k->group, group) == 0) {
            return k;
        }
    }
    return NULL;
}

dc_kind *dc_kinds_by_kind(const dc_kinds *kinds, const char *group, const char *kind)
{
    for (dc_kind *k = kinds->first; k != NULL; k = k->next) {
        if (!k->gone && strcmp(k->kind, kind) == 0 && strcmp(k->group, group) == 0) {
            return k;
        }
    }
    return NULL;
}

int dc_kind_version(const dc_kind *kind, const char *version)
{
    for (int i = 0; i < kind->n_versions; i++) {
        if (kind->versions[i].served && strcmp(kind->versions[i].name, version) == 0) {
            return i;
        }
    }
    return -1;
}

void dc_api_version(const dc_kind *kind, int version, char out[256])
{
    snprintf(out, 256, "%s%s%s", kind->group, *kind->group != '\0' ? "/" : "", kind->versions[version].name);
}

dc_name dc_kind_name(const dc_kind *kind, const char *name)
{
    return (dc_name){ kind->group, kind->kind, kind->plural, name };
}

dc_kind *dc_kind_stored(dc_kind *kind)
{
    return kind->view_of != NULL ? kind->view_of : kind;
}

enum { NAMESPACED = 1, STATUS = 2, GENERATION = 4, BLIND = 8 };

static const struct row {
    const char     *group, *version, *kind, *plural, *singular, *short_name;
    int             flags;
    const dc_hooks *hooks;
} rows[] = {
    { "", "v1", "Namespace", "namespaces", "namespace", "ns", STATUS | BLIND, &dc_namespace_hooks },
    { "", "v1", "Pod", "pods", "pod", "po", NAMESPACED | STATUS | BLIND, &dc_pod_hooks },
    { "", "v1", "Event", "events", "event", "ev", NAMESPACED | BLIND, &dc_event_hooks },
    { "", "v1", "ConfigMap", "configmaps", "configmap", "cm", NAMESPACED | BLIND, &dc_configmap_hooks },
    { "", "v1", "Secret", "secrets", "secret", NULL, NAMESPACED | BLIND, &dc_secret_hooks },
    { "", "v1", "ServiceAccount", "serviceaccounts", "serviceaccount", "sa", NAMESPACED | BLIND, NULL },
    { "", "v1", "Service", "services", "service", "svc", NAMESPACED | STATUS | BLIND, NULL },
    { "", "v1", "Node", "nodes", "node", "no", STATUS | BLIND, NULL },
    { "batch", "v1", "Job", "jobs", "job", NULL, NAMESPACED | STATUS | GENERATION | BLIND, &dc_job_hooks },
    { "coordination.k8s.io", "v1", "Lease", "leases", "lease", NULL, NAMESPACED, &dc_lease_hooks },
    { "events.k8s.io", "v1", "Event", "events", "event", "ev", NAMESPACED | BLIND, &dc_event_hooks },
    { "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions",
      "customresourcedefinition", "crd", STATUS | GENERATION, &dc_crd_hooks },
    { "rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", "clusterrole", NULL, BLIND, &dc_rbac_hooks },
    { "rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", "clusterrolebinding", NULL,
      BLIND, &dc_rbac_hooks },
    { "rbac.authorization.k8s.io", "v1", "Role", "roles", "role", NULL, NAMESPACED | BLIND, &dc_rbac_hooks },
    { "rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", "rolebinding", NULL, NAMESPACED | BLIND,
      &dc_rbac_hooks },
};

static dc_kind *add_row(dc_cluster *c, const struct row *row)
{
    dc_kind *k = calloc(1, sizeof(*k));
    char    *list_kind = NULL;

    if (asprintf(&list_kind, "%sList", row->kind) < 0) {
        abort();
    }
    k->group = row->group;
    k->kind = row->kind;
    k->list_kind = list_kind;
    k->plural = row->plural;
    k->singular = row->singular;
    k->short_names[0] = row->short_name;
    k->versions[0].name = row->version;
    k->versions[0].served = true;
    k->n_versions = 1;
    k->namespaced = (row->flags & NAMESPACED) != 0;
    k->status = (row->flags & STATUS) != 0;
    k->generation = (row->flags & GENERATION) != 0;
    k->blind_update = (row->flags & BLIND) != 0;
    k->hooks = row->hooks;
    dc_kinds_add(&c->kinds, k);
    return k;
}

void dc_kinds_builtin(dc_cluster *c)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        add_row(c, &rows[i]);
    }
    c->namespaces = dc_kinds_find(&c->kinds, "", "namespaces");
    c->pods = dc_kinds_find(&c->kinds, "", "pods");
    c->events = dc_kinds_find(&c->kinds, "", "events");
    c->configmaps = dc_kinds_find(&c->kinds, "", "configmaps");
    c->service_accounts = dc_kinds_find(&c->kinds, "", "serviceaccounts");
    c->jobs = dc_kinds_find(&c->kinds, "batch", "jobs");
    c->crds = dc_kinds_find(&c->kinds, "apiextensions.k8s.io", "customresourcedefinitions");
    dc_kinds_find(&c->kinds, "events.k8s.io", "events")->view_of = c->events;
    c->jobs->orphan_default = true;
    c->jobs->categories[0] = "all";
    c->pods->categories[0] = "all";
    dc_kinds_find(&c->kinds, "", "services")->categories[0] = "all";
}
