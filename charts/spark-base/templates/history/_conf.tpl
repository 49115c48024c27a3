{{/* root → settings of the History Server. */}}
{{- define "spark-base.history.conf" -}}
{{- with .Values.historyServer -}}
spark.history.ui.port: 18080
spark.history.fs.logDirectory: {{ include "spark-base.history.logDir" $ | quote }}
spark.history.fs.update.interval: {{ .updateInterval | quote }}
spark.history.retainedApplications: {{ .retainedApplications }}
spark.history.fs.cleaner.enabled: {{ .cleaner.enabled }}
{{- if .cleaner.enabled }}
spark.history.fs.cleaner.interval: {{ .cleaner.interval | quote }}
spark.history.fs.cleaner.maxAge: {{ .cleaner.maxAge | quote }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* root → its spark-defaults.conf. */}}
{{- define "spark-base.history.defaults" -}}
{{- $own := include "spark-base.history.conf" . | fromYaml -}}
{{- $s3 := include "spark-base.s3.conf" . | fromYaml -}}
{{- include "spark-base.conf.render" (dict "root" . "fragments" (list $own $s3 .Values.sparkConf)) | trim -}}
{{- end -}}
