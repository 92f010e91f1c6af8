{{- define "swaprail.validate.autoscaling" }}
{{- range $component := list "api" "router" "executor" "notifier" }}
{{- $values := include "swaprail.componentValues" (dict "root" $ "component" $component) | fromYaml }}
{{- include "swaprail.validate.scaling" (dict "component" $component "values" $values) }}
{{- if eq $values.autoscaling.mode "hpa" }}
{{- include "swaprail.validate.hpa" (dict "component" $component "values" $values) }}
{{- else if eq $values.autoscaling.mode "keda" }}
{{- include "swaprail.validate.keda" (dict "component" $component "root" $) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Takes component, values. */}}
{{- define "swaprail.validate.scaling" }}
{{- $name := printf "%s.autoscaling" .component }}
{{- with .values.autoscaling }}
{{- if gt (int .minReplicas) (int .maxReplicas) }}
{{ $name }}.minReplicas {{ .minReplicas }} is above maxReplicas {{ .maxReplicas }}: lower one or raise the other.
{{- end }}
{{- if and .metrics (ne .mode "hpa") }}
{{ $name }}.metrics are for mode hpa, and the mode is {{ .mode }}: unset them, or use hpa.
{{- end }}
{{- if and (ne .mode "none") (not (kindIs "invalid" $.values.replicas)) }}
{{ $.component }}.replicas would fight the autoscaler: unset it, or set {{ $name }}.mode to none.
{{- end }}
{{- end }}
{{- end }}

{{/* Takes component, values. */}}
{{- define "swaprail.validate.hpa" }}
{{- $cpu := .values.autoscaling.targetCPUUtilizationPercentage }}
{{- if not (or $cpu .values.autoscaling.metrics) }}
{{ .component }}.autoscaling has nothing to scale on: set targetCPUUtilizationPercentage or metrics, or mode to none.
{{- end }}
{{- if and $cpu (not (dig "requests" "cpu" "" .values.resources)) }}
{{ .component }}.autoscaling.targetCPUUtilizationPercentage is a share of what is requested: set {{ .component }}.resources.requests.cpu.
{{- end }}
{{- end }}

{{/* Takes component, root. */}}
{{- define "swaprail.validate.keda" }}
{{- if hasKey (include "swaprail.redis" .root | fromYaml).keys "REDIS_URL" }}
{{ .component }}.autoscaling.mode keda: KEDA reads no URL. Give Redis in parts: redis.host and redis.secretKeys.password, for one.
{{- end }}
{{- if .root.Values.redis.ca.existingConfigMap }}
{{ .component }}.autoscaling.mode keda: KEDA reads no ConfigMap. Put the certificate into redis.ca.existingSecret.
{{- end }}
{{- end }}
