{{- define "swaprail.validate.monitoring" }}
{{- if and .Values.monitoring.podMonitor.enabled .Values.monitoring.serviceMonitor.enabled }}
monitoring.podMonitor and monitoring.serviceMonitor are both enabled, and every series would be there twice: set one of them to false.
{{- end }}
{{- $known := include "swaprail.alertNames" . | fromYamlArray }}
{{- range .Values.monitoring.prometheusRule.disabledAlerts }}
{{- if not (has . $known) }}
monitoring.prometheusRule.disabledAlerts names {{ . }}, which is no alert of this chart: choose among {{ join ", " $known }}.
{{- end }}
{{- end }}
{{- end }}

{{/* Names of the chart's alerts. Takes root. */}}
{{- define "swaprail.alertNames" -}}
{{- $names := list }}
{{- range $path, $_ := .Files.Glob "alerts/*.yaml" }}
  {{- range ($.Files.Get $path | fromYaml).groups }}
    {{- range .rules }}{{ $names = append $names .alert }}{{ end }}
  {{- end }}
{{- end }}
{{- compact $names | uniq | sortAlpha | toYaml }}
{{- end }}
