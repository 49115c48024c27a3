{{/* dict root, image (a block of values) → registry/repository[:tag][@digest].
A tag may bring its digest along, as Renovate and Skaffold write it. */}}
{{- define "spark-base.image" -}}
{{- $registry := default .image.registry .root.Values.global.imageRegistry -}}
{{- $parts := splitList "@" .image.tag -}}
{{- $tag := first $parts -}}
{{- $digest := default (rest $parts | join "") .image.digest -}}
{{- with $registry }}{{ . }}/{{ end -}}
{{ .image.repository }}
{{- with $tag }}:{{ . }}{{ end -}}
{{- with $digest }}@{{ . }}{{ end -}}
{{- end -}}

{{/* dict root, image, path (where the block is in values) → one line for each mistake. */}}
{{- define "spark-base.image.validate" -}}
{{- $inTag := splitList "@" .image.tag | rest | join "" -}}
{{- if not .image.repository }}
{{ .path }}.repository is empty: name an image
{{- end }}
{{- if not (or .image.tag .image.digest) }}
{{ .path }} has neither a tag nor a digest: name a version
{{- end }}
{{- if and $inTag .image.digest (ne $inTag .image.digest) }}
{{ .path }}.tag holds {{ $inTag }}, but {{ .path }}.digest is {{ .image.digest }}: keep one of them
{{- end }}
{{- if and (eq .image.tag "latest") (not .image.digest) }}
{{ .path }}.tag is latest: name a version, or a digest
{{- end }}
{{- end -}}

{{/* dict root, image → imagePullSecrets, global ones and the image's own; each a name or a map with a name. */}}
{{- define "spark-base.pullSecrets" -}}
{{- $names := list -}}
{{- range concat .root.Values.global.imagePullSecrets .image.pullSecrets -}}
{{- $names = append $names (ternary . (dict "name" .) (kindIs "map" .)) -}}
{{- end -}}
{{- with uniq $names -}}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* root → the block of the Spark image in use: that of the features that are on, as YAML. */}}
{{- define "spark-base.sparkImage" -}}
{{- $gpu := .Values.features.gpu.enabled -}}
{{- $iceberg := .Values.features.iceberg.enabled -}}
{{- if and $gpu $iceberg -}}
{{- toYaml .Values.gpuIcebergImage -}}
{{- else if $gpu -}}
{{- toYaml .Values.gpuImage -}}
{{- else if $iceberg -}}
{{- toYaml .Values.icebergImage -}}
{{- else -}}
{{- toYaml .Values.image -}}
{{- end -}}
{{- end -}}

{{/* root → where the block of the Spark image in use is in values. */}}
{{- define "spark-base.sparkImagePath" -}}
{{- $gpu := .Values.features.gpu.enabled -}}
{{- $iceberg := .Values.features.iceberg.enabled -}}
{{- if and $gpu $iceberg -}}gpuIcebergImage
{{- else if $gpu -}}gpuImage
{{- else if $iceberg -}}icebergImage
{{- else -}}image
{{- end -}}
{{- end -}}
