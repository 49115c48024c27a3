{{/* root → the objects of the Connect server, and of its executors where it starts them. */}}
{{- define "spark-base.connect" -}}
{{- if .Values.connect.enabled }}
{{- $context := dict "root" . "component" "connect" "values" .Values.connect }}
---
{{ include "spark-base.connect.configMap" $context }}
---
{{ include "spark-base.connect.deployment" $context }}
---
{{ include "spark-base.connect.service" $context }}
{{- if eq .Values.connect.backendMode "k8s" }}
---
{{ include "spark-base.executor.configMap" . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* root → where clients connect to. */}}
{{- define "spark-base.connect.url" -}}
{{- $name := include "spark-base.componentName" (dict "root" . "component" "connect") -}}
sc://{{ $name }}.{{ .Release.Namespace }}.svc:{{ .Values.connect.service.grpcPort }}
{{- end -}}

{{- define "spark-base.connect.validate" -}}
{{- with .Values.connect -}}
{{- if and .enabled (gt (int .replicas) 1) (ne .service.sessionAffinity "ClientIP") }}
connect.replicas is {{ .replicas }}: a session lives in one server, so connect.service.sessionAffinity must be ClientIP
{{- end }}
{{- if and .enabled (eq .backendMode "standalone") (not (include "spark-base.standalone.masterUrl" $)) }}
connect.backendMode is standalone, but there is no master: set standalone.enabled, or standalone.masterUrl
{{- end }}
{{- end -}}
{{- end -}}
