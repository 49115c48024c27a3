{{/* root → mistakes in both ways to be reached. */}}
{{- define "spark-base.exposure.validate" -}}
{{- include "spark-base.exposure.hosts.validate" (dict "root" . "path" "ingress") -}}
{{- include "spark-base.exposure.hosts.validate" (dict "root" . "path" "routes") -}}
{{- $tls := .Values.routes.tls -}}
{{- if not (has $tls.termination (list "edge" "reencrypt" "passthrough")) }}
routes.tls.termination is {{ $tls.termination }}: it can be edge, reencrypt or passthrough
{{- end }}
{{- if and (eq $tls.termination "passthrough") (eq $tls.insecureEdgeTerminationPolicy "Allow") }}
routes.tls.insecureEdgeTerminationPolicy is Allow: a Route with passthrough can only redirect what is not encrypted, or drop it
{{- end }}
{{- end -}}

{{/* dict root, path (ingress or routes) → mistakes in its hosts. */}}
{{- define "spark-base.exposure.hosts.validate" -}}
{{- $section := get .root.Values .path -}}
{{- if $section.enabled -}}
{{- $interfaces := include "spark-base.exposure.interfaces" .root | fromYaml -}}
{{- $seen := dict -}}
{{- range $key, $host := $section.hosts -}}
{{- if $host -}}
{{- $interface := get $interfaces $key -}}
{{- if not $interface.enabled }}
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
