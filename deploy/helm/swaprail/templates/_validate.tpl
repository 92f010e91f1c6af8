{{/*
Refuses values that contradict each other, all of them at once. Each check emits one line for each contradiction, which
says what to change. Takes root.
*/}}
{{- define "swaprail.validate" -}}
{{- $found := list }}
{{- range list "database" "redis" "secrets" "images" "pods" "autoscaling" "migration" "traffic" "networkPolicy" "monitoring" "bundled" }}
  {{- $found = concat $found (include (printf "swaprail.validate.%s" .) $ | splitList "\n" | compact) }}
{{- end }}
{{- $found = without $found "" | uniq }}
{{- if $found }}
{{- printf "\n\nThe values contradict each other:\n- %s\n" (join "\n- " $found) | fail }}
{{- end }}
{{- end }}

{{- define "swaprail.validate.images" }}
{{- range $component := list "api" "router" "executor" "notifier" }}
{{- with (index $.Values $component).image }}
{{- if and .digest .tag }}
{{ $component }}.image has a digest and a tag: unset one of them.
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "swaprail.validate.pods" }}
{{- range $component := list "api" "router" "executor" "notifier" }}
{{- with include "swaprail.componentValues" (dict "root" $ "component" $component) | fromYaml }}
{{- if and (has (toString .rollingUpdate.maxUnavailable) (list "0" "0%")) (has (toString .rollingUpdate.maxSurge) (list "0" "0%")) }}
{{ $component }}.rollingUpdate lets no pod go and none come: raise maxUnavailable or maxSurge.
{{- end }}
{{- include "swaprail.validate.extraEnv" (dict "root" $ "component" $component "values" .) }}
{{- end }}
{{- end }}
{{- if and .Values.defaults.serviceAccount.create .Values.defaults.serviceAccount.name }}
defaults.serviceAccount.name would be made once for each component: name accounts in <component>.serviceAccount, or set defaults.serviceAccount.create to false.
{{- end }}
{{- end }}

{{/* A variable that is there twice makes server-side apply refuse the whole object. Takes root, component, values. */}}
{{- define "swaprail.validate.extraEnv" }}
{{- $names := list }}
{{- range include "swaprail.env" . | fromYamlArray }}
{{- if has .name $names }}
{{ $.component }}.extraEnv sets {{ .name }}, which is set already: leave it out, or use the value that the chart has for it.
{{- end }}
{{- $names = append $names .name }}
{{- end }}
{{- end }}

{{- define "swaprail.validate.migration" }}
{{- if eq .Values.migration.mode "hook" }}
{{- if .Values.bundled.enabled }}
migration.mode hook runs before the bundled database is there: use job.
{{- else if (include "swaprail.database" . | fromYaml).data }}
migration.mode hook runs before the chart's own Secret is there: put the connection into database.existingSecret, or use job.
{{- end }}
{{- end }}
{{- end }}

{{- define "swaprail.validate.traffic" }}
{{- $ingress := .Values.ingress.enabled }}
{{- $route := .Values.httpRoute.enabled }}
{{- if and $ingress $route }}
ingress and httpRoute are both enabled: set one of them to false.
{{- end }}
{{- if and $route (not .Values.httpRoute.parentRefs) }}
httpRoute belongs to no gateway: name one in httpRoute.parentRefs.
{{- end }}
{{- if and (or $ingress $route) .Values.networkPolicy.enabled (not .Values.networkPolicy.ingressFrom) }}
networkPolicy lets no ingress controller in: name its pods in networkPolicy.ingressFrom, such as [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: traefik}}}], or set networkPolicy.enabled to false.
{{- end }}
{{- end }}

{{- define "swaprail.validate.networkPolicy" }}
{{- with .Values.monitoring }}
{{- if and $.Values.networkPolicy.enabled (not $.Values.networkPolicy.metricsFrom) (or .podMonitor.enabled .serviceMonitor.enabled .scrapeAnnotations) }}
networkPolicy lets no Prometheus in: name its pods in networkPolicy.metricsFrom, or set networkPolicy.enabled to false.
{{- end }}
{{- end }}
{{- end }}
