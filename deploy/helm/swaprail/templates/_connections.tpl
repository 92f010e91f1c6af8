{{/*
How pods reach a server. Takes root, server (the values of database or redis) and names (value name: variable name).
Emits config (variable: value), secret (a Secret's name), keys (variable: its key in that Secret) and data (what the
chart's own Secret has to hold). A URL stands for all the other parts.
*/}}
{{- define "swaprail.connection" -}}
{{- $server := .server }}
{{- $fromSecret := ternary $server.secretKeys dict (ne $server.existingSecret "") }}
{{- $parts := .names }}
{{- if or $server.url $fromSecret.url }}{{ $parts = pick .names "url" }}{{ end }}
{{- $config := dict }}
{{- $keys := dict }}
{{- $data := dict }}
{{- range $part, $variable := $parts }}
  {{- $value := index $server $part }}
  {{- if index $fromSecret $part }}
    {{- $_ := set $keys $variable (index $fromSecret $part) }}
  {{- else if and $value (has $part (list "url" "password")) }}
    {{- $_ := set $keys $variable $variable }}
    {{- $_ := set $data $variable $value }}
  {{- else if $value }}
    {{- $_ := set $config $variable (toString $value) }}
  {{- end }}
{{- end }}
{{- dict "config" $config "keys" $keys "data" $data "secret" ($server.existingSecret | default (include "swaprail.fullname" .root)) | toYaml }}
{{- end }}

{{/* env: entries of a connection's keys. Takes the connection. */}}
{{- define "swaprail.connectionEnv" -}}
{{- $secret := .secret }}
{{- range $variable, $key := .keys }}
{{- include "swaprail.envFromSecret" (dict "name" $variable "secret" $secret "key" $key) }}
{{- end }}
{{- end }}

{{/* Volumes of the certificate authorities that were given. Takes root. */}}
{{- define "swaprail.caVolumes" -}}
{{- range $server := list "database" "redis" }}
{{- $ca := (index $.Values $server).ca }}
{{- if $ca.existingSecret }}
- name: {{ $server }}-ca
  secret:
    secretName: {{ $ca.existingSecret }}
    items: [{key: {{ $ca.key | quote }}, path: ca.crt}]
{{- else if $ca.existingConfigMap }}
- name: {{ $server }}-ca
  configMap:
    name: {{ $ca.existingConfigMap }}
    items: [{key: {{ $ca.key | quote }}, path: ca.crt}]
{{- end }}
{{- end }}
{{- end }}

{{/* Mounts of the certificate authorities that were given. Takes root. */}}
{{- define "swaprail.caMounts" -}}
{{- range $server := list "database" "redis" }}
{{- if include "swaprail.hasCa" (index $.Values $server) }}
- name: {{ $server }}-ca
  mountPath: /etc/swaprail/{{ $server }}-ca
  readOnly: true
{{- end }}
{{- end }}
{{- end }}

{{/* Not empty when a certificate authority is given. Takes the values of database or redis. */}}
{{- define "swaprail.hasCa" -}}
{{- or .ca.existingSecret .ca.existingConfigMap }}
{{- end }}
