{{/*
Names and labels. A *context* (ctx) is what every template of a component is given:
  dict "root" $ "component" "history" "values" .Values.historyServer
*/}}

{{/* root → the chart's name as a DNS label: it holds a dot, a Service's name must not. */}}
{{- define "spark-base.name" -}}
{{- default .Chart.Name .Values.nameOverride | replace "." "-" | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* root → the prefix of every object's name; 40 characters leave room for the component and what Kubernetes appends. */}}
{{- define "spark-base.fullname" -}}
{{- $name := include "spark-base.name" . -}}
{{- $release := .Release.Name | replace "." "-" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | replace "." "-" | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name $release -}}
{{- $release | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" $release $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* ctx → the name of a component's objects. */}}
{{- define "spark-base.componentName" -}}
{{- printf "%s-%s" (include "spark-base.fullname" .root) .component -}}
{{- end -}}

{{/* root → chart and version, as a label's value. */}}
{{- define "spark-base.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* ctx → labels that never change in the life of a release: no version, no tag, no digest. */}}
{{- define "spark-base.selectorLabels" -}}
app.kubernetes.io/name: {{ include "spark-base.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* ctx → the labels of an object. */}}
{{- define "spark-base.labels" -}}
{{ include "spark-base.selectorLabels" . }}
app.kubernetes.io/version: {{ default .root.Chart.AppVersion .root.Values.sparkVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: spark
helm.sh/chart: {{ include "spark-base.chart" .root }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* ctx → metadata of an object that has the component's name. */}}
{{- define "spark-base.metadata" -}}
metadata:
  name: {{ include "spark-base.componentName" . }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "spark-base.labels" . | nindent 4 }}
{{- end -}}

{{/* root → the label that a client's pod carries to pass the network policies, for its value "true". In the release itself the
pods of tests carry it; Jupyter is named in the policies. */}}
{{- define "spark-base.clientLabel" -}}
{{ include "spark-base.fullname" . }}-client
{{- end -}}

{{/* root → the facts of the chart's Spark line: facts.yaml of the chart that uses this library. */}}
{{- define "spark-base.facts" -}}
{{ .Files.Get "facts.yaml" }}
{{- end -}}
