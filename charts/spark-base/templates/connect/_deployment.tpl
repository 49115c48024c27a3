{{- define "spark-base.connect.deployment" -}}
{{- $isK8s := eq .values.backendMode "k8s" -}}
{{- $config := include "spark-base.connect.configMap" . -}}
{{- if $isK8s -}}
{{- $config = print $config (include "spark-base.executor.configMap" .root) -}}
{{- end -}}
{{- $pod := merge (dict
  "image" (include "spark-base.sparkImage" .root | fromYaml)
  "serviceAccountName" (include "spark-base.serviceAccountName" .root)
  "token" $isK8s
  "checksum" $config) . -}}
apiVersion: apps/v1
kind: Deployment
{{ include "spark-base.metadata" . }}
spec:
  replicas: {{ .values.replicas }}
  strategy:
    {{- toYaml .values.strategy | nindent 4 }}
  selector:
    matchLabels:
      {{- include "spark-base.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "spark-base.podLabels" . | nindent 8 }}
      annotations:
        {{- include "spark-base.podAnnotations" $pod | trim | nindent 8 }}
    spec:
      {{- include "spark-base.pod" $pod | nindent 6 }}
      terminationGracePeriodSeconds: {{ .values.terminationGracePeriodSeconds }}
      {{- if eq .values.backendMode "local" }}
      {{- with include "spark-base.features.gpu.runtimeClass" .root }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- end }}
      {{- with include "spark-base.eventLog.initContainers" .root }}
      initContainers:
        {{- . | nindent 8 }}
      {{- end }}
      containers:
        - {{ include "spark-base.connect.container" $pod | nindent 10 | trim }}
      volumes:
        {{- include "spark-base.spark.confVolume" . | nindent 8 }}
        {{- if $isK8s }}
        - name: pod-template
          configMap:
            name: {{ include "spark-base.componentName" (dict "root" .root "component" "executor") }}
            items: [{key: executor.yaml, path: executor.yaml}]
        {{- end }}
        {{- include "spark-base.spark.volumes" .root | nindent 8 }}
{{- end -}}
