{{/* ctx, image, checksum → the master: one, as two must never write the same recovery directory. */}}
{{- define "spark-base.standalone.master.statefulSet" -}}
apiVersion: apps/v1
kind: StatefulSet
{{ include "spark-base.metadata" . }}
spec:
  replicas: 1
  serviceName: {{ include "spark-base.standalone.master.headlessName" . }}
  selector:
    matchLabels:
      {{- include "spark-base.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "spark-base.podLabels" . | nindent 8 }}
      annotations:
        {{- include "spark-base.podAnnotations" . | trim | nindent 8 }}
    spec:
      {{- include "spark-base.pod" . | nindent 6 }}
      {{- include "spark-base.standalone.master.pod" . | nindent 6 }}
{{- end -}}

{{/* ctx, image → what is in the pod of the master. */}}
{{- define "spark-base.standalone.master.pod" -}}
containers:
  - {{ include "spark-base.container" (dict "root" .root "image" .image "name" "master") | nindent 4 | trim }}
    args:
      - bash
      - -c
      # The master binds to the name that it tells others. The pod's full name is in its /etc/hosts, so no DNS is waited for.
      - exec /opt/spark/entrypoint.sh master --host "$(hostname -f)"
    env:
      {{- include "spark-base.spark.confEnv" . | nindent 6 }}
      - name: SPARK_DAEMON_MEMORY
        value: {{ .values.memory | quote }}
      {{- with .root.Values.extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    ports:
      - name: rpc
        containerPort: 7077
      - name: ui
        containerPort: 8080
    {{- include "spark-base.probes" (dict "values" .values "port" "ui" "path" "/") | trim | nindent 4 }}
    resources:
      {{- toYaml .values.resources | nindent 6 }}
    volumeMounts:
      {{- include "spark-base.spark.confMount" . | nindent 6 }}
      {{- include "spark-base.scratchMounts" . | nindent 6 }}
      {{- if .values.recovery.enabled }}
      - name: recovery
        mountPath: {{ include "spark-base.standalone.recoveryDir" . }}
      {{- end }}
volumes:
  {{- include "spark-base.spark.confVolume" . | nindent 2 }}
  {{- include "spark-base.scratchVolumes" . | nindent 2 }}
  {{- if .values.recovery.enabled }}
  - name: recovery
    persistentVolumeClaim:
      claimName: {{ include "spark-base.componentName" . }}
  {{- end }}
{{- end -}}
