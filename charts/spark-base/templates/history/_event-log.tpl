{{/* root → settings of the event logs. They roll: a Connect server never ends, and S3 shows a file only once it is closed. */}}
{{- define "spark-base.eventLog.conf" -}}
{{- with .Values.eventLog -}}
{{- if .enabled -}}
spark.eventLog.enabled: true
spark.eventLog.dir: {{ .dir | quote }}
spark.eventLog.compress: {{ .compress }}
spark.eventLog.rolling.enabled: true
spark.eventLog.rolling.maxFileSize: {{ .rollingFileSize | quote }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* root → init containers of pods that write event logs; its pod has the volumes of "spark-base.scratchVolumes". */}}
{{- define "spark-base.eventLog.initContainers" -}}
{{- if .Values.eventLog.enabled -}}
{{- include "spark-base.eventLog.makePrefix" (dict "root" . "dir" .Values.eventLog.dir) -}}
{{- end -}}
{{- end -}}

{{/* dict root, dir → an init container that makes the prefix, where it is one on S3: Spark ends with an error where it is
not there, and no tool of a bucket makes one. It may run any number of times. */}}
{{- define "spark-base.eventLog.makePrefix" -}}
{{- $values := .root.Values -}}
{{- if and $values.eventLog.createPrefix (hasPrefix "s3a://" .dir) -}}
{{- $image := include "spark-base.sparkImage" .root | fromYaml -}}
- {{ include "spark-base.container" (dict "root" .root "image" $image "name" "event-log-prefix") | nindent 2 | trim }}
  args:
    - spark-class
    - org.apache.hadoop.fs.FsShell
    {{- include "spark-base.eventLog.hadoopOptions" .root | trim | nindent 4 }}
    - -mkdir
    - -p
    - {{ .dir | quote }}
  env:
    - name: SPARK_DRIVER_MEMORY
      value: 256m
    {{- include "spark-base.s3.env" .root | nindent 4 }}
    {{- with $values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  resources:
    {{- toYaml $values.eventLog.resources | nindent 4 }}
  volumeMounts:
    {{- include "spark-base.scratchMounts" .root | nindent 4 }}
    {{- with $values.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
{{- end -}}

{{/* root → options of Hadoop's programs that say what Spark is told in spark.hadoop.*, the user's settings with it. */}}
{{- define "spark-base.eventLog.hadoopOptions" -}}
{{- $fragments := list (include "spark-base.s3.conf" . | fromYaml) .Values.sparkConf -}}
{{- range splitList "\n" (include "spark-base.conf.render" (dict "root" . "fragments" $fragments)) }}
{{- if hasPrefix "spark.hadoop." . }}
- -D
- {{ trimPrefix "spark.hadoop." . | replace "\\\\" "\\" | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* root → mistakes in the section. */}}
{{- define "spark-base.eventLog.validate" -}}
{{- with .Values.eventLog -}}
{{- if and .enabled (not .dir) }}
eventLog.enabled needs eventLog.dir
{{- end }}
{{- end }}
{{- end -}}
