{{/*
Interfaces of people, which speak HTTP. Spark Connect is not among them: it speaks gRPC, thus HTTP/2 from end to end, which a
router that ends TLS at its edge turns into HTTP/1.1. Clients outside of the cluster reach it by connect.service.type.
*/}}

{{/* root → Ingress and Routes. */}}
{{- define "spark-base.exposure" -}}
{{- if .Values.ingress.enabled -}}
{{ include "spark-base.exposure.ingress" . }}
{{- end }}
{{- if .Values.routes.enabled }}
{{- include "spark-base.exposure.routes" . }}
{{- end -}}
{{- end -}}

{{/* root → YAML mapping: key of a host → the component behind it, its Service's port, and what turns it on. */}}
{{- define "spark-base.exposure.interfaces" -}}
connectUi: {component: connect, port: ui, switch: connect.enabled}
history: {component: history, port: http, switch: historyServer.enabled}
jupyter: {component: jupyter, port: http, switch: jupyter.enabled}
master: {component: master, port: ui, switch: standalone.enabled}
{{- end -}}
