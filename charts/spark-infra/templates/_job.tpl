{{/* ctx, image, pod (name of a template: ctx, image → containers and volumes) → a Job. A Job can never be changed, so its name
says what it does: another task is another Job, and the same one is left as it is. */}}
{{- define "spark-infra.job" -}}
{{- $spec := include "spark-infra.job.spec" . -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "spark-base.componentName" . }}-{{ $spec | sha256sum | trunc 8 }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "spark-base.labels" . | nindent 4 }}
spec:
  {{- $spec | nindent 2 }}
{{- end -}}

{{- define "spark-infra.job.spec" -}}
backoffLimit: 20
template:
  metadata:
    labels:
      {{- include "spark-base.podLabels" . | nindent 6 }}
    {{- with include "spark-base.podAnnotations" . | trim }}
    annotations:
      {{- . | nindent 6 }}
    {{- end }}
  spec:
    {{- include "spark-base.pod" . | nindent 4 }}
    restartPolicy: OnFailure
    {{- include .pod . | nindent 4 }}
{{- end -}}
