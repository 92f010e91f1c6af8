{{/* How pods reach Redis; see swaprail.connection. Takes root. */}}
{{- define "swaprail.redis" -}}
{{- $names := dict "url" "REDIS_URL" "host" "REDIS_HOST" "port" "REDIS_PORT" "username" "REDIS_USERNAME" "password" "REDIS_PASSWORD" }}
{{- $server := .Values.redis }}
{{- if .Values.bundled.enabled }}{{ $server = include "swaprail.bundledRedis" . | fromYaml }}{{ end }}
{{- include "swaprail.connection" (dict "root" . "server" $server "names" $names) }}
{{- end }}

{{/* The values of redis that name the bundled server. Takes root. */}}
{{- define "swaprail.bundledRedis" -}}
url: ""
host: {{ include "swaprail.fullname" . }}-redis
port: 6379
username: ""
existingSecret: {{ include "swaprail.bundledSecretName" . }}
secretKeys:
  password: redis-password
{{- end }}

{{/* What is no secret about the connection to Redis. Takes root. */}}
{{- define "swaprail.redisConfig" -}}
{{- $connection := include "swaprail.redis" . | fromYaml }}
{{- with $connection.config }}
{{ toYaml . }}
{{- end }}
{{- if not (hasKey $connection.keys "REDIS_URL") }}
REDIS_TLS: {{ .Values.redis.tls.enabled | quote }}
REDIS_DB: {{ .Values.redis.database | quote }}
{{- end }}
{{- if include "swaprail.hasCa" .Values.redis }}
REDIS_CA_FILE: /etc/swaprail/redis-ca/ca.crt
{{- end }}
{{- end }}

{{/* env: what is secret about it. Takes root. */}}
{{- define "swaprail.redisEnv" -}}
{{- include "swaprail.connectionEnv" (include "swaprail.redis" . | fromYaml) }}
{{- end }}

{{/* Port of Redis, for NetworkPolicy. Takes root. */}}
{{- define "swaprail.redisPort" -}}
{{- $url := .Values.redis.url | default "//" | urlParse }}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default .Values.redis.port }}
{{- end }}
