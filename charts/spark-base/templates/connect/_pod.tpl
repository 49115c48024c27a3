{{/* ctx, image → what is in the pod of the Connect server. */}}
{{- define "spark-base.connect.pod" -}}
{{- $isK8s := eq .values.backendMode "k8s" -}}
{{- $isLocal := eq .values.backendMode "local" -}}
terminationGracePeriodSeconds: {{ .values.terminationGracePeriodSeconds }}
{{- with ternary (include "spark-base.features.gpu.runtimeClass" .root) "" $isLocal }}
{{ . }}
{{- end }}
{{- with include "spark-base.eventLog.initContainers" .root }}
initContainers:
  {{- . | nindent 2 }}
{{- end }}
containers:
  - {{ include "spark-base.container" (dict "root" .root "image" .image "name" "connect") | nindent 4 | trim }}
    args:
      {{- include "spark-base.connect.args" . | nindent 6 }}
    env:
      {{- include "spark-base.connect.env" . | nindent 6 }}
    ports:
      - name: grpc
        containerPort: 15002
      - name: ui
        containerPort: 4040
      {{- if not $isLocal }}
      - name: driver-rpc
        containerPort: 7078
      - name: blockmanager
        containerPort: 7079
      {{- end }}
    {{- include "spark-base.probes" (dict "values" .values "port" "grpc") | trim | nindent 4 }}
    resources:
      {{- if $isLocal }}
      {{- include "spark-base.features.gpu.resources" (dict "root" .root "resources" .values.resources) | nindent 6 }}
      {{- else }}
      {{- toYaml .values.resources | nindent 6 }}
      {{- end }}
    volumeMounts:
      {{- include "spark-base.spark.confMount" . | nindent 6 }}
      {{- if $isK8s }}
      {{- include "spark-base.executor.templateMount" . | nindent 6 }}
      {{- end }}
      {{- include "spark-base.spark.mounts" .root | nindent 6 }}
volumes:
  {{- include "spark-base.spark.confVolume" . | nindent 2 }}
  {{- if $isK8s }}
  {{- include "spark-base.executor.templateVolume" . | nindent 2 }}
  {{- end }}
  {{- include "spark-base.spark.volumes" .root | nindent 2 }}
{{- end -}}

{{/* ctx → environment of the server. */}}
{{- define "spark-base.connect.env" -}}
{{ include "spark-base.spark.confEnv" . }}
{{- if ne .values.backendMode "local" }}
- name: POD_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
{{- end }}
{{- if eq .values.backendMode "k8s" }}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
{{- end }}
{{- with include "spark-base.features.iceberg.env" .root }}
{{ . }}
{{- end }}
{{- with include "spark-base.spark.env" .root }}
{{ . }}
{{- end }}
{{- end -}}

{{/* ctx → arguments of the entrypoint. Its options are stronger than spark-defaults.conf, so each yields to the user's setting. */}}
{{- define "spark-base.connect.args" -}}
{{- $user := .root.Values.sparkConf -}}
- connect
- --name
- {{ default (include "spark-base.fullname" .root) (get $user "spark.app.name") | quote }}
{{- with get $user "spark.connect.grpc.binding.address" }}
- --conf
- spark.connect.grpc.binding.address={{ . }}
{{- end }}
{{- range $key, $value := include "spark-base.connect.podConf" . | fromYaml }}
{{- if not (hasKey $user $key) }}
- --conf
- {{ $key }}={{ $value }}
{{- end }}
{{- end }}
{{- end -}}

{{/* ctx → settings that only the pod knows: where executors call the driver back, and whose pod owns those of Kubernetes, which
removes them with it. */}}
{{- define "spark-base.connect.podConf" -}}
{{- if ne .values.backendMode "local" -}}
spark.driver.host: $(POD_IP)
{{- end }}
{{- if eq .values.backendMode "k8s" }}
spark.kubernetes.driver.pod.name: $(POD_NAME)
{{- end }}
{{- end -}}
