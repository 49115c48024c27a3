{{/* ctx, image → what is in the pod of the job for databases. */}}
{{- define "spark-infra.databases.pod" -}}
{{- $server := .root.Values.postgresql -}}
{{- $secrets := dict -}}
{{- range .values.items -}}
{{- $secrets = set $secrets .user .existingSecret -}}
{{- end -}}
containers:
  - {{ include "spark-base.container" (dict "root" .root "image" .image "name" "databases") | nindent 4 | trim }}
    command: [bash, -c]
    args:
      - |
        {{- .root.Files.Get "files/databases.sh" | trim | nindent 8 }}
      - databases
      {{- range .values.items }}
      - {{ .name }}={{ .user }}
      {{- end }}
    env:
      - name: PGHOST
        value: {{ include "spark-infra.postgresql.host" .root }}
      - name: PGPORT
        value: {{ $server.service.port | quote }}
      - name: PGUSER
        value: {{ $server.user | quote }}
    resources:
      {{- toYaml .values.resources | nindent 6 }}
    volumeMounts:
      {{- include "spark-base.scratchMounts" . | nindent 6 }}
      - name: administrator
        mountPath: /run/secrets/administrator
        readOnly: true
      - name: databases
        mountPath: /run/secrets/databases
        readOnly: true
volumes:
  {{- include "spark-base.scratchVolumes" . | nindent 2 }}
  - name: administrator
    secret:
      secretName: {{ $server.existingSecret }}
      items: [{key: password, path: password}]
  - name: databases
    projected:
      sources:
        {{- range $user, $secret := $secrets }}
        - secret:
            name: {{ $secret }}
            items: [{key: password, path: {{ $user }}}]
        {{- end }}
{{- end -}}
