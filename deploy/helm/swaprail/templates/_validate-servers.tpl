{{- define "swaprail.validate.database" }}
{{- include "swaprail.validate.server" (dict "root" . "name" "database") }}
{{- with .Values.database }}
{{- if and (include "swaprail.hasCa" .) (not (has .sslmode (list "require" "verify-ca" "verify-full"))) }}
database.ca is not looked at with database.sslmode {{ .sslmode }}: choose verify-full.
{{- end }}
{{- end }}
{{- end }}

{{- define "swaprail.validate.redis" }}
{{- include "swaprail.validate.server" (dict "root" . "name" "redis") }}
{{- with .Values.redis }}
{{- $url := or .url .secretKeys.url }}
{{- if and $url (or .tls.enabled .database) }}
redis.tls.enabled and redis.database are not looked at with a URL: say rediss:// and the number in the URL, and unset them.
{{- end }}
{{- if and (include "swaprail.hasCa" .) (not .tls.enabled) (not .secretKeys.url) (not (hasPrefix "rediss://" .url)) }}
redis.ca is not looked at without TLS: set redis.tls.enabled.
{{- end }}
{{- end }}
{{- end }}

{{/* What database and redis have in common. Takes root, name. */}}
{{- define "swaprail.validate.server" }}
{{- $name := .name }}
{{- $bundled := .root.Values.bundled.enabled }}
{{- with index .root.Values .name }}
{{- $keys := include "swaprail.namedKeys" . | fromYaml }}
{{- $named := or .host .url .existingSecret }}
{{- if and $bundled (or $named (include "swaprail.hasCa" .)) }}
bundled.enabled brings its own {{ $name }}: unset {{ $name }}.host, .url, .existingSecret and .ca, or set bundled.enabled to false.
{{- else if not (or $bundled .host .url $keys.host $keys.url) }}
There is no {{ $name }}: set {{ $name }}.host, or {{ $name }}.existingSecret and {{ $name }}.secretKeys.url; to try the engine, set bundled.enabled.
{{- end }}
{{- if and .existingSecret (not $keys) }}
{{ $name }}.existingSecret is not read: say in {{ $name }}.secretKeys under which keys it holds what.
{{- end }}
{{- if and $keys (not .existingSecret) }}
{{ $name }}.secretKeys are of no Secret: name it in {{ $name }}.existingSecret.
{{- end }}
{{- if and .existingSecret (or .url .password) }}
{{ $name }}.url and {{ $name }}.password do not go with {{ $name }}.existingSecret: put them into that Secret and name their keys in {{ $name }}.secretKeys.
{{- end }}
{{- if and (or .url $keys.url) (or .host .password (omit $keys "url")) }}
{{ $name }} is given as a URL and in parts: unset {{ $name }}.host, .password and the other secretKeys, or the URL.
{{- end }}
{{- if and .ca.existingSecret .ca.existingConfigMap }}
{{ $name }}.ca names a Secret and a ConfigMap: unset one of them.
{{- end }}
{{- end }}
{{- end }}

{{/* Those of a server's secretKeys that are not empty. Takes the values of database or redis. */}}
{{- define "swaprail.namedKeys" -}}
{{- range $part, $key := .secretKeys }}
{{- with $key }}
{{ $part }}: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "swaprail.validate.secrets" }}
{{- with .Values.secrets }}
{{- $byValue := or .cursorSecret .wsTicketSecret .paperSignerSeed }}
{{- if and .existingSecret (or $byValue .generate) }}
secrets.existingSecret does not go with secrets by value or secrets.generate: put them into that Secret.
{{- end }}
{{- if and (eq $.Values.appEnv "production") (not (include "swaprail.secretSources" $ | fromYaml).cursorSecret) }}
There is no secret that signs cursors: set secrets.existingSecret (and secrets.secretKeys.cursorSecret); to try the engine, set secrets.cursorSecret or secrets.generate.
{{- end }}
{{- if and (eq $.Values.appEnv "production") (not (include "swaprail.secretSources" $ | fromYaml).paperSignerSeed) }}
There is no key that signs swaps: set secrets.existingSecret (and secrets.secretKeys.paperSignerSeed); to try the engine, set secrets.paperSignerSeed or secrets.generate.
{{- end }}
{{- end }}
{{- end }}
