{{/* ctx → what Spark starts each executor pod from; it adds image, name, resources, ports and environment of its own. */}}
{{- define "spark-base.executor.pod" -}}
{{- $image := include "spark-base.sparkImage" .root | fromYaml -}}
{{- $gpu := .root.Values.features.gpu.enabled -}}
{{- /* A template's service account is stronger than the setting, so it yields to it. */ -}}
{{- $setting := get .root.Values.sparkConf "spark.kubernetes.authenticate.executor.serviceAccountName" -}}
{{- $account := default (include "spark-base.s3.serviceAccountName" .root) $setting -}}
apiVersion: v1
kind: Pod
metadata:
  labels:
    {{- include "spark-base.podLabels" . | nindent 4 }}
  {{- with include "spark-base.podAnnotations" . | trim }}
  annotations:
    {{- . | nindent 4 }}
  {{- end }}
spec:
  {{- include "spark-base.pod" (merge (dict "image" $image "serviceAccountName" $account) .) | nindent 2 }}
  {{- with include "spark-base.features.gpu.runtimeClass" .root }}
  {{- . | nindent 2 }}
  {{- end }}
  containers:
    - {{ include "spark-base.container" (dict "root" .root "image" $image "name" "spark-kubernetes-executor") | nindent 6 | trim }}
      {{- with include "spark-base.spark.env" .root }}
      env:
        {{- . | nindent 8 }}
      {{- end }}
      volumeMounts:
        {{- include "spark-base.spark.scriptsMount" . | nindent 8 }}
        {{- include "spark-base.spark.mounts" .root | nindent 8 }}
  volumes:
    {{- $scripts := ternary (list "decommission.sh" "discover-gpus.sh") (list "decommission.sh") $gpu }}
    {{- include "spark-base.spark.scriptsVolume" (merge (dict "scripts" $scripts) .) | nindent 4 }}
    {{- include "spark-base.spark.volumes" .root | nindent 4 }}
{{- end -}}
