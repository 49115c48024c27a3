"""A chart's schema of values: its YAML source, as the JSON that Helm reads and as fields for all others that ask."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from buildgraph.errors import ManifestError, raise_all, suggest
from buildgraph.manifest.document import parse_document
from buildgraph.values.document import Json, to_mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from buildgraph.errors import BuildgraphError

    Node: TypeAlias = Mapping[str, Json]

_REFERENCE = "#/definitions/"
_BLOCK = "x-block"
_SET_BY = "x-set-by"
_NOTHING: Node = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A key of the values, or all of them.

    ``fields``: the keys below it; where there are none it is a leaf, whatever it holds. ``is_open``: it takes keys that
    nobody named. ``choices``: the words that it may hold, where these are listed. ``block``: the definition that
    explains it, where that is done once for all. ``set_by``: who writes a key that is not in values.yaml.
    """

    description: str
    fields: Mapping[str, Field]
    is_open: bool = False
    choices: tuple[str, ...] = ()
    block: str = ""
    set_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """``file`` is the source. ``document`` is what Helm gets, without marks of ours and closed to unknown keys.

    ``blocks``: the definitions in use that explain themselves once for all, by name.
    """

    file: str
    root: Field
    blocks: Mapping[str, Field]
    document: Node


def read_definitions(text: str, file: str) -> Node:
    """The definitions of a source, which that of another chart may refer to."""
    return _mapping(to_mapping(parse_document(text, file)).get("definitions"))


def read_schema(text: str, file: str, shared: Node = _NOTHING) -> Schema:
    """The schema of a source; definitions that it has not are ``shared`` ones.

    Raises:
        ManifestError: or a group, for references to nothing and for keys without a description.
    """
    source = to_mapping(parse_document(text, file))
    definitions = {**shared, **_mapping(source.pop("definitions", None))}
    used = _find_used(source, definitions, file)
    root = _read_field(source, used)
    raise_all(
        [
            ManifestError(f"{path} has no description", where=file)
            for path, field in _walk(root)
            if not field.description
        ]
    )
    closed: dict[str, Json] = {"definitions": {name: _close(node) for name, node in used.items()}} if used else {}
    blocks = {name: _read_field(node, used) for name, node in used.items() if node.get(_BLOCK)}
    return Schema(file=file, root=root, blocks=MappingProxyType(blocks), document={**_close(source), **closed})


def format_schema(schema: Schema) -> str:
    """The text of ``values.schema.json``."""
    return json.dumps(schema.document, indent=1, ensure_ascii=False) + "\n"


def _find_used(source: Node, definitions: Node, file: str) -> dict[str, Node]:
    """The definitions that the source refers to, and those that these refer to; by name, in the order of names."""
    used: dict[str, Node] = {}
    errors: list[BuildgraphError] = []
    names = list(_list_references(source))
    while names:
        name = names.pop()
        if name in used:
            continue
        if name not in definitions:
            hint = suggest(name, definitions)
            errors.append(ManifestError(f"there is no definition {name}", where=file, hint=hint))
        used[name] = _mapping(definitions.get(name))
        names += _list_references(used[name])
    raise_all(errors)
    return dict(sorted(used.items()))


def _list_references(value: Json) -> Iterator[str]:
    """The names of definitions, wherever they are referred to."""
    if isinstance(value, Mapping):
        for word, below in value.items():
            if word == "$ref":
                yield str(below).removeprefix(_REFERENCE)
            else:
                yield from _list_references(below)
    elif isinstance(value, list):
        for item in value:
            yield from _list_references(item)


def _read_field(node: Node, definitions: Mapping[str, Node]) -> Field:
    name = str(node.get("$ref", "")).removeprefix(_REFERENCE)
    both = {**definitions.get(name, _NOTHING), **node}
    fields = {key: _read_field(_mapping(each), definitions) for key, each in _mapping(both.get("properties")).items()}
    choices = both.get("enum")
    return Field(
        description=str(both.get("description", "")),
        fields=MappingProxyType(fields),
        is_open=both.get("additionalProperties", False) is not False,
        choices=tuple(map(str, choices)) if isinstance(choices, list) else (),
        block=name if both.get(_BLOCK) else "",
        set_by=str(both.get(_SET_BY, "")),
    )


def _walk(field: Field, path: str = "") -> Iterator[tuple[str, Field]]:
    for key, each in field.fields.items():
        below = f"{path}.{key}".lstrip(".")
        yield below, each
        yield from _walk(each, below)


def _close(node: Node) -> dict[str, Json]:
    """The same without marks of ours; what names its keys is an object and takes no others."""
    closed: dict[str, Json] = {"type": "object"} if "properties" in node and "type" not in node else {}
    for word, value in node.items():
        if word == "properties":
            closed[word] = {key: _close(_mapping(each)) for key, each in _mapping(value).items()}
        elif word in {"items", "additionalProperties"} and isinstance(value, Mapping):
            closed[word] = _close(value)
        elif not word.startswith("x-"):
            closed[word] = value
    if "properties" in node:
        closed.setdefault("additionalProperties", False)
    return closed


def _mapping(value: Json) -> Node:
    """The value, or an empty mapping where a schema wants one and there is none."""
    return value if isinstance(value, Mapping) else _NOTHING
