{{/* Reference of a bundled server's image. Takes root, server. */}}
{{- define "swaprail.bundledImage" -}}
{{- with .root.Values.global.imageRegistry }}{{ . }}/{{ end }}{{ (index .root.Values.bundled .server).image }}
{{- end }}

{{/* What the pod of a bundled server has besides its container. Takes root, server. */}}
{{- define "swaprail.bundledPod" -}}
serviceAccountName: default
automountServiceAccountToken: false
enableServiceLinks: false
{{- include "swaprail.imagePullSecrets" . }}
securityContext:
  runAsNonRoot: true
  runAsUser: 999
  runAsGroup: 999
  fsGroup: 999
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{/* securityContext: of a bundled server's container. */}}
{{- define "swaprail.bundledSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* The headless service of a bundled server. Takes root, server, port. */}}
{{- define "swaprail.bundledService" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "swaprail.metadata" (dict "root" .root "component" .server "name" (include "swaprail.bundledName" .)) | nindent 2 }}
spec:
  clusterIP: None
  selector:
    {{- include "swaprail.selectorLabels" (dict "root" .root "component" .server) | nindent 4 }}
  ports:
    - name: {{ .server }}
      port: {{ .port }}
      targetPort: {{ .server }}
{{- end }}

{{/* Lets the release's pods in, and whoever else is named; a server calls nobody. Takes root, server. */}}
{{- define "swaprail.bundledNetworkPolicy" -}}
{{- if .root.Values.networkPolicy.enabled }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "swaprail.metadata" (dict "root" .root "component" .server "name" (include "swaprail.bundledName" .)) | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "swaprail.selectorLabels" (dict "root" .root "component" .server) | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports: [{port: {{ .server }}, protocol: TCP}]
      from:
        - podSelector:
            matchLabels:
              {{- include "swaprail.releaseSelector" .root | nindent 14 }}
        {{- with (index .root.Values.bundled .server).extraIngressFrom }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
{{- end }}
{{- end }}

{{/* Name of a bundled server's objects. Takes root, server. */}}
{{- define "swaprail.bundledName" -}}
{{ include "swaprail.fullname" .root }}-{{ .server }}
{{- end }}

{{/* A password of the bundled Secret: the one given, else the one that is there, else a random one. Takes root, server. */}}
{{- define "swaprail.bundledPassword" -}}
{{- $key := printf "%s-password" .server }}
{{- (index .root.Values.bundled .server).password | default (include "swaprail.keptSecret" (dict "root" .root "secret" (include "swaprail.bundledSecretName" .root) "key" $key)) }}
{{- end }}
