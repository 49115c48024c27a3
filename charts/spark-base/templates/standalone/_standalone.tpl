{{/* root → a master and its workers. */}}
{{- define "spark-base.standalone" -}}
{{- if .Values.standalone.enabled }}
{{- $master := dict "root" . "component" "master" "values" .Values.standalone.master }}
{{- $worker := dict "root" . "component" "worker" "values" .Values.standalone.worker }}
---
{{ include "spark-base.standalone.master.configMap" $master }}
---
{{ include "spark-base.standalone.master.statefulSet" $master }}
---
{{ include "spark-base.standalone.master.service" $master }}
---
{{ include "spark-base.standalone.master.headlessService" $master }}
{{- if .Values.standalone.master.recovery.enabled }}
---
{{ include "spark-base.standalone.master.claim" $master }}
{{- end }}
---
{{ include "spark-base.standalone.worker.configMap" $worker }}
---
{{ include "spark-base.standalone.worker.deployment" $worker }}
{{- end }}
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
