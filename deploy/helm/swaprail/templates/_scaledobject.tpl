{{/* The ScaledObject of a component in mode keda, and what it signs in to Redis with. Takes root, component. */}}
{{- define "swaprail.scaledObject" -}}
{{- $autoscaling := (include "swaprail.componentValues" . | fromYaml).autoscaling }}
{{- if eq $autoscaling.mode "keda" }}
{{- include "swaprail.requireKind" (dict "root" .root "kind" "keda.sh/v1alpha1/ScaledObject" "value" (printf "%s.autoscaling.mode" .component)) }}
{{- $context := merge (dict "keda" $autoscaling.keda "redis" (include "swaprail.redis" .root | fromYaml)) . }}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  {{- include "swaprail.metadata" (dict "root" .root "component" .component "name" (include "swaprail.componentName" .) "annotations" (include "swaprail.pausedAnnotation" $autoscaling.keda | fromYaml)) | nindent 2 }}
spec:
  scaleTargetRef:
    name: {{ include "swaprail.componentName" . }}
  pollingInterval: {{ $autoscaling.keda.pollingInterval }}
  minReplicaCount: {{ $autoscaling.minReplicas }}
  maxReplicaCount: {{ $autoscaling.maxReplicas }}
  fallback:
    {{- toYaml $autoscaling.keda.fallback | nindent 4 }}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        {{- toYaml $autoscaling.behavior | nindent 8 }}
  triggers:
    {{- include "swaprail.kedaTriggers" $context | nindent 4 }}
{{- include "swaprail.triggerAuthentication" $context }}
{{- end }}
{{- end }}

{{/* The annotation that stops KEDA, or nothing. Takes the values of keda. */}}
{{- define "swaprail.pausedAnnotation" -}}
{{- if .paused }}
autoscaling.keda.sh/paused: "true"
{{- end }}
{{- end }}

{{/* The streams that a component reads as consumer group of its own name. Takes the component. */}}
{{- define "swaprail.streams" -}}
{{- eq . "router" | ternary "orders.accepted quotes" "orders.routed" }}
{{- end }}

{{/* triggers: one for each stream, one for the slots in use. Takes root, component, keda, redis. */}}
{{- define "swaprail.kedaTriggers" -}}
{{- range splitList " " (include "swaprail.streams" .component) }}
- type: redis-streams
  name: {{ . | replace "." "-" }}
  useCachedMetrics: true
  metadata:
    {{- include "swaprail.kedaRedisAddress" $ | nindent 4 }}
    stream: {{ . }}
    consumerGroup: {{ $.component }}
    lagCount: {{ $.keda.lagCount | quote }}
  {{- if include "swaprail.kedaSecretParameters" $ }}
  authenticationRef:
    name: {{ include "swaprail.componentName" $ }}-redis
  {{- end }}
{{- end }}
{{- with .keda.prometheus.serverAddress }}
- type: prometheus
  name: slots-in-use
  useCachedMetrics: true
  metadata:
    serverAddress: {{ . }}
    query: {{ include "swaprail.slotsQuery" $ | quote }}
    # No series is a failure, for which there is the fallback, and not an idle component.
    ignoreNullValues: "false"
    threshold: {{ $.keda.prometheus.targetSlotPercentage | quote }}
{{- end }}
{{- end }}

{{/*
How many pods' worth of slots are in use, in percent: 250 is two and a half full pods. Unlike a share it does not
depend on how many pods there are, so that KEDA's division by the target converges. Takes root, component.
*/}}
{{- define "swaprail.slotsQuery" -}}
{{- $pods := printf "namespace=%q,pod=~%q" .root.Release.Namespace (printf "%s-.+" (include "swaprail.componentName" .)) -}}
100 * sum(swaprail_execution_slots{state="used",{{ $pods }}}) / avg(swaprail_execution_slots{state="total",{{ $pods }}})
{{- end }}
