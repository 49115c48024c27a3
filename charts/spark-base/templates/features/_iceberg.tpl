{{/* An Iceberg catalog, by name. https://iceberg.apache.org/docs/latest/spark-configuration/ */}}

{{/* root → settings. The catalog resolves "env:…" by itself, so configuration names the token's variable and never the token. */}}
{{- define "spark-base.features.iceberg.conf" -}}
{{- if .Values.features.iceberg.enabled -}}
{{- $catalog := .Values.features.iceberg.catalog -}}
{{- $prefix := printf "spark.sql.catalog.%s" $catalog.name -}}
spark.sql.extensions: org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions
{{ $prefix }}: org.apache.iceberg.spark.{{ ternary "SparkSessionCatalog" "SparkCatalog" (eq $catalog.name "spark_catalog") }}
{{ $prefix }}.type: {{ $catalog.type }}
{{- with include "spark-base.features.iceberg.uri" . }}
{{ $prefix }}.uri: {{ . | quote }}
{{- end }}
{{- with include "spark-base.features.iceberg.warehouse" . }}
{{ $prefix }}.warehouse: {{ . | quote }}
{{- end }}
{{- with $catalog.fileIO }}
{{ $prefix }}.io-impl: {{ . | quote }}
{{- end }}
{{- if $catalog.existingSecret }}
{{ $prefix }}.token: env:ICEBERG_REST_TOKEN
{{- end }}
{{- end -}}
{{- end -}}

{{/* root → environment of the driver, which alone speaks to the catalog. */}}
{{- define "spark-base.features.iceberg.env" -}}
{{- with .Values.features.iceberg -}}
{{- if and .enabled .catalog.existingSecret -}}
- name: ICEBERG_REST_TOKEN
  valueFrom: {secretKeyRef: {name: {{ .catalog.existingSecret }}, key: token}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* root → the catalog's address; that of a Hive catalog is the metastore's unless it has one of its own. */}}
{{- define "spark-base.features.iceberg.uri" -}}
{{- with .Values.features.iceberg.catalog -}}
{{- if .uri -}}
{{- .uri -}}
{{- else if eq .type "hive" -}}
{{- include "spark-base.metastore.uri" $ -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* root → the catalog's warehouse. One server that computes by itself may keep its tables in /tmp; executors elsewhere would each
see a /tmp of their own. */}}
{{- define "spark-base.features.iceberg.warehouse" -}}
{{- with .Values.features.iceberg.catalog -}}
{{- if .warehouse -}}
{{- .warehouse -}}
{{- else if and (eq .type "hadoop") (eq $.Values.connect.backendMode "local") -}}
/tmp/iceberg-warehouse
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "spark-base.features.iceberg.validate" -}}
{{- $path := "features.iceberg.catalog" -}}
{{- $warehouse := include "spark-base.features.iceberg.warehouse" . -}}
{{- $isLocal := eq .Values.connect.backendMode "local" -}}
{{- $hasUri := include "spark-base.features.iceberg.uri" . -}}
{{- with .Values.features.iceberg -}}
{{- if .enabled -}}
{{- if and (eq .catalog.type "rest") (not $hasUri) }}
{{ $path }}.type is rest: name the catalog's address in {{ $path }}.uri
{{- end }}
{{- if and (eq .catalog.type "hive") (not $hasUri) }}
{{ $path }}.type is hive, but there is no metastore: set hiveMetastore.enabled, hiveMetastore.externalUri, or {{ $path }}.uri
{{- end }}
{{- if and (eq .catalog.type "hadoop") (not $warehouse) }}
{{ $path }}.warehouse is empty: name a place that server and executors share, such as s3a://warehouse/iceberg
{{- end }}
{{- if and (eq .catalog.type "hadoop") (not $isLocal) (regexMatch "^(file:/*)?/tmp(/|$)" $warehouse) }}
{{ $path }}.warehouse is {{ $warehouse }}, which each pod has for itself: name a place that server and executors share
{{- end }}
{{- if and .catalog.existingSecret (ne .catalog.type "rest") }}
{{ $path }}.existingSecret holds a token, which only a catalog of type rest takes; {{ $path }}.type is {{ .catalog.type }}
{{- end }}
{{- end -}}
{{- end -}}
{{- end -}}
