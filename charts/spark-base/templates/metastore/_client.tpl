{{/* root → the address of the metastore in use; empty without one. */}}
{{- define "spark-base.metastore.uri" -}}
{{- if .Values.hiveMetastore.enabled -}}
{{- $name := include "spark-base.componentName" (dict "root" . "component" "metastore") -}}
thrift://{{ $name }}.{{ .Release.Namespace }}.svc:9083
{{- else -}}
{{- .Values.hiveMetastore.externalUri -}}
{{- end -}}
{{- end -}}

{{/* root → settings of Spark, as a YAML mapping. The client is Spark's own, which needs no other jars. */}}
{{- define "spark-base.metastore.clientConf" -}}
{{- with include "spark-base.metastore.uri" . -}}
spark.sql.catalogImplementation: hive
spark.hadoop.hive.metastore.uris: {{ . | quote }}
spark.sql.warehouse.dir: {{ $.Values.hiveMetastore.warehouse | quote }}
{{- end -}}
{{- end -}}
