{{/* ctx → what the image is told. */}}
{{- define "spark-base.metastore.env" -}}
{{- with .values.database -}}
- name: METASTORE_DB_HOST
  value: {{ .host | quote }}
- name: METASTORE_DB_PORT
  value: {{ .port | quote }}
- name: METASTORE_DB_NAME
  value: {{ .name | quote }}
- name: METASTORE_DB_USER
  value: {{ .user | quote }}
{{ end -}}
- name: METASTORE_DB_PASSWORD_FILE
  value: /run/secrets/database/password
- name: METASTORE_WAREHOUSE_DIR
  value: {{ .values.warehouse | quote }}
{{- with include "spark-base.s3.env" .root }}
{{ . }}
{{- end }}
{{- with .root.Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
