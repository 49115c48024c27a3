{{/* ctx → the volume of the recovery directory. A claim of its own, as those in a StatefulSet can never be changed. */}}
{{- define "spark-base.standalone.master.claim" -}}
apiVersion: v1
kind: PersistentVolumeClaim
{{ include "spark-base.metadata" . }}
spec:
  accessModes: [ReadWriteOnce]
  {{- with .values.recovery.storageClassName }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .values.recovery.size }}
{{- end -}}
