{{/*
Spark's configuration is put together from fragments: each is a YAML mapping of settings, later ones win, the user's come
last. Settings that are lists in one value are joined instead, so that a feature never takes another's away.
*/}}

{{/* Setting → what is between its items. */}}
{{- define "spark-base.conf.lists" -}}
spark.extraListeners: ","
spark.plugins: ","
spark.sql.extensions: ","
spark.sql.queryExecutionListeners: ","
spark.sql.streaming.streamingQueryListeners: ","
spark.driver.extraClassPath: ":"
spark.executor.extraClassPath: ":"
spark.driver.extraJavaOptions: " "
spark.executor.extraJavaOptions: " "
{{- end -}}

{{/* dict root, fragments (mappings, in order) → spark-defaults.conf: sorted key=value lines. Spark reads it as Java properties,
where a backslash escapes. A value is never quoted: quotes would be part of it. Null takes a setting away. */}}
{{- define "spark-base.conf.render" -}}
{{- $separators := include "spark-base.conf.lists" . | fromYaml -}}
{{- $conf := dict -}}
{{- range .fragments -}}
{{- range $key, $value := . -}}
{{- if kindIs "invalid" $value -}}
{{- $conf = unset $conf $key -}}
{{- else -}}
{{- $isWhole := and (kindIs "float64" $value) (eq (toString (floor $value)) (toString $value)) -}}
{{- $text := ternary (printf "%.0f" (float64 (ternary $value 0 (kindIs "float64" $value)))) (toString $value) $isWhole -}}
{{- $separator := get $separators $key -}}
{{- if and $separator (get $conf $key) -}}
{{- if eq $separator " " -}}
{{- /* Words of a command line: one that is there twice may belong to two options, as in "--add-opens a --add-opens b". */ -}}
{{- $text = printf "%s %s" (get $conf $key) $text | trim -}}
{{- else -}}
{{- $items := regexSplit (printf "\\s*%s\\s*" $separator) (trim $text) -1 -}}
{{- $text = concat (splitList $separator (get $conf $key)) $items | compact | uniq | join $separator -}}
{{- end -}}
{{- end -}}
{{- $conf = set $conf $key $text -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $key, $value := $conf }}
{{ $key }}={{ $value | replace "\\" "\\\\" }}
{{- end }}
{{- end -}}
