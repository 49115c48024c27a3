{{/* root → the Hive metastore; its database is someone else's. */}}
{{- define "spark-base.metastore" -}}
{{- if .Values.hiveMetastore.enabled -}}
{{- $ctx := dict "root" . "component" "metastore" "values" .Values.hiveMetastore "image" .Values.hiveMetastore.image -}}
{{- $_ := set $ctx "serviceAccountName" (include "spark-base.s3.serviceAccountName" .) -}}
{{ include "spark-base.deployment" (merge (dict "pod" "spark-base.metastore.pod") $ctx) }}
---
{{ include "spark-base.service" (merge (dict "portName" "thrift" "port" 9083) $ctx) }}
{{- end -}}
{{- end -}}

{{/* root → the address of the metastore in use; empty without one. */}}
{{- define "spark-base.metastore.uri" -}}
{{- if .Values.hiveMetastore.enabled -}}
thrift://{{ include "spark-base.componentName" (dict "root" . "component" "metastore") }}:9083
{{- else -}}
{{- .Values.hiveMetastore.externalUri -}}
{{- end -}}
{{- end -}}

{{/* root → settings of Spark, as a YAML mapping. Its own Hive client speaks to servers up to 3.1, so none is named. */}}
{{- define "spark-base.metastore.clientConf" -}}
{{- with include "spark-base.metastore.uri" . -}}
spark.sql.catalogImplementation: hive
spark.hadoop.hive.metastore.uris: {{ . | quote }}
{{- with $.Values.hiveMetastore.warehouse }}
spark.sql.warehouse.dir: {{ . | quote }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* root → mistakes in the section. */}}
{{- define "spark-base.metastore.validate" -}}
{{- with .Values.hiveMetastore -}}
{{- if .enabled -}}
{{- include "spark-base.image.validate" (dict "root" $ "image" .image "path" "hiveMetastore.image") -}}
{{- if .externalUri }}
hiveMetastore.enabled and hiveMetastore.externalUri exclude each other: keep one of them
{{- end }}
{{- range $key := list "host" "name" "user" "existingSecret" }}
{{- if not (get $.Values.hiveMetastore.database $key) }}
hiveMetastore.enabled needs hiveMetastore.database.{{ $key }}
{{- end }}
{{- end }}
{{- if not .warehouse }}
hiveMetastore.enabled needs hiveMetastore.warehouse
{{- end }}
{{- end -}}
{{- end -}}
{{- end -}}
