{{/* ctx → the dashboards. Grafana's sidecar puts files of all namespaces into one folder, so their names say whose they are. */}}
{{- define "spark-base.monitoring.dashboards" -}}
apiVersion: v1
kind: ConfigMap
{{ include "spark-base.metadata" . }}
    {{- with .root.Values.monitoring.dashboards.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
data:
  {{- range $name := list "overview" "executors" "jobs" }}
  {{- $table := include (printf "spark-base.monitoring.dashboards.%s" $name) $ | fromYaml }}
  {{ $.root.Release.Namespace }}-{{ include "spark-base.fullname" $.root }}-{{ $name }}.json: |
    {{- include "spark-base.monitoring.dashboard" (dict "root" $.root "name" $name "table" $table) | nindent 4 }}
  {{- end }}
{{- end -}}
