{{/*
What pods have in common. Every pod, that of a job and of a test as well, is made of "spark-base.pod" and
"spark-base.container": so none is forgotten.
*/}}

{{/* ctx, image (a block); optional serviceAccountName, token (whether the API is used) → the first fields of a pod's spec. */}}
{{- define "spark-base.pod" -}}
{{- with include "spark-base.pullSecrets" (dict "root" .root "image" .image) -}}
{{ . }}
{{ end -}}
serviceAccountName: {{ default "default" .serviceAccountName }}
automountServiceAccountToken: {{ default false .token }}
enableServiceLinks: false
securityContext:
  {{- include "spark-base.podSecurityContext" .root | nindent 2 }}
{{- include "spark-base.scheduling" . }}
{{- end -}}

{{/* ctx → where pods run: what the component says, else what the chart says. */}}
{{- define "spark-base.scheduling" -}}
{{- $own := default dict (default dict .values).scheduling -}}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" "priorityClassName" -}}
{{- with default (get $.root.Values.scheduling $key) (get $own $key) }}
{{ dict $key . | toYaml }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* dict root, image, name → the first fields of a container. */}}
{{- define "spark-base.container" -}}
name: {{ .name }}
image: {{ include "spark-base.image" . }}
imagePullPolicy: {{ .image.pullPolicy }}
securityContext:
  {{- include "spark-base.containerSecurityContext" .root | nindent 2 }}
{{- end -}}

{{/* ctx → annotations of a pod, with the user's; checksums come from the caller: dict … checksum (text). */}}
{{- define "spark-base.podAnnotations" -}}
{{- with .checksum }}
checksum/config: {{ . | sha256sum }}
{{- end }}
{{- with (default dict .values).podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* ctx → labels of a pod, with the user's. */}}
{{- define "spark-base.podLabels" -}}
{{ include "spark-base.labels" . }}
{{- with (default dict .values).podLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* dict values (of the component), port (its name), path (of an HTTP probe; none is TCP) → the three probes. */}}
{{- define "spark-base.probes" -}}
{{- range $kind := list "startupProbe" "readinessProbe" "livenessProbe" }}
{{ $kind }}:
  {{- if and $.path (ne $kind "livenessProbe") }}
  httpGet: {path: {{ $.path }}, port: {{ $.port }}}
  {{- else }}
  tcpSocket: {port: {{ $.port }}}
  {{- end }}
  {{- toYaml (get $.values $kind) | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Where a process may write: the root file system is read-only. Native libraries are unpacked into /tmp. */}}
{{- define "spark-base.scratchMounts" -}}
- name: tmp
  mountPath: /tmp
{{- end -}}

{{- define "spark-base.scratchVolumes" -}}
- name: tmp
  emptyDir: {}
{{- end -}}
