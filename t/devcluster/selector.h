/*
 * Label and field selectors, as k8s.io/apimachinery pkg/labels and pkg/fields read them.
 */
#ifndef DC_SELECTOR_H
#define DC_SELECTOR_H

#include "fail.h"
#include "kind.h"
#include "store.h"

typedef struct dc_selector dc_selector;

/*
 * The selector of both texts (NULL or "": everything). NULL on a bad one, with 400 in f. kind says which fields may be
 * asked for.
 */
dc_selector *dc_selector_new(const dc_kind *kind, const char *labels, const char *fields, dc_fail *f);
void         dc_selector_free(dc_selector *s);

bool dc_selector_matches(const dc_selector *s, const dc_object *o);
bool dc_selector_everything(const dc_selector *s);

/* Whether a set of labels (an object of strings) satisfies the label selector. For tests. */
bool dc_selector_labels(const dc_selector *s, dsp_str labels);

#endif
