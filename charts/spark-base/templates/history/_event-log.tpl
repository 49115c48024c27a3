{{/* root → settings of event logs, as a YAML mapping. They roll, since a Connect server never ends, and S3 shows a file only when it
is closed. */}}
{{- define "spark-base.eventLog.conf" -}}
{{- with .Values.eventLog -}}
{{- if .enabled -}}
spark.eventLog.enabled: "true"
spark.eventLog.dir: {{ .dir | quote }}
spark.eventLog.compress: {{ .compress | quote }}
spark.eventLog.rolling.enabled: "true"
spark.eventLog.rolling.maxFileSize: {{ .rollingFileSize | quote }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* root → init containers of a pod that writes event logs; the pod has the volumes of "spark-base.spark.volumes". */}}
{{- define "spark-base.eventLog.initContainers" -}}
{{- if .Values.eventLog.enabled -}}
{{- include "spark-base.eventLog.makePrefix" (dict "root" . "dir" .Values.eventLog.dir) -}}
{{- end -}}
{{- end -}}

{{/* dict root, dir → an init container that makes a prefix on S3: Spark ends with an error where it is missing. There is nothing
to do where it is there, so each pod that needs it has the container, and none waits for another. */}}
{{- define "spark-base.eventLog.makePrefix" -}}
{{- $values := .root.Values -}}
{{- if and $values.eventLog.createPrefix (hasPrefix "s3a://" .dir) -}}
{{- $image := include "spark-base.sparkImage" .root | fromYaml -}}
- {{ include "spark-base.container" (dict "root" .root "image" $image "name" "event-log-prefix") | nindent 2 | trim }}
  args:
    - bash
    - -c
    # FsShell does not start without this file; what it is told is in its options.
    - echo '<configuration/>' >"$HADOOP_CONF_DIR/core-site.xml" && exec spark-class org.apache.hadoop.fs.FsShell "$@"
    - event-log-prefix
    {{- range $key, $value := include "spark-base.hadoop.conf" .root | fromYaml }}
    - -D
    - {{ printf "%s=%s" $key $value | quote }}
    {{- end }}
    - -mkdir
    - -p
    - {{ .dir | quote }}
  env:
    - name: HADOOP_CONF_DIR
      value: /tmp
    - name: SPARK_DRIVER_MEMORY
      value: 256m
    {{- with include "spark-base.spark.env" .root }}
    {{- . | nindent 4 }}
    {{- end }}
  resources:
    {{- toYaml $values.eventLog.resources | nindent 4 }}
  volumeMounts:
    {{- include "spark-base.spark.mounts" .root | nindent 4 }}
{{- end -}}
{{- end -}}

{{/* root → mistakes in the section. */}}
{{- define "spark-base.eventLog.validate" -}}
{{- with .Values.eventLog -}}
{{- if and .enabled (not .dir) }}
eventLog.enabled needs eventLog.dir
{{- end }}
{{- if and .enabled (regexMatch "(?i)^([0-9]m|[0-9]{1,4}k)$" .rollingFileSize) }}
eventLog.rollingFileSize is {{ .rollingFileSize }}: Spark takes no less than 10m
{{- end }}
{{- end -}}
{{- end -}}
