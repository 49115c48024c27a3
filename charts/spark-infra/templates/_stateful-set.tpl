{{/* ctx, pod (name of a template: ctx → containers and volumes) → a server of one pod; there are never two on its volume. */}}
{{- define "spark-infra.statefulSet" -}}
apiVersion: apps/v1
kind: StatefulSet
{{ include "spark-base.metadata" . }}
spec:
  replicas: 1
  serviceName: {{ include "spark-base.componentName" . }}
  selector:
    matchLabels:
      {{- include "spark-base.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "spark-base.podLabels" . | nindent 8 }}
      {{- with include "spark-base.podAnnotations" . | trim }}
      annotations:
        {{- . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "spark-base.pod" (merge (dict "image" .values.image) .) | nindent 6 }}
      {{- include .pod . | nindent 6 }}
{{- end -}}
