{{- define "spark-base.connect.service" -}}
apiVersion: v1
kind: Service
{{ include "spark-base.metadata" . }}
  {{- with .values.service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ .values.service.type }}
  sessionAffinity: {{ .values.service.sessionAffinity }}
  selector:
    {{- include "spark-base.selectorLabels" . | nindent 4 }}
  ports:
    - name: grpc
      port: {{ .values.service.grpcPort }}
      targetPort: grpc
      appProtocol: grpc
    - name: ui
      port: {{ .values.service.uiPort }}
      targetPort: ui
      appProtocol: http
{{- end -}}
