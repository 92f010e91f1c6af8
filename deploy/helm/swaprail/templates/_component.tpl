{{/* The deployment of a component. Takes root, component. */}}
{{- define "swaprail.deployment" -}}
{{- $values := include "swaprail.componentValues" . | fromYaml }}
{{- $context := merge (dict "values" $values) . }}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "swaprail.metadata" (dict "root" .root "component" .component "name" (include "swaprail.componentName" .) "annotations" $values.deploymentAnnotations) | nindent 2 }}
spec:
  {{- if eq $values.autoscaling.mode "none" }}
  replicas: {{ include "swaprail.replicas" $values }}
  {{- end }}
  revisionHistoryLimit: {{ $values.revisionHistoryLimit }}
  strategy:
    type: RollingUpdate
    rollingUpdate:
      {{- toYaml $values.rollingUpdate | nindent 6 }}
  selector:
    matchLabels:
      {{- include "swaprail.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "swaprail.podLabels" $context | nindent 8 }}
      annotations:
        {{- include "swaprail.podAnnotations" $context | nindent 8 }}
    spec:
      {{- include "swaprail.podSpec" $context | nindent 6 }}
{{- end }}

{{/* Replicas of a component that is not autoscaled. Takes the component's values. */}}
{{- define "swaprail.replicas" -}}
{{- kindIs "invalid" .replicas | ternary .autoscaling.minReplicas .replicas }}
{{- end }}

{{/* Labels of a component's pods; without the chart's version, as its change is no reason to restart. Takes root, component, values. */}}
{{- define "swaprail.podLabels" -}}
{{ include "swaprail.selectorLabels" . }}
{{- with merge (dict) .values.podLabels .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Annotations of a component's pods; the checksums roll the pods when what they read changes. */}}
{{- define "swaprail.podAnnotations" -}}
checksum/config: {{ include "swaprail.configData" . | sha256sum }}
checksum/secret: {{ include "swaprail.secretData" .root | sha256sum }}
{{- with include "swaprail.scrapeAnnotations" .root }}
{{ . }}
{{- end }}
{{- with merge (dict) .values.podAnnotations .root.Values.commonAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Time from SIGTERM's announcement to SIGKILL: preStop, the drain, and 10 s to close connections. */}}
{{- define "swaprail.gracePeriodSeconds" -}}
{{- add .preStopSeconds .drainSeconds 10 }}
{{- end }}
