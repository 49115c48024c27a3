{{/*
ctx, volume (size, storageClassName); optional keep: "true" → a claim named after the component. It is an object of its own, since one
in a StatefulSet can never be changed. One that is kept outlives its release, and the next of the same name takes it over.
*/}}
{{- define "spark-base.claim" -}}
apiVersion: v1
kind: PersistentVolumeClaim
{{ include "spark-base.metadata" . }}
  {{- if .keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
spec:
  accessModes: [ReadWriteOnce]
  {{- with .volume.storageClassName }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .volume.size }}
{{- end -}}
