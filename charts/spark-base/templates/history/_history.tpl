{{/* root → the History Server. It has one directory of logs, so each line of Spark has a server of its own. */}}
{{- define "spark-base.history" -}}
{{- if .Values.historyServer.enabled -}}
{{- $conf := include "spark-base.history.defaults" . -}}
{{- $ctx := dict "root" . "component" "history" "values" .Values.historyServer "checksum" $conf -}}
{{- $_ := set $ctx "image" (include "spark-base.sparkImage" . | fromYaml) -}}
{{- $_ := set $ctx "serviceAccountName" (include "spark-base.s3.serviceAccountName" .) -}}
{{ include "spark-base.history.configMap" $ctx }}
---
{{ include "spark-base.deployment" (set $ctx "pod" "spark-base.history.pod") }}
---
{{ include "spark-base.service" (merge (dict "portName" "http" "port" .Values.historyServer.service.port "appProtocol" "http") $ctx) }}
{{- end -}}
{{- end -}}

{{/* root → where the server looks for logs. */}}
{{- define "spark-base.history.logDir" -}}
{{- default .Values.eventLog.dir .Values.historyServer.logDir -}}
{{- end -}}

{{/* root → mistakes in what it is told. */}}
{{- define "spark-base.history.validate" -}}
{{- if and .Values.historyServer.enabled (not (include "spark-base.history.logDir" .)) }}
historyServer.enabled needs historyServer.logDir, or eventLog.dir
{{- end }}
{{- end -}}
