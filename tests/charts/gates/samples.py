"""A release that passes every gate, and a way to spoil one place of it."""

from __future__ import annotations

from typing import Any

from tests.charts.gates.objects import Document, parse

DIGEST = "sha256:" + "0123456789abcdef" * 4
SELECTOR = "{app.kubernetes.io/name: spark, app.kubernetes.io/instance: demo, app.kubernetes.io/component: connect}"
MORE = 'app.kubernetes.io/version: "4.1.1", app.kubernetes.io/managed-by: Helm, helm.sh/chart: spark-0.1.0'
LABELS = SELECTOR.replace("}", f", {MORE}}}")
GOOD = f"""
apiVersion: apps/v1
kind: Deployment
metadata:
  name: demo-connect
  labels: {LABELS}
spec:
  selector:
    matchLabels: {SELECTOR}
  template:
    metadata: {{labels: {LABELS}}}
    spec:
      serviceAccountName: demo
      automountServiceAccountToken: true
      securityContext:
        runAsNonRoot: true
        runAsUser: 185
        seccompProfile: {{type: RuntimeDefault}}
      containers:
        - name: connect
          image: docker.io/spark-k8s/spark:4.1.1@{DIGEST}
          args: [connect, --conf, spark.driver.host=$(POD_IP)]
          env:
            - name: POD_IP
              valueFrom: {{fieldRef: {{fieldPath: status.podIP}}}}
          ports:
            - {{name: grpc, containerPort: 15002}}
            - {{name: ui, containerPort: 4040}}
          readinessProbe: {{tcpSocket: {{port: grpc}}}}
          livenessProbe: {{tcpSocket: {{port: grpc}}}}
          resources:
            requests: {{cpu: 100m, memory: 1Gi}}
            limits: {{memory: 2Gi}}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {{drop: [ALL]}}
          volumeMounts:
            - {{name: tmp, mountPath: /tmp}}
            - {{name: conf, mountPath: /opt/spark/conf}}
      volumes:
        - {{name: tmp, emptyDir: {{}}}}
        - {{name: conf, configMap: {{name: demo-connect, items: [{{key: spark-defaults.conf, path: x}}]}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: demo-connect, labels: {LABELS}}}
spec:
  selector: {SELECTOR}
  ports:
    - {{name: grpc, port: 15002, targetPort: grpc}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: demo, labels: {LABELS}}}
automountServiceAccountToken: false
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: demo-connect, labels: {LABELS}}}
spec:
  podSelector: {{matchLabels: {SELECTOR}}}
  policyTypes: [Ingress]
  ingress:
    - ports: [{{port: grpc}}, {{port: ui}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: demo-connect, labels: {LABELS}}}
data:
  spark-defaults.conf: |
    spark.driver.memory=1g
    spark.ui.port=4040
  executor.yaml: |
    apiVersion: v1
    kind: Pod
    metadata:
      labels:
        app.kubernetes.io/name: spark
        app.kubernetes.io/instance: demo
        app.kubernetes.io/component: executor
    spec:
      automountServiceAccountToken: false
      securityContext: {{runAsNonRoot: true, seccompProfile: {{type: RuntimeDefault}}}}
      containers:
        - name: executor
          image: docker.io/spark-k8s/spark:4.1.1@{DIGEST}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {{drop: [ALL]}}
          volumeMounts: [{{name: tmp, mountPath: /tmp}}]
      volumes: [{{name: tmp, emptyDir: {{}}}}]
"""


def good() -> tuple[Document, ...]:
    """Objects without a problem; nothing in them is shared."""
    return parse(GOOD)


def spoiled(kind: str, path: str, value: object) -> tuple[Document, ...]:
    """The same with one place of the first object of a kind set to a value; ``...`` takes the place away."""
    objects = good()
    target: Any = next(each for each in objects if each["kind"] == kind)
    *way, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    for part in way:
        target = target[part] if isinstance(part, int) else target.setdefault(part, {})
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return objects
