{{/* ctx, checksum (spark-defaults.conf) → the ConfigMap. */}}
{{- define "spark-base.history.configMap" -}}
apiVersion: v1
kind: ConfigMap
{{ include "spark-base.metadata" . }}
data:
  spark-defaults.conf: |
    {{- .checksum | nindent 4 }}
{{- end -}}
