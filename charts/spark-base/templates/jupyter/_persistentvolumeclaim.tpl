{{/* ctx → the claim of the notebooks' volume. Notebooks outlive a release; one of the same name takes them over. */}}
{{- define "spark-base.jupyter.claim" -}}
{{- with .values.persistence -}}
apiVersion: v1
kind: PersistentVolumeClaim
{{ include "spark-base.metadata" $ }}
  annotations:
    helm.sh/resource-policy: keep
spec:
  accessModes: [ReadWriteOnce]
  {{- with .storageClassName }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .size }}
{{- end -}}
{{- end -}}
