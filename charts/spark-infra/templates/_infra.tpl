{{/* Components of this chart: s3 and postgresql serve, buckets and databases are jobs. */}}

{{/* root → URL of the store in use. */}}
{{- define "spark-infra.s3.endpoint" -}}
{{- if .Values.s3.enabled -}}
http://{{ include "spark-base.componentName" (dict "root" . "component" "s3") }}.{{ .Release.Namespace }}.svc:{{ .Values.s3.service.port }}
{{- else -}}
{{- .Values.global.s3.endpoint | trimSuffix "/" -}}
{{- end -}}
{{- end -}}

{{/* root → host of the database server in use. */}}
{{- define "spark-infra.postgresql.host" -}}
{{- if .Values.postgresql.enabled -}}
{{ include "spark-base.componentName" (dict "root" . "component" "postgresql") }}.{{ .Release.Namespace }}.svc
{{- else -}}
{{- .Values.postgresql.host -}}
{{- end -}}
{{- end -}}

{{/* root → YAML list of who speaks to whom, as the library's policies want it. */}}
{{- define "spark-infra.flows" -}}
- {to: s3, ports: [{port: http}], from: [anyone, buckets]}
- {to: postgresql, ports: [{port: postgresql}], from: [anyone, databases]}
{{- end -}}

{{/* root → what this chart refuses. */}}
{{- define "spark-infra.validate" -}}
{{- include "spark-base.validate" (dict "root" . "parts" (list "spark-infra.s3.validate" "spark-infra.postgresql.validate")) -}}
{{- end -}}
