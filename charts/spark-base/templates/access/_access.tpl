{{/* root → the identity of the release's pods; and where the Connect server starts executors, its right to do so. */}}
{{- define "spark-base.access" -}}
{{- $ctx := dict "root" . "component" "connect" -}}
{{- if .Values.serviceAccount.create }}
---
{{ include "spark-base.access.serviceAccount" $ctx }}
{{- end }}
{{- if and .Values.rbac.create (include "spark-base.components" . | fromYaml).executor }}
---
{{ include "spark-base.access.role" $ctx }}
---
{{ include "spark-base.access.roleBinding" $ctx }}
{{- end }}
{{- end -}}

{{/* root → the name of the service account. */}}
{{- define "spark-base.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "spark-base.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* root → mistakes in the section. */}}
{{- define "spark-base.access.validate" -}}
{{- with .Values.serviceAccount -}}
{{- if and (not .create) (not .name) (include "spark-base.components" $ | fromYaml).executor }}
connect.backendMode k8s needs an identity that may start executors: set serviceAccount.create, or serviceAccount.name
{{- end }}
{{- end -}}
{{- end -}}
