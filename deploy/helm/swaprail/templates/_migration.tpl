{{/* Pod template of the migration; it takes over the defaults of pods. Takes root. */}}
{{- define "swaprail.migrationPod" -}}
{{- $values := include "swaprail.componentValues" (dict "root" . "component" "migration") | fromYaml }}
{{- $context := dict "root" . "component" "migration" "values" $values -}}
metadata:
  labels:
    {{- include "swaprail.podLabels" $context | nindent 4 }}
  annotations:
    checksum/secret: {{ include "swaprail.secretData" . | sha256sum }}
    {{- with merge (dict) $values.podAnnotations .Values.commonAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "swaprail.serviceAccountName" $context }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  restartPolicy: Never
  {{- with include "swaprail.imagePullSecrets" $context }}
  {{- . | nindent 2 }}
  {{- end }}
  securityContext:
    {{- toYaml $values.podSecurityContext | nindent 4 }}
  containers:
    - {{- include "swaprail.migrationContainer" $context | nindent 6 }}
  volumes:
    {{- include "swaprail.volumes" $context | nindent 4 }}
  {{- with include "swaprail.placement" $values }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* The container of the migration: the API's image, as every image can migrate. Takes root, values. */}}
{{- define "swaprail.migrationContainer" -}}
{{- $image := dict "root" .root "component" "api" -}}
name: migrate
image: {{ include "swaprail.image" $image }}
imagePullPolicy: {{ include "swaprail.imagePullPolicy" $image }}
command: [swaprail-migrate]
env:
  {{- include "swaprail.migrationEnv" . | nindent 2 }}
resources:
  {{- toYaml .values.resources | nindent 2 }}
securityContext:
  {{- toYaml .values.securityContext | nindent 2 }}
volumeMounts:
  {{- include "swaprail.volumeMounts" . | nindent 2 }}
{{- end }}

{{/* env: of the migration: its settings and the database, and nothing else. Takes root, values. */}}
{{- define "swaprail.migrationEnv" -}}
{{- range $name, $value := include "swaprail.databaseConfig" .root | fromYaml }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- range $name, $value := .root.Values.migration.config }}
- name: {{ $name }}
  value: {{ include "swaprail.scalar" $value | quote }}
{{- end }}
{{- include "swaprail.databaseEnv" .root }}
{{- with .values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Name of the Job. A Job's pods cannot change: whatever changes them makes another Job. Hooks are replaced instead. */}}
{{- define "swaprail.migrationName" -}}
{{- $name := include "swaprail.componentName" (dict "root" . "component" "migration") }}
{{- if eq .Values.migration.mode "hook" }}
{{- $name }}
{{- else }}
{{- $name }}-{{ printf "%s%d" (include "swaprail.migrationPod" .) (int .Release.Revision) | sha256sum | trunc 8 }}
{{- end }}
{{- end }}

{{/* Annotations that make an object of the migration a hook, or nothing. Takes root, weight. */}}
{{- define "swaprail.migrationHook" -}}
{{- if eq .root.Values.migration.mode "hook" }}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation
{{- end }}
{{- end }}
