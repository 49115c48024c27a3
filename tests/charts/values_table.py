"""The table of values in a chart's README, from its values and its schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    # What a YAML or JSON object holds is known only by the schema.
    Document: TypeAlias = Mapping[str, Any]

CHART = Path(__file__).parents[2] / "charts/spark-4.1"
SECTION = re.compile(r"(?<=<!-- values -->\n).*(?=<!-- /values -->)", re.DOTALL)


def walk_values(values: Document, schema: Document, path: str = "") -> Iterator[tuple[str, object]]:
    """Dotted path and default of each leaf: where the schema stops naming keys."""
    for key, value in values.items():
        below = properties(schema, path + key)
        if below and isinstance(value, dict):
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
    node: Document = schema
    for key in path.split(".") if path else ():
        node = _resolve(schema, node).get("properties", {}).get(key, {})
    return _resolve(schema, node)


def properties(schema: Document, path: str) -> Document:
    """The keys that the schema names below ``path``."""
    found: Document = describe(schema, path).get("properties", {})
    return found


def render_table(values: Document, schema: Document) -> str:
    """A Markdown table with one line for each value."""
    lines = ["| value | default | meaning |", "|---|---|---|"]
    for path, default in walk_values(values, schema):
        meaning = str(describe(schema, path)["description"]).replace("|", r"\|")
        # A digest moves with every pin; the page must not.
        shown = "pinned" if path.endswith(".digest") else f"`{json.dumps(default)}`"
        lines.append(f"| `{path}` | {shown} | {meaning} |")
    return "\n".join(lines) + "\n"


def insert_table(readme: str, table: str) -> str:
    """The README with the table between its two markers."""
    return SECTION.sub(lambda _: table, readme)


def load_values() -> dict[str, Any]:
    """The chart's default values."""
    loaded: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    return loaded


def load_schema() -> dict[str, Any]:
    """The schema of the chart's values."""
    loaded: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    return loaded


def _resolve(schema: Document, node: Document) -> Document:
    if "$ref" not in node:
        return node
    target = schema["definitions"][node["$ref"].removeprefix("#/definitions/")]
    return {**target, **node}


if __name__ == "__main__":
    page = CHART / "README.md"
    text = insert_table(page.read_text(encoding="utf-8"), render_table(load_values(), load_schema()))
    page.write_text(text, encoding="utf-8")
