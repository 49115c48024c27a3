{{/* ctx → what is in the pod of the database server. */}}
{{- define "spark-infra.postgresql.pod" -}}
initContainers:
  # Where the platform gives a volume to the pod's group, it may open the data to that group at each start; PostgreSQL refuses it then.
  - {{ include "spark-base.container" (dict "root" .root "image" .values.image "name" "permissions") | nindent 4 | trim }}
    command: [bash, -c, 'if [[ -d $PGDATA ]]; then chmod 0700 "$PGDATA"; fi']
    resources:
      {{- toYaml .values.resources | nindent 6 }}
    volumeMounts:
      {{- include "spark-base.scratchMounts" . | nindent 6 }}
      - name: data
        mountPath: /var/lib/postgresql
containers:
  - {{ include "spark-base.container" (dict "root" .root "image" .values.image "name" "postgresql") | nindent 4 | trim }}
    env:
      - name: POSTGRES_USER
        value: {{ .values.user | quote }}
      - name: POSTGRES_PASSWORD_FILE
        value: /run/secrets/administrator/password
    ports:
      - name: postgresql
        containerPort: 5432
    {{- include "spark-base.probes" (dict "values" .values "port" "postgresql") | trim | nindent 4 }}
    resources:
      {{- toYaml .values.resources | nindent 6 }}
    volumeMounts:
      {{- include "spark-base.scratchMounts" . | nindent 6 }}
      - name: data
        mountPath: /var/lib/postgresql
      - name: administrator
        mountPath: /run/secrets/administrator
        readOnly: true
volumes:
  {{- include "spark-base.scratchVolumes" . | nindent 2 }}
  - name: data
    persistentVolumeClaim:
      claimName: {{ include "spark-base.componentName" . }}
  - name: administrator
    secret:
      secretName: {{ .values.existingSecret }}
      items: [{key: password, path: password}]
{{- end -}}
