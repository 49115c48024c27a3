{{/* ctx, path → what Prometheus asks each pod of the component. */}}
{{- define "spark-base.monitoring.podMonitor" -}}
{{- $monitor := .root.Values.monitoring.podMonitor -}}
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
{{ include "spark-base.metadata" . }}
    {{- with $monitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels:
      {{- include "spark-base.selectorLabels" . | nindent 6 }}
  podMetricsEndpoints:
    - port: ui
      path: {{ .path }}
      interval: {{ $monitor.interval }}
{{- end -}}
