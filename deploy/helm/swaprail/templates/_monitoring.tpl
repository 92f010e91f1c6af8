{{/* What a PodMonitor or ServiceMonitor says of the operations port. Takes root, monitor (its values). */}}
{{- define "swaprail.scrapeEndpoint" -}}
port: ops
path: /metrics
interval: {{ .monitor.interval }}
scrapeTimeout: {{ .monitor.scrapeTimeout }}
relabelings:
  - sourceLabels: [__meta_kubernetes_pod_label_app_kubernetes_io_component]
    targetLabel: job
    replacement: {{ include "swaprail.fullname" .root }}-$1
  {{- with .monitor.relabelings }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .monitor.metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Selects what belongs to the four services, and nothing else of the release. Takes root. */}}
{{- define "swaprail.fourComponents" -}}
matchLabels:
  {{- include "swaprail.releaseSelector" . | nindent 2 }}
matchExpressions:
  - key: app.kubernetes.io/component
    operator: In
    values: [api, router, executor, notifier]
{{- end }}

{{/* Annotations by which a Prometheus without operator finds a pod, when wanted. Takes root. */}}
{{- define "swaprail.scrapeAnnotations" -}}
{{- if .Values.monitoring.scrapeAnnotations }}
prometheus.io/scrape: "true"
prometheus.io/port: "9000"
prometheus.io/path: /metrics
{{- end }}
{{- end }}

{{/*
Groups of the rule files with the runbooks' address filled in, the extra labels on alerts, and disabled alerts left out.
Emits {groups: [...]}. Takes root.
*/}}
{{- define "swaprail.ruleGroups" -}}
{{- $values := .Values.monitoring.prometheusRule }}
{{- $groups := list }}
{{- range $path, $_ := .Files.Glob "alerts/*.yaml" }}
  {{- range ($.Files.Get $path | replace "RUNBOOK_BASE_URL" $values.runbookBaseUrl | fromYaml).groups }}
    {{- $rules := list }}
    {{- range .rules }}
      {{- if not (has .alert $values.disabledAlerts) }}
        {{- if .alert }}{{ $_ := set . "labels" (merge (dict) $values.alertLabels (.labels | default dict)) }}{{ end }}
        {{- $rules = append $rules . }}
      {{- end }}
    {{- end }}
    {{- if $rules }}{{ $groups = append $groups (merge (dict "rules" $rules) .) }}{{ end }}
  {{- end }}
{{- end }}
{{- dict "groups" $groups | toYaml }}
{{- end }}
