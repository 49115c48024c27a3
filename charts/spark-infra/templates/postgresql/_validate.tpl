{{/* root → mistakes about the database server. */}}
{{- define "spark-infra.postgresql.validate" -}}
{{- $values := .Values -}}
{{- if or $values.postgresql.enabled $values.databases.enabled -}}
{{- include "spark-base.image.validate" (dict "root" . "image" $values.postgresql.image "path" "postgresql.image") -}}
{{- if not $values.postgresql.existingSecret }}
postgresql.existingSecret is empty: name the Secret with the key password
{{- end }}
{{- end -}}
{{- if and $values.databases.enabled (not (include "spark-infra.postgresql.host" .)) }}
databases.enabled needs a server: set postgresql.enabled, or postgresql.host
{{- end }}
{{- $secrets := dict -}}
{{- range $values.databases.items }}
{{- if ne (default .existingSecret (get $secrets .user)) .existingSecret }}
databases.items: the user {{ .user }} has the Secrets {{ get $secrets .user }} and {{ .existingSecret }}: keep one of them
{{- end }}
{{- $_ := set $secrets .user .existingSecret }}
{{- end }}
{{- end -}}
