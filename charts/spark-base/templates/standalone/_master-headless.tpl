{{/* ctx → what gives the master's pod its name. Workers that have registered use this name, and a master that recovers, which is not
ready yet, calls them. */}}
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
