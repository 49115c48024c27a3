{{/* The chart's name as a DNS label: it holds a dot, a Service's name must not. */}}
{{- define "spark.name" -}}
{{- default .Chart.Name .Values.nameOverride | replace "." "-" | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* The prefix of every object's name; short enough for the suffixes. */}}
{{- define "spark.fullname" -}}
{{- $name := include "spark.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | replace "." "-" | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name (.Release.Name | replace "." "-") -}}
{{- .Release.Name | replace "." "-" | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | replace "." "-" | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "spark.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* dict root, component. Never a tag or a digest: selectors must outlive them. */}}
{{- define "spark.selectorLabels" -}}
app.kubernetes.io/name: {{ include "spark.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* dict root, component. */}}
{{- define "spark.labels" -}}
{{ include "spark.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ include "spark.chart" .root }}
{{- end -}}

{{- define "spark.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "spark.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}
