{{/* The container of a component. Takes root, component, values. */}}
{{- define "swaprail.container" -}}
{{- $values := .values }}
{{- $port := include "swaprail.trafficPort" .component | fromYaml -}}
name: {{ .component }}
image: {{ include "swaprail.image" . }}
imagePullPolicy: {{ include "swaprail.imagePullPolicy" . }}
command: [swaprail-{{ .component }}]
ports:
  {{- with $port }}
  - name: {{ .name }}
    containerPort: {{ .port }}
  {{- end }}
  - name: ops
    containerPort: 9000
envFrom:
  - configMapRef:
      name: {{ include "swaprail.componentName" . }}
  {{- with $values.extraEnvFrom }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
env:
  {{- include "swaprail.env" . | nindent 2 }}
startupProbe:
  {{- include "swaprail.probe" (dict "path" "/health/started" "timing" $values.startupProbe) | nindent 2 }}
livenessProbe:
  {{- include "swaprail.probe" (dict "path" "/health/live" "timing" $values.livenessProbe) | nindent 2 }}
readinessProbe:
  {{- include "swaprail.probe" (dict "path" "/health/ready" "timing" $values.readinessProbe) | nindent 2 }}
{{- if $values.preStopSeconds }}
lifecycle:
  preStop:
    sleep:
      seconds: {{ $values.preStopSeconds }}
{{- end }}
resources:
  {{- toYaml $values.resources | nindent 2 }}
securityContext:
  {{- toYaml $values.securityContext | nindent 2 }}
volumeMounts:
  {{- include "swaprail.volumeMounts" . | nindent 2 }}
{{- end }}

{{/* A probe of the operations port. Takes path, timing. */}}
{{- define "swaprail.probe" -}}
httpGet:
  path: {{ .path }}
  port: ops
{{ toYaml .timing }}
{{- end }}

{{/* Name and number of the port that takes a component's traffic, or nothing. Takes the component. */}}
{{- define "swaprail.trafficPort" -}}
{{- if eq . "api" }}{name: http, port: 3000}
{{- else if eq . "notifier" }}{name: ws, port: 3001}
{{- end }}
{{- end }}
