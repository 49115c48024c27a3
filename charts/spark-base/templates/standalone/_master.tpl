{{/* root → the objects of the master. */}}
{{- define "spark-base.standalone.master" -}}
{{- $ctx := dict "root" . "component" "master" "values" .Values.standalone.master -}}
{{- $fragments := list "spark-base.standalone.conf.master" "spark-base.monitoring.conf" -}}
{{- $defaults := include "spark-base.standalone.defaults" (dict "root" . "fragments" $fragments) -}}
{{- $config := include "spark-base.spark.configMap" (merge (dict "defaults" $defaults) $ctx) -}}
{{- $pod := dict "image" (include "spark-base.sparkImage" . | fromYaml) "checksum" $config -}}
{{- $service := .Values.standalone.master.service -}}
{{- $ports := list (dict "name" "rpc" "port" $service.rpcPort) (dict "name" "ui" "port" $service.uiPort "appProtocol" "http") -}}
{{ $config }}
---
{{ include "spark-base.standalone.master.statefulSet" (merge $pod $ctx) }}
---
{{ include "spark-base.service" (merge (dict "ports" $ports) $ctx) }}
---
{{ include "spark-base.standalone.master.headlessService" $ctx }}
{{- if .Values.standalone.master.recovery.enabled }}
---
{{ include "spark-base.claim" (merge (dict "volume" $ctx.values.recovery) $ctx) }}
{{- end }}
{{- end -}}

{{- define "spark-base.standalone.master.headlessName" -}}
{{ include "spark-base.componentName" . }}-headless
{{- end -}}
