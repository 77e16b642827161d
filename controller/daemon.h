/*
 * The controller as a process: everything wired together, its signals, its beginning and its end.
 *
 * States: starting (until the three kinds are listed), then standby (the Lease is somebody else's; the watches run all
 * the same) or acting, then draining (SIGTERM: no action is begun, those under way end, the Lease is given back), then
 * over.
 */
#ifndef DSP_CONTROLLER_DAEMON_H
#define DSP_CONTROLLER_DAEMON_H

#include "options.h"

/* Runs until a signal ends it; gives the exit status. What goes wrong at the start is one line in the log. */
int dsp_daemon_run(const dsp_options *options);

#endif
