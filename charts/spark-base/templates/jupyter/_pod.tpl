{{/* ctx, image → what is in the pod of JupyterLab. Notebooks reach data through the Connect server: they get no keys of S3. */}}
{{- define "spark-base.jupyter.pod" -}}
{{- $gpu := printf "%s/gpu" .root.Values.features.gpu.vendor -}}
{{- if hasKey (default dict .values.resources.limits) $gpu -}}
{{- with include "spark-base.features.gpu.runtimeClass" .root -}}
{{ . }}
{{ end -}}
{{- end -}}
containers:
  - {{ include "spark-base.container" (dict "root" .root "image" .image "name" "jupyter") | nindent 4 | trim }}
    args: [lab]
    env:
      - name: JUPYTER_ROOT_DIR
        value: {{ include "spark-base.jupyter.rootDir" . }}
      - name: SPARK_REMOTE
        value: {{ default (include "spark-base.connect.url" .root) .values.remote | quote }}
      {{- if .values.existingSecret }}
      - name: JUPYTER_TOKEN_FILE
        value: {{ include "spark-base.jupyter.tokenDir" . }}/token
      {{- end }}
      {{- with .root.Values.extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    ports:
      - name: http
        containerPort: 8888
    # This path answers without the token.
    {{- include "spark-base.probes" (dict "values" .values "port" "http" "path" "/api") | trim | nindent 4 }}
    resources:
      {{- toYaml .values.resources | nindent 6 }}
    volumeMounts:
      - name: work
        mountPath: {{ include "spark-base.jupyter.rootDir" . }}
      {{- if .values.existingSecret }}
      - name: token
        mountPath: {{ include "spark-base.jupyter.tokenDir" . }}
        readOnly: true
      {{- end }}
      {{- include "spark-base.spark.mounts" .root | nindent 6 }}
volumes:
  - name: work
    {{- if .values.persistence.enabled }}
    persistentVolumeClaim:
      claimName: {{ default (include "spark-base.componentName" .) .values.persistence.existingClaim }}
    {{- else }}
    emptyDir: {}
    {{- end }}
  {{- with .values.existingSecret }}
  - name: token
    secret:
      secretName: {{ . }}
      items: [{key: token, path: token}]
  {{- end }}
  {{- include "spark-base.spark.volumes" .root | nindent 2 }}
{{- end -}}

{{- define "spark-base.jupyter.rootDir" -}}
/home/spark/work
{{- end -}}

{{- define "spark-base.jupyter.tokenDir" -}}
/run/secrets/jupyter
{{- end -}}
