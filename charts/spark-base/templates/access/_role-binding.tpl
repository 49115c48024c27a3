{{/* ctx → the role, given to the service account. */}}
{{- define "spark-base.access.roleBinding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
{{ include "spark-base.metadata" . }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ include "spark-base.componentName" . }}
subjects:
  - kind: ServiceAccount
    name: {{ include "spark-base.serviceAccountName" .root }}
    namespace: {{ .root.Release.Namespace }}
{{- end -}}
