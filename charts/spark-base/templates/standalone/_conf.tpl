{{/* Settings of the daemons, as fragments: root → a YAML mapping. https://spark.apache.org/docs/latest/spark-standalone.html */}}

{{/* The REST API takes applications from anyone who reaches its port, and Spark 4.1 opens it unless told not to. What a master keeps
are its own objects: one of another version cannot read them and would never take the lead, so each has a directory for itself. */}}
{{- define "spark-base.standalone.conf.master" -}}
spark.master.rest.enabled: "false"
{{- if .Values.standalone.master.recovery.enabled }}
spark.deploy.recoveryMode: FILESYSTEM
spark.deploy.recoveryDirectory: {{ include "spark-base.standalone.recoveryDir" . }}/{{ .Values.sparkVersion }}
{{- end }}
{{- end -}}

{{/* What applications leave in the local directory is removed: neither it nor the shuffle service's record of it may grow for ever. */}}
{{- define "spark-base.standalone.conf.worker" -}}
spark.local.dir: {{ include "spark-base.standalone.localDir" . }}
spark.worker.cleanup.enabled: "true"
{{- with .Values.standalone.worker.shuffleService }}
spark.shuffle.service.enabled: {{ .enabled | quote }}
spark.shuffle.service.port: {{ .port | quote }}
{{- end }}
{{- end -}}

{{- define "spark-base.standalone.recoveryDir" -}}
/opt/spark/recovery
{{- end -}}

{{- define "spark-base.standalone.localDir" -}}
/opt/spark/local
{{- end -}}

{{/* root, fragments → spark-defaults.conf of a daemon. What only applications read is left out of the user's settings: a change of
it must not restart workers. */}}
{{- define "spark-base.standalone.defaults" -}}
{{- $user := dict -}}
{{- range $key, $value := .root.Values.sparkConf -}}
{{- if not (regexMatch "^spark\\.(connect|driver|dynamicAllocation|kubernetes|sql)\\." $key) -}}
{{- $user = set $user $key $value -}}
{{- end -}}
{{- end -}}
{{- include "spark-base.spark.defaults" (dict "root" .root "fragments" .fragments "user" $user) -}}
{{- end -}}
