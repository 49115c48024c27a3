{{/* root → an OpenShift Route for each host. Interfaces speak plain HTTP: edge is for them as they are, reencrypt and
passthrough for pods with a proxy of their own that speaks TLS. */}}
{{- define "spark-base.exposure.routes" -}}
{{- $interfaces := include "spark-base.exposure.interfaces" . | fromYaml -}}
{{- range $key, $host := .Values.routes.hosts }}
{{- if $host }}
{{- $interface := get $interfaces $key }}
{{- $ctx := dict "root" $ "component" $interface.component }}
---
apiVersion: route.openshift.io/v1
kind: Route
{{ include "spark-base.metadata" $ctx }}
  {{- with $.Values.routes.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  host: {{ $host | quote }}
  to:
    kind: Service
    name: {{ include "spark-base.componentName" $ctx }}
  port:
    targetPort: {{ $interface.port }}
  tls:
    {{- toYaml $.Values.routes.tls | nindent 4 }}
{{- end }}
{{- end }}
{{- end -}}
