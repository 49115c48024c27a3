{{/* root → the pods of `helm test`, one for each component that answers clients. A component's test is a program in Python. */}}
{{- define "spark-base.tests" -}}
{{- $components := include "spark-base.components" . | fromYaml -}}
{{- range $component := list "connect" "history" "jupyter" "master" "metastore" }}
{{- if get $components $component }}
{{- $program := include (printf "spark-base.tests.%s" $component) $ }}
---
{{ include "spark-base.tests.pod" (dict "root" $ "component" (printf "test-%s" $component) "program" $program) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* dict root, component, port → host and port of a component's Service. */}}
{{- define "spark-base.tests.address" -}}
{{ include "spark-base.componentName" . }}.{{ .root.Release.Namespace }}.svc:{{ .port }}
{{- end -}}
