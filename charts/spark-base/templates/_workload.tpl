{{/*
The frame of a Deployment and of a Service; what is in the pod, and which ports there are, comes from the component.
*/}}

{{/* ctx, image, pod (name of a template: ctx → the pod's containers and volumes); optional checksum, serviceAccountName, token,
replicas, strategy → a Deployment. */}}
{{- define "spark-base.deployment" -}}
apiVersion: apps/v1
kind: Deployment
{{ include "spark-base.metadata" . }}
spec:
  replicas: {{ default 1 .replicas }}
  {{- with .strategy }}
  strategy:
    {{- toYaml . | nindent 4 }}
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

{{/* ctx, ports (maps of name, port and perhaps appProtocol) → a Service; the container's ports have the same names. */}}
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
  {{- with $service.sessionAffinity }}
  sessionAffinity: {{ . }}
  {{- end }}
  selector:
    {{- include "spark-base.selectorLabels" . | nindent 4 }}
  ports:
    {{- range .ports }}
    - name: {{ .name }}
      port: {{ .port }}
      targetPort: {{ .name }}
      {{- with .appProtocol }}
      appProtocol: {{ . }}
      {{- end }}
    {{- end }}
{{- end -}}
