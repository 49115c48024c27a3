{{/*
Modes of security:
  restricted  the user 185 of the images, as Pod Security Standards "restricted" wants it
  openshift   no user is named: the namespace's range decides, and the images run as any uid with gid 0
  custom      security.podSecurityContext and security.containerSecurityContext as they are
*/}}

{{/* root → the securityContext of a pod. */}}
{{- define "spark-base.podSecurityContext" -}}
{{- if eq .Values.security.mode "custom" -}}
{{- toYaml .Values.security.podSecurityContext -}}
{{- else -}}
runAsNonRoot: true
{{- if eq .Values.security.mode "restricted" }}
runAsUser: 185
runAsGroup: 0
fsGroup: 0
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}
{{- end -}}

{{/* root → the securityContext of a container. */}}
{{- define "spark-base.containerSecurityContext" -}}
{{- if eq .Values.security.mode "custom" -}}
{{- toYaml .Values.security.containerSecurityContext -}}
{{- else -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}
{{- end -}}
