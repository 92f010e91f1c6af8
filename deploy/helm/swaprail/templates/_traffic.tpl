{{/* What goes to which service. /metrics and /health/live stay inside: the API answers them on the same port. */}}
{{- define "swaprail.routes" -}}
- {path: /api, type: Prefix, component: api, port: 3000}
- {path: /docs, type: Prefix, component: api, port: 3000}
- {path: /health, type: Exact, component: api, port: 3000}
- {path: /ws, type: Prefix, component: notifier, port: 3001}
{{- end }}
