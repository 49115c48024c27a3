{{/*
What the Connect server, its executors, the master and the workers have in common: they are processes of one image, with
spark-defaults.conf from a ConfigMap.
*/}}

{{/* dict root, fragments (names of templates that answer with settings, in order), user (settings, which are last) →
spark-defaults.conf. */}}
{{- define "spark-base.spark.defaults" -}}
{{- $settings := list -}}
{{- range .fragments -}}
{{- $settings = append $settings (include . $.root | fromYaml) -}}
{{- end -}}
{{- include "spark-base.conf.render" (dict "fragments" (append $settings .user)) | trim -}}
{{- end -}}

{{/* ctx, defaults (text); optional files (name → text) → the ConfigMap of a component. */}}
{{- define "spark-base.spark.configMap" -}}
apiVersion: v1
kind: ConfigMap
{{ include "spark-base.metadata" . }}
data:
  spark-defaults.conf: |
    {{- .defaults | nindent 4 }}
  {{- range $name, $text := .files }}
  {{ $name }}: |
    {{- $text | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* The directory that SPARK_CONF_DIR names: spark-defaults.conf and nothing else, since the driver hands all of it to executors. */}}
{{- define "spark-base.spark.confDir" -}}
/opt/spark/conf
{{- end -}}

{{- define "spark-base.spark.confEnv" -}}
- name: SPARK_CONF_DIR
  value: {{ include "spark-base.spark.confDir" . }}
{{- end -}}

{{- define "spark-base.spark.confMount" -}}
- name: conf
  mountPath: {{ include "spark-base.spark.confDir" . }}
  readOnly: true
{{- end -}}

{{/* ctx → the volume with the component's spark-defaults.conf. */}}
{{- define "spark-base.spark.confVolume" -}}
- name: conf
  configMap:
    name: {{ include "spark-base.componentName" . }}
    items: [{key: spark-defaults.conf, path: spark-defaults.conf}]
{{- end -}}

{{/* root → environment of every process that reads or writes data. */}}
{{- define "spark-base.spark.env" -}}
{{- list (include "spark-base.s3.env" .) (ternary "" (toYaml .Values.extraEnv) (empty .Values.extraEnv)) | compact | join "\n" -}}
{{- end -}}

{{/* root → mounts of every process that reads or writes data. */}}
{{- define "spark-base.spark.mounts" -}}
{{ include "spark-base.scratchMounts" . }}
{{- if .Values.extraJars.volume }}
- name: extra-jars
  mountPath: {{ include "spark-base.extraJars.dir" . }}
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* root → the volumes of these mounts. */}}
{{- define "spark-base.spark.volumes" -}}
{{ include "spark-base.scratchVolumes" . }}
{{- with .Values.extraJars.volume }}
- name: extra-jars
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "spark-base.extraJars.dir" -}}
/opt/spark/extra-jars
{{- end -}}

{{/* root → settings that put the extra jars on the class paths; a shuffle manager must be there before any jar is added. */}}
{{- define "spark-base.extraJars.conf" -}}
{{- if .Values.extraJars.volume -}}
{{- range list "driver" "executor" }}
spark.{{ . }}.extraClassPath: {{ include "spark-base.extraJars.dir" $ }}/*
{{- end }}
{{- end -}}
{{- end -}}

{{- define "spark-base.spark.scriptsDir" -}}
/opt/spark/scripts
{{- end -}}

{{- define "spark-base.spark.scriptsMount" -}}
- name: scripts
  mountPath: {{ include "spark-base.spark.scriptsDir" . }}
  readOnly: true
{{- end -}}

{{/* ctx, scripts (file names in the component's ConfigMap) → the volume with them. Spark's YAML reader, which sees the executors'
volume, may take 0555 for a decimal number. */}}
{{- define "spark-base.spark.scriptsVolume" -}}
- name: scripts
  configMap:
    name: {{ include "spark-base.componentName" . }}
    items:
      {{- range .scripts }}
      - {key: {{ . }}, path: {{ . }}}
      {{- end }}
    defaultMode: 365
{{- end -}}
