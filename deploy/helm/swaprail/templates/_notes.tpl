{{/* Where clients outside the cluster reach the engine, or nothing. Takes root. */}}
{{- define "swaprail.publicUrl" -}}
{{- if .Values.ingress.enabled }}
{{- .Values.ingress.tls | empty | ternary "http" "https" }}://{{ first .Values.ingress.hosts | default "<address of the ingress>" }}
{{- else if .Values.httpRoute.enabled -}}
https://{{ first .Values.httpRoute.hostnames | default "<address of the gateway>" }}
{{- end }}
{{- end }}

{{/* What whoever installs this should know before trusting it. Takes root. */}}
{{- define "swaprail.warnings" -}}
{{- if .Values.bundled.enabled }}
WARNING: the bundled PostgreSQL and Redis are for evaluation only: one pod each, no backup
{{- if not .Values.bundled.postgresql.storage.size }}, and no volume: all orders are gone when the pod is{{ end }}.
{{- end }}
{{- if ne (include "swaprail.keysRequired" .) "true" }}
WARNING: API keys are not required: whoever reaches the API may trade.
{{- end }}
{{- if eq .Values.migration.mode "none" }}
WARNING: migration.mode is none: the services wait until you have run swaprail-migrate.
{{- end }}
{{- if not (or .Values.ingress.enabled .Values.httpRoute.enabled) }}
NOTE: there is neither an Ingress nor an HTTPRoute: the API is reached inside the cluster only.
{{- end }}
NOTE: the venues and the chain are paper: prices are simulated, no funds move.
{{- end }}

{{/* Whether the API refuses calls without a key: true or false. Takes root. */}}
{{- define "swaprail.keysRequired" -}}
{{- get .Values.api.config "API_KEYS_REQUIRED" | toString | default (eq .Values.appEnv "production" | toString) }}
{{- end }}
