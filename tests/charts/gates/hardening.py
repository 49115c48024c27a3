"""What every pod has beyond the Pod Security Standards: sealed root file systems, resources, probes, no stray token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.charts.gates.objects import Document, Pod, containers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

QUANTITY = re.compile(r"(?:\d+|\d*\.\d+)(?:[eE][-+]?\d+|[numkMGTPE]|[KMGTPE]i)?")
WRITABLE = frozenset({"emptyDir", "ephemeral", "persistentVolumeClaim"})
SCRATCH = "/tmp"


def find_unsealed(pods: Iterable[Pod]) -> list[str]:
    """Containers whose root file system can be written, that have no place to write to, or whose mounts do not fit."""
    return [
        f"{pod.where}, {container['name']}: {problem}"
        for pod in pods
        for container in containers(pod)
        for problem in _unsealed(pod, container)
    ]


def find_unlimited(pods: Iterable[Pod]) -> list[str]:
    """Containers without requests, or without a limit of memory. Spark gives executors theirs."""
    return [
        f"{pod.where}, {container['name']}: {problem}"
        for pod in pods
        if not pod.is_template
        for container in containers(pod)
        for problem in _unlimited(container.get("resources") or {})
    ]


def find_unprobed(pods: Iterable[Pod]) -> list[str]:
    """Containers of servers that traffic reaches too early, or that hang unseen."""
    return [
        f"{pod.where}, {container['name']}: no {missing}"
        for pod in pods
        if pod.is_server
        for container in _running(pod)
        for missing in _unprobed(container)
    ]


def find_stray_tokens(pods: Iterable[Pod]) -> list[str]:
    """Pods that do not say whether they get the token of their service account."""
    return [
        f"{pod.where}: automountServiceAccountToken is not said"
        for pod in pods
        if not isinstance(pod.spec.get("automountServiceAccountToken"), bool)
    ]


def _unsealed(pod: Pod, container: Document) -> Iterator[str]:
    if (container.get("securityContext") or {}).get("readOnlyRootFilesystem") is not True:
        yield "readOnlyRootFilesystem is not true"
    volumes = {volume["name"]: volume for volume in pod.spec.get("volumes") or ()}
    mounts = container.get("volumeMounts") or ()
    paths = [mount["mountPath"] for mount in mounts]
    yield from (f"{path} is mounted twice" for path in sorted({path for path in paths if paths.count(path) > 1}))
    for mount in mounts:
        if mount["name"] not in volumes.keys() | pod.claims:
            yield f"there is no volume {mount['name']}"
    scratch = {mount["name"] for mount in mounts if mount["mountPath"] == SCRATCH and not mount.get("readOnly")}
    if not scratch & pod.claims and not any(WRITABLE & volumes.get(name, {}).keys() for name in scratch):
        yield f"{SCRATCH} is no volume that can be written"


def _unlimited(resources: Document) -> Iterator[str]:
    wanted = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))
    for group, name in wanted:
        if name not in (resources.get(group) or {}):
            yield f"no {group}.{name}"
    for group in ("requests", "limits"):
        for name, quantity in (resources.get(group) or {}).items():
            if not QUANTITY.fullmatch(str(quantity)):
                yield f"{group}.{name} is no quantity: {quantity}"


def _running(pod: Pod) -> Iterator[Document]:
    """Containers that run as long as the pod, sidecars among the init containers too."""
    yield from pod.spec.get("containers") or ()
    yield from (each for each in pod.spec.get("initContainers") or () if each.get("restartPolicy") == "Always")


def _unprobed(container: Document) -> Iterator[str]:
    if "readinessProbe" not in container:
        yield "readinessProbe"
    if not {"livenessProbe", "startupProbe"} & container.keys():
        yield "livenessProbe or startupProbe"
