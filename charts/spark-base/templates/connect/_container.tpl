{{/* ctx, image → the container of the Connect server. */}}
{{- define "spark-base.connect.container" -}}
{{- $isLocal := eq .values.backendMode "local" -}}
{{- $isK8s := eq .values.backendMode "k8s" -}}
{{ include "spark-base.container" (dict "root" .root "image" .image "name" "connect") }}
args:
  {{- include "spark-base.connect.args" . | nindent 2 }}
env:
  {{- include "spark-base.spark.confEnv" . | nindent 2 }}
  {{- if not $isLocal }}
  - name: POD_IP
    valueFrom: {fieldRef: {fieldPath: status.podIP}}
  {{- end }}
  {{- if $isK8s }}
  - name: POD_NAME
    valueFrom: {fieldRef: {fieldPath: metadata.name}}
  {{- end }}
  {{- with include "spark-base.features.iceberg.env" .root }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with include "spark-base.spark.env" .root }}
  {{- . | nindent 2 }}
  {{- end }}
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
{{- include "spark-base.probes" (dict "values" .values "port" "grpc") }}
resources:
  {{- if $isLocal }}
  {{- include "spark-base.features.gpu.resources" (dict "root" .root "resources" .values.resources) | nindent 2 }}
  {{- else }}
  {{- toYaml .values.resources | nindent 2 }}
  {{- end }}
volumeMounts:
  {{- include "spark-base.spark.confMount" . | nindent 2 }}
  {{- if $isK8s }}
  - name: pod-template
    mountPath: /opt/spark/pod-template
    readOnly: true
  {{- end }}
  {{- include "spark-base.spark.mounts" .root | nindent 2 }}
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
