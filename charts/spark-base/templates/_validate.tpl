{{/* What the schema cannot say. Each part answers with one line for each mistake; all are told at once. */}}

{{/* dict root, parts (names of templates) → fails when one of them finds a mistake. */}}
{{- define "spark-base.validate" -}}
{{- $mistakes := list -}}
{{- range .parts -}}
{{- range splitList "\n" (include . $.root) -}}
{{- with trim . -}}
{{- $mistakes = append $mistakes . -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with uniq $mistakes -}}
{{- fail (printf "\n- %s" (join "\n- " .)) -}}
{{- end -}}
{{- end -}}
