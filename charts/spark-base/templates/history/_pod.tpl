{{/* ctx → what is in the pod of the History Server. */}}
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
      - name: SPARK_DAEMON_MEMORY
        value: {{ .values.memory | quote }}
      {{- include "spark-base.s3.env" .root | nindent 6 }}
      {{- with .root.Values.extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    ports:
      - name: http
        containerPort: 18080
    {{- include "spark-base.probes" (dict "values" .values "port" "http" "path" "/api/v1/version") | trim | nindent 4 }}
    resources:
      {{- toYaml .values.resources | nindent 6 }}
    volumeMounts:
      - name: conf
        mountPath: /opt/spark/conf
        readOnly: true
      {{- include "spark-base.scratchMounts" .root | nindent 6 }}
      {{- with .root.Values.extraVolumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
volumes:
  - name: conf
    configMap:
      name: {{ include "spark-base.componentName" . }}
  {{- include "spark-base.scratchVolumes" .root | nindent 2 }}
  {{- with .root.Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
