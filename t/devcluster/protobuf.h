/*
 * Bodies in Kubernetes' protobuf form (application/vnd.kubernetes.protobuf), which "kubectl create namespace, configmap,
 * secret, job, …" of current versions sends: decoded for the kinds that those make, refused for everything else. Field
 * numbers are those of k8s.io/api core/v1, batch/v1 and apimachinery meta/v1 generated.proto.
 */
#ifndef DC_PROTOBUF_H
#define DC_PROTOBUF_H

#include <cjson/cJSON.h>

#include "base/str.h"

/* The object's tree, or NULL and *error (static): not protobuf, an unknown kind, or a field that is not known here. */
cJSON *dc_protobuf_parse(dsp_str body, const char **error);

#endif
