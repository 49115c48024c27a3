{{/* root → network policies and disruption budgets of the components that are there. */}}
{{- define "spark-base.policies" -}}
{{- $flows := include "spark-base.policies.flows" . | fromYamlArray -}}
{{- $components := include "spark-base.components" . | fromYaml -}}
{{- if .Values.networkPolicy.enabled }}
{{- range $component, $isThere := $components }}
{{- if $isThere }}
{{- $usesApi := and (eq $component "connect") $components.executor }}
---
{{ include "spark-base.policies.networkPolicy" (dict "root" $ "component" $component "flows" $flows "usesApi" $usesApi) }}
{{- end }}
{{- end }}
{{- end }}
{{- if .Values.podDisruptionBudget.enabled }}
{{- range $component, $values := dict "connect" .Values.connect "worker" .Values.standalone.worker }}
{{- if and (get $components $component) (gt (int $values.replicas) 1) }}
---
{{ include "spark-base.policies.disruptionBudget" (dict "root" $ "component" $component) }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
