/*
 * YAML manifests as trees, by libyaml, with the scalars of YAML 1.1 as sigs.k8s.io/yaml reads them.
 */
#ifndef DC_YAML_H
#define DC_YAML_H

#include <cjson/cJSON.h>

#include "base/str.h"

/* The first document, as dc_parse(). */
cJSON *dc_yaml_parse(dsp_str text, const char **error, cJSON *duplicates);

#endif
