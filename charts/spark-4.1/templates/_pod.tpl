{{/* What every pod of the chart begins with; the test pod, too. */}}
{{- define "spark.podBase" -}}
{{- with include "spark.pullSecrets" . -}}
{{ . }}
{{ end -}}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
enableServiceLinks: false
{{- end -}}

{{/* dict root, name. */}}
{{- define "spark.containerBase" -}}
name: {{ .name }}
image: {{ include "spark.image" .root }}
imagePullPolicy: {{ include "spark.pullPolicy" .root }}
securityContext:
  {{- toYaml .root.Values.securityContext | nindent 2 }}
{{- end -}}

{{/* Credentials come from a Secret into the environment; Spark's configuration never holds them. */}}
{{- define "spark.env" -}}
- name: HOME
  value: /tmp
{{- with .Values.s3.existingSecret }}
- name: AWS_ACCESS_KEY_ID
  valueFrom: {secretKeyRef: {name: {{ . }}, key: access-key}}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom: {secretKeyRef: {name: {{ . }}, key: secret-key}}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The only places a Spark process writes to: the root file system is read-only. */}}
{{- define "spark.writableMounts" -}}
- name: tmp
  mountPath: /tmp
- name: work-dir
  mountPath: /opt/spark/work-dir
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "spark.writableVolumes" -}}
- name: tmp
  emptyDir: {}
- name: work-dir
  emptyDir: {}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What Spark starts each executor pod from; it adds image, name, resources, ports and its own environment. */}}
{{- define "spark.executorTemplate" -}}
apiVersion: v1
kind: Pod
metadata:
  labels:
    {{- include "spark.selectorLabels" (dict "root" . "component" "executor") | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "spark.podBase" . | nindent 2 }}
  automountServiceAccountToken: false
  {{- if and .Values.gpu.enabled .Values.gpu.runtimeClassName }}
  runtimeClassName: {{ .Values.gpu.runtimeClassName }}
  {{- end }}
  containers:
    - {{- include "spark.containerBase" (dict "root" . "name" "spark-kubernetes-executor") | nindent 6 }}
      env:
        {{- include "spark.env" . | nindent 8 }}
      volumeMounts:
        {{- include "spark.writableMounts" . | nindent 8 }}
        {{- if .Values.gpu.enabled }}
        - name: gpu
          mountPath: /opt/spark/gpu
          readOnly: true
        {{- end }}
  {{- with .Values.executor.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.executor.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.executor.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumes:
    {{- include "spark.writableVolumes" . | nindent 4 }}
    {{- if .Values.gpu.enabled }}
    # Spark's YAML reader may take 0555 for a decimal number.
    - name: gpu
      configMap:
        name: {{ include "spark.fullname" . }}
        items: [{key: discover-gpus.sh, path: discover-gpus.sh}]
        defaultMode: 365
    {{- end }}
{{- end -}}
