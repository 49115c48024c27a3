{{/* ctx → how many of a component's pods may be away at a time. */}}
{{- define "spark-base.policies.disruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
{{ include "spark-base.metadata" . }}
spec:
  maxUnavailable: {{ .root.Values.podDisruptionBudget.maxUnavailable }}
  selector:
    matchLabels:
      {{- include "spark-base.selectorLabels" . | nindent 6 }}
{{- end -}}
