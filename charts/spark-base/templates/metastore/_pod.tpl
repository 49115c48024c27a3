{{/* ctx → what is in the pod of the metastore. Its schema is made, or brought up to date, by an init container: it needs no
hook, and unlike a Job it can be changed by an upgrade. Nothing happens where the schema is as it should be. */}}
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
  - name: database
    secret:
      secretName: {{ .values.database.existingSecret }}
      items: [{key: password, path: password}]
  {{- include "spark-base.scratchVolumes" .root | nindent 2 }}
  {{- with .root.Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* ctx, mode → a container of the image in that mode, which is its name as well. */}}
{{- define "spark-base.metastore.container" -}}
{{ include "spark-base.container" (dict "root" .root "image" .image "name" .mode) }}
args: [{{ .mode }}]
env:
  {{- include "spark-base.metastore.env" . | nindent 2 }}
resources:
  {{- toYaml .values.resources | nindent 2 }}
volumeMounts:
  - name: database
    mountPath: /run/secrets/database
    readOnly: true
  {{- include "spark-base.scratchMounts" .root | nindent 2 }}
  {{- with .root.Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
