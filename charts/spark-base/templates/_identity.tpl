{{/* root → the service account of pods that use S3 but not the API of Kubernetes. Where a Secret holds the keys, they need
no identity. Where none does, the cloud knows pods by their service account: by its annotations (IRSA, GKE, Azure), or by its
bare name (EKS Pod Identity). So it is the release's, without its token: the rights of its role stay out of reach. */}}
{{- define "spark-base.s3.serviceAccountName" -}}
{{- if .Values.global.s3.existingSecret -}}
default
{{- else -}}
{{- include "spark-base.serviceAccountName" . -}}
{{- end -}}
{{- end -}}
