"""The names that manifests give, as far as they can be read: for completion, where a catalogue may be half written."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from buildgraph.errors import ManifestError
from buildgraph.manifest.catalogue import IMAGES_FOLDER, LAYERS_FOLDER, PROJECT_FILE
from buildgraph.manifest.document import parse_document
from buildgraph.manifest.layers import PACKAGES, REQUIREMENTS, opener, read_variants

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from buildgraph.manifest.fields import Fields


class Named(StrEnum):
    """What has a name."""

    IMAGE = "image"
    ALIAS = "alias"
    GROUP = "group"
    LAYER = "layer"
    SOURCE = "source"


def find_names(texts: Mapping[str, str], wanted: Iterable[Named]) -> dict[str, Named]:
    """The names of what is wanted in manifests by path, in that order; a name of two things is the first one's.

    A document that cannot be read gives none, and nothing is checked against anything else.
    """
    found: dict[Named, list[str]] = {kind: [] for kind in wanted}
    for file, text in sorted(texts.items()):
        try:
            fields = opener(parse_document(text, file), file, [])({})
        except ManifestError:
            continue
        for kind, name in _read_names(file, fields):
            if kind in found:
                found[kind].append(name)
    names: dict[str, Named] = {}
    for kind, entries in found.items():
        for name in entries:
            names.setdefault(name, kind)
    return names


def _read_names(file: str, fields: Fields) -> Iterator[tuple[Named, str]]:
    if file == PROJECT_FILE:
        yield from ((Named.GROUP, name) for name in fields.lists("groups"))
    elif file.startswith(LAYERS_FOLDER):
        yield from ((Named.LAYER, name) for name in _read_nodes(fields, "layer"))
        yield from ((Named.SOURCE, name) for name in _read_keys(fields, "sources"))
        yield from ((Named.SOURCE, name) for name in (PACKAGES, REQUIREMENTS) if fields.has(name))
    elif file.startswith(IMAGES_FOLDER):
        yield from ((Named.IMAGE, name) for name in _read_nodes(fields, "image"))
        yield from ((Named.ALIAS, name) for name in _read_keys(fields, "aliases"))


def _read_nodes(fields: Fields, kind: str) -> list[str]:
    name = fields.name(kind)
    return [variant.node for variant in read_variants(fields, kind, name)] if name else []


def _read_keys(fields: Fields, key: str) -> tuple[str, ...]:
    table = fields.fields(key)
    return table.names() if table else ()
