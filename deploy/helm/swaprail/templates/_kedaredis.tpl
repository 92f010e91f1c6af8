{{/* What of Redis' address is no secret, and how to talk to it. Takes root, redis. */}}
{{- define "swaprail.kedaRedisAddress" -}}
{{- $names := dict "REDIS_HOST" "host" "REDIS_PORT" "port" "REDIS_USERNAME" "username" }}
{{- range $variable, $parameter := $names }}
{{- with index $.redis.config $variable }}
{{ $parameter }}: {{ include "swaprail.kedaHost" (dict "root" $.root "parameter" $parameter "value" .) | quote }}
{{- end }}
{{- end }}
databaseIndex: {{ .root.Values.redis.database | quote }}
enableTLS: {{ .root.Values.redis.tls.enabled | quote }}
{{- end }}

{{/* KEDA runs in another namespace: a bare service name gets this one. Takes root, parameter, value. */}}
{{- define "swaprail.kedaHost" -}}
{{- .value }}
{{- if and (eq .parameter "host") (not (contains "." .value)) }}.{{ .root.Release.Namespace }}{{ end }}
{{- end }}

{{/* secretTargetRef entries: what KEDA reads from the Secrets that the pods use. Takes root, redis. */}}
{{- define "swaprail.kedaSecretParameters" -}}
{{- $names := dict "REDIS_HOST" "host" "REDIS_PORT" "port" "REDIS_USERNAME" "username" "REDIS_PASSWORD" "password" }}
{{- range $variable, $key := .redis.keys }}
{{- with index $names $variable }}
- parameter: {{ . }}
  name: {{ $.redis.secret }}
  key: {{ $key }}
{{- end }}
{{- end }}
{{- with .root.Values.redis.ca }}
{{- if .existingSecret }}
- parameter: ca
  name: {{ .existingSecret }}
  key: {{ .key }}
{{- end }}
{{- end }}
{{- end }}

{{/* The TriggerAuthentication of a component, when Redis takes a secret. Takes root, component, redis. */}}
{{- define "swaprail.triggerAuthentication" -}}
{{- with include "swaprail.kedaSecretParameters" . }}
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata:
  {{- include "swaprail.metadata" (dict "root" $.root "component" $.component "name" (printf "%s-redis" (include "swaprail.componentName" $))) | nindent 2 }}
spec:
  secretTargetRef:
    {{- . | nindent 4 }}
{{- end }}
{{- end }}
