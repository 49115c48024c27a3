{{/* ctx → what a driver of Spark's Kubernetes backend does, and no more: no Secrets, no Services, no pods/exec. */}}
{{- define "spark-base.access.role" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
{{ include "spark-base.metadata" . }}
rules:
  - apiGroups: [""]
    resources: [pods]
    verbs:
      - create
      # Its own pod, which owns those of executors.
      - get
      # The state of executors: a watch, and a list now and then in case the watch missed something.
      - list
      - watch
      # Executors that failed, one by one; those that are idle, and at its end all, by their labels.
      - delete
      - deletecollection
      # A label says that an executor is done (spark.kubernetes.executor.deleteOnTermination=false) or soon will be
      # (spark.kubernetes.executor.decommissionLabel).
      - patch
  # Settings of executors, which go at its end, by their labels.
  - apiGroups: [""]
    resources: [configmaps]
    verbs: [create, deletecollection]
  {{- if include "spark-base.access.makesClaims" .root }}
  # Claims on demand: made with an executor, looked through for one that can be taken again, removed at its end by their labels.
  - apiGroups: [""]
    resources: [persistentvolumeclaims]
    verbs: [create, list, deletecollection]
  {{- end }}
{{- end -}}

{{/* root → something when settings have executors' claims made on demand. Without them Spark has no use for claims, and whoever
may remove claims may remove anyone's. */}}
{{- define "spark-base.access.makesClaims" -}}
{{- $volumes := "spark.kubernetes.executor.volumes.persistentVolumeClaim." -}}
{{- range $key, $value := .Values.sparkConf -}}
{{- if and (hasPrefix $volumes $key) (hasSuffix ".options.claimName" $key) (contains "OnDemand" (toString $value)) -}}
yes
{{- end -}}
{{- end -}}
{{- end -}}

{{/* root → settings with which the driver asks for nothing that the role has not, as a YAML mapping. In client mode it has no
Service that it could remove. */}}
{{- define "spark-base.access.conf" -}}
spark.kubernetes.driver.service.deleteOnTermination: "false"
{{- if not (include "spark-base.access.makesClaims" .) }}
spark.kubernetes.driver.ownPersistentVolumeClaim: "false"
spark.kubernetes.driver.reusePersistentVolumeClaim: "false"
{{- end }}
{{- end -}}
