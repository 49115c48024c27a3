{{/* ctx → what workers, applications and browsers use. */}}
{{- define "spark-base.standalone.master.service" -}}
apiVersion: v1
kind: Service
{{ include "spark-base.metadata" . }}
spec:
  selector:
    {{- include "spark-base.selectorLabels" . | nindent 4 }}
  ports:
    - name: rpc
      port: {{ .values.service.rpcPort }}
      targetPort: rpc
    - name: ui
      port: {{ .values.service.uiPort }}
      targetPort: ui
      appProtocol: http
{{- end -}}

{{/* ctx → what gives the pod its name. Workers that have registered use this name, a master that recovers is not ready yet. */}}
{{- define "spark-base.standalone.master.headlessService" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "spark-base.standalone.master.headlessName" . }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "spark-base.labels" . | nindent 4 }}
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    {{- include "spark-base.selectorLabels" . | nindent 4 }}
  ports:
    - name: rpc
      port: 7077
      targetPort: rpc
{{- end -}}

{{- define "spark-base.standalone.master.headlessName" -}}
{{ include "spark-base.componentName" . }}-headless
{{- end -}}
