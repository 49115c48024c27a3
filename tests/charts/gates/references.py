"""What an object names is there: config maps and their keys, service accounts, roles, claims, headless services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.charts.gates.objects import Document, Pod, containers, describe, find_pods

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def find_missing(objects: Sequence[Document], given: frozenset[str] = frozenset()) -> list[str]:
    """Names that lead nowhere; Secrets are the user's, and so is what has one of the ``given`` names."""
    here = {describe(each) for each in objects}
    keys = {each["metadata"]["name"]: _keys(each) for each in objects if each.get("kind") == "ConfigMap"}
    missing = [(pod.where, name) for pod in find_pods(objects) for name in _wanted(pod)]
    missing += [(describe(each), name) for each in objects for name in _named(each)]
    problems = [
        f"{where}: there is no {name}"
        for where, name in dict.fromkeys(missing)
        if name not in here and name.partition(" ")[2] not in given
    ]
    return problems + [f"{pod.where}: {problem}" for pod in find_pods(objects) for problem in _items(pod, keys)]


def _wanted(pod: Pod) -> Iterator[str]:
    account = pod.spec.get("serviceAccountName", "default")
    if account != "default":
        yield f"ServiceAccount {account}"
    yield from (f"ConfigMap {source['name']}" for source in _config_maps(pod) if not source.get("optional"))
    for volume in pod.spec.get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            yield f"PersistentVolumeClaim {volume['persistentVolumeClaim']['claimName']}"


def _config_maps(pod: Pod) -> Iterator[Document]:
    for volume in pod.spec.get("volumes") or ():
        sources = [volume, *((volume.get("projected") or {}).get("sources") or ())]
        yield from (source["configMap"] for source in sources if "configMap" in source)
    for container in containers(pod):
        yield from (source["configMapRef"] for source in container.get("envFrom") or () if "configMapRef" in source)
        for variable in container.get("env") or ():
            reference = (variable.get("valueFrom") or {}).get("configMapKeyRef")
            if reference:
                yield {**reference, "items": [{"key": reference["key"]}]}


def _items(pod: Pod, keys: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for source in _config_maps(pod):
        known = keys.get(source["name"])
        for item in source.get("items") or ():
            if known is not None and item["key"] not in known:
                yield f"ConfigMap {source['name']} has no key {item['key']}"


def _keys(config_map: Document) -> frozenset[str]:
    return frozenset([*(config_map.get("data") or {}), *(config_map.get("binaryData") or {})])


def _named(each: Document) -> Iterator[str]:
    kind, spec = each.get("kind", ""), each.get("spec") or {}
    if kind == "StatefulSet" and spec.get("serviceName"):
        yield f"Service {spec['serviceName']}"
    elif kind == "RoleBinding":
        yield f"{each['roleRef']['kind']} {each['roleRef']['name']}"
        for subject in each.get("subjects") or ():
            if subject["kind"] == "ServiceAccount" and subject["name"] != "default":
                yield f"ServiceAccount {subject['name']}"
