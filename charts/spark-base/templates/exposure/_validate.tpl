{{/* root → mistakes in both ways to be reached. */}}
{{- define "spark-base.exposure.validate" -}}
{{- include "spark-base.exposure.hosts.validate" (dict "root" . "path" "ingress") -}}
{{- include "spark-base.exposure.hosts.validate" (dict "root" . "path" "routes") -}}
{{- with .Values.routes.tls -}}
{{- if and $.Values.routes.enabled (eq .termination "passthrough") (eq .insecureEdgeTerminationPolicy "Allow") }}
routes.tls.insecureEdgeTerminationPolicy is Allow: with passthrough, a Route can only redirect what is not encrypted, or drop it
{{- end }}
{{- end -}}
{{- end -}}

{{/* dict root, path (ingress or routes) → mistakes in its hosts. */}}
{{- define "spark-base.exposure.hosts.validate" -}}
{{- $section := get .root.Values .path -}}
{{- if $section.enabled -}}
{{- $interfaces := include "spark-base.exposure.interfaces" .root | fromYaml -}}
{{- $components := include "spark-base.components" .root | fromYaml -}}
{{- $seen := dict -}}
{{- range $key, $host := $section.hosts -}}
{{- if $host -}}
{{- $interface := get $interfaces $key -}}
{{- if not (get $components $interface.component) }}
{{ $.path }}.hosts.{{ $key }} is {{ $host }}, but there is nothing behind it without {{ $interface.switch }}
{{- end }}
{{- with get $seen $host }}
{{ $.path }}.hosts.{{ $key }} is {{ $host }}, and so is {{ $.path }}.hosts.{{ . }}: an interface needs a host of its own
{{- end }}
{{- $_ := set $seen $host $key -}}
{{- end -}}
{{- end -}}
{{- if not $seen }}
{{ .path }}.enabled needs a host in {{ .path }}.hosts
{{- end }}
{{- end -}}
{{- end -}}
