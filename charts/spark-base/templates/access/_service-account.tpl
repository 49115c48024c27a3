{{/* ctx → the service account. A pod that needs its token asks for it. */}}
{{- define "spark-base.access.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "spark-base.serviceAccountName" .root }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "spark-base.labels" . | nindent 4 }}
  {{- with .root.Values.serviceAccount.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end -}}
