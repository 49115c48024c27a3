{{/* Each fragment is a YAML mapping of Spark settings; later ones win, the user's come last. */}}
{{- define "spark.conf.base" -}}
spark.app.name: {{ include "spark.fullname" . }}
spark.connect.grpc.binding.address: 0.0.0.0
spark.connect.grpc.binding.port: "15002"
spark.driver.bindAddress: 0.0.0.0
spark.driver.memory: {{ .Values.connect.memory | quote }}
spark.ui.port: "4040"
{{- end -}}

{{- define "spark.conf.local" -}}
spark.master: local[*]
{{- end -}}

{{- define "spark.conf.k8s" -}}
spark.master: k8s://https://kubernetes.default.svc:443
spark.submit.deployMode: client
spark.driver.port: "7078"
spark.driver.blockManager.port: "7079"
spark.blockManager.port: "7079"
spark.kubernetes.namespace: {{ .Release.Namespace }}
spark.kubernetes.executor.podTemplateFile: /opt/spark/pod-template/executor.yaml
spark.kubernetes.executor.container.image: {{ include "spark.image" . | quote }}
spark.kubernetes.container.image.pullPolicy: {{ include "spark.pullPolicy" . }}
{{- with .Values.executor }}
spark.executor.cores: {{ .cores | quote }}
spark.executor.memory: {{ .memory | quote }}
{{- with .memoryOverhead }}
spark.executor.memoryOverhead: {{ . | quote }}
{{- end }}
{{- with .requestCores }}
spark.kubernetes.executor.request.cores: {{ . | quote }}
{{- end }}
{{- with .limitCores }}
spark.kubernetes.executor.limit.cores: {{ . | quote }}
{{- end }}
{{- with .serviceAccountName }}
spark.kubernetes.authenticate.executor.serviceAccountName: {{ . | quote }}
{{- end }}
{{- if .dynamicAllocation.enabled }}
spark.dynamicAllocation.enabled: "true"
spark.dynamicAllocation.shuffleTracking.enabled: "true"
spark.dynamicAllocation.minExecutors: {{ .dynamicAllocation.minExecutors | quote }}
spark.dynamicAllocation.maxExecutors: {{ .dynamicAllocation.maxExecutors | quote }}
{{- else }}
spark.executor.instances: {{ .instances | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "spark.conf.gpu" -}}
spark.plugins: com.nvidia.spark.SQLPlugin
spark.rapids.sql.concurrentGpuTasks: {{ .Values.gpu.concurrentTasks | quote }}
spark.rapids.memory.pinnedPool.size: {{ .Values.gpu.pinnedPool | quote }}
{{- if eq .Values.backend "k8s" }}
spark.executor.resource.gpu.amount: {{ .Values.gpu.count | quote }}
spark.executor.resource.gpu.vendor: {{ .Values.gpu.vendor | quote }}
spark.executor.resource.gpu.discoveryScript: /opt/spark/gpu/discover-gpus.sh
spark.task.resource.gpu.amount: {{ .Values.gpu.taskAmount | quote }}
{{- end }}
{{- end -}}

{{- define "spark.conf.s3" -}}
{{- with .Values.s3.endpoint -}}
spark.hadoop.fs.s3a.endpoint: {{ . | quote }}
spark.hadoop.fs.s3a.path.style.access: {{ $.Values.s3.pathStyleAccess | quote }}
spark.hadoop.fs.s3a.connection.ssl.enabled: {{ $.Values.s3.sslEnabled | quote }}
{{- end }}
{{- with .Values.s3.region }}
spark.hadoop.fs.s3a.endpoint.region: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "spark.conf.eventLog" -}}
spark.eventLog.enabled: "true"
spark.eventLog.dir: {{ .Values.eventLog.dir | quote }}
{{- end -}}

{{/* spark-defaults.conf: sorted key=value lines. Spark reads it as Java properties, where a backslash escapes. */}}
{{- define "spark.defaults" -}}
{{- $fragments := list "base" .Values.backend "s3" -}}
{{- if .Values.gpu.enabled }}{{ $fragments = append $fragments "gpu" }}{{ end -}}
{{- if .Values.eventLog.enabled }}{{ $fragments = append $fragments "eventLog" }}{{ end -}}
{{- $settings := list -}}
{{- range $fragments -}}
{{- $settings = append $settings (include (printf "spark.conf.%s" .) $ | fromYaml) -}}
{{- end -}}
{{- $conf := dict -}}
{{- range append $settings .Values.sparkConf -}}
{{- range $key, $value := . -}}
{{- $isWhole := and (kindIs "float64" $value) (eq (toString (floor $value)) (toString $value)) -}}
{{- $text := ternary (printf "%.0f" (float64 $value)) (toString $value) $isWhole -}}
{{- $conf = set $conf $key ($text | replace "\\" "\\\\") -}}
{{- end -}}
{{- end -}}
{{- range $key, $value := $conf }}
{{ $key }}={{ $value }}
{{- end }}
{{- end -}}
