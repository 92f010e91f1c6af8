{{/* The disruption budget of a component. Takes root, component. */}}
{{- define "swaprail.pdb" -}}
{{- $budget := (include "swaprail.componentValues" . | fromYaml).podDisruptionBudget }}
{{- if $budget.enabled }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "swaprail.metadata" (dict "root" .root "component" .component "name" (include "swaprail.componentName" .)) | nindent 2 }}
spec:
  maxUnavailable: {{ $budget.maxUnavailable }}
  unhealthyPodEvictionPolicy: {{ $budget.unhealthyPodEvictionPolicy }}
  selector:
    matchLabels:
      {{- include "swaprail.selectorLabels" . | nindent 6 }}
{{- end }}
{{- end }}
