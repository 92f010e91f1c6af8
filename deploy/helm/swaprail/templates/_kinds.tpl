{{/* Refuses a value whose custom resource the cluster does not have. Takes root, kind (group/version/kind), value. */}}
{{- define "swaprail.requireKind" -}}
{{- if and .root.Values.checkKinds (not (.root.Capabilities.APIVersions.Has .kind)) }}
{{- fail (printf "%s needs %s, which this cluster does not have. Install the custom resources of %s, change %s, or, when this is rendered without the cluster's API versions, pass --api-versions %s or set checkKinds to false." .value .kind (include "swaprail.kindOwner" .kind) .value .kind) }}
{{- end }}
{{- end }}

{{/* Who brings a kind of custom resource. */}}
{{- define "swaprail.kindOwner" -}}
{{- if hasPrefix "monitoring.coreos.com" . }}the Prometheus Operator
{{- else if hasPrefix "keda.sh" . }}KEDA
{{- else }}the Gateway API
{{- end }}
{{- end }}
