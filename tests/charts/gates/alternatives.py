"""Other values than the default that a schema takes: what a template must answer to if it reads the value at all.

Each has a number in it, so a render shows which of many changed values it has read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from tests.charts.gates.values import resolve

if TYPE_CHECKING:
    from tests.charts.gates.objects import Document

TEXTS = (
    "changed{0}",
    "changed{0}.example",
    "changed.example:{0}",
    "http://changed{0}.example",
    "s3a://changed{0}/x",
    "spark://changed{0}.example:7077",
    "sc://changed{0}.example:15002",
    "thrift://changed{0}.example:9083",
    "/changed{0}",
    "changed{0}.jar",
    "{0}",
    "0.0.{0}",
    "{0}.7.7",
    "{0}g",
    "{0}Gi",
    "{0}s",
    "{0}d",
    "{0}m",
    "sha256:{0:064d}",
)
"""Texts of the forms that values have; a schema takes some of them."""


def alternatives(schema: Document, node: Document, default: object, number: int = 7777) -> Iterator[object]:
    """Values that differ from the default; whether the schema takes one is for the caller to ask."""
    node = resolve(schema, node)
    for candidate in _candidates(schema, node, default, number):
        if candidate != default:
            yield candidate


def _candidates(schema: Document, node: Document, default: object, number: int) -> Iterator[object]:
    if "enum" in node:
        yield from node["enum"]
        return
    types = node.get("type", ())
    for each in (types,) if isinstance(types, str) else types or ("string", "object"):
        match each:
            case "boolean":
                yield from (True, False)
            case "integer" | "number":
                known = default if isinstance(default, int | float) else 0
                yield from (number, known + 1, known - 1, 7, 0.5 if each == "number" else 70)
            case "string":
                yield from (text.format(number) for text in TEXTS)
            case "array":
                items = resolve(schema, node.get("items") or {})
                yield from ([item] for item in _candidates(schema, items, None, number))
            case "object":
                yield from _objects(schema, node, number)


def _objects(schema: Document, node: Document, number: int) -> Iterator[object]:
    for key, below in (node.get("properties") or {}).items():
        for candidate in alternatives(schema, below, None, number):
            yield {key: candidate}
    word, rest = f"changed{number}", node.get("additionalProperties")
    if isinstance(rest, Mapping):
        for candidate in alternatives(schema, rest, None, number):
            yield from ({key: candidate} for key in (word, f"spark.{word}"))
    elif rest is not False:
        yield from ({"name": word}, {"key": word, "operator": "Exists"}, {f"spark.{word}": word}, {word: word})
