#include "api.h"

#include <string.h>

#include "protobuf.h"
#include "tree.h"
#include "view.h"
#include "yaml.h"

dc_name dc_request_name(const dc_request *r)
{
    return dc_kind_name(r->kind, r->name != NULL ? r->name : "");
}

static const char *segment(const dc_request *r, int i)
{
    return i < r->n_segments ? r->segments[i] : NULL;
}

static bool no_such_path(dc_request *r)
{
    dc_answer_text(r, 404, "text/plain; charset=utf-8", DSP_STR("404 page not found\n"));
    return false;
}

/*
 * /api/v1/… and /apis/{group}/{version}/…: what follows is [namespaces/{ns}/]{plural}[/{name}[/{sub}]], and a
 * namespace itself is namespaces/{name}[/{sub}]. false: answered with 404.
 */
static bool resolve(dc_request *r, const char *group, const char *version, int at)
{
    const char *plural = segment(r, at);

    if (strcmp(plural, "namespaces") == 0 && *group == '\0' && segment(r, at + 2) != NULL &&
        strcmp(segment(r, at + 2), "status") != 0 && strcmp(segment(r, at + 2), "finalize") != 0) {
        r->ns = segment(r, at + 1);
        at += 2;
    } else if (strcmp(plural, "namespaces") == 0 && *group != '\0' && segment(r, at + 2) != NULL) {
        r->ns = segment(r, at + 1);
        at += 2;
    }
    r->kind = dc_kinds_find(&r->cluster->kinds, group, segment(r, at));
    r->version = r->kind != NULL ? dc_kind_version(r->kind, version) : -1;
    r->name = segment(r, at + 1);
    r->sub = segment(r, at + 2);
    if (r->version < 0 || r->n_segments > at + 3 || (r->ns != NULL) > r->kind->namespaced ||
        (r->name != NULL && r->kind->namespaced && r->ns == NULL)) {
        r->kind = NULL;
        return no_such_path(r);
    }
    return true;
}

static bool known_sub(const dc_request *r)
{
    if (r->sub == NULL) {
        return true;
    }
    if (strcmp(r->sub, "status") == 0) {
        return r->kind->status;
    }
    if (strcmp(r->sub, "finalize") == 0) {
        return r->kind == r->cluster->namespaces;
    }
    return strcmp(r->sub, "log") == 0 && r->kind == r->cluster->pods;
}

static void not_allowed(dc_request *r)
{
    if (r->kind->custom && r->method == EVHTTP_REQ_DELETE) {
        dc_fail_set(&r->fail, 405, "MethodNotAllowed", "delete is not supported on resources of kind \"%s.%s\"",
                    r->kind->plural, r->kind->group);
        r->fail.details = cJSON_CreateObject();
        dc_set_str(r->fail.details, "group", r->kind->group);
        dc_set_str(r->fail.details, "kind", r->kind->plural);
        return;
    }
    dc_fail_set(&r->fail, 405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
    r->fail.details = cJSON_CreateObject();
}

static void serve_collection(dc_request *r)
{
    switch (r->method) {
    case EVHTTP_REQ_GET:
    case EVHTTP_REQ_HEAD:
        if (r->watch) {
            dc_watch_start(r);
        } else {
            dc_read_list(r);
        }
        break;
    case EVHTTP_REQ_POST:
        dc_write_create(r);
        break;
    case EVHTTP_REQ_DELETE:
        dc_delete_collection(r);
        break;
    case EVHTTP_REQ_PUT:
    case EVHTTP_REQ_PATCH:
        if (r->kind->custom) {
            dc_fail_set(&r->fail, 400, "BadRequest", "name must be provided");
            break;
        }
        not_allowed(r);
        break;
    default:
        not_allowed(r);
    }
}

static void serve_object(dc_request *r)
{
    switch (r->method) {
    case EVHTTP_REQ_GET:
    case EVHTTP_REQ_HEAD:
        if (r->sub != NULL && strcmp(r->sub, "log") == 0) {
            dc_log_serve(r);
        } else {
            dc_read_get(r);
        }
        break;
    case EVHTTP_REQ_POST:
        if (r->kind->custom && r->sub == NULL) { /* its handler takes the name for part of a create */
            dc_write_create(r);
        } else {
            not_allowed(r);
        }
        break;
    case EVHTTP_REQ_PUT:
        dc_write_update(r);
        break;
    case EVHTTP_REQ_PATCH:
        dc_write_patch(r);
        break;
    case EVHTTP_REQ_DELETE:
        if (r->sub == NULL) {
            dc_delete_one(r);
            break;
        }
        /* fall through */
    default:
        not_allowed(r);
    }
}

const char *dc_options_kind(const dc_request *r)
{
    switch (r->method) {
    case EVHTTP_REQ_PUT:
        return "UpdateOptions";
    case EVHTTP_REQ_PATCH:
        return "PatchOptions";
    case EVHTTP_REQ_DELETE:
        return "DeleteOptions";
    default:
        return "CreateOptions";
    }
}

static bool check_options(dc_request *r)
{
    const char *dry_run = dc_query(r, "dryRun");
    const char *watch = dc_query(r, "watch");

    if (dry_run != NULL && strcmp(dry_run, "All") != 0 && *dry_run != '\0') {
        dc_name   name = { "meta.k8s.io", dc_options_kind(r), "", "" };
        dc_errors errors = { NULL };
        dc_other_error(&errors, "FieldValueNotSupported", "dryRun",
                       "Unsupported value: [\"%s\"]: supported values: \"All\"", dry_run);
        return dc_errors_done(&errors, name, &r->fail);
    }
    r->dry_run = dry_run != NULL && *dry_run != '\0';
    r->watch = watch != NULL && strcmp(watch, "0") != 0 && strcmp(watch, "false") != 0;
    if (r->method != EVHTTP_REQ_GET && r->body.len > DC_MAX_BODY) {
        return dc_fail_set(&r->fail, 413, "RequestEntityTooLarge", "Request entity too large: limit is %u",
                           DC_MAX_BODY);
    }
    return dc_view_negotiate(r);
}

static void serve_resource(dc_request *r)
{
    if (!known_sub(r) && r->kind->custom) {
        dc_fail_not_found(&r->fail, dc_request_name(r));
    } else if (!known_sub(r)) {
        dc_fail_set(&r->fail, 404, "NotFound", "the server could not find the requested resource");
        r->fail.details = cJSON_CreateObject();
    } else if (check_options(r)) {
        if (r->name == NULL) {
            serve_collection(r);
        } else {
            serve_object(r);
        }
    }
    if (r->fail.code != 0) {
        dc_answer_fail(r);
    }
}

static bool authenticated(dc_request *r)
{
    const char *token = r->cluster->options.token;
    const char *header = dc_header(r, "Authorization");

    return token == NULL ||
           (header != NULL && strncmp(header, "Bearer ", 7) == 0 && strcmp(header + 7, token) == 0);
}

/* "kubectl auth can-i": everything is allowed here, whatever was asked (the question may come as protobuf). */
static bool serve_review(dc_request *r)
{
    if (r->n_segments != 4 || r->method != EVHTTP_REQ_POST || strcmp(r->segments[1], "authorization.k8s.io") != 0) {
        return false;
    }
    cJSON *review = cJSON_CreateObject();
    dc_set_str(review, "kind",
               strcmp(r->segments[3], "selfsubjectrulesreviews") == 0 ? "SelfSubjectRulesReview"
                                                                     : "SelfSubjectAccessReview");
    dc_set_str(review, "apiVersion", "authorization.k8s.io/v1");
    dc_set(review, "spec", cJSON_CreateObject());
    cJSON *status = dc_ensure(review, "status");
    dc_set_bool(status, "allowed", true);
    dc_set_str(status, "reason", "devcluster allows everything");
    dc_answer_tree(r, 201, review);
    cJSON_Delete(review);
    return true;
}

void dc_api_serve(dc_request *r)
{
    const char *root = segment(r, 0);

    if (!authenticated(r)) {
        dc_fail_set(&r->fail, 401, "Unauthorized", "Unauthorized");
        dc_answer_fail(r);
        return;
    }
    if (root != NULL && strcmp(root, "apis") == 0 && r->n_segments >= 4) {
        if (!serve_review(r) && resolve(r, segment(r, 1), segment(r, 2), 3)) {
            serve_resource(r);
        }
    } else if (root != NULL && strcmp(root, "api") == 0 && r->n_segments >= 3) {
        if (resolve(r, "", segment(r, 1), 2)) {
            serve_resource(r);
        }
    } else {
        dc_discovery_serve(r);
        if (r->fail.code != 0) {
            dc_answer_fail(r);
        } else if (r->code == 0) {
            no_such_path(r);
        }
    }
}

bool dc_known_body_type(const char *type)
{
    static const char *const known[] = { "json", "yaml", "application/vnd.kubernetes.protobuf" };

    for (size_t i = 0; type != NULL && i < sizeof(known) / sizeof(known[0]); i++) {
        if (strstr(type, known[i]) != NULL) {
            return true;
        }
    }
    return type == NULL || *type == '\0';
}

cJSON *dc_body_tree(dc_request *r, cJSON *duplicates)
{
    const char *type = dc_header(r, "Content-Type");
    const char *error = NULL;
    cJSON      *tree;

    if (type != NULL && strstr(type, "yaml") != NULL) {
        tree = dc_yaml_parse(r->body, &error, duplicates);
    } else if (type != NULL && strstr(type, "protobuf") != NULL) {
        tree = dc_protobuf_parse(r->body, &error);
    } else {
        tree = dc_parse(r->body, &error, duplicates);
    }
    if (tree == NULL && type != NULL && strstr(type, "protobuf") != NULL) {
        dc_fail_set(&r->fail, 415, "UnsupportedMediaType", "%s", error);
    } else if (tree == NULL) {
        dc_fail_set(&r->fail, 400, "BadRequest",
                    "the object provided is unrecognized (must be of type %s): couldn't get version/kind; json parse "
                    "error: %s (%.*s)", r->kind->kind, r->body.len == 0 ? "unexpected end of JSON input" : error,
                    (int) (r->body.len == 0 ? 7 : r->body.len < 22 ? r->body.len : 22),
                    r->body.len == 0 ? "<empty>" : r->body.data);
    }
    return tree;
}
