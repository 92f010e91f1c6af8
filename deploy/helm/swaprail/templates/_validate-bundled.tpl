{{- define "swaprail.validate.bundled" }}
{{- if .Values.bundled.enabled }}
{{- if not (has .Values.database.sslmode (list "disable" "prefer")) }}
bundled.enabled: the bundled PostgreSQL speaks no TLS, which database.sslmode {{ .Values.database.sslmode }} demands: set it to prefer.
{{- end }}
{{- if .Values.redis.tls.enabled }}
bundled.enabled: the bundled Redis speaks no TLS: set redis.tls.enabled to false.
{{- end }}
{{- end }}
{{- end }}
