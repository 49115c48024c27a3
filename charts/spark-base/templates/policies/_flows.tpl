{{/*
Who speaks to whom. Rules of ingress and of egress both come of this list, so one never forgets the other.
  to, ports  the component that listens, and the names of its ports
  from       components of the release, and two kinds of others:
               anyone  every pod and host, or with networkPolicy.allowExternal false only clients
               client  pods with the label of "spark-base.clientLabel", and networkPolicy.extraIngressFrom
What Spark's processes ask of each other: https://spark.apache.org/docs/latest/security.html#configuring-ports-for-network-security
*/}}

{{/* root → YAML list of flows. */}}
{{- define "spark-base.policies.flows" -}}
- {to: connect, ports: [{port: grpc}, {port: ui}], from: [anyone, jupyter]}
{{ include (printf "spark-base.policies.flows.%s" .Values.connect.backendMode) . }}
{{ if .Values.standalone.enabled }}
- {to: master, ports: [{port: rpc}], from: [anyone, connect, worker]}
- {to: master, ports: [{port: ui}], from: [anyone]}
# A master that was away calls the workers and drivers that it knows.
- {to: worker, ports: [{port: rpc}], from: [master]}
- {to: worker, ports: [{port: ui}], from: [anyone]}
# Applications of clients have executors here as well.
- to: worker
  from: [client, connect, worker]
  ports:
    # Executors on one worker take one port after the other, sixteen more at most (spark.port.maxRetries).
    - {port: 7079, endPort: 7095}
    {{- if .Values.standalone.worker.shuffleService.enabled }}
    - {port: shuffle}
    {{- end }}
{{ end }}
- {to: history, ports: [{port: http}], from: [anyone]}
- {to: jupyter, ports: [{port: http}], from: [anyone]}
- {to: metastore, ports: [{port: thrift}], from: [anyone, connect]}
{{- end -}}

{{- define "spark-base.policies.flows.local" -}}
{{- end -}}

{{- define "spark-base.policies.flows.k8s" -}}
- {to: connect, ports: [{port: driver-rpc}, {port: blockmanager}], from: [executor]}
- {to: executor, ports: [{port: blockmanager}], from: [connect, executor]}
{{- end -}}

{{/* A master outside of the release, and its workers, are strangers here. */}}
{{- define "spark-base.policies.flows.standalone" -}}
{{- if .Values.standalone.enabled -}}
- {to: connect, ports: [{port: driver-rpc}], from: [master, worker]}
- {to: connect, ports: [{port: blockmanager}], from: [worker]}
{{- else -}}
- {to: connect, ports: [{port: driver-rpc}, {port: blockmanager}], from: [anyone]}
{{- end -}}
{{- end -}}
