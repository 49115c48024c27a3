"""Two small charts: ``shop`` has pods wherever pods can be, and its names come from the library ``basis``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

OURS = "sha256:" + "0" * 64
FOREIGN = "sha256:" + "b" * 64
BASIS = {
    "Chart.yaml": "apiVersion: v2\nname: basis\nversion: 0.2.0\ntype: library\ndescription: What others are made of\n",
    ".helmignore": "notes.md\n",
    "notes.md": "not for anybody else\n",
    "README.md": "The library.\n",
    "templates/_names.tpl": '{{- define "basis.name" -}}{{ .Release.Name }}-{{ .Chart.Name }}{{- end -}}\n',
}
CHART = """\
apiVersion: v2
name: shop
version: 1.2.3+build.4
description: A shop
type: application
appVersion: "1"
kubeVersion: ">=1.25.0-0"
icon: https://example.org/icon.svg
home: https://example.org
sources: [https://example.org/source, https://example.org/more]
maintainers:
  - {name: Somebody, email: somebody@example.org}
  - name: Nobody
annotations:
  artifacthub.io/license: MIT
dependencies:
  - name: basis
    version: 0.2.0
    repository: file://../basis
"""
VALUES = f"""\
image:
  registry: registry.example
  repository: sample/app
  tag: "1"
  digest: {OURS}
kubectl: quay.io/tools/kubectl:1.35@{FOREIGN}
spark: true
"""
POD = """\
  containers:
    - name: main
      image: {{ include "shop.image" . }}
"""
OBJECTS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ include "basis.name" . }}, annotations: {image: none}}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      initContainers:
        - {name: wait, image: {{ .Values.kubectl }}}
      containers:
        - name: main
          image: {{ include "shop.image" . }}
          args: [submit, --conf, "spark.kubernetes.executor.container.image={{ include "shop.image" . }}"]
      volumes:
        - name: models
          image: {reference: {{ .Values.kubectl }}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "@daily"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: report, image: {{ include "shop.image" . }}}]
---
apiVersion: batch/v1
kind: Job
metadata:
  name: before
  annotations: {helm.sh/hook: pre-install}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: migrate, image: {{ include "shop.image" . }}}]
---
apiVersion: v1
kind: List
metadata: {name: all}
items:
  - apiVersion: example.org/v1
    kind: SparkApplication
    metadata: {name: custom}
    spec: {image: {{ .Values.kubectl }}, driver: {cores: 1}}
"""
TEXTS = """\
{{- if .Values.spark }}
apiVersion: v1
kind: ConfigMap
metadata: {name: spark}
data:
  spark-defaults.conf: |
    # spark.kubernetes.container.image=commented/out:1
    spark.kubernetes.container.image.pullPolicy=Always
    spark.kubernetes.container.image={{ include "shop.image" . }}
    spark.kubernetes.driver.container.image   {{ .Values.kubectl }}
  executor.yaml: |
    apiVersion: v1
    kind: Pod
    spec:
      initContainers: [{name: first, image: {{ .Values.kubectl }}}]
      containers: [{name: executor, image: {{ include "shop.image" . }}}]
  dashboard.json: '{"image": "logo.png", "panels": [{"containers": 3}]}'
  notes.txt: "image: none/of:these"
{{- end }}
"""
TEST = """\
apiVersion: v1
kind: Pod
metadata:
  name: probe
  annotations: {helm.sh/hook: test}
spec:
  restartPolicy: Never
  containers: [{name: probe, image: {{ include "shop.image" . }}}]
"""
SHOP = {
    "Chart.yaml": CHART,
    "values.yaml": VALUES,
    ".helmignore": "# what is not for users\n*.orig\n/ci/\ndocs/*.txt\n",
    "ci/all-values.yaml": "spark: true\n",
    "docs/a.txt": "left out\n",
    "docs/a.md": "kept\n",
    "values.yaml.orig": "left out\n",
    "files/run.sh": "#!/bin/sh\nexec true\n",
    "templates/_image.tpl": (
        '{{- define "shop.image" -}}{{ with .Values.image }}'
        "{{ .registry }}/{{ .repository }}:{{ .tag }}{{ with .digest }}@{{ . }}{{ end }}{{ end }}{{- end -}}\n"
    ),
    "templates/objects.yaml": OBJECTS,
    "templates/texts.yaml": TEXTS,
    "templates/tests/probe.yaml": TEST,
    "templates/.hidden": "left out\n",
}
PACKED = (
    ".helmignore",
    "Chart.lock",
    "Chart.yaml",
    "charts/basis/.helmignore",
    "charts/basis/Chart.yaml",
    "charts/basis/README.md",
    "charts/basis/templates/_names.tpl",
    "docs/a.md",
    "files/run.sh",
    "templates/_image.tpl",
    "templates/objects.yaml",
    "templates/tests/probe.yaml",
    "templates/texts.yaml",
    "values.yaml",
)


def write_charts(charts: Path) -> None:
    """Put both into a folder of charts; ``shop`` has no Chart.lock yet."""
    for name, files in (("basis", BASIS), ("shop", SHOP)):
        for path, text in files.items():
            file = charts / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
