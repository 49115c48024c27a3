{{/* root → a command for each Secret that values name. */}}
{{- define "spark-base.notes.secrets" -}}
{{- $secrets := list (list .Values.global.s3.existingSecret "access-key" "secret-key") -}}
{{- if .Values.jupyter.enabled -}}
{{- $secrets = append $secrets (list .Values.jupyter.existingSecret "token") -}}
{{- end -}}
{{- if .Values.hiveMetastore.enabled -}}
{{- $secrets = append $secrets (list .Values.hiveMetastore.database.existingSecret "password") -}}
{{- end -}}
{{- range $secrets -}}
{{- if first . }}
kubectl -n {{ $.Release.Namespace }} create secret generic {{ first . }}{{ range rest . }} --from-file={{ . }}=FILE{{ end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* root → what is allowed, but may not be meant; one line each. */}}
{{- define "spark-base.notes.warnings" -}}
{{- $components := include "spark-base.components" . | fromYaml -}}
{{- range $name, $image := include "spark-base.notes.images" . | fromYaml }}
{{- if not (or $image.digest (contains "@" $image.tag)) }}
The image of {{ $name }} is not pinned by a digest: what its tag names may change.
{{- end }}
{{- end }}
{{- include "spark-base.notes.warnings.network" . }}
{{- if and $components.connect (gt (int .Values.connect.replicas) 1) }}
A session lives in one Connect server, and a client finds its server by the client's address: not through a proxy that hides it.
{{- end }}
{{- if and $components.history $components.connect (not .Values.eventLog.enabled) }}
eventLog.enabled is false: the History Server will not see what the Connect server did.
{{- end }}
{{- with .Values.features.iceberg }}
{{- if and .enabled (eq .catalog.type "hadoop") (hasPrefix "s3" .catalog.warehouse) }}
A hadoop catalog of Iceberg on S3 may lose a commit when two applications write to one table: take type hive or rest for that.
{{- end }}
{{- end }}
{{- with .Values.monitoring }}
{{- if and .dashboards.enabled (not (and .serviceMonitor.enabled .podMonitor.enabled)) }}
The dashboards show what both monitors collect: monitoring.serviceMonitor and monitoring.podMonitor.
{{- end }}
{{- end }}
{{- end -}}

{{/* root → warnings about who may speak to whom; one line each. */}}
{{- define "spark-base.notes.warnings.network" -}}
{{- $label := include "spark-base.clientLabel" . -}}
{{- if not .Values.networkPolicy.enabled }}
There are no network policies: executors and drivers take connections from anyone.
{{- else if .Values.networkPolicy.allowExternal }}
Spark asks no client who it is, and everyone in the cluster may connect. With networkPolicy.allowExternal=false only pods with the label {{ $label }}: "true" may.
{{- else }}
Only pods with the label {{ $label }}: "true" may connect. Prometheus, ingress controllers and others must be in networkPolicy.extraIngressFrom.
{{- end }}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.allowExternalEgress) (not .Values.networkPolicy.extraEgress) }}
Pods reach each other and nothing else: storage and databases must be in networkPolicy.extraEgress.
{{- end }}
{{- if and .Values.connect.enabled (has .Values.connect.service.type (list "LoadBalancer" "NodePort")) }}
The Connect server takes programs from everyone who reaches its {{ .Values.connect.service.type }}: keep strangers out before it.
{{- end }}
{{- end -}}
