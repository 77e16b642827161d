/*
 * --data DIR: all objects in one file, read at the start and written at the end (and then renamed into place).
 */
#ifndef DC_SNAPSHOT_H
#define DC_SNAPSHOT_H

#include "cluster.h"

/* A missing file is an empty store. false: the reason is in error. */
bool dc_snapshot_load(dc_cluster *c, const char *dir, char *error, size_t error_size);
bool dc_snapshot_save(dc_cluster *c, const char *dir, char *error, size_t error_size);

#endif
