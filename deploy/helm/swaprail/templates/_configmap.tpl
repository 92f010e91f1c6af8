{{/* The settings of a component that are no secret. Takes root, component. */}}
{{- define "swaprail.configMap" -}}
{{- $context := merge (dict "values" (include "swaprail.componentValues" . | fromYaml)) . }}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "swaprail.metadata" (dict "root" .root "component" .component "name" (include "swaprail.componentName" .)) | nindent 2 }}
data:
  {{- include "swaprail.configData" $context | nindent 2 }}
{{- end }}
