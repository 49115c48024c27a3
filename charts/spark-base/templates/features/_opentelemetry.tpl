{{/*
Traces by the OpenTelemetry Java agent, which sees what a JVM calls: it is among the extra jars, and Spark has no listener
for it. https://opentelemetry.io/docs/languages/java/configuration/
*/}}

{{/* root → settings. */}}
{{- define "spark-base.features.openTelemetry.conf" -}}
{{- if .Values.features.openTelemetry.enabled -}}
{{- range list "driver" "executor" }}
spark.{{ . }}.extraJavaOptions: {{ include "spark-base.features.openTelemetry.options" (dict "root" $ "process" .) | quote }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* dict root, process → options of a JVM. Metrics go the way of monitoring, logs to the container's output. */}}
{{- define "spark-base.features.openTelemetry.options" -}}
{{- with .root.Values.features.openTelemetry -}}
{{- list
  (printf "-javaagent:%s/%s" (include "spark-base.extraJars.dir" $.root) .agentJar)
  (printf "-Dotel.service.name=%s-%s" (include "spark-base.fullname" $.root) $.process)
  (printf "-Dotel.exporter.otlp.endpoint=%s" .endpoint)
  (printf "-Dotel.exporter.otlp.protocol=%s" .protocol)
  "-Dotel.traces.sampler=parentbased_traceidratio"
  (printf "-Dotel.traces.sampler.arg=%v" .samplingRatio)
  "-Dotel.metrics.exporter=none"
  "-Dotel.logs.exporter=none"
  | join " " -}}
{{- end -}}
{{- end -}}

{{- define "spark-base.features.openTelemetry.validate" -}}
{{- with .Values.features.openTelemetry -}}
{{- if .enabled -}}
{{- if not .agentJar }}
features.openTelemetry.agentJar is empty: name the file of the Java agent in extraJars.volume
{{- end }}
{{- if not .endpoint }}
features.openTelemetry.endpoint is empty: name the collector, such as http://collector:4317
{{- end }}
{{- if not $.Values.extraJars.volume }}
features.openTelemetry needs the Java agent, which no image has: name a volume with the jar in extraJars.volume
{{- end }}
{{- end -}}
{{- end -}}
{{- end -}}
