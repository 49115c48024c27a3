"""Values that a schema must refuse, made from the schema: a typo, a wrong type, a word that is none of the choices.

Each kind of mistake is made at every place at once, since Helm names all that it finds.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tests.charts.gates.values import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.charts.gates.objects import Document

TYPO = "tpyo"
NO_CHOICE = "no-such-choice"
NO_MATCH = "\n\t no match"


def make_typos(schema: Document) -> dict[str, object]:
    """Path → a value for a key that no object names, in every object that takes no others."""
    return {
        f"{path}.{TYPO}" if path else TYPO: True
        for path, node in walk(schema)
        if node.get("properties") and node.get("additionalProperties") is False
    }


def make_wrong_types(schema: Document) -> dict[str, object]:
    """Path → a value of a type that the schema does not take there."""
    return {path: _of_another_type(node["type"]) for path, node in walk(schema) if _is_leaf(node) and "type" in node}


def make_wrong_choices(schema: Document) -> dict[str, object]:
    """Path → a word that is none of those that the schema lists there."""
    return {path: NO_CHOICE for path, node in walk(schema) if "enum" in node}


def make_mismatches(schema: Document) -> dict[str, object]:
    """Path → a text that the schema's pattern does not match."""
    return {path: NO_MATCH for path, node in walk(schema) if "pattern" in node and "string" in _types(node)}


def nest(flat: Mapping[str, object]) -> dict[str, Any]:
    """Values for Helm, from dotted paths."""
    values: dict[str, Any] = {}
    for path, value in flat.items():
        *way, last = path.split(".")
        target = values
        for key in way:
            target = target.setdefault(key, {})
        target[last] = value
    return values


def find_unrefused(paths: Iterable[str], output: str) -> list[str]:
    """Mistakes that Helm's answer does not name, in either of the ways in which Helms write a path."""
    return [f"{path} is taken" for path in paths if not _is_named(path, output)]


def walk(schema: Document, node: Document | None = None, path: str = "") -> Iterator[tuple[str, Document]]:
    """Dotted path and resolved node of everything that the schema names, the root with the empty path first."""
    resolved = resolve(schema, schema if node is None else node)
    yield path, resolved
    for key, below in (resolved.get("properties") or {}).items():
        yield from walk(schema, below, f"{path}.{key}" if path else key)


def _is_named(path: str, output: str) -> bool:
    parent, _, last = path.rpartition(".")
    if last != TYPO:
        return f"- {path}: " in output or f"- at '{_pointer(path)}': " in output
    old = f"- {parent or '(root)'}: Additional property {TYPO}"
    new = rf"- at '{re.escape(_pointer(parent))}': .*'{TYPO}'"
    return old in output or re.search(new, output) is not None


def _pointer(path: str) -> str:
    return "".join(f"/{part}" for part in path.split(".") if part)


def _is_leaf(node: Document) -> bool:
    return not node.get("properties")


def _types(node: Document) -> tuple[str, ...]:
    types = node.get("type", ())
    return (types,) if isinstance(types, str) else tuple(types)


def _of_another_type(types: object) -> object:
    wanted = json.dumps(types)
    choices = (("string", "wrong"), ("array", ["wrong"]), ("object", {"wrong": 1}))
    return next(value for name, value in choices if name not in wanted)
