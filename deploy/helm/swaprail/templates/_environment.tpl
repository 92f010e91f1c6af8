{{/* Data of a component's ConfigMap: what the chart derives, then config of all and of this service. Takes root, component, values. */}}
{{- define "swaprail.configData" -}}
APP_ENV: {{ .root.Values.appEnv }}
HOST: {{ .root.Values.listen | quote }}
OPS_PORT: "9000"
DRAIN_TIMEOUT_S: {{ .values.drainSeconds | quote }}
{{ include "swaprail.databaseConfig" .root }}
{{ include "swaprail.redisConfig" .root }}
{{- include "swaprail.tracingConfig" .root }}
{{- include "swaprail.trafficConfig" . }}
{{- range $name, $value := merge (dict) (index .root.Values .component).config .root.Values.config }}
{{ $name }}: {{ include "swaprail.scalar" $value | quote }}
{{- end }}
{{- end }}

{{/* Where traces go, when they go anywhere. Takes root. */}}
{{- define "swaprail.tracingConfig" -}}
{{- with .Values.tracing }}
{{- if .endpoint }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ .endpoint | quote }}
TRACE_SAMPLE_RATIO: {{ include "swaprail.scalar" .sampleRatio | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* What the services that face clients listen on, and which proxies they believe. Takes root, component. */}}
{{- define "swaprail.trafficConfig" -}}
{{- $proxies := join "," .root.Values.trustedProxies }}
{{- if eq .component "api" }}
PORT: "3000"
{{- with $proxies }}
FORWARDED_ALLOW_IPS: {{ . | quote }}
{{- end }}
{{- else if eq .component "notifier" }}
NOTIFIER_PORT: "3001"
{{- with $proxies }}
WS_TRUSTED_PROXIES: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* env: of a component: its name among its replicas, and the secrets it needs. Takes root, component, values. */}}
{{- define "swaprail.env" -}}
- name: WORKER_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- include "swaprail.databaseEnv" .root }}
{{- include "swaprail.redisEnv" .root }}
{{- include "swaprail.secretEnv" . }}
{{- with .values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* An environment variable out of a Secret. Takes name, secret, key. */}}
{{- define "swaprail.envFromSecret" }}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end }}
