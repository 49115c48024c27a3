{{/* Settings of the Connect server, as fragments: what each template is given is root, what it answers is a YAML mapping. */}}

{{/* root → spark-defaults.conf of the server. */}}
{{- define "spark-base.connect.defaults" -}}
{{- $fragments := list
  "spark-base.connect.conf.base"
  (printf "spark-base.connect.conf.%s" .Values.connect.backendMode)
  "spark-base.extraJars.conf"
  "spark-base.s3.conf"
  "spark-base.eventLog.conf"
  "spark-base.metastore.clientConf"
  "spark-base.features.iceberg.conf"
  "spark-base.features.gpu.conf"
  "spark-base.features.celeborn.conf"
  "spark-base.features.openTelemetry.conf"
  "spark-base.monitoring.conf" -}}
{{- include "spark-base.spark.defaults" (dict "root" . "fragments" $fragments "user" .Values.sparkConf) -}}
{{- end -}}

{{/* What the server writes for itself goes to /tmp. */}}
{{- define "spark-base.connect.conf.base" -}}
spark.connect.grpc.binding.port: "15002"
spark.ui.port: "4040"
spark.driver.memory: {{ .Values.connect.memory | quote }}
spark.driver.extraJavaOptions: -Dderby.system.home=/tmp/spark-derby
spark.jars.ivy: /tmp/spark-ivy
spark.sql.warehouse.dir: /tmp/spark-warehouse
{{- end -}}

{{- define "spark-base.connect.conf.local" -}}
spark.master: local[*]
{{- end -}}

{{- define "spark-base.connect.conf.k8s" -}}
spark.master: k8s://https://kubernetes.default.svc:443
spark.kubernetes.namespace: {{ .Release.Namespace }}
{{ include "spark-base.connect.conf.driver" . }}
{{ include "spark-base.executor.conf" . }}
{{ include "spark-base.executor.podConf" . }}
{{ include "spark-base.access.conf" . }}
{{- end -}}

{{- define "spark-base.connect.conf.standalone" -}}
spark.master: {{ include "spark-base.standalone.masterUrl" . }}
{{ include "spark-base.connect.conf.driver" . }}
{{ include "spark-base.executor.conf" . }}
{{ include "spark-base.executor.workerConf" . }}
{{- end -}}

{{/* Executors call the driver back, so its ports are fixed; each pod has an address of its own, so all may have the same ones. */}}
{{- define "spark-base.connect.conf.driver" -}}
spark.driver.bindAddress: 0.0.0.0
spark.driver.port: "7078"
spark.driver.blockManager.port: "7079"
spark.blockManager.port: "7079"
{{- end -}}
