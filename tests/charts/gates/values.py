"""Values and their schema: the same keys in both, every one of them read, and presets that set no other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.charts.gates.objects import Document

FROM_PARENTS = frozenset({"global", "enabled"})
"""Keys that a parent chart hands to every chart below it."""


def walk_values(values: Document, schema: Document, path: str = "") -> Iterator[tuple[str, object]]:
    """Dotted path and default of each leaf: where the schema stops naming keys."""
    for key, value in values.items():
        below = properties(schema, path + key)
        if below and isinstance(value, Mapping):
            yield from walk_values(value, schema, f"{path}{key}.")
        else:
            yield path + key, value


def walk_schema(schema: Document, path: str = "") -> Iterator[str]:
    """Dotted path of each leaf that the schema names."""
    for key in properties(schema, path):
        below = f"{path}.{key}" if path else key
        if properties(schema, below):
            yield from walk_schema(schema, below)
        else:
            yield below


def describe(schema: Document, path: str) -> Document:
    """What the schema says about the value at ``path``; empty when it says nothing."""
    node: Document = resolve(schema, schema)
    for key in path.split(".") if path else ():
        others = node.get("additionalProperties")
        unnamed = others if isinstance(others, dict) else {}
        node = resolve(schema, (node.get("properties") or {}).get(key, unnamed))
    return node


def properties(schema: Document, path: str) -> Document:
    """The keys that the schema names below ``path``."""
    found: Document = describe(schema, path).get("properties") or {}
    return found


def resolve(schema: Document, node: Document) -> Document:
    """A node with what its reference and its ``allOf`` say."""
    merged: dict[str, object] = {}
    if "$ref" in node:
        target: Document = schema
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        merged |= resolve(schema, target)
    for part in node.get("allOf") or ():
        more = resolve(schema, part)
        known = merged.get("properties")
        merged |= {**more, "properties": {**(known if isinstance(known, dict) else {}), **more.get("properties", {})}}
    return merged | {key: value for key, value in node.items() if key not in {"$ref", "allOf"}}


def find_drift(values: Document, schema: Document, handed: frozenset[str] = frozenset()) -> list[str]:
    """Keys that values or schema have alone, and those that the schema does not describe.

    ``handed`` are keys that Helm itself adds: those of the charts that this one depends on.
    """
    problems = [f"{path} is in values, not in the schema" for path in _unknown(values, schema, schema)]
    problems += [
        f"{path} is in the schema, not in values" for path in _missing(values, schema, schema) if path not in handed
    ]
    return problems + [
        f"{path} is not described"
        for path in dict.fromkeys(walk_schema(schema))
        if path not in FROM_PARENTS and not describe(schema, path).get("description")
    ]


def find_unknown(overlay: Document, schema: Document) -> list[str]:
    """Keys of a preset that the schema does not name."""
    return [f"{path} is no key of the chart" for path in _unknown(overlay, schema, schema)]


def find_open(schema: Document, node: Document | None = None, path: str = "") -> list[str]:
    """Objects that name keys and take any other as well, so that a typo would pass."""
    node = resolve(schema, schema if node is None else node)
    keys: Document = node.get("properties") or {}
    open_here = bool(keys) and node.get("additionalProperties") is not False and path != "global"
    problems = [f"{path or 'the root'} takes keys that it does not name"] if open_here else []
    for key, below in keys.items():
        problems += find_open(schema, below, f"{path}.{key}" if path else key)
    return problems


def find_missing_parents(schema: Document) -> list[str]:
    """Keys that a parent chart sets and that a strict schema forgets to take."""
    return [f"{key} is not taken, as a subchart must" for key in sorted(FROM_PARENTS - properties(schema, "").keys())]


def find_idle(overlay: Document, values: Document, path: str = "") -> list[str]:
    """Leaves of a preset that say what the chart's defaults say anyway."""
    problems = []
    for key, value in overlay.items():
        below = f"{path}.{key}" if path else str(key)
        default = values.get(key)
        if isinstance(value, Mapping) and value and isinstance(default, Mapping):
            problems += find_idle(value, default, below)
        elif value == default and type(value) is type(default):
            problems.append(f"{below} is the default")
    return problems


def mentioned(paths: Iterable[str], templates: Sequence[str]) -> frozenset[str]:
    """Leaves whose whole path stands in a template."""
    text = "\n".join(templates)
    return frozenset(path for path in paths if re.search(rf"\.Values\.{re.escape(path)}\b(?!\.)", text))


def leaves(values: Document, path: str = "") -> Iterator[tuple[str, object]]:
    """Dotted path and default of everything in values that has nothing below it."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def laid(overlays: Iterable[Document]) -> dict[str, Any]:
    """Values laid over each other as Helm does it: maps key by key, of all else the last counts."""
    values: dict[str, Any] = {}
    for overlay in overlays:
        for key, value in overlay.items():
            below = values.get(key)
            if isinstance(value, Mapping) and isinstance(below, Mapping):
                values[key] = laid([below, value])
            else:
                values[key] = value
    return values


def _unknown(values: Document, schema: Document, node: Document, path: str = "") -> Iterator[str]:
    node = resolve(schema, node)
    keys: Document = node.get("properties") or {}
    for key, value in values.items():
        below = f"{path}{key}"
        if key in keys and isinstance(value, Mapping):
            yield from _unknown(value, schema, keys[key], f"{below}.")
        elif key not in keys and keys and node.get("additionalProperties") is False:
            yield below


def _missing(values: Document, schema: Document, node: Document, path: str = "") -> Iterator[str]:
    """What is empty by default leaves its keys out, and so may a block that a definition describes."""
    for key, below in (resolve(schema, node).get("properties") or {}).items():
        value = values.get(key)
        if key not in values and (path or key not in FROM_PARENTS):
            yield f"{path}{key}"
        elif isinstance(value, Mapping) and value and "$ref" not in below:
            yield from _missing(value, schema, below, f"{path}{key}.")
