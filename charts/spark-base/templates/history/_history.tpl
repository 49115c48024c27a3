{{/* root → the History Server. It reads one directory of logs, so each line of Spark has a server of its own. */}}
{{- define "spark-base.history" -}}
{{- if .Values.historyServer.enabled -}}
{{- $ctx := dict "root" . "component" "history" "values" .Values.historyServer -}}
{{- $config := include "spark-base.history.configMap" $ctx -}}
{{- $pod := dict
  "pod" "spark-base.history.pod"
  "image" (include "spark-base.sparkImage" . | fromYaml)
  "serviceAccountName" (include "spark-base.s3.serviceAccountName" .)
  "checksum" $config -}}
{{- $port := dict "name" "http" "port" .Values.historyServer.service.port "appProtocol" "http" -}}
{{ $config }}
---
{{ include "spark-base.deployment" (merge $pod $ctx) }}
---
{{ include "spark-base.service" (merge (dict "ports" (list $port)) $ctx) }}
{{- end -}}
{{- end -}}

{{/* root → where the server looks for logs. */}}
{{- define "spark-base.history.logDir" -}}
{{- default .Values.eventLog.dir .Values.historyServer.logDir -}}
{{- end -}}

{{/* root → mistakes in the section. */}}
{{- define "spark-base.history.validate" -}}
{{- if and .Values.historyServer.enabled (not (include "spark-base.history.logDir" .)) }}
historyServer.enabled needs historyServer.logDir, or eventLog.dir
{{- end }}
{{- end -}}
