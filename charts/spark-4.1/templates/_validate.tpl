{{/* What the schema cannot say; all problems at once. */}}
{{- define "spark.validate" -}}
{{- $errors := list -}}
{{- $image := include "spark.imageBlock" . | fromYaml -}}
{{- $path := ternary "gpu.image" "image" .Values.gpu.enabled -}}
{{- $inTag := splitList "@" $image.tag | rest | join "" -}}
{{- if and $inTag $image.digest (ne $inTag $image.digest) -}}
{{- $errors = append $errors (printf "%s.tag holds %s, but %s.digest is %s: keep one of them" $path $inTag $path $image.digest) -}}
{{- end -}}
{{- if and (eq $image.tag "latest") (not $image.digest) -}}
{{- $errors = append $errors (printf "%s.tag is latest: name a version, or a digest" $path) -}}
{{- end -}}
{{- if and (gt (int .Values.connect.replicas) 1) (ne .Values.connect.service.sessionAffinity "ClientIP") -}}
{{- $errors = append $errors "connect.replicas is more than 1: sessions live in one server, so connect.service.sessionAffinity must be ClientIP" -}}
{{- end -}}
{{- if and .Values.eventLog.enabled (not .Values.eventLog.dir) -}}
{{- $errors = append $errors "eventLog.enabled needs eventLog.dir, a place that exists already" -}}
{{- end -}}
{{- if and (eq .Values.backend "k8s") (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) -}}
{{- $errors = append $errors "backend k8s without serviceAccount.create needs serviceAccount.name" -}}
{{- end -}}
{{- with $errors -}}
{{- fail (printf "\n- %s" (join "\n- " .)) -}}
{{- end -}}
{{- end -}}
