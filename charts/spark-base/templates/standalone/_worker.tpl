{{/* root → the objects of the workers. A worker's name is its pod's address, and what it holds is scratch: none of it is kept for the
next pod. */}}
{{- define "spark-base.standalone.worker" -}}
{{- $ctx := dict "root" . "component" "worker" "values" .Values.standalone.worker -}}
{{- $fragments := list "spark-base.standalone.conf.worker" "spark-base.features.gpu.workerConf" "spark-base.monitoring.conf" -}}
{{- $defaults := include "spark-base.standalone.defaults" (dict "root" . "fragments" $fragments) -}}
{{- $script := dict "discover-gpus.sh" (include "spark-base.features.gpu.discoveryScript" .) -}}
{{- $files := ternary $script dict .Values.features.gpu.enabled -}}
{{- $config := include "spark-base.spark.configMap" (merge (dict "defaults" $defaults "files" $files) $ctx) -}}
{{- /* One at a time, for the shuffle data that goes with it; and none beside it, since there may be no cores or GPUs left. */ -}}
{{- $strategy := dict "type" "RollingUpdate" "rollingUpdate" (dict "maxSurge" 0 "maxUnavailable" 1) -}}
{{- $pod := dict
  "pod" "spark-base.standalone.worker.pod"
  "image" (include "spark-base.sparkImage" . | fromYaml)
  "serviceAccountName" (include "spark-base.s3.serviceAccountName" .)
  "checksum" $config
  "replicas" .Values.standalone.worker.replicas
  "strategy" $strategy -}}
{{ $config }}
---
{{ include "spark-base.deployment" (merge $pod $ctx) }}
{{- end -}}

{{/* ctx, image → what is in the pod of a worker. Executors are its children and have its environment, mounts and limits. */}}
{{- define "spark-base.standalone.worker.pod" -}}
{{- $gpu := .root.Values.features.gpu.enabled -}}
terminationGracePeriodSeconds: {{ .values.terminationGracePeriodSeconds }}
{{- with include "spark-base.features.gpu.runtimeClass" .root }}
{{ . }}
{{- end }}
containers:
  - {{ include "spark-base.container" (dict "root" .root "image" .image "name" "worker") | nindent 4 | trim }}
    args: [worker]
    env:
      {{- include "spark-base.standalone.worker.env" . | nindent 6 }}
    ports:
      - name: rpc
        containerPort: 7078
      # Executors: the first one here has this port, the next ones those after it.
      - name: blockmanager
        containerPort: 7079
      - name: ui
        containerPort: 8081
      {{- if .values.shuffleService.enabled }}
      - name: shuffle
        containerPort: {{ .values.shuffleService.port }}
      {{- end }}
    {{- include "spark-base.probes" (dict "values" .values "port" "ui" "path" "/") | trim | nindent 4 }}
    resources:
      {{- include "spark-base.features.gpu.resources" (dict "root" .root "resources" .values.resources) | nindent 6 }}
    volumeMounts:
      {{- include "spark-base.spark.confMount" . | nindent 6 }}
      {{- if $gpu }}
      {{- include "spark-base.spark.scriptsMount" . | nindent 6 }}
      {{- end }}
      - name: local
        mountPath: {{ include "spark-base.standalone.localDir" . }}
      {{- include "spark-base.spark.mounts" .root | nindent 6 }}
volumes:
  {{- include "spark-base.spark.confVolume" . | nindent 2 }}
  {{- if $gpu }}
  {{- include "spark-base.spark.scriptsVolume" (merge (dict "scripts" (list "discover-gpus.sh")) .) | nindent 2 }}
  {{- end }}
  - name: local
    emptyDir:
      sizeLimit: {{ .values.localDirSize }}
  {{- include "spark-base.spark.volumes" .root | nindent 2 }}
{{- end -}}

{{/* ctx → environment of a worker. */}}
{{- define "spark-base.standalone.worker.env" -}}
{{ include "spark-base.spark.confEnv" . }}
- name: SPARK_MASTER_URL
  value: {{ include "spark-base.standalone.masterUrl" .root }}
- name: SPARK_WORKER_PORT
  value: "7078"
- name: SPARK_WORKER_CORES
  value: {{ .values.cores | quote }}
- name: SPARK_WORKER_MEMORY
  value: {{ .values.memory | quote }}
- name: SPARK_WORKER_DIR
  value: {{ include "spark-base.standalone.localDir" . }}/work
{{- with include "spark-base.spark.env" .root }}
{{ . }}
{{- end }}
{{- end -}}
