/* dispatcher-controller: turns JobExecutions into Jobs. The command line, then daemon.c. */
#include <malloc.h>
#include <stdio.h>

#include "daemon.h"

int main(int argc, char **argv)
{
    dsp_options options;
    dsp_buf     error;

    /* One thread: one arena is enough, and large blocks go back to the system when they are freed. */
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    mallopt(M_TRIM_THRESHOLD, 256 * 1024);

    dsp_buf_init(&error, 4096);
    if (!dsp_options_parse(argc, (const char *const *) argv, &options, &error)) {
        fprintf(stderr, "dispatcher-controller: %s\n", dsp_buf_cstr(&error));
        dsp_buf_free(&error);
        return 2;
    }
    dsp_buf_free(&error);
    if (options.help) {
        dsp_options_help(stdout);
        return 0;
    }
    if (options.version) {
        puts("dispatcher-controller " DSP_VERSION);
        return 0;
    }
    dsp_log_setup(options.log_level, options.log_format);
    return dsp_daemon_run(&options);
}
