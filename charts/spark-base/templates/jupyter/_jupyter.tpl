{{/* root → JupyterLab. Its notebooks reach data through the Connect server, so it is given no keys of S3. */}}
{{- define "spark-base.jupyter" -}}
{{- if .Values.jupyter.enabled -}}
{{- $ctx := dict "root" . "component" "jupyter" "values" .Values.jupyter -}}
{{- $_ := set $ctx "image" (get .Values.jupyter (include "spark-base.jupyter.imageKey" .)) -}}
{{- if include "spark-base.jupyter.ownsClaim" . -}}
{{ include "spark-base.jupyter.claim" $ctx }}
---
{{ end -}}
{{/* One pod at a time has the volume, and knows the running kernels. */ -}}
{{ include "spark-base.deployment" (merge (dict "pod" "spark-base.jupyter.pod" "strategy" "Recreate") $ctx) }}
---
{{ include "spark-base.service" (merge (dict "portName" "http" "port" .Values.jupyter.service.port "appProtocol" "http") $ctx) }}
{{- end -}}
{{- end -}}

{{/* root → the key of the image in use. There is none with GPU and Iceberg, and a client of Connect needs no RAPIDS. */}}
{{- define "spark-base.jupyter.imageKey" -}}
{{- if .Values.features.iceberg.enabled -}}
icebergImage
{{- else if .Values.features.gpu.enabled -}}
gpuImage
{{- else -}}
image
{{- end -}}
{{- end -}}

{{/* root → "true" where notebooks are on a volume that the chart makes. */}}
{{- define "spark-base.jupyter.ownsClaim" -}}
{{- with .Values.jupyter.persistence -}}
{{- if and .enabled (not .existingClaim) -}}
true
{{- end -}}
{{- end -}}
{{- end -}}

{{/* root → mistakes in the section. */}}
{{- define "spark-base.jupyter.validate" -}}
{{- with .Values.jupyter -}}
{{- if .enabled -}}
{{- $key := include "spark-base.jupyter.imageKey" $ -}}
{{- include "spark-base.image.validate" (dict "root" $ "image" (get . $key) "path" (printf "jupyter.%s" $key)) -}}
{{- if not (or .remote $.Values.connect.enabled) }}
jupyter.enabled needs a server for its notebooks: connect.enabled, or jupyter.remote
{{- end }}
{{- if and .persistence.existingClaim (not .persistence.enabled) }}
jupyter.persistence.existingClaim is not used unless jupyter.persistence.enabled
{{- end }}
{{- end -}}
{{- end -}}
{{- end -}}
