{{- define "spark-base.connect.configMap" -}}
{{- include "spark-base.spark.configMap" (merge (dict "defaults" (include "spark-base.connect.defaults" .root)) .) -}}
{{- end -}}
