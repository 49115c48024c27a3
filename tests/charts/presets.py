"""Sets of values that between them turn everything in the chart on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.charts.rendering import Document

DIGEST = "sha256:" + "ab" * 32
OTHER_DIGEST = "sha256:" + "cd" * 32
EVERYTHING: Document = {
    "backend": "k8s",
    "gpu": {"enabled": True, "runtimeClassName": "nvidia", "image": {"pullSecrets": ["own"]}},
    "global": {"imageRegistry": "mirror.example:5000", "imagePullSecrets": ["shared", {"name": "own"}]},
    "connect": {"replicas": 2, "service": {"annotations": {"a": "b"}}},
    "executor": {
        "dynamicAllocation": {"enabled": True},
        "memoryOverhead": "1g",
        "requestCores": "500m",
        "limitCores": "2",
        "serviceAccountName": "cloud",
        "nodeSelector": {"gpu": "yes"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
    },
    "s3": {"endpoint": "https://s3.example", "region": "eu-1", "existingSecret": "s3-keys"},
    "eventLog": {"enabled": True, "dir": "s3a://spark-logs/4.1/events"},
    "networkPolicy": {
        "allowExternal": False,
        "extraIngressFrom": [{"namespaceSelector": {}}],
        "allowExternalEgress": False,
        "extraEgress": [{"ports": [{"port": 443}]}],
    },
    "serviceAccount": {"annotations": {"role": "x"}},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}],
    "podAnnotations": {"note": "x"},
    "podLabels": {"team": "data"},
    "extraEnv": [{"name": "TZ", "value": "UTC"}],
    "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
    "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ca"}],
    "extraObjects": [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "{{ .Release.Name }}-map"}},
        "apiVersion: v1\nkind: Secret\nmetadata: {name: '{{ .Release.Name }}-text'}\n",
    ],
}
PRESETS: dict[str, Document] = {
    "default": {},
    "k8s": {"backend": "k8s"},
    "gpu": {"gpu": {"enabled": True}},
    "gpu-k8s": {"backend": "k8s", "gpu": {"enabled": True}},
    "everything": EVERYTHING,
}
