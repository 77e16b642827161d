{{- define "dispatcher.labels" -}}
app.kubernetes.io/name: {{ .Values.name }}
app.kubernetes.io/part-of: dispatcher
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* Which Pods: a dict of root and component. */}}
{{- define "dispatcher.selector" -}}
app.kubernetes.io/name: {{ .root.Values.name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "dispatcher.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* The component whose Pods have this program: dispatcher, or the program's own when split. */}}
{{- define "dispatcher.component" -}}
{{- if .root.Values.split }}{{ .program }}{{ else }}dispatcher{{ end }}
{{- end }}

{{/* The ServiceAccount, Deployment and PodDisruptionBudget of a component: NAME, or NAME-component when split. */}}
{{- define "dispatcher.fullname" -}}
{{- if .root.Values.split }}{{ .root.Values.name }}-{{ .program }}{{ else }}{{ .root.Values.name }}{{ end }}
{{- end }}

{{- define "dispatcher.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "dispatcher.container.web" -}}
- name: nginx
  image: {{ include "dispatcher.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [dispatcher-nginx]
  ports:
  - {name: http, containerPort: 8000}
  - {name: web-metrics, containerPort: 8082}
  readinessProbe:
    httpGet: {path: /healthz, port: web-metrics}
    periodSeconds: 5
  livenessProbe:
    httpGet: {path: /healthz, port: web-metrics}
    periodSeconds: 20
    timeoutSeconds: 5
  lifecycle:
    # Endpoints first stop sending requests here, then nginx ends the ones it has (QUIT; TERM would cut them).
    preStop:
      exec:
        command: [dispatcher-nginx, drain, "5"]
  resources: {{- toYaml .Values.web.resources | nindent 4 }}
  securityContext: {{- include "dispatcher.containerSecurity" . | nindent 4 }}
  volumeMounts:
  - {name: run, mountPath: /run/dispatcher}
  - {name: nginx, mountPath: /etc/dispatcher, readOnly: true}
  {{- if or .Values.web.extraConfig .Values.namespaced }}
  - {name: nginx-extra, mountPath: /etc/dispatcher.d, readOnly: true}
  {{- end }}
{{- end }}

{{- define "dispatcher.container.manager" -}}
- name: manager
  image: {{ include "dispatcher.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [dispatcher-controller]
  args:
  - --leader-elect
  - --metrics-bind-address=:8080
  - --health-probe-bind-address=:8081
  {{- if .Values.namespaced }}
  - --namespace=$(NAMESPACE)
  {{- end }}
  {{- with .Values.manager.extraArgs }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- if .Values.namespaced }}
  env:
  - name: NAMESPACE
    valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
  {{- end }}
  ports:
  - {name: metrics, containerPort: 8080}
  - {name: probes, containerPort: 8081}
  readinessProbe:
    httpGet: {path: /readyz, port: probes}
    periodSeconds: 5
  livenessProbe:
    httpGet: {path: /healthz, port: probes}
    periodSeconds: 20
    timeoutSeconds: 5
  lifecycle:
    # Works on until nginx has taken its last request.
    preStop:
      exec:
        command: [sleep, "6"]
  resources: {{- toYaml .Values.manager.resources | nindent 4 }}
  securityContext: {{- include "dispatcher.containerSecurity" . | nindent 4 }}
{{- end }}
