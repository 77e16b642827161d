/*
 * How an object gets into the store: create, replace, patch and apply all end here, so that the rules are in one place.
 */
#ifndef DC_WRITE_H
#define DC_WRITE_H

#include "request.h"

/* How to write. */
typedef struct dc_write {
    int         version;  /* index of the version that the tree is in */
    const char *sub;      /* NULL, "status" or "finalize"; updates only */
    bool        dry_run;  /* nothing is stored */
    bool        strict;   /* unknown fields are refused */
    bool        patch;    /* … in the words of a PATCH */
    cJSON      *problems; /* collects unknown and duplicate fields; may be NULL */
    const char *manager;  /* who writes, for managedFields; NULL: not tracked (apply has done so itself) */
} dc_write;

/*
 * Stores a new object as a client's create does: system fields, defaults, validation, admission. The tree stays the
 * caller's and shows what was stored. Gives the stored version, borrowed; NULL with f filled, and NULL with
 * f->code == 0 when it was a dry run.
 */
dc_object *dc_create_object(dc_cluster *c, dc_kind *kind, const dc_write *w, cJSON *tree, dc_fail *f);

/*
 * Replaces an object: tree is the whole new state. A tree with a resourceVersion must have the present one, else
 * Conflict. Removing the last finalizer of a dying object ends it. Nothing is written when nothing changes. Gives the
 * present version; after the end of the object and on a dry run NULL with f->code == 0, and tree is what to answer.
 */
dc_object *dc_update_object(dc_cluster *c, dc_kind *kind, const dc_write *w, cJSON *tree, dc_fail *f);

/* What the query of the request says about writing; problems is an empty array. */
bool dc_write_options(dc_request *r, cJSON *problems, dc_write *w);

/* Says the problems as warnings, unless the client asked to ignore them. */
void dc_warn_problems(dc_request *r, const cJSON *problems);

/* The tree must be of the request's kind and version and may not name another object. */
bool dc_check_identity(dc_request *r, cJSON *tree);

/* Most kinds refuse a replacement that does not say what it replaces. */
bool dc_check_blind(dc_request *r, const dc_kind *kind, const cJSON *tree);

/* Answers with the object, or with the tree when the object is NULL (dry run, last finalizer gone). */
void dc_answer_object(dc_request *r, int code, const dc_object *o, const cJSON *tree);

#endif
