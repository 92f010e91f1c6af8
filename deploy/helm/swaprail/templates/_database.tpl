{{/* How pods reach PostgreSQL; see swaprail.connection. Takes root. */}}
{{- define "swaprail.database" -}}
{{- $names := dict "url" "DATABASE_URL" "host" "DB_HOST" "port" "DB_PORT" "name" "DB_NAME" "user" "DB_USER" "password" "DB_PASSWORD" }}
{{- $server := .Values.database }}
{{- if .Values.bundled.enabled }}{{ $server = include "swaprail.bundledDatabase" . | fromYaml }}{{ end }}
{{- include "swaprail.connection" (dict "root" . "server" $server "names" $names) }}
{{- end }}

{{/* The values of database that name the bundled server. Takes root. */}}
{{- define "swaprail.bundledDatabase" -}}
url: ""
host: {{ include "swaprail.fullname" . }}-postgresql
port: 5432
name: swaprail
user: swaprail
existingSecret: {{ include "swaprail.bundledSecretName" . }}
secretKeys:
  password: postgresql-password
{{- end }}

{{/* Name of the Secret with the passwords of the bundled servers. Takes root. */}}
{{- define "swaprail.bundledSecretName" -}}
{{ include "swaprail.fullname" . }}-bundled
{{- end }}

{{/* What is no secret about the connection to PostgreSQL. Takes root. */}}
{{- define "swaprail.databaseConfig" -}}
{{- with (include "swaprail.database" . | fromYaml).config }}
{{- toYaml . }}
{{ end -}}
DB_SSLMODE: {{ .Values.database.sslmode }}
{{- if include "swaprail.hasCa" .Values.database }}
DB_SSLROOTCERT: /etc/swaprail/database-ca/ca.crt
{{- end }}
{{- end }}

{{/* env: what is secret about it. Takes root. */}}
{{- define "swaprail.databaseEnv" -}}
{{- include "swaprail.connectionEnv" (include "swaprail.database" . | fromYaml) }}
{{- end }}

{{/* Port of PostgreSQL, for NetworkPolicy. Takes root. */}}
{{- define "swaprail.databasePort" -}}
{{- $url := .Values.database.url | default "//" | urlParse }}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default .Values.database.port }}
{{- end }}
