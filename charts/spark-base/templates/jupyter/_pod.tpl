{{/* ctx → what is in the pod of JupyterLab. */}}
{{- define "spark-base.jupyter.pod" -}}
{{- with .root.Values.features.gpu -}}
{{- if and .enabled .runtimeClassName (hasKey (default dict $.values.resources.limits) (printf "%s/gpu" .vendor)) -}}
runtimeClassName: {{ .runtimeClassName }}
{{ end -}}
{{- end -}}
containers:
  - {{ include "spark-base.container" (dict "root" .root "image" .image "name" "jupyter") | nindent 4 | trim }}
    args: [lab]
    env:
      - name: JUPYTER_ROOT_DIR
        value: /home/spark/work
      - name: SPARK_REMOTE
        value: {{ default (include "spark-base.connect.url" .root) .values.remote | quote }}
      {{- if .values.existingSecret }}
      - name: JUPYTER_TOKEN_FILE
        value: /run/secrets/jupyter/token
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
        mountPath: /home/spark/work
      {{- if .values.existingSecret }}
      - name: token
        mountPath: /run/secrets/jupyter
        readOnly: true
      {{- end }}
      {{- include "spark-base.scratchMounts" .root | nindent 6 }}
      {{- with .root.Values.extraVolumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
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
  {{- include "spark-base.scratchVolumes" .root | nindent 2 }}
  {{- with .root.Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
