{{/* ctx, path → what Prometheus asks each pod behind the component's Service. */}}
{{- define "spark-base.monitoring.serviceMonitor" -}}
{{- $monitor := .root.Values.monitoring.serviceMonitor -}}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
{{ include "spark-base.metadata" . }}
    {{- with $monitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels:
      {{- include "spark-base.selectorLabels" . | nindent 6 }}
  endpoints:
    - port: ui
      path: {{ .path }}
      interval: {{ $monitor.interval }}
{{- end -}}
