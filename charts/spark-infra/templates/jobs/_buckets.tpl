{{/* ctx, image → what is in the pod of the job for buckets. */}}
{{- define "spark-infra.buckets.pod" -}}
containers:
  - {{ include "spark-base.container" (dict "root" .root "image" .image "name" "buckets") | nindent 4 | trim }}
    command: [bash, -c]
    args:
      - |
        {{- .root.Files.Get "files/buckets.sh" | trim | nindent 8 }}
      - buckets
      {{- range .values.items }}
      {{- $bucket := .name }}
      - {{ $bucket }}
      {{- range .prefixes }}
      - {{ $bucket }}/{{ . }}
      {{- end }}
      {{- end }}
    env:
      - name: S3_ENDPOINT
        value: {{ include "spark-infra.s3.endpoint" .root | quote }}
      - name: S3_REGION
        value: {{ .root.Values.global.s3.region | quote }}
      {{- include "spark-base.s3.env" .root | nindent 6 }}
    resources:
      {{- toYaml .values.resources | nindent 6 }}
    volumeMounts:
      {{- include "spark-base.scratchMounts" . | nindent 6 }}
volumes:
  {{- include "spark-base.scratchVolumes" . | nindent 2 }}
{{- end -}}
