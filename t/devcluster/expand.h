/*
 * $(VAR) in command, args and environment, exactly as kubelet does it
 * (k8s.io/kubernetes third_party/forked/golang/expansion/expand.go).
 */
#ifndef DC_EXPAND_H
#define DC_EXPAND_H

#include "base/buf.h"

/* The value of a variable, or NULL: then "$(NAME)" stays as it is. */
typedef const char *(*dc_lookup)(void *arg, const char *name);

/*
 * Adds the expansion of input: $(NAME) is replaced, $$ is one $, "$(" that is not closed stays. A byte over 0x7F behind
 * a lone $ comes out as the character of that number in UTF-8, because Go's code converts the byte to a rune.
 */
void dc_expand(dsp_buf *out, const char *input, dc_lookup lookup, void *arg);

#endif
