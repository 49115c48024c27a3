{{/* Keys come from a Secret into the environment; configuration, which many may read, never holds them. */}}

{{/* root → environment variables with the keys of S3; none where the pod's identity is enough. */}}
{{- define "spark-base.s3.env" -}}
{{- with .Values.global.s3.existingSecret -}}
- name: AWS_ACCESS_KEY_ID
  valueFrom: {secretKeyRef: {name: {{ . }}, key: access-key}}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom: {secretKeyRef: {name: {{ . }}, key: secret-key}}
{{- end -}}
{{- end -}}

{{/* root → settings of Spark, as a YAML mapping. */}}
{{- define "spark-base.s3.conf" -}}
{{- with .Values.global.s3 -}}
{{- if .endpoint }}
spark.hadoop.fs.s3a.endpoint: {{ .endpoint | quote }}
spark.hadoop.fs.s3a.path.style.access: {{ .pathStyleAccess | quote }}
spark.hadoop.fs.s3a.connection.ssl.enabled: {{ .sslEnabled | quote }}
{{- /* As newer versions do by themselves: Hadoop 3.3 asks for each folder above a new file to be deleted, and asks again for minutes where
       a store holds folders for real and refuses. */}}
spark.hadoop.fs.s3a.directory.marker.retention: keep
{{- end }}
{{- if .region }}
spark.hadoop.fs.s3a.endpoint.region: {{ .region | quote }}
{{- end }}
{{- end -}}
{{- end -}}
