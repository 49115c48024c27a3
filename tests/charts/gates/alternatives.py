"""Other values than the default that a schema takes: what a template must answer to if it reads the value at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tests.charts.gates.values import resolve

if TYPE_CHECKING:
    from tests.charts.gates.objects import Document

WORD = "changed"
TEXTS = (
    WORD,
    "changed.example",
    "changed.example:7777",
    "http://changed.example",
    "s3a://changed/x",
    "spark://changed.example:7777",
    "sc://changed.example:7777",
    "thrift://changed.example:7777",
    "/changed",
    "changed.jar",
    "7",
    "7.7.7",
    "7g",
    "7Gi",
    "7s",
    "7d",
    "700m",
    "sha256:" + "7" * 64,
)
"""Texts of the forms that values have; a schema takes some of them."""
OBJECTS: tuple[dict[str, object], ...] = (
    {"name": WORD},
    {"key": WORD, "operator": "Exists"},
    {f"spark.{WORD}": WORD},
    {WORD: WORD},
)


def alternatives(schema: Document, node: Document, default: object) -> Iterator[object]:
    """Values that differ from the default; whether the schema takes one is for the caller to ask."""
    node = resolve(schema, node)
    for candidate in _candidates(schema, node, default):
        if candidate != default:
            yield candidate


def overlap(path: str, flat: Mapping[str, object]) -> int:
    """How many keys a path shares with the nearest one of an overlay: the higher, the more is the overlay about it."""
    keys = path.split(".")
    return max((_shared(keys, other.split(".")) for other in flat), default=0)


def _shared(first: list[str], second: list[str]) -> int:
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return count


def _candidates(schema: Document, node: Document, default: object) -> Iterator[object]:
    if "enum" in node:
        yield from node["enum"]
        return
    types = node.get("type", ())
    for each in (types,) if isinstance(types, str) else types or ("string", "object"):
        yield from _of_type(each, schema, node, default)


def _of_type(name: str, schema: Document, node: Document, default: object) -> Iterator[object]:
    match name:
        case "boolean":
            yield from (True, False)
        case "integer" | "number":
            number = default if isinstance(default, int | float) else 0
            yield from (number + 1, number - 1, 7, 0.5 if name == "number" else 70)
        case "string":
            yield from TEXTS
        case "array":
            items = resolve(schema, node.get("items") or {})
            yield from ([item] for item in _candidates(schema, items, None))
        case "object":
            yield from _objects(schema, node)


def _objects(schema: Document, node: Document) -> Iterator[object]:
    for key, below in (node.get("properties") or {}).items():
        for candidate in alternatives(schema, below, None):
            yield {key: candidate}
    rest = node.get("additionalProperties")
    if isinstance(rest, Mapping):
        for candidate in alternatives(schema, rest, None):
            yield from ({key: candidate} for key in (WORD, f"spark.{WORD}"))
    elif rest is not False:
        yield from OBJECTS
