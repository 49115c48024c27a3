{{/*
A component that is one process: its Deployment and its Service. What is in the pod comes from the component.
*/}}

{{/* ctx, image, pod (name of a template: ctx → the pod's containers and volumes); optional checksum, serviceAccountName,
strategy → a Deployment of one pod. */}}
{{- define "spark-base.deployment" -}}
apiVersion: apps/v1
kind: Deployment
{{ include "spark-base.metadata" . }}
spec:
  replicas: 1
  {{- with .strategy }}
  strategy:
    type: {{ . }}
  {{- end }}
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
      {{- include "spark-base.pod" . | nindent 6 }}
      {{- include .pod . | nindent 6 }}
{{- end -}}

{{/* ctx, portName, port; optional appProtocol → a Service with one port. The container's port has the same name. */}}
{{- define "spark-base.service" -}}
{{- $service := default dict .values.service -}}
apiVersion: v1
kind: Service
{{ include "spark-base.metadata" . }}
  {{- with $service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ default "ClusterIP" $service.type }}
  selector:
    {{- include "spark-base.selectorLabels" . | nindent 4 }}
  ports:
    - name: {{ .portName }}
      port: {{ .port }}
      targetPort: {{ .portName }}
      {{- with .appProtocol }}
      appProtocol: {{ . }}
      {{- end }}
{{- end -}}
