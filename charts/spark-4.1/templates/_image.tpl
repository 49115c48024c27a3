{{/* The image block in use, as YAML. */}}
{{- define "spark.imageBlock" -}}
{{- ternary .Values.gpu.image .Values.image .Values.gpu.enabled | toYaml -}}
{{- end -}}

{{/* registry/repository[:tag][@digest]; a tag may bring its digest along, as Renovate and Skaffold write it. */}}
{{- define "spark.image" -}}
{{- $image := include "spark.imageBlock" . | fromYaml -}}
{{- $registry := default $image.registry .Values.global.imageRegistry -}}
{{- $parts := splitList "@" (default .Chart.AppVersion $image.tag) -}}
{{- $tag := first $parts -}}
{{- $digest := default (rest $parts | join "") $image.digest -}}
{{- $prefix := ternary (printf "%s/" $registry) "" (ne $registry "") -}}
{{- $suffix := ternary (printf "@%s" $digest) "" (ne $digest "") -}}
{{- printf "%s%s:%s%s" $prefix $image.repository $tag $suffix -}}
{{- end -}}

{{- define "spark.pullPolicy" -}}
{{- (include "spark.imageBlock" . | fromYaml).pullPolicy -}}
{{- end -}}

{{/* Global and own pull secrets, each a name or a map with a name. */}}
{{- define "spark.pullSecrets" -}}
{{- $names := list -}}
{{- range concat .Values.global.imagePullSecrets (include "spark.imageBlock" . | fromYaml).pullSecrets -}}
{{- $names = append $names (ternary . (dict "name" .) (kindIs "map" .)) -}}
{{- end -}}
{{- with uniq $names -}}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}
