{{/*
GPUs for Spark SQL by RAPIDS. They are where tasks run: in the server with backend local, in executor pods with k8s, in the
workers with standalone. https://docs.nvidia.com/spark-rapids/user-guide/latest/
*/}}

{{/* root → settings of an application. */}}
{{- define "spark-base.features.gpu.conf" -}}
{{- if .Values.features.gpu.enabled -}}
{{- $mode := .Values.connect.backendMode -}}
{{- with .Values.features.gpu -}}
spark.plugins: com.nvidia.spark.SQLPlugin
spark.rapids.sql.concurrentGpuTasks: {{ .concurrentTasks | quote }}
spark.rapids.memory.pinnedPool.size: {{ .pinnedPool | quote }}
{{- if ne $mode "local" }}
spark.executor.resource.gpu.amount: "1"
spark.task.resource.gpu.amount: {{ .taskAmount | quote }}
{{- end }}
{{- if eq $mode "k8s" }}
spark.executor.resource.gpu.vendor: {{ .vendor | quote }}
spark.executor.resource.gpu.discoveryScript: {{ include "spark-base.spark.scriptsDir" $ }}/discover-gpus.sh
{{- end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* root → settings of a worker, which gives its GPUs to executors. */}}
{{- define "spark-base.features.gpu.workerConf" -}}
{{- with .Values.features.gpu -}}
{{- if .enabled -}}
spark.worker.resource.gpu.amount: {{ .count | quote }}
spark.worker.resource.gpu.discoveryScript: {{ include "spark-base.spark.scriptsDir" $ }}/discover-gpus.sh
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "spark-base.features.gpu.discoveryScript" -}}
#!/bin/sh
# Spark runs this and reads one JSON object: the GPUs that the container was given.
set -eu
addresses=$(nvidia-smi --query-gpu=index --format=csv,noheader | sed 's/.*/"&"/' | paste -sd, -)
printf '{"name": "gpu", "addresses": [%s]}\n' "$addresses"
{{- end -}}

{{/* dict root, resources → these, with the GPUs among the limits. */}}
{{- define "spark-base.features.gpu.resources" -}}
{{- $resources := deepCopy .resources -}}
{{- with .root.Values.features.gpu -}}
{{- if .enabled -}}
{{- $resources = mergeOverwrite $resources (dict "limits" (dict (printf "%s/gpu" .vendor) (int .count))) -}}
{{- end -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}

{{/* root → the field of a pod with GPUs, where the cluster needs one. */}}
{{- define "spark-base.features.gpu.runtimeClass" -}}
{{- with .Values.features.gpu -}}
{{- if and .enabled .runtimeClassName -}}
runtimeClassName: {{ .runtimeClassName }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "spark-base.features.gpu.validate" -}}
{{- with .Values.features.gpu -}}
{{- if and .enabled (gt (int .count) 1) (ne $.Values.connect.backendMode "standalone") -}}
features.gpu.count is {{ .count }}: RAPIDS uses one GPU in each process; only a worker, which runs several, may have more
{{- end -}}
{{- end -}}
{{- end -}}
