{{/* Annotations of what the test's pod needs while it runs. */}}
{{- define "swaprail.testHook" -}}
helm.sh/hook: test
helm.sh/hook-weight: "-1"
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
