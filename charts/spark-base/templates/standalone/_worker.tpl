{{/* ctx → the workers. A worker's name is its pod's address, and what it holds is scratch: none is kept for the next pod. */}}
{{- define "spark-base.standalone.worker.deployment" -}}
{{- $pod := merge (dict
  "image" (include "spark-base.sparkImage" .root | fromYaml)
  "checksum" (include "spark-base.standalone.worker.configMap" .)) . -}}
apiVersion: apps/v1
kind: Deployment
{{ include "spark-base.metadata" . }}
spec:
  replicas: {{ .values.replicas }}
  strategy:
    # One at a time, for the shuffle data that goes with it; and none beside it, since there may be no cores or GPUs left.
    type: RollingUpdate
    rollingUpdate: {maxSurge: 0, maxUnavailable: 1}
  selector:
    matchLabels:
      {{- include "spark-base.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "spark-base.podLabels" . | nindent 8 }}
      annotations:
        {{- include "spark-base.podAnnotations" $pod | trim | nindent 8 }}
    spec:
      {{- include "spark-base.pod" $pod | nindent 6 }}
      terminationGracePeriodSeconds: {{ .values.terminationGracePeriodSeconds }}
      {{- with include "spark-base.features.gpu.runtimeClass" .root }}
      {{- . | nindent 6 }}
      {{- end }}
      containers:
        - {{ include "spark-base.standalone.worker.container" $pod | nindent 10 | trim }}
      volumes:
        {{- include "spark-base.spark.confVolume" . | nindent 8 }}
        {{- if .root.Values.features.gpu.enabled }}
        {{- include "spark-base.spark.scriptsVolume" (merge (dict "scripts" (list "discover-gpus.sh")) .) | nindent 8 }}
        {{- end }}
        - name: local
          emptyDir:
            sizeLimit: {{ .values.localDirSize }}
        {{- include "spark-base.spark.volumes" .root | nindent 8 }}
{{- end -}}

{{/* ctx, image → the container of a worker; executors are its children and have its environment, mounts and limits. */}}
{{- define "spark-base.standalone.worker.container" -}}
{{ include "spark-base.container" (dict "root" .root "image" .image "name" "worker") }}
args: [worker]
env:
  {{- include "spark-base.spark.confEnv" . | nindent 2 }}
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
  {{- . | nindent 2 }}
  {{- end }}
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
{{- include "spark-base.probes" (dict "values" .values "port" "ui" "path" "/") }}
resources:
  {{- include "spark-base.features.gpu.resources" (dict "root" .root "resources" .values.resources) | nindent 2 }}
volumeMounts:
  {{- include "spark-base.spark.confMount" . | nindent 2 }}
  {{- if .root.Values.features.gpu.enabled }}
  {{- include "spark-base.spark.scriptsMount" . | nindent 2 }}
  {{- end }}
  - name: local
    mountPath: {{ include "spark-base.standalone.localDir" . }}
  {{- include "spark-base.spark.mounts" .root | nindent 2 }}
{{- end -}}
