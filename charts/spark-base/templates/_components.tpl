{{/* root → YAML mapping: each component that has pods → whether this release has it. */}}
{{- define "spark-base.components" -}}
connect: {{ .Values.connect.enabled }}
executor: {{ and .Values.connect.enabled (eq .Values.connect.backendMode "k8s") }}
master: {{ .Values.standalone.enabled }}
worker: {{ .Values.standalone.enabled }}
history: {{ .Values.historyServer.enabled }}
jupyter: {{ .Values.jupyter.enabled }}
metastore: {{ .Values.hiveMetastore.enabled }}
{{- end -}}
