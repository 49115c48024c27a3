"""YAML documents of charts as the values that Helm sees, from a reader that refuses what nobody means."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import yaml

from buildgraph.manifest.document import YamlMapping, YamlScalar, YamlValue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

_TYPED = frozenset(("null", "bool", "int", "float"))


def to_mapping(document: YamlMapping) -> dict[str, Json]:
    """The same mapping as plain values, in the order written."""
    return {key.text: to_json(value) for key, value in document.items}


def to_json(value: YamlValue) -> Json:
    """Numbers, truth values and nothing as such; all else that stands alone, dates too, is text."""
    if isinstance(value, YamlScalar):
        loaded: Json = yaml.safe_load(value.text) if value.tag in _TYPED else value.text
        return loaded
    if isinstance(value, YamlMapping):
        return to_mapping(value)
    return [to_json(item) for item in value.items]


def at(document: YamlMapping, key: str) -> YamlValue | None:
    """What stands under a key."""
    return next((value for name, value in document.items if name.text == key), None)
