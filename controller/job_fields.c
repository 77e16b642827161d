#include "job_fields.h"

const dsp_job_field *dsp_job_field_find(dsp_str path)
{
    size_t low = 0, high = dsp_job_fields_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int    order = dsp_str_cmp(path, dsp_str_from(dsp_job_fields[mid].path));

        if (order == 0) {
            return &dsp_job_fields[mid];
        }
        if (order < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}
