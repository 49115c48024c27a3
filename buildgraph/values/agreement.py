"""Whether values and their schema name the same keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buildgraph.errors import ManifestError, quote, suggest
from buildgraph.manifest.document import YamlMapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from buildgraph.values.schema import Field, Schema

_LIKENESS = 0.7


def find_unknown(values: YamlMapping, field: Field, file: str, path: str = "") -> Iterator[ManifestError]:
    """Every key that the field does not have, with its line."""
    for key, value in values.items:
        below = f"{path}.{key.text}".lstrip(".")
        known = field.fields.get(key.text)
        if known is None and field.fields and not field.is_open:
            hint = suggest(key.text, field.fields, likeness=_LIKENESS) or f"known here: {', '.join(field.fields)}"
            yield ManifestError(f"unknown key {quote(below)}", where=f"{file}:{key.line}", hint=hint)
        elif known is not None and isinstance(value, YamlMapping):
            yield from find_unknown(value, known, file, below)


def find_missing(values: YamlMapping, schema: Schema, file: str) -> Iterator[ManifestError]:
    """Every key of the schema for which values.yaml gives no default."""
    for path in _list_missing(values, schema.root, ""):
        hint = f"give it one, or take it out of {schema.file}"
        yield ManifestError(f"there is no default for {path}", where=file, hint=hint)


def _list_missing(values: YamlMapping, field: Field, path: str) -> Iterator[str]:
    """A block may leave keys out, and so may what is empty by default."""
    written = {key.text: value for key, value in values.items}
    for key, known in field.fields.items():
        below = f"{path}.{key}".lstrip(".")
        value = written.get(key)
        if known.set_by:
            continue
        if value is None:
            yield below
        elif isinstance(value, YamlMapping) and value.items and not known.block:
            yield from _list_missing(value, known, below)
