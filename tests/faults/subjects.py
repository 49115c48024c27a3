"""Sound texts of every kind that people write, small, with everything in them that a reader knows."""

from __future__ import annotations

from buildgraph.ledger import Ledger, LedgerEntry, format_ledger
from buildgraph.lock import format_lock
from buildgraph.pin import PinValues
from tests.samples import make_world

_DIGEST = "sha256:" + "ab" * 32
PIN = PinValues(registry="registry.example", repository="sample/shop", tag="1.0", digest=_DIGEST)
WORLD = make_world()
LOCK = format_lock(WORLD.lock)
LEDGER = format_ledger(Ledger(entries={"shop": LedgerEntry(key="1" * 64, digest=_DIGEST, tags=("1.0",))}))
MANIFESTS = {
    "manifests/project.yaml": """\
project: sample
epoch: 1767225600
platform: linux/amd64
registry: registry.example:5000
groups: {all: ["*"], shops: ["shop-*", latest]}
""",
    "manifests/pins.yaml": """\
pins:
  - image: latest
    file: charts/shop/values.yaml
    path: image
""",
    "manifests/layers/root.yaml": """\
layer: root
kind: rootfs
stage: os
description: A root
suite: bookworm
packages: [bash, tini]
hooks: [customize.sh]
""",
    "manifests/layers/app.yaml": """\
layer: app
kind: files
stage: intermediate
description: App {{ version }}
variants:
  "1": {version: "1.0"}
  "2": {version: "2.0"}
sources:
  dist: url:https://example.org/app-{{ version }}.tar.gz
  driver: maven:org.example:driver:42.7.*
files:
  - unpack: dist
    strip: "app-{{ version.split('.')[0] }}"
    to: /opt/app
    include: ["bin/**"]
    gunzip: true
    modes: {"bin/*": "0755"}
    owner: "185:0"
  - {place: driver, to: /opt/app/lib/, link: driver.jar}
  - {copy: run.sh, to: /opt/app/run.sh, mode: "0755"}
  - {write: /opt/app/VERSION, text: "{{ name }} {{ variant }}"}
  - {link: /usr/bin/app, target: /opt/app/run.sh}
  - {directory: /opt/app/work, mode: "0775"}
env: {APP_HOME: /opt/app}
prepend: {PATH: [/opt/app/bin]}
test_on: [root]
compression: none
budget: 1.5 MB
""",
    "manifests/layers/lib.yaml": """\
layer: lib
kind: python
stage: base
description: Libraries
parents: [app-1]
prefix: /opt/python
python: "3.10"
manylinux: x86_64-manylinux_2_28
requirements: ["numpy==2.2.6"]
exclude: ["**/tests/**"]
""",
    "manifests/layers/step.yaml": """\
layer: step
kind: dockerfile
stage: helper
description: A step
parents: [root, lib]
contexts: [app-2]
sources: {jdk: deb:openjdk}
args: {MODULES: "java.base"}
network: it asks its own mirror
""",
    "manifests/images/shop.yaml": """\
image: shop
stage: final
description: Shop {{ version }}
variants:
  plain: {version: "1", extra: ""}
  big: {version: "2", extra: step}
layers: [root, "app-{{ version }}", "{{ extra }}"]
config:
  user: "185:0"
  workdir: /srv
  entrypoint: [/usr/bin/tini, --, /srv/run]
  cmd: [serve]
  env: {HOME: /srv}
  labels: {org.example.title: "Shop {{ version }}"}
  ports: [8080, 8443]
  stop_signal: SIGTERM
repository: sample/shop
tags: ["{{ version }}", "{{ variant }}"]
aliases: {latest: plain}
overrides: {/etc/motd: the shop greets for itself}
budget: "{{ '1 GB' if extra else '500 MB' }}"
""",
}
TESTS = {name: (f"layers/{name}/test_{name}.py",) for name in ("app", "lib", "root", "shop", "step")}
VALUES = """\
# -- the image
image:            # one unit
  registry: registry.example   # the default
  repository: 'old/shop'
  tag: "0.9"
  digest: ""
defaults: &defaults {a: 1, b: [x, y]}
gpu:
  <<: *defaults
  image: {registry: a, "repository": b, tag: c, digest: ""}
other:
  - tag: keep   # me
  - |
    text
"""
CHART = """\
apiVersion: v2
annotations:
  artifacthub.io/images: |
    - name: shop
      image: registry.example/sample/shop:0.9
version: 0.1.0
"""
