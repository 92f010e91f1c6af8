{{/* The edges of a component. Takes root, component. */}}
{{- define "swaprail.networkPolicy" -}}
{{- if .root.Values.networkPolicy.enabled }}
{{- $own := (include "swaprail.componentValues" . | fromYaml).networkPolicy }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "swaprail.metadata" (dict "root" .root "component" .component "name" (include "swaprail.componentName" .)) | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "swaprail.selectorLabels" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  {{- with concat (include "swaprail.ingressRules" . | fromYamlArray) $own.extraIngress }}
  ingress:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  egress:
    {{- include "swaprail.egressRules" .root | nindent 4 }}
    {{- with $own.extraEgress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end }}

{{/* Who may come in: clients by way of the ingress and this release's test, Prometheus. Takes root, component. */}}
{{- define "swaprail.ingressRules" -}}
{{- $values := .root.Values.networkPolicy }}
{{- with include "swaprail.trafficPort" .component | fromYaml }}
- ports: [{port: {{ .port }}, protocol: TCP}]
  from:
    - podSelector:
        matchLabels:
          {{- include "swaprail.selectorLabels" (dict "root" $.root "component" "test") | nindent 10 }}
    {{- with $values.ingressFrom }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- with $values.metricsFrom }}
- ports: [{port: 9000, protocol: TCP}]
  from:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}

{{/* Where every service goes: names, PostgreSQL, Redis, and the collector of traces. Takes root. */}}
{{- define "swaprail.egressRules" -}}
{{- $values := .Values.networkPolicy }}
{{- include "swaprail.dnsEgress" . }}
{{- include "swaprail.egressRule" (dict "port" (include "swaprail.databasePort" .) "to" $values.databaseTo) }}
{{- include "swaprail.egressRule" (dict "port" (include "swaprail.redisPort" .) "to" $values.redisTo) }}
{{- if .Values.tracing.endpoint }}
{{- include "swaprail.egressRule" (dict "port" (include "swaprail.tracingPort" .) "to" $values.tracingTo) }}
{{- end }}
{{- end }}

{{/* Name resolution. Takes root. */}}
{{- define "swaprail.dnsEgress" -}}
- ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
  {{- with .Values.networkPolicy.dnsTo }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* One way out; without peers it goes anywhere on that port. Takes port, to. */}}
{{- define "swaprail.egressRule" }}
- ports: [{port: {{ .port }}, protocol: TCP}]
  {{- with .to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* Port of the collector. Takes root. */}}
{{- define "swaprail.tracingPort" -}}
{{- $url := urlParse .Values.tracing.endpoint }}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (eq $url.scheme "https" | ternary 443 80) }}
{{- end }}
