/* What every unit test includes: cmocka with the headers that it wants first. */
#ifndef DSP_T_UNIT_H
#define DSP_T_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

/* For time limits that a test is not about: a busy machine must not decide its outcome. */
#define PATIENT_MS (60u * 60 * 1000)

/* A dsp_str against a C string, with both printed when they differ. */
#define assert_str(got, want)                                                                                          \
    do {                                                                                                               \
        dsp_str got_ = (got);                                                                                          \
        char   *text_ = dsp_str_dup(got_);                                                                             \
        assert_non_null(text_);                                                                                        \
        assert_string_equal(text_, (want));                                                                            \
        free(text_);                                                                                                   \
    } while (0)

#endif
