{{/* ctx → what the metastore is told of S3, as Spark is: it makes the folders of databases and tables. */}}
{{- define "spark-base.metastore.configMap" -}}
apiVersion: v1
kind: ConfigMap
{{ include "spark-base.metadata" . }}
data:
  s3.xml: |
    {{- include "spark-base.hadoop.xml" .root | nindent 4 }}
{{- end -}}
