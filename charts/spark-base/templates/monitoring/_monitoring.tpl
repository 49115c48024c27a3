{{/* root → monitors for Prometheus and dashboards for Grafana. A ServiceMonitor asks servers for their own metrics, a PodMonitor
asks for those of executors, which the driver has, and of workers. The History Server has none. */}}
{{- define "spark-base.monitoring" -}}
{{- $components := include "spark-base.components" . | fromYaml -}}
{{- if .Values.monitoring.serviceMonitor.enabled }}
{{- range $component, $path := dict "connect" "/metrics/prometheus/" "master" "/metrics/master/prometheus/" }}
{{- if get $components $component }}
---
{{ include "spark-base.monitoring.serviceMonitor" (dict "root" $ "component" $component "path" $path) }}
{{- end }}
{{- end }}
{{- end }}
{{- if .Values.monitoring.podMonitor.enabled }}
{{- range $component, $path := dict "connect" "/metrics/executors/prometheus/" "worker" "/metrics/prometheus/" }}
{{- if get $components $component }}
---
{{ include "spark-base.monitoring.podMonitor" (dict "root" $ "component" $component "path" $path) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.monitoring.dashboards.enabled $components.connect }}
---
{{ include "spark-base.monitoring.dashboards" (dict "root" . "component" "dashboards") }}
{{- end }}
{{- end -}}
