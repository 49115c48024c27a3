{{/* root → what the version charts refuse, over all components. */}}
{{- define "spark-base.validateSpark" -}}
{{- $parts := list -}}
{{- range list "images" "connect" "executor" "features" "standalone" "eventLog" "history" "jupyter" "metastore" "access" "exposure" -}}
{{- $parts = append $parts (printf "spark-base.%s.validate" .) -}}
{{- end -}}
{{- include "spark-base.validate" (dict "root" . "parts" $parts) -}}
{{- end -}}

{{/* root → mistakes in the Spark image in use. */}}
{{- define "spark-base.images.validate" -}}
{{- $image := include "spark-base.sparkImage" . | fromYaml -}}
{{- include "spark-base.image.validate" (dict "root" . "image" $image "path" (include "spark-base.sparkImagePath" .)) -}}
{{- if not (has .Values.sparkVersion (include "spark-base.facts" . | fromYaml).versions) }}
sparkVersion {{ .Values.sparkVersion }} is none of this chart: it knows {{ join ", " (include "spark-base.facts" . | fromYaml).versions }}
{{- end }}
{{- end -}}

{{/* root → objects of the user's own, as maps or as text; both may hold templates. */}}
{{- define "spark-base.extraObjects" -}}
{{- range .Values.extraObjects }}
---
{{ tpl (ternary . (toYaml .) (kindIs "string" .)) $ }}
{{- end }}
{{- end -}}
