{{/* The service account of a component, without a token: no service asks the Kubernetes API. Takes root, component; annotations is optional. */}}
{{- define "swaprail.serviceAccount" -}}
{{- $account := (include "swaprail.componentValues" . | fromYaml).serviceAccount }}
{{- if $account.create }}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "swaprail.metadata" (dict "root" .root "component" .component "name" (include "swaprail.serviceAccountName" .) "annotations" (merge (dict) (.annotations | default dict) $account.annotations)) | nindent 2 }}
automountServiceAccountToken: false
{{- end }}
{{- end }}
