{{/* ctx → what is in the pod of the store. */}}
{{- define "spark-infra.s3.pod" -}}
containers:
  - {{ include "spark-base.container" (dict "root" .root "image" .values.image "name" "s3") | nindent 4 | trim }}
    env:
      - name: VGW_REGION
        value: {{ .root.Values.global.s3.region | quote }}
      - name: ROOT_ACCESS_KEY
        valueFrom: {secretKeyRef: {name: {{ .root.Values.global.s3.existingSecret }}, key: access-key}}
      - name: ROOT_SECRET_KEY
        valueFrom: {secretKeyRef: {name: {{ .root.Values.global.s3.existingSecret }}, key: secret-key}}
    ports:
      - name: http
        containerPort: 7070
    {{- include "spark-base.probes" (dict "values" .values "port" "http" "path" "/health") | trim | nindent 4 }}
    resources:
      {{- toYaml .values.resources | nindent 6 }}
    volumeMounts:
      {{- include "spark-base.scratchMounts" . | nindent 6 }}
      # Below the root of the volume, where a file system may keep a directory of its own, which would be a bucket.
      - name: data
        mountPath: /srv/s3
        subPath: s3
volumes:
  {{- include "spark-base.scratchVolumes" . | nindent 2 }}
  - name: data
    persistentVolumeClaim:
      claimName: {{ include "spark-base.componentName" . }}
{{- end -}}
