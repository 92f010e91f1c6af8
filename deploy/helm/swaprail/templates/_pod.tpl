{{/* spec: of a component's pods. Takes root, component, values. */}}
{{- define "swaprail.podSpec" -}}
{{- $values := .values -}}
serviceAccountName: {{ include "swaprail.serviceAccountName" . }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ include "swaprail.gracePeriodSeconds" $values }}
{{- include "swaprail.imagePullSecrets" . }}
securityContext:
  {{- toYaml $values.podSecurityContext | nindent 2 }}
{{- with $values.initContainers }}
initContainers:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - {{- include "swaprail.container" . | nindent 4 }}
  {{- with $values.extraContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
volumes:
  {{- include "swaprail.volumes" . | nindent 2 }}
{{- include "swaprail.topologySpread" . }}
{{- include "swaprail.placement" (include "swaprail.placementOfReplicas" . | fromYaml) }}
{{- end }}

{{/* Where a pod may run, and ahead of whom. Takes the values of a component. */}}
{{- define "swaprail.placement" -}}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Where pods may run that stand in for one another: not all on one node, nor for long on one that is gone. Takes root, component, values. */}}
{{- define "swaprail.placementOfReplicas" -}}
{{- $given := pick .values "priorityClassName" "nodeSelector" -}}
{{- $apart := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" (dict "matchLabels" (include "swaprail.selectorLabels" . | fromYaml)) -}}
{{- $apart = dict "preferredDuringSchedulingIgnoredDuringExecution" (list (dict "weight" 100 "podAffinityTerm" $apart)) -}}
{{- $affinity := .values.affinity | default dict | deepCopy -}}
{{- if not (hasKey $affinity "podAntiAffinity") }}{{ $_ := set $affinity "podAntiAffinity" $apart }}{{ end -}}
{{- $tolerations := .values.tolerations | default list -}}
{{- $seconds := .values.nodeLossSeconds -}}
{{- if not (kindIs "invalid" $seconds) -}}
{{- $own := list -}}
{{- range $tolerations }}{{ if eq (.effect | default "NoExecute") "NoExecute" }}{{ $own = append $own (.key | default "every") }}{{ end }}{{ end -}}
{{- range list "node.kubernetes.io/not-ready" "node.kubernetes.io/unreachable" -}}
{{- if not (or (has . $own) (has "every" $own)) -}}
{{- $tolerations = append $tolerations (dict "key" . "operator" "Exists" "effect" "NoExecute" "tolerationSeconds" (int $seconds)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- merge (dict "affinity" $affinity "tolerations" $tolerations) $given | toYaml -}}
{{- end }}

{{/* Volumes of a pod that runs one of the images. Takes root, values. */}}
{{- define "swaprail.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ .values.tmpSizeLimit }}
{{- include "swaprail.caVolumes" .root }}
{{- with .values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Mounts of a container that runs one of the images. Takes root, values. */}}
{{- define "swaprail.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
{{- include "swaprail.caMounts" .root }}
{{- with .values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* topologySpreadConstraints: with the component's selector filled in where none is given. Takes root, component, values. */}}
{{- define "swaprail.topologySpread" -}}
{{- if .values.topologySpreadConstraints }}
{{- $selector := dict "matchLabels" (include "swaprail.selectorLabels" . | fromYaml) }}
topologySpreadConstraints:
  {{- range .values.topologySpreadConstraints }}
  - {{- hasKey . "labelSelector" | ternary . (merge (dict "labelSelector" $selector) .) | toYaml | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}
