{{/* Name of the chart, as pods are labelled. */}}
{{- define "swaprail.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* Base of every object's name; 40 characters leave room for "-<component>" and a hash. */}}
{{- define "swaprail.fullname" -}}
{{- $name := include "swaprail.name" . }}
{{- $default := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- default $default .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* Name of a component's objects. Takes root, component. */}}
{{- define "swaprail.componentName" -}}
{{ include "swaprail.fullname" .root }}-{{ .component }}
{{- end }}

{{/* Labels that select every pod of the release. */}}
{{- define "swaprail.releaseSelector" -}}
app.kubernetes.io/name: {{ include "swaprail.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Labels that select the pods of a component; they never change. Takes root, component. */}}
{{- define "swaprail.selectorLabels" -}}
{{ include "swaprail.releaseSelector" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* Labels of every object. Takes root; component is optional. */}}
{{- define "swaprail.labels" -}}
{{ include "swaprail.releaseSelector" .root }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: swaprail
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* metadata: of an object. Takes root, name; component, labels and annotations are optional. */}}
{{- define "swaprail.metadata" -}}
name: {{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "swaprail.labels" . | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Values of a component: its own over the shared defaults. Emits YAML; read it with fromYaml. Takes root, component. */}}
{{- define "swaprail.componentValues" -}}
{{ mergeOverwrite (deepCopy .root.Values.defaults) (index .root.Values .component) | toYaml }}
{{- end }}

{{/* Image of a component. Takes root, component. */}}
{{- define "swaprail.image" -}}
{{- $shared := .root.Values.image }}
{{- $own := (index .root.Values .component).image }}
{{- $registry := coalesce $own.registry $shared.registry .root.Values.global.imageRegistry }}
{{- $repository := $own.repository | default (printf "%s/%s" $shared.repository .component) }}
{{- $version := printf ":%s" (coalesce $own.tag $shared.tag .root.Chart.AppVersion) }}
{{- with $own.digest }}{{ $version = printf "@%s" . }}{{ end }}
{{- with $registry }}{{ . }}/{{ end }}{{ $repository }}{{ $version }}
{{- end }}

{{/* imagePullPolicy of a component. Takes root, component. */}}
{{- define "swaprail.imagePullPolicy" -}}
{{ (index .root.Values .component).image.pullPolicy | default .root.Values.image.pullPolicy }}
{{- end }}

{{/* imagePullSecrets: of a pod, or nothing. Takes root. */}}
{{- define "swaprail.imagePullSecrets" -}}
{{- with concat .root.Values.global.imagePullSecrets .root.Values.image.pullSecrets | uniq }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Name of the service account of a component. Takes root, component. */}}
{{- define "swaprail.serviceAccountName" -}}
{{- $account := (include "swaprail.componentValues" . | fromYaml).serviceAccount }}
{{- if $account.create }}
{{- $account.name | default (include "swaprail.componentName" .) }}
{{- else }}
{{- $account.name | default "default" }}
{{- end }}
{{- end }}

{{/* A setting's value as text; large numbers stay digits. */}}
{{- define "swaprail.scalar" -}}
{{- kindIs "float64" . | ternary (toYaml .) (toString .) }}
{{- end }}
