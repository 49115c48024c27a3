{{/* root → what the version charts refuse, over all components. */}}
{{- define "spark-base.validateSpark" -}}
{{- $parts := list -}}
{{- range list "images" "sparkConf" "connect" "executor" "features" "standalone" "eventLog" "history" "jupyter" "metastore" "access" "exposure" -}}
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

{{/* root → credentials among the user's settings: values are kept with the release, for all who may read it. */}}
{{- define "spark-base.sparkConf.validate" -}}
{{- range $key, $value := .Values.sparkConf -}}
{{- $text := ternary "" (toString $value) (kindIs "invalid" $value) -}}
{{- $secret := regexMatch "(?i)(password|passwd|passphrase|secret|token|(access|secret|account|api)[._-]?key)$" $key -}}
{{- if and $secret $text (not (hasPrefix "${" $text)) }}
{{- if contains "fs.s3a." $key }}
sparkConf.{{ $key }} is a credential: put it into a Secret and name that in global.s3.existingSecret
{{- else }}
sparkConf.{{ $key }} is a credential: put it into a Secret, which extraEnv or extraVolumes bring in
{{- end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* root → objects of the user's own, as maps or as text; both may hold templates. */}}
{{- define "spark-base.extraObjects" -}}
{{- range .Values.extraObjects }}
---
{{ tpl (ternary . (toYaml .) (kindIs "string" .)) $ }}
{{- end }}
{{- end -}}
