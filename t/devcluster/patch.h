/*
 * The patch formats as pure functions on trees. Each gives a new tree or changes the given one in place, and refuses
 * with the words of a real server.
 */
#ifndef DC_PATCH_H
#define DC_PATCH_H

#include "fail.h"
#include "schema.h"

/* RFC 7386, into target. Gives the result: target, or another tree when the patch is not an object. */
cJSON *dc_merge_patch(cJSON *target, const cJSON *patch);

/* RFC 6902, on *target. The target is unchanged or half changed when it fails: the caller gives a copy. */
bool dc_json_patch(cJSON **target, const cJSON *patch, dc_fail *f);

/*
 * Strategic merge (apimachinery pkg/util/strategicpatch): lists of objects merge by the key of their member name, lists
 * of finalizers as sets; $patch (replace, delete), $deleteFromPrimitiveList, $setElementOrder, $retainKeys.
 */
bool dc_strategic_patch(cJSON *target, const cJSON *patch, dc_fail *f);

#endif
