{{/* How each component is used. Each: root → lines of the notes. */}}

{{- define "spark-base.notes.connect" -}}
{{- $service := .Values.connect.service -}}
{{- $ports := printf "15002:%v 4040:%v" $service.grpcPort $service.uiPort -}}
Spark Connect, backend {{ .Values.connect.backendMode }}
  {{ include "spark-base.connect.url" . }}
  {{ include "spark-base.notes.forward" (dict "root" . "component" "connect" "ports" $ports) }}
  pyspark --remote sc://localhost:15002
{{- end -}}

{{- define "spark-base.notes.master" -}}
{{- $ports := printf "8080:%v" .Values.standalone.master.service.uiPort -}}
Standalone cluster, workers: {{ .Values.standalone.worker.replicas }}
  {{ include "spark-base.standalone.masterUrl" . }}
  {{ include "spark-base.notes.forward" (dict "root" . "component" "master" "ports" $ports) }}
{{- end -}}

{{- define "spark-base.notes.history" -}}
{{- $ports := printf "18080:%v" .Values.historyServer.service.port -}}
History Server of {{ include "spark-base.history.logDir" . }}
  {{ include "spark-base.notes.forward" (dict "root" . "component" "history" "ports" $ports) }}
{{- end -}}

{{- define "spark-base.notes.jupyter" -}}
{{- $name := include "spark-base.componentName" (dict "root" . "component" "jupyter") -}}
{{- $ports := printf "8888:%v" .Values.jupyter.service.port -}}
JupyterLab
  {{ include "spark-base.notes.forward" (dict "root" . "component" "jupyter" "ports" $ports) }}
  {{- if .Values.jupyter.existingSecret }}
  its token is in the Secret {{ .Values.jupyter.existingSecret }}
  {{- else }}
  kubectl -n {{ .Release.Namespace }} logs deployment/{{ $name }} | grep token
  {{- end }}
{{- end -}}

{{- define "spark-base.notes.metastore" -}}
Hive metastore
  {{ include "spark-base.metastore.uri" . }}
{{- end -}}
