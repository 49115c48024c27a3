{{/* root → the objects of the Connect server, and what its executor pods are made of where it starts them. */}}
{{- define "spark-base.connect" -}}
{{- if .Values.connect.enabled -}}
{{- $isK8s := eq .Values.connect.backendMode "k8s" -}}
{{- $ctx := dict "root" . "component" "connect" "values" .Values.connect -}}
{{- $config := include "spark-base.spark.configMap" (merge (dict "defaults" (include "spark-base.connect.defaults" .)) $ctx) -}}
{{- $executor := ternary (include "spark-base.executor.configMap" .) "" $isK8s -}}
{{- $pod := dict
  "pod" "spark-base.connect.pod"
  "image" (include "spark-base.sparkImage" . | fromYaml)
  "serviceAccountName" (include "spark-base.serviceAccountName" .)
  "token" $isK8s
  "checksum" (print $config $executor)
  "replicas" .Values.connect.replicas
  "strategy" .Values.connect.strategy -}}
{{- $service := .Values.connect.service -}}
{{- $ports := list
  (dict "name" "grpc" "port" $service.grpcPort "appProtocol" "grpc")
  (dict "name" "ui" "port" $service.uiPort "appProtocol" "http") -}}
{{ $config }}
{{- with $executor }}
---
{{ . }}
{{- end }}
---
{{ include "spark-base.deployment" (merge $pod $ctx) }}
---
{{ include "spark-base.service" (merge (dict "ports" $ports) $ctx) }}
{{- end -}}
{{- end -}}

{{/* root → where clients connect to. */}}
{{- define "spark-base.connect.url" -}}
{{- $name := include "spark-base.componentName" (dict "root" . "component" "connect") -}}
sc://{{ $name }}.{{ .Release.Namespace }}.svc:{{ .Values.connect.service.grpcPort }}
{{- end -}}

{{/* root → mistakes in the section. */}}
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
