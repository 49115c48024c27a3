{{/* Executors: pods of their own with backend k8s, processes on workers with backend standalone. */}}

{{/* root → settings that both have. */}}
{{- define "spark-base.executor.conf" -}}
{{- with .Values.executor -}}
spark.executor.cores: {{ .cores | quote }}
spark.executor.memory: {{ .memory | quote }}
{{- with .dynamicAllocation }}
{{- if .enabled }}
spark.dynamicAllocation.enabled: "true"
spark.dynamicAllocation.minExecutors: {{ .minExecutors | quote }}
spark.dynamicAllocation.maxExecutors: {{ .maxExecutors | quote }}
spark.dynamicAllocation.initialExecutors: {{ max .minExecutors .initialExecutors | quote }}
spark.dynamicAllocation.executorIdleTimeout: {{ .executorIdleTimeout | quote }}
{{- end }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* root → settings of executor pods. Those that dynamic allocation or Kubernetes sends away hand their blocks on; the script that
tells them is there in any case, as Spark calls it as soon as someone sets spark.decommission.enabled. */}}
{{- define "spark-base.executor.podConf" -}}
{{- with .Values.executor -}}
{{- $image := include "spark-base.sparkImage" $ | fromYaml -}}
spark.kubernetes.container.image: {{ include "spark-base.image" (dict "root" $ "image" $image) | quote }}
spark.kubernetes.container.image.pullPolicy: {{ $image.pullPolicy }}
spark.kubernetes.executor.podTemplateFile: {{ include "spark-base.executor.templateDir" $ }}/executor.yaml
spark.kubernetes.decommission.script: {{ include "spark-base.spark.scriptsDir" $ }}/decommission.sh
{{- with .memoryOverhead }}
spark.executor.memoryOverhead: {{ . | quote }}
{{- end }}
{{- with .requestCores }}
spark.kubernetes.executor.request.cores: {{ . | quote }}
{{- end }}
{{- with .limitCores }}
spark.kubernetes.executor.limit.cores: {{ . | quote }}
{{- end }}
{{- if .dynamicAllocation.enabled }}
spark.dynamicAllocation.shuffleTracking.enabled: "true"
spark.decommission.enabled: "true"
spark.storage.decommission.enabled: "true"
spark.storage.decommission.rddBlocks.enabled: "true"
spark.storage.decommission.shuffleBlocks.enabled: "true"
{{- else }}
spark.executor.instances: {{ .instances | quote }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* root → settings of executors on workers. Without a limit an application takes all cores of all workers, and a server never
ends. */}}
{{- define "spark-base.executor.workerConf" -}}
{{- $hasShuffleService := and .Values.standalone.enabled .Values.standalone.worker.shuffleService.enabled -}}
{{- if $hasShuffleService -}}
spark.shuffle.service.enabled: "true"
spark.shuffle.service.port: {{ .Values.standalone.worker.shuffleService.port | quote }}
{{- end }}
{{- with .Values.executor }}
{{- if .dynamicAllocation.enabled }}
spark.dynamicAllocation.shuffleTracking.enabled: {{ not $hasShuffleService | quote }}
{{- else }}
spark.cores.max: {{ mul .instances .cores | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* root → the ConfigMap with what executor pods are made of. */}}
{{- define "spark-base.executor.configMap" -}}
{{- $context := dict "root" . "component" "executor" "values" .Values.executor -}}
apiVersion: v1
kind: ConfigMap
{{ include "spark-base.metadata" $context }}
data:
  executor.yaml: |
    {{- include "spark-base.executor.pod" $context | nindent 4 }}
  decommission.sh: |
    {{- include "spark-base.executor.decommissionScript" . | nindent 4 }}
  {{- if .Values.features.gpu.enabled }}
  discover-gpus.sh: |
    {{- include "spark-base.features.gpu.discoveryScript" . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "spark-base.executor.templateDir" -}}
/opt/spark/pod-template
{{- end -}}

{{- define "spark-base.executor.templateMount" -}}
- name: pod-template
  mountPath: {{ include "spark-base.executor.templateDir" . }}
  readOnly: true
{{- end -}}

{{/* ctx (of the Connect server) → the volume with the pod template. */}}
{{- define "spark-base.executor.templateVolume" -}}
- name: pod-template
  configMap:
    name: {{ include "spark-base.componentName" (dict "root" .root "component" "executor") }}
    items: [{key: executor.yaml, path: executor.yaml}]
{{- end -}}

{{- define "spark-base.executor.decommissionScript" -}}
#!/bin/sh
# Kubernetes runs this before it stops an executor, which hands its blocks on and then ends by itself.
kill -s PWR 1
while pgrep -x java >/dev/null; do
    sleep 1
done
{{- end -}}

{{/* root → mistakes in the section. */}}
{{- define "spark-base.executor.validate" -}}
{{- with .Values.executor.dynamicAllocation -}}
{{- if and .enabled (gt (int .minExecutors) (int .maxExecutors)) }}
executor.dynamicAllocation.minExecutors is {{ .minExecutors }}, more than maxExecutors, {{ .maxExecutors }}
{{- end }}
{{- if and .enabled (gt (int .initialExecutors) (int .maxExecutors)) }}
executor.dynamicAllocation.initialExecutors is {{ .initialExecutors }}, more than maxExecutors, {{ .maxExecutors }}
{{- end }}
{{- end }}
{{- end -}}
