/* Versions and constraints: "constraint NUL version". What is parsed must be written as a version that is equal to it.
 */
#include <stdint.h>
#include <stdlib.h>

#include "template/semver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dsp_str   all = { (const char *) data, size < 4096 ? size : 4096 };
    size_t    nul = dsp_str_find(all, '\0');
    dsp_str   constraint = dsp_str_sub(all, 0, nul), version = dsp_str_sub(all, nul + 1, all.len);
    dsp_arena arena;
    dsp_buf   error, text;
    gt_semver v, again;

    dsp_arena_init(&arena, 16 << 20);
    dsp_buf_init(&error, 1 << 20);
    dsp_buf_init(&text, 1 << 20);
    gt_semver_check(&arena, constraint, version, &error);
    if (gt_semver_parse(version, &v, &error)) {
        gt_semver next = gt_semver_increment(&v, GT_SEMVER_MINOR);

        gt_semver_string(&text, &v);
        if (!gt_semver_parse(dsp_buf_str(&text), &again, &error) || gt_semver_compare(&v, &again) != 0 ||
            gt_semver_check(&arena, dsp_buf_str(&text), version, &error) != GT_SEMVER_YES) {
            abort();
        }
        if (v.minor != UINT64_MAX && gt_semver_compare(&v, &next) != -1) {
            abort();
        }
        gt_semver_set_original(&arena, &next);
    }
    dsp_buf_free(&error);
    dsp_buf_free(&text);
    dsp_arena_free(&arena);
    return 0;
}
