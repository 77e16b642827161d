/*
 * Giving memory back when a busy time is over: after the first lists, and after a burst.
 */
#ifndef DSP_BASE_MEMORY_H
#define DSP_BASE_MEMORY_H

/*
 * Returns free heap pages to the kernel, and unmaps the pages of code and constants that this process has touched:
 * loading and relocating some thirty libraries reads megabytes that are never looked at again. What is needed comes
 * back from the page cache when it is used. Never fails; where the kernel refuses, nothing changes.
 */
void dsp_memory_give_back(void);

#endif
