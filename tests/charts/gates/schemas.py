"""Every object is valid by the schema of its kind, and has no field that Kubernetes does not know.

Kubernetes' own kinds are checked by the strict schemas that the package kubernetes-validate has, made from Kubernetes'
OpenAPI documents; kinds of others by the schemas in ``tests/charts/schemas``.
"""

from __future__ import annotations

import json
import re
import zipfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema_rs

from tests.charts.gates.objects import Document, describe, find_pods

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Find = Callable[[str, str], "jsonschema_rs.Validator | None"]

OF_OTHERS = Path(__file__).parents[1] / "schemas"
DEFINITIONS = "json:///api/_definitions.json"
_ROOT = "kubernetes_validate/kubernetes-json-schema"


def find_invalid(objects: Iterable[Document], find: Find) -> list[str]:
    """Objects, and pods in templates of ConfigMaps, that the schema of their kind refuses; kinds without a schema."""
    problems = []
    for each in objects:
        problems += [f"{describe(each)}: {problem}" for problem in _invalid(each, find)]
        if each.get("kind") == "ConfigMap":
            for pod in find_pods([each]):
                template = {"apiVersion": "v1", "kind": "Pod", "metadata": pod.metadata, "spec": pod.spec}
                problems += [f"{pod.where}: {problem}" for problem in _invalid(template, find)]
    return problems


def load_schemas(archive: Path, version: str, of_others: Path = OF_OTHERS) -> Find:
    """The schemas of a version of Kubernetes (``1.37.0``), read from the package's wheel as they are asked for."""
    members = zipfile.ZipFile(archive)
    folder = f"{_ROOT}/v{version}-local-strict"
    names = frozenset(members.namelist())
    definitions = json.loads(members.read(f"{folder}/_definitions.json"))
    registry = jsonschema_rs.Registry([(DEFINITIONS, definitions)])

    @cache
    def find(api_version: str, kind: str) -> jsonschema_rs.Validator | None:
        own = f"{folder}/{file_name(api_version, kind)}"
        other = of_others / file_name(api_version, kind)
        if own in names:
            schema = json.loads(members.read(own))
            return jsonschema_rs.Draft4Validator(_absolute(schema), registry=registry)
        if other.exists():
            return jsonschema_rs.Draft7Validator(json.loads(other.read_text(encoding="utf-8")))
        return None

    return find


def file_name(api_version: str, kind: str) -> str:
    """What the file with a kind's schema is called: the kind, the first word of the group, the version."""
    group, _, version = api_version.rpartition("/")
    return "-".join(part for part in (kind, group.split(".")[0], version) if part).lower() + ".json"


def versions(archive: Path) -> list[str]:
    """The versions of Kubernetes that the package knows, the oldest first."""
    found = set(re.findall(rf"{_ROOT}/v([\d.]+)-local-strict/", "\n".join(zipfile.ZipFile(archive).namelist())))
    return sorted(found, key=lambda version: [int(part) for part in version.split(".")])


def _invalid(each: Document, find: Find) -> Iterator[str]:
    validator = find(str(each.get("apiVersion", "")), str(each.get("kind", "")))
    if validator is None:
        yield f"there is no schema of {each.get('kind')} in {each.get('apiVersion')}"
        return
    for error in validator.iter_errors(each):
        yield f"{'.'.join(str(part) for part in error.instance_path)}: {error.message[:300]}"


def _absolute(schema: Mapping[str, object]) -> dict[str, object]:
    text = json.dumps(schema).replace('"/api/_definitions.json', f'"{DEFINITIONS}')
    loaded: dict[str, object] = json.loads(text)
    return loaded
