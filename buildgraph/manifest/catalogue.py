"""All documents of a project → one catalogue, or every mistake in them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from buildgraph.errors import ManifestError, raise_all
from buildgraph.manifest.document import parse_document
from buildgraph.manifest.fields import Fields, is_name
from buildgraph.manifest.images import parse_images
from buildgraph.manifest.layers import parse_layers
from buildgraph.manifest.templates import renderer
from buildgraph.model import Catalogue, Pin, Project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.errors import BuildgraphError
    from buildgraph.manifest.document import YamlMapping
    from buildgraph.manifest.images import Alias
    from buildgraph.model import Node

PROJECT_FILE = "manifests/project.yaml"
PINS_FILE = "manifests/pins.yaml"
LAYERS_FOLDER = "manifests/layers/"
IMAGES_FOLDER = "manifests/images/"
_PLACE = re.compile(r"(?P<file>[^: ]*)(?::(?P<line>\d+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """Texts by path relative to the project, and the test files of each folder below ``layers/``."""

    texts: Mapping[str, str]
    tests: Mapping[str, tuple[str, ...]]


@dataclass(slots=True)
class _Gathered:
    nodes: dict[str, Node] = field(default_factory=dict)
    aliases: list[Alias] = field(default_factory=list)


def parse_catalogue(documents: Documents) -> Catalogue:
    """Parse and check everything that needs no look at the graph.

    Raises:
        ManifestError, ErrorGroup: every mistake of the run, in the order of files and lines.
    """
    errors: list[BuildgraphError] = []
    gathered = _Gathered()
    project = _read_project(documents, errors)
    for file in sorted(documents.texts):
        if file.startswith((LAYERS_FOLDER, IMAGES_FOLDER)):
            _read_nodes(file, documents, gathered, errors)
    aliases = _read_aliases(gathered, errors)
    pins = _read_pins(documents, errors)
    raise_all(sorted(_unique(errors), key=_place))
    return Catalogue(
        project=project,
        nodes=MappingProxyType(gathered.nodes),
        aliases=MappingProxyType(aliases),
        groups=project.groups,
        pins=pins,
    )


def _read_nodes(file: str, documents: Documents, gathered: _Gathered, errors: list[BuildgraphError]) -> None:
    document = _parse(file, documents.texts[file], errors)
    if document is None:
        return
    nodes: list[Node] = []
    if file.startswith(LAYERS_FOLDER):
        nodes.extend(parse_layers(document, file, documents.tests, errors))
    else:
        images, aliases = parse_images(document, file, documents.tests, errors)
        nodes.extend(images)
        gathered.aliases.extend(aliases)
    for node in nodes:
        known = gathered.nodes.setdefault(node.name, node)
        if known is not node:
            what = f"the node {node.name} is described already at {known.location}"
            errors.append(ManifestError(what, where=str(node.location)))


def _parse(file: str, text: str, errors: list[BuildgraphError]) -> YamlMapping | None:
    try:
        return parse_document(text, file)
    except ManifestError as error:
        errors.append(error)
        return None


def _read_project(documents: Documents, errors: list[BuildgraphError]) -> Project:
    text = documents.texts.get(PROJECT_FILE)
    empty = Project(name="", epoch=0, platform="", registry="", groups=MappingProxyType({}))
    if text is None:
        errors.append(ManifestError("the file is missing", where=PROJECT_FILE, hint="a project needs one"))
        return empty
    document = _parse(PROJECT_FILE, text, errors)
    if document is None:
        return empty
    fields = Fields(document, PROJECT_FILE, "", errors, renderer({}, errors))
    project = Project(
        name=fields.name("project"),
        epoch=fields.integer("epoch"),
        platform=fields.choice("platform", ("linux/amd64",)),
        registry=fields.text("registry", ""),
        groups=fields.lists("groups"),
    )
    fields.finish()
    return project


def _read_aliases(gathered: _Gathered, errors: list[BuildgraphError]) -> dict[str, str]:
    aliases: dict[str, str] = {}
    for alias in gathered.aliases:
        if alias.name in gathered.nodes or alias.name in aliases:
            errors.append(ManifestError(f"the name {alias.name} is taken", where=str(alias.location)))
        elif alias.node not in gathered.nodes:
            what = f"the alias {alias.name} names {alias.node}, which is no node"
            errors.append(ManifestError(what, where=str(alias.location), hint="name one of the variants"))
        aliases[alias.name] = alias.node
    return aliases


def _read_pins(documents: Documents, errors: list[BuildgraphError]) -> tuple[Pin, ...]:
    text = documents.texts.get(PINS_FILE)
    document = _parse(PINS_FILE, text, errors) if text is not None else None
    if document is None:
        return ()
    fields = Fields(document, PINS_FILE, "", errors, renderer({}, errors))
    pins = []
    for entry in fields.sequence("pins"):
        pin = Pin(
            image=entry.name("image"), file=entry.text("file"), path=entry.text("path"), location=entry.location()
        )
        if not is_safe_path(pin.file):
            entry.fail(f"{pin.file!r} is not a path inside the project", "file")
        entry.finish()
        pins.append(pin)
    fields.finish()
    return tuple(pins)


def is_safe_path(path: str) -> bool:
    """True for a relative path without ``..`` that names nothing hidden."""
    parts = path.split("/")
    return all(part and is_name(part.lower().replace("_", "-")) for part in parts)


def _place(error: BuildgraphError) -> tuple[str, int]:
    match = _PLACE.match(error.where)
    assert match
    return match["file"], int(match["line"] or 0)


def _unique(errors: list[BuildgraphError]) -> list[BuildgraphError]:
    """Variants read the same lines several times; say each mistake once."""
    return list({str(error): error for error in errors}.values())
