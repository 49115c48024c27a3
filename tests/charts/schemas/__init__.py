"""Schemas of kinds that are not Kubernetes' own: made from what their projects publish as Go modules, and Route.

``python -m tests.charts.schemas`` makes them anew: Gateway API's module has the definitions, those of the Prometheus
operator are generated from its types by the Kubernetes project's own controller-gen. ``route-route-v1.json`` is written
by hand: the module with OpenShift's types that the proxy has is of 2017. It follows the type Route of
github.com/openshift/api, route/v1/types.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = frozenset({"ServiceMonitor", "PodMonitor", "PrometheusRule", "HTTPRoute", "GRPCRoute"})
DROPPED = frozenset({"description", "format", "default", "example"})
"""What a schema says to people, and to others than a validator."""
META = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "namespace": {"type": "string"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}


def strict_schemas(definition: Mapping[str, Any], source: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """API version, kind and strict JSON schema of each version that a CustomResourceDefinition serves."""
    spec = definition["spec"]
    for version in spec["versions"]:
        if version["served"]:
            api_version, kind = f"{spec['group']}/{version['name']}", spec["names"]["kind"]
            schema = close(version["schema"]["openAPIV3Schema"])
            schema["properties"] |= {"apiVersion": {"const": api_version}, "kind": {"const": kind}, "metadata": META}
            schema["required"] = ["apiVersion", "kind", "metadata", "spec"]
            yield api_version, kind, {"$comment": source, **schema}


def close(node: Mapping[str, Any]) -> dict[str, Any]:
    """A structural schema as Draft 7 that takes no field which it does not name."""
    kept = {key: value for key, value in node.items() if key not in DROPPED and not key.startswith("x-kubernetes-")}
    for key in ("items", "additionalProperties"):
        if isinstance(kept.get(key), Mapping):
            kept[key] = close(kept[key])
    # A part of a condition names the few fields that it is about.
    for key in ("allOf", "anyOf", "oneOf"):
        if key in kept:
            kept[key] = [{**close(part), "additionalProperties": True} for part in kept[key]]
    if "not" in kept:
        kept["not"] = {**close(kept["not"]), "additionalProperties": True}
    # Go's flags inside a pattern mean nothing to others.
    if "(?" in kept.get("pattern", ""):
        del kept["pattern"]
    if "properties" in kept:
        kept["properties"] = {name: close(below) for name, below in kept["properties"].items()}
        if not node.get("x-kubernetes-preserve-unknown-fields"):
            kept.setdefault("additionalProperties", False)
    if node.get("x-kubernetes-int-or-string"):
        kept.pop("anyOf", None)
        kept["type"] = ["integer", "string"]
    return kept
