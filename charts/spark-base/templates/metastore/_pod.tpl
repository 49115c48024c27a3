{{/* ctx, image → what is in the pod of the metastore. An init container makes the schema where there is none: it needs no hook,
and unlike a Job it may be changed by an upgrade. */}}
{{- define "spark-base.metastore.pod" -}}
initContainers:
  - {{ include "spark-base.metastore.container" (merge (dict "mode" "schema") .) | nindent 4 | trim }}
containers:
  - {{ include "spark-base.metastore.container" (merge (dict "mode" "metastore") .) | nindent 4 | trim }}
    ports:
      - name: thrift
        containerPort: 9083
    {{- include "spark-base.probes" (dict "values" .values "port" "thrift") | trim | nindent 4 }}
volumes:
  - name: conf
    configMap:
      name: {{ include "spark-base.componentName" . }}
  - name: database
    secret:
      secretName: {{ .values.database.existingSecret }}
      items: [{key: password, path: password}]
  {{- include "spark-base.scratchVolumes" .root | nindent 2 }}
  {{- with .root.Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* ctx, image, mode → a container of the image in that mode, which is its name as well. */}}
{{- define "spark-base.metastore.container" -}}
{{ include "spark-base.container" (dict "root" .root "image" .image "name" .mode) }}
args: [{{ .mode }}]
env:
  {{- range $name, $value := include "spark-base.metastore.env" . | fromYaml }}
  - name: {{ $name }}
    value: {{ $value | quote }}
  {{- end }}
  {{- with include "spark-base.spark.env" .root }}
  {{- . | nindent 2 }}
  {{- end }}
resources:
  {{- toYaml .values.resources | nindent 2 }}
volumeMounts:
  - name: conf
    mountPath: {{ include "spark-base.metastore.confDir" . }}
    readOnly: true
  - name: database
    mountPath: {{ include "spark-base.metastore.secretDir" . }}
    readOnly: true
  {{- include "spark-base.scratchMounts" .root | nindent 2 }}
  {{- with .root.Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* ctx → variables of the image, as a YAML mapping. */}}
{{- define "spark-base.metastore.env" -}}
METASTORE_CONF_DIR: {{ include "spark-base.metastore.confDir" . }}
METASTORE_HEAP: {{ .values.memory | quote }}
METASTORE_WAREHOUSE_DIR: {{ .values.warehouse | quote }}
{{- with .values.database }}
METASTORE_DB_HOST: {{ .host | quote }}
METASTORE_DB_PORT: {{ .port | quote }}
METASTORE_DB_NAME: {{ .name | quote }}
METASTORE_DB_USER: {{ .user | quote }}
METASTORE_DB_PASSWORD_FILE: {{ include "spark-base.metastore.secretDir" $ }}/password
{{- end }}
{{- end -}}

{{- define "spark-base.metastore.confDir" -}}
/opt/hive/conf.d
{{- end -}}

{{- define "spark-base.metastore.secretDir" -}}
/run/secrets/metastore
{{- end -}}
