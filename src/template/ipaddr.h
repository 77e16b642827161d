/*
 * Textual IP addresses as Go's net/netip and net (1.26) read them.
 */
#ifndef DSP_TEMPLATE_IPADDR_H
#define DSP_TEMPLATE_IPADDR_H

#include "base/buf.h"
#include "base/str.h"

typedef struct gt_ipaddr {
    uint8_t bytes[16]; /* 4 of them where v4 */
    bool    v4;
    bool    zone; /* an IPv6 address with %zone */
} gt_ipaddr;

/* netip.ParseAddr. false: Go's text is in error (may be NULL). */
bool gt_ipaddr_parse(dsp_str text, gt_ipaddr *out, dsp_buf *error);

#endif
