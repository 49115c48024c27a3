{{/* root → a command for each Secret that is in use. */}}
{{- define "spark-infra.notes.secrets" -}}
{{- $create := printf "kubectl -n %s create secret generic" .Release.Namespace -}}
{{- $random := "\"$(openssl rand -hex 20)\"" -}}
{{- $passwords := list -}}
{{- if or .Values.s3.enabled .Values.buckets.enabled }}
{{ $create }} {{ .Values.global.s3.existingSecret }} --from-literal=access-key=spark --from-literal=secret-key={{ $random }}
{{- end }}
{{- if or .Values.postgresql.enabled .Values.databases.enabled }}
{{- $passwords = append $passwords .Values.postgresql.existingSecret }}
{{- end }}
{{- if .Values.databases.enabled }}
{{- range .Values.databases.items }}
{{- $passwords = append $passwords .existingSecret }}
{{- end }}
{{- end }}
{{- range uniq $passwords }}
{{ $create }} {{ . }} --from-literal=password={{ $random }}
{{- end }}
{{- end -}}

{{/* root → what to tell a Spark chart, as YAML. */}}
{{- define "spark-infra.notes.values" -}}
{{- $endpoint := include "spark-infra.s3.endpoint" . -}}
{{- with $endpoint }}
global:
  s3:
    endpoint: {{ . }}
    region: {{ $.Values.global.s3.region }}
    sslEnabled: {{ hasPrefix "https:" . }}
    existingSecret: {{ $.Values.global.s3.existingSecret }}
eventLog:
  enabled: true
{{- end }}
{{- if .Values.databases.enabled }}
{{- range $index, $database := .Values.databases.items }}
{{- if $index }}

# Or, for another release,
{{- end }}
hiveMetastore:
  enabled: true
  database:
    host: {{ include "spark-infra.postgresql.host" $ }}
    port: {{ $.Values.postgresql.service.port }}
    name: {{ .name }}
    user: {{ .user }}
    existingSecret: {{ .existingSecret }}
{{- end }}
{{- end }}
{{- end -}}
