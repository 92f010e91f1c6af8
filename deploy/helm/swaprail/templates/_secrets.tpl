{{/* The secrets of the services: value name: variable name. */}}
{{- define "swaprail.secretNames" -}}
cursorSecret: CURSOR_SECRET
wsTicketSecret: WS_TICKET_SECRET
paperSignerSeed: PAPER_SIGNER_SEED
{{- end }}

{{/* Which component reads which of them. */}}
{{- define "swaprail.secretReaders" -}}
api: [cursorSecret, wsTicketSecret]
notifier: [wsTicketSecret]
executor: [paperSignerSeed]
router: []
{{- end }}

{{/* Where each secret comes from. Emits variable: {secret, key}. Takes root. */}}
{{- define "swaprail.secretSources" -}}
{{- $secrets := .Values.secrets }}
{{- $own := include "swaprail.fullname" . }}
{{- $sources := dict }}
{{- range $name, $variable := include "swaprail.secretNames" . | fromYaml }}
  {{- if $secrets.existingSecret }}
    {{- with index $secrets.secretKeys $name }}{{ $_ := set $sources $name (dict "secret" $secrets.existingSecret "key" .) }}{{ end }}
  {{- else if or (index $secrets $name) $secrets.generate }}
    {{- $_ := set $sources $name (dict "secret" $own "key" $variable) }}
  {{- end }}
{{- end }}
{{- toYaml $sources }}
{{- end }}

{{/* env: the secrets that a component reads. Takes root, component. */}}
{{- define "swaprail.secretEnv" -}}
{{- $sources := include "swaprail.secretSources" .root | fromYaml }}
{{- $names := include "swaprail.secretNames" . | fromYaml }}
{{- range index (include "swaprail.secretReaders" . | fromYaml) .component }}
{{- $variable := index $names . }}
{{- with index $sources . }}
{{- include "swaprail.envFromSecret" (merge (dict "name" $variable) .) }}
{{- end }}
{{- end }}
{{- end }}

{{/* What the chart's own Secret holds because it was given by value. Takes root. */}}
{{- define "swaprail.secretData" -}}
{{- $data := merge (dict) (include "swaprail.database" . | fromYaml).data (include "swaprail.redis" . | fromYaml).data }}
{{- if not .Values.secrets.existingSecret }}
{{- range $name, $variable := include "swaprail.secretNames" . | fromYaml }}
  {{- with index $.Values.secrets $name }}{{ $_ := set $data $variable . }}{{ end }}
{{- end }}
{{- end }}
{{- toYaml $data }}
{{- end }}

{{/* What it holds because it is made here: kept when the Secret is there already. Takes root. */}}
{{- define "swaprail.generatedSecretData" -}}
{{- $data := dict }}
{{- if and .Values.secrets.generate (not .Values.secrets.existingSecret) }}
{{- range $name, $variable := include "swaprail.secretNames" . | fromYaml }}
  {{- if not (index $.Values.secrets $name) }}
    {{- $_ := set $data $variable (include "swaprail.keptSecret" (dict "root" $ "secret" (include "swaprail.fullname" $) "key" $variable)) }}
  {{- end }}
{{- end }}
{{- end }}
{{- toYaml $data }}
{{- end }}

{{/* A key of a Secret of the cluster, or, when it is not there, 64 random hex digits. Takes root, secret, key. */}}
{{- define "swaprail.keptSecret" -}}
{{- $found := lookup "v1" "Secret" .root.Release.Namespace .secret }}
{{- $kept := index ($found.data | default dict) .key }}
{{- with $kept }}{{ b64dec . }}{{ else }}{{ randBytes 32 | b64dec | printf "%x" }}{{ end }}
{{- end }}
