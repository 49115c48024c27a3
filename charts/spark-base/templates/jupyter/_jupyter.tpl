{{/* root → JupyterLab. */}}
{{- define "spark-base.jupyter" -}}
{{- if .Values.jupyter.enabled -}}
{{- $ctx := dict "root" . "component" "jupyter" "values" .Values.jupyter -}}
{{- /* The old pod goes first: a volume may be in one pod only. */ -}}
{{- $pod := dict
  "pod" "spark-base.jupyter.pod"
  "image" (get .Values.jupyter (include "spark-base.jupyter.imageKey" .))
  "strategy" (dict "type" "Recreate") -}}
{{- $port := dict "name" "http" "port" .Values.jupyter.service.port "appProtocol" "http" -}}
{{- with .Values.jupyter.persistence -}}
{{- if and .enabled (not .existingClaim) -}}
{{ include "spark-base.claim" (merge (dict "volume" . "keep" "true") $ctx) }}
---
{{ end -}}
{{- end -}}
{{ include "spark-base.deployment" (merge $pod $ctx) }}
---
{{ include "spark-base.service" (merge (dict "ports" (list $port)) $ctx) }}
{{- end -}}
{{- end -}}

{{/* root → the key of the image in use. There is none with both features: a client of a server with RAPIDS needs no RAPIDS. */}}
{{- define "spark-base.jupyter.imageKey" -}}
{{- if .Values.features.iceberg.enabled -}}icebergImage
{{- else if .Values.features.gpu.enabled -}}gpuImage
{{- else -}}image
{{- end -}}
{{- end -}}

{{/* root → mistakes in the section. */}}
{{- define "spark-base.jupyter.validate" -}}
{{- with .Values.jupyter -}}
{{- if .enabled -}}
{{- $key := include "spark-base.jupyter.imageKey" $ -}}
{{- include "spark-base.image.validate" (dict "root" $ "image" (get . $key) "path" (printf "jupyter.%s" $key)) -}}
{{- if not (or .remote $.Values.connect.enabled) }}
jupyter.enabled needs a server for its notebooks: set connect.enabled, or jupyter.remote
{{- end }}
{{- if and .persistence.existingClaim (not .persistence.enabled) }}
jupyter.persistence.existingClaim is named, but jupyter.persistence.enabled is false
{{- end }}
{{- end -}}
{{- end -}}
{{- end -}}
