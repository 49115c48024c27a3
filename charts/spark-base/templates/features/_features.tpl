{{/* root → what the features refuse; their settings are those of the Connect server's applications. */}}
{{- define "spark-base.features.validate" -}}
{{- if .Values.connect.enabled -}}
{{ include "spark-base.features.iceberg.validate" . }}
{{ include "spark-base.features.gpu.validate" . }}
{{ include "spark-base.features.celeborn.validate" . }}
{{ include "spark-base.features.openTelemetry.validate" . }}
{{- end -}}
{{- end -}}
