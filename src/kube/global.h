/*
 * libcurl's own beginning and end, for a program's main(): once, before the first client and after the last.
 */
#ifndef DSP_KUBE_GLOBAL_H
#define DSP_KUBE_GLOBAL_H

void dsp_kube_global_init(void);
void dsp_kube_global_cleanup(void);

#endif
