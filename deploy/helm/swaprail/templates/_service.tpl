{{/* The service of a component that takes traffic. Takes root, component. */}}
{{- define "swaprail.service" -}}
{{- $service := (index .root.Values .component).service }}
{{- $port := include "swaprail.trafficPort" .component | fromYaml }}
apiVersion: v1
kind: Service
metadata:
  {{- include "swaprail.metadata" (dict "root" .root "component" .component "name" (include "swaprail.componentName" .) "annotations" $service.annotations) | nindent 2 }}
spec:
  type: ClusterIP
  {{- with .root.Values.ipFamilyPolicy }}
  ipFamilyPolicy: {{ . }}
  {{- end }}
  selector:
    {{- include "swaprail.selectorLabels" . | nindent 4 }}
  ports:
    - name: {{ $port.name }}
      port: {{ $port.port }}
      targetPort: {{ $port.name }}
      {{- with $service.appProtocol }}
      appProtocol: {{ . }}
      {{- end }}
{{- end }}
