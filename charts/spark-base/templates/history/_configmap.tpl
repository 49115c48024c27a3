{{/* ctx → the ConfigMap. All of the user's settings are in it: the pages of an application depend on those of spark.ui and
spark.sql.ui here, too. */}}
{{- define "spark-base.history.configMap" -}}
{{- $fragments := list "spark-base.history.conf" "spark-base.s3.conf" -}}
{{- $settings := dict "root" .root "fragments" $fragments "user" .root.Values.sparkConf -}}
{{- include "spark-base.spark.configMap" (merge (dict "defaults" (include "spark-base.spark.defaults" $settings)) .) -}}
{{- end -}}

{{/* root → settings of the server: https://spark.apache.org/docs/latest/monitoring.html */}}
{{- define "spark-base.history.conf" -}}
{{- with .Values.historyServer -}}
spark.history.ui.port: "18080"
spark.history.fs.logDirectory: {{ include "spark-base.history.logDir" $ | quote }}
spark.history.fs.update.interval: {{ .updateInterval | quote }}
spark.history.retainedApplications: {{ .retainedApplications | quote }}
spark.history.fs.cleaner.enabled: {{ .cleaner.enabled | quote }}
{{- if .cleaner.enabled }}
spark.history.fs.cleaner.interval: {{ .cleaner.interval | quote }}
spark.history.fs.cleaner.maxAge: {{ .cleaner.maxAge | quote }}
{{- end }}
{{- end -}}
{{- end -}}
