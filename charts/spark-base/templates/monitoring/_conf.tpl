{{/* root → settings that give metrics, as a YAML mapping; the driver serves its own and its executors' on the port of its interface,
as master and workers serve theirs. No agent, no other port. https://spark.apache.org/docs/latest/monitoring.html */}}
{{- define "spark-base.monitoring.conf" -}}
{{- with .Values.monitoring -}}
{{- if or .serviceMonitor.enabled .podMonitor.enabled -}}
# Names of metrics begin with the namespace, which would be the application's id and new with every start.
spark.metrics.namespace: spark
spark.metrics.appStatusSource.enabled: "true"
spark.executor.processTreeMetrics.enabled: "true"
spark.ui.prometheus.enabled: "true"
spark.metrics.conf.*.source.jvm.class: org.apache.spark.metrics.source.JvmSource
spark.metrics.conf.*.sink.prometheusServlet.class: org.apache.spark.metrics.sink.PrometheusServlet
spark.metrics.conf.*.sink.prometheusServlet.path: /metrics/prometheus
spark.metrics.conf.master.sink.prometheusServlet.path: /metrics/master/prometheus
spark.metrics.conf.applications.sink.prometheusServlet.path: /metrics/applications/prometheus
{{- end -}}
{{- end -}}
{{- end -}}
