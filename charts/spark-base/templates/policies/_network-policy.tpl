{{/* ctx, flows; optional usesApi → the network policy of a component. */}}
{{- define "spark-base.policies.networkPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
{{ include "spark-base.metadata" . }}
spec:
  podSelector:
    matchLabels:
      {{- include "spark-base.selectorLabels" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- range .flows }}
    {{- if eq .to $.component }}
    - ports:
        {{- toYaml .ports | nindent 8 }}
      {{- if not (and $.root.Values.networkPolicy.allowExternal (has "anyone" .from)) }}
      from:
        {{- include "spark-base.policies.peers" (dict "root" $.root "from" .from) | trim | nindent 8 }}
      {{- end }}
    {{- end }}
    {{- end }}
  egress:
    {{- if .root.Values.networkPolicy.allowExternalEgress }}
    - {}
    {{- else }}
    {{- include "spark-base.policies.egress" . | trim | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* dict root, from (of a flow) → those who may come in. */}}
{{- define "spark-base.policies.peers" -}}
{{- $outside := list "anyone" "client" -}}
{{- if or (has "anyone" .from) (has "client" .from) }}
- podSelector:
    matchLabels:
      {{ include "spark-base.clientLabel" .root }}: "true"
{{- with .root.Values.networkPolicy.extraIngressFrom }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- range .from }}
{{- if not (has . $outside) }}
- podSelector:
    matchLabels:
      {{- include "spark-base.selectorLabels" (dict "root" $.root "component" .) | nindent 6 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* ctx, flows, usesApi → where a component may go when not everywhere. */}}
{{- define "spark-base.policies.egress" -}}
# Names. The DNS pods of OpenShift listen on 5353.
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
    - {port: 5353, protocol: UDP}
    - {port: 5353, protocol: TCP}
{{- range .flows }}
{{- if has $.component .from }}
- to:
    - podSelector:
        matchLabels:
          {{- include "spark-base.selectorLabels" (dict "root" $.root "component" .to) | nindent 10 }}
  ports:
    {{- toYaml .ports | nindent 4 }}
{{- end }}
{{- end }}
{{- if .usesApi }}
# The API of Kubernetes, whose addresses no policy can name.
- ports:
    - {port: 443}
    - {port: 6443}
{{- end }}
{{- with .root.Values.networkPolicy.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end -}}
