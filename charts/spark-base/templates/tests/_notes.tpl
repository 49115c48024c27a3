{{/* root → what is said after an installation. */}}
{{- define "spark-base.notes" -}}
{{- $components := include "spark-base.components" . | fromYaml -}}
Spark {{ .Values.sparkVersion }} as {{ .Release.Name }} in {{ .Release.Namespace }}

Images
{{- range $component, $image := include "spark-base.notes.images" . | fromYaml }}
  {{ printf "%-9s" $component }}  {{ include "spark-base.image" (dict "root" $ "image" $image) }}
{{- end }}
{{- range $component := list "connect" "master" "history" "jupyter" "metastore" }}
{{- if get $components $component }}

{{ include (printf "spark-base.notes.%s" $component) $ }}
{{- end }}
{{- end }}

Prove it
  helm -n {{ .Release.Namespace }} test {{ .Release.Name }}
{{- with include "spark-base.notes.secrets" . | trim }}

Secrets that must be there; pods wait for them
  {{- . | nindent 2 }}
{{- end }}
{{- with include "spark-base.notes.warnings" . | trim }}

Warnings
{{- range splitList "\n" . | compact }}
  - {{ . }}
{{- end }}
{{- end }}
{{ end -}}

{{/* root → YAML mapping: what runs → its block of an image. */}}
{{- define "spark-base.notes.images" -}}
spark:
  {{- include "spark-base.sparkImage" . | nindent 2 }}
{{- if .Values.jupyter.enabled }}
jupyter:
  {{- get .Values.jupyter (include "spark-base.jupyter.imageKey" .) | toYaml | nindent 2 }}
{{- end }}
{{- if .Values.hiveMetastore.enabled }}
metastore:
  {{- toYaml .Values.hiveMetastore.image | nindent 2 }}
{{- end }}
{{- end -}}

{{/* dict root, component, ports (of here and of the Service, with a colon between) → a command. */}}
{{- define "spark-base.notes.forward" -}}
kubectl -n {{ .root.Release.Namespace }} port-forward service/{{ include "spark-base.componentName" . }} {{ .ports }}
{{- end -}}
