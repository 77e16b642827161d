/*
 * Watches: each follows the ring of its kind's events and formats them as its client asked. A client that reads slowly
 * is behind in the ring; when the ring has gone past it, it gets 410, as from a real watch cache.
 */
#ifndef DC_WATCH_H
#define DC_WATCH_H

#include "request.h"

typedef struct dc_watchers dc_watchers;

dc_watchers *dc_watchers_new(dc_cluster *c);
void         dc_watchers_free(dc_watchers *w);
size_t       dc_watchers_count(const dc_watchers *w);

/* Ends all watches of the kind (NULL: all) as a restarting server does. Gives how many. */
int dc_watchers_kill(dc_watchers *w, const dc_kind *kind);

#endif
