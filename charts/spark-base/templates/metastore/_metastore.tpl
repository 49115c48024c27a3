{{/* root → the Hive metastore; its database is someone else's. */}}
{{- define "spark-base.metastore" -}}
{{- if .Values.hiveMetastore.enabled -}}
{{- $ctx := dict "root" . "component" "metastore" "values" .Values.hiveMetastore -}}
{{- $config := include "spark-base.metastore.configMap" $ctx -}}
{{- $pod := dict
  "pod" "spark-base.metastore.pod"
  "image" .Values.hiveMetastore.image
  "serviceAccountName" (include "spark-base.s3.serviceAccountName" .)
  "checksum" $config -}}
{{- $port := dict "name" "thrift" "port" 9083 -}}
{{ $config }}
---
{{ include "spark-base.deployment" (merge $pod $ctx) }}
---
{{ include "spark-base.service" (merge (dict "ports" (list $port)) $ctx) }}
{{- end -}}
{{- end -}}

{{/* root → mistakes in the section. */}}
{{- define "spark-base.metastore.validate" -}}
{{- with .Values.hiveMetastore -}}
{{- if .enabled -}}
{{- include "spark-base.image.validate" (dict "root" $ "image" .image "path" "hiveMetastore.image") -}}
{{- if .externalUri }}
hiveMetastore.enabled starts a metastore, but hiveMetastore.externalUri names another: keep one of them
{{- end }}
{{- range $key := list "host" "name" "user" "existingSecret" }}
{{- if not (get $.Values.hiveMetastore.database $key) }}
hiveMetastore.enabled needs hiveMetastore.database.{{ $key }}
{{- end }}
{{- end }}
{{- end -}}
{{- end -}}
{{- end -}}
