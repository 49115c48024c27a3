{{/*
A dashboard is a table: title and panels, each with title, type (timeseries), width of 24 (8), unit and queries. A query has expr,
where SERVER stands for the labels of the Connect servers that are looked at, and by (the label that names its lines) or legend.
*/}}

{{/* dict root, name, table → a dashboard as Grafana reads it. */}}
{{- define "spark-base.monitoring.dashboard" -}}
{{- $namespace := .root.Release.Namespace -}}
{{- $fullname := include "spark-base.fullname" .root -}}
{{- $panels := list -}}
{{- $x := 0 -}}
{{- $y := 0 -}}
{{- $height := 0 -}}
{{- range $index, $panel := .table.panels -}}
{{- $width := int (default 8 $panel.width) -}}
{{- if gt (add $x $width) 24 -}}
{{- $x = 0 -}}
{{- $y = add $y $height -}}
{{- end -}}
{{- $height = ternary 4 8 (eq (default "" $panel.type) "stat") -}}
{{- $position := dict "x" $x "y" $y "w" $width "h" $height -}}
{{- $panel = dict "id" (add1 $index) "position" $position "namespace" $namespace "panel" $panel -}}
{{- $panels = append $panels (include "spark-base.monitoring.panel" $panel | fromJson) -}}
{{- $x = add $x $width -}}
{{- end -}}
{{- dict
  "uid" (printf "%s/%s/%s" $namespace $fullname .name | sha256sum | trunc 40)
  "title" (printf "%s: %s/%s" .table.title $namespace $fullname)
  "tags" (list "spark")
  "schemaVersion" 39
  "editable" true
  "refresh" "30s"
  "time" (dict "from" "now-1h" "to" "now")
  "templating" (dict "list" (include "spark-base.monitoring.variables" .root | fromYamlArray))
  "panels" $panels
  | toPrettyJson -}}
{{- end -}}

{{/* dict id, position, namespace, panel (of the table) → a panel as JSON. */}}
{{- define "spark-base.monitoring.panel" -}}
{{- $source := dict "type" "prometheus" "uid" "${datasource}" -}}
{{- $targets := list -}}
{{- range $index, $query := .panel.queries -}}
{{- $legend := default (printf "{{%s}}" (default "pod" $query.by)) $query.legend -}}
{{- $expr := $query.expr | replace "SERVER" (printf "namespace=%q, pod=~\"$server\"" $.namespace) -}}
{{- $targets = append $targets (dict "refId" (printf "Q%d" $index) "datasource" $source "expr" $expr "legendFormat" $legend) -}}
{{- end -}}
{{- dict
  "id" .id
  "title" .panel.title
  "type" (default "timeseries" .panel.type)
  "gridPos" .position
  "datasource" $source
  "fieldConfig" (dict "defaults" (dict "unit" (default "short" .panel.unit) "min" 0) "overrides" list)
  "targets" $targets
  | toJson -}}
{{- end -}}

{{/* root → what is chosen at the top of a dashboard: the source of metrics, and the pods of the server. */}}
{{- define "spark-base.monitoring.variables" -}}
{{- $pods := printf "%s-[0-9a-z]+-[0-9a-z]+" (include "spark-base.componentName" (dict "root" . "component" "connect")) -}}
{{- $metric := "metrics_spark_driver_DAGScheduler_job_allJobs_Value" -}}
- {name: datasource, label: Metrics, type: datasource, query: prometheus}
- name: server
  label: Server
  type: query
  datasource: {type: prometheus, uid: "${datasource}"}
  query: {{ printf "label_values(%s{namespace=%q, pod=~%q}, pod)" $metric .Release.Namespace $pods | quote }}
  refresh: 2
  multi: true
  includeAll: true
  allValue: {{ $pods | quote }}
  current: {text: All, value: $__all}
{{- end -}}
