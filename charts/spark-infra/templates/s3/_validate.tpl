{{/* root → mistakes about the store. */}}
{{- define "spark-infra.s3.validate" -}}
{{- $values := .Values -}}
{{- if or $values.s3.enabled $values.buckets.enabled -}}
{{- include "spark-base.image.validate" (dict "root" . "image" $values.s3.image "path" "s3.image") -}}
{{- if not $values.global.s3.existingSecret }}
global.s3.existingSecret is empty: name the Secret with the keys access-key and secret-key
{{- end }}
{{- end -}}
{{- if and $values.buckets.enabled (not (include "spark-infra.s3.endpoint" .)) }}
buckets.enabled needs a store: set s3.enabled, or global.s3.endpoint
{{- end }}
{{- end -}}
