{{/* ctx, program → a pod of `helm test`. It is a client, and says so to the network policies. */}}
{{- define "spark-base.tests.pod" -}}
{{- $image := include "spark-base.sparkImage" .root | fromYaml -}}
apiVersion: v1
kind: Pod
{{ include "spark-base.metadata" . }}
    {{ include "spark-base.clientLabel" .root }}: "true"
  annotations:
    helm.sh/hook: test
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  {{- include "spark-base.pod" (merge (dict "image" $image) .) | nindent 2 }}
  restartPolicy: Never
  activeDeadlineSeconds: 600
  containers:
    - {{ include "spark-base.container" (dict "root" .root "image" $image "name" "test") | nindent 6 | trim }}
      args:
        - python3
        - -c
        - |
          {{- .program | nindent 10 }}
      resources:
        requests: {cpu: 100m, memory: 512Mi}
        limits: {memory: 1Gi}
      volumeMounts:
        {{- include "spark-base.scratchMounts" . | nindent 8 }}
  volumes:
    {{- include "spark-base.scratchVolumes" . | nindent 4 }}
{{- end -}}
