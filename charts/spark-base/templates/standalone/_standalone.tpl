{{/* root → a master and its workers. */}}
{{- define "spark-base.standalone" -}}
{{- if .Values.standalone.enabled -}}
{{ include "spark-base.standalone.master" . }}
---
{{ include "spark-base.standalone.worker" . }}
{{- end -}}
{{- end -}}

{{/* root → where workers and applications find the master; empty where there is none. */}}
{{- define "spark-base.standalone.masterUrl" -}}
{{- with .Values.standalone -}}
{{- if .enabled -}}
{{- $name := include "spark-base.componentName" (dict "root" $ "component" "master") -}}
spark://{{ $name }}.{{ $.Release.Namespace }}.svc:{{ .master.service.rpcPort }}
{{- else -}}
{{- .masterUrl -}}
{{- end -}}
{{- end -}}
{{- end -}}
