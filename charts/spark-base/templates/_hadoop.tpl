{{/*
Programs that use S3 as Spark does, but do not read its configuration.
*/}}

{{/* root → what Spark's settings, the user's with them, tell Hadoop's file systems; a YAML mapping. */}}
{{- define "spark-base.hadoop.conf" -}}
{{- $defaults := include "spark-base.spark.defaults" (dict "root" . "fragments" (list "spark-base.s3.conf") "user" .Values.sparkConf) -}}
{{- range splitList "\n" $defaults }}
{{- if hasPrefix "spark.hadoop.fs." . }}
{{- $setting := splitn "=" 2 . }}
{{ trimPrefix "spark.hadoop." $setting._0 }}: {{ $setting._1 | replace "\\\\" "\\" | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* root → the same as a file of Hadoop's. */}}
{{- define "spark-base.hadoop.xml" -}}
<?xml version="1.0" encoding="UTF-8"?>
<configuration>
  {{- range $key, $value := include "spark-base.hadoop.conf" . | fromYaml }}
  <property><name>{{ $key }}</name><value>{{ html $value }}</value></property>
  {{- end }}
</configuration>
{{- end -}}
