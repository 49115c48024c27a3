{{/* root → an Ingress with one rule for each host. */}}
{{- define "spark-base.exposure.ingress" -}}
{{- $interfaces := include "spark-base.exposure.interfaces" . | fromYaml -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
{{ include "spark-base.metadata" (dict "root" . "component" "ingress") }}
  {{- with .Values.ingress.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with .Values.ingress.className }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- with .Values.ingress.tls }}
  tls:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  rules:
    {{- range $key, $host := .Values.ingress.hosts }}
    {{- if $host }}
    {{- $interface := get $interfaces $key }}
    - host: {{ $host | quote }}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {{ include "spark-base.componentName" (dict "root" $ "component" $interface.component) }}
                port:
                  name: {{ $interface.port }}
    {{- end }}
    {{- end }}
{{- end -}}
