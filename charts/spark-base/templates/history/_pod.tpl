{{/* ctx, image → what is in the pod of the History Server. */}}
{{- define "spark-base.history.pod" -}}
{{- $dir := include "spark-base.history.logDir" .root -}}
{{- with include "spark-base.eventLog.makePrefix" (dict "root" .root "dir" $dir) -}}
initContainers:
  {{- . | nindent 2 }}
{{ end -}}
containers:
  - {{ include "spark-base.container" (dict "root" .root "image" .image "name" "history") | nindent 4 | trim }}
    args: [history]
    env:
      {{- include "spark-base.spark.confEnv" . | nindent 6 }}
      - name: SPARK_DAEMON_MEMORY
        value: {{ .values.memory | quote }}
      {{- with include "spark-base.spark.env" .root }}
      {{- . | nindent 6 }}
      {{- end }}
    ports:
      - name: http
        containerPort: 18080
    {{- include "spark-base.probes" (dict "values" .values "port" "http" "path" "/api/v1/version") | trim | nindent 4 }}
    resources:
      {{- toYaml .values.resources | nindent 6 }}
    volumeMounts:
      {{- include "spark-base.spark.confMount" . | nindent 6 }}
      {{- include "spark-base.spark.mounts" .root | nindent 6 }}
volumes:
  {{- include "spark-base.spark.confVolume" . | nindent 2 }}
  {{- include "spark-base.spark.volumes" .root | nindent 2 }}
{{- end -}}
