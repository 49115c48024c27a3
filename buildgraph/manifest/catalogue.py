"""All documents of a project → one catalogue, or every mistake in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from buildgraph.errors import ManifestError, raise_all, sort_errors
from buildgraph.forms import (
    COORDINATE,
    IMAGE,
    KEY_PATH,
    LINE,
    NAME,
    NODE,
    PARAMETER,
    PROJECT_PATH,
    REASON,
    REGISTRY,
    SENTENCE,
)
from buildgraph.manifest.document import parse_document
from buildgraph.manifest.extending import extend_images
from buildgraph.manifest.images import parse_images
from buildgraph.manifest.layers import opener, parse_layers
from buildgraph.manifest.support import read_support
from buildgraph.model import Catalogue, ForeignImage, LicenceRule, Pin, Project, SupportTable, VersionPin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.errors import BuildgraphError
    from buildgraph.manifest.document import YamlMapping
    from buildgraph.manifest.fields import Fields
    from buildgraph.manifest.images import Alias, Extension
    from buildgraph.model import Node

PROJECT_FILE = "manifests/project.yaml"
PINS_FILE = "manifests/pins.yaml"
SUPPORT_FILE = "manifests/support.yaml"
LICENCES_FILE = "manifests/licences.yaml"
FOREIGN_FILE = "manifests/third-party-images.yaml"
LAYERS_FOLDER = "manifests/layers/"
IMAGES_FOLDER = "manifests/images/"
_SINGLE = frozenset({PROJECT_FILE, PINS_FILE, SUPPORT_FILE, LICENCES_FILE, FOREIGN_FILE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """Texts by path relative to the project, and the test files of each folder below ``layers/``."""

    texts: Mapping[str, str]
    tests: Mapping[str, tuple[str, ...]]


@dataclass(slots=True)
class _Gathered:
    nodes: dict[str, Node] = field(default_factory=dict)
    aliases: list[Alias] = field(default_factory=list)
    extensions: list[Extension] = field(default_factory=list)


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
        elif file not in _SINGLE:
            hint = f"layers stand in {LAYERS_FOLDER}, images in {IMAGES_FOLDER}"
            errors.append(ManifestError("nothing is read from here", where=file, hint=hint))
    aliases = _read_aliases(gathered, errors)
    pins, versions = _read_pins(documents, errors)
    foreign = _read_foreign(documents, errors)
    support = _read_support(documents, errors)
    licences = _read_licences(documents, errors)
    raise_all(sort_errors(errors))
    nodes = extend_images(gathered.nodes, gathered.extensions, errors)
    raise_all(sort_errors(errors))
    return Catalogue(
        project=project,
        nodes=MappingProxyType(nodes),
        aliases=MappingProxyType(aliases),
        groups=project.groups,
        pins=pins,
        versions=versions,
        foreign=foreign,
        support=support,
        licences=licences,
    )


def _read_nodes(file: str, documents: Documents, gathered: _Gathered, errors: list[BuildgraphError]) -> None:
    document = _parse(file, documents.texts[file], errors)
    if document is None:
        return
    nodes: list[Node] = []
    if file.startswith(LAYERS_FOLDER):
        nodes.extend(parse_layers(document, file, documents.tests, errors))
    else:
        family = parse_images(document, file, documents.tests, errors)
        nodes.extend(family.images)
        gathered.extensions.extend(family.extensions)
        gathered.aliases.extend(family.aliases)
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
    return read_project(opener(document, PROJECT_FILE, errors)({}))


def read_project(fields: Fields) -> Project:
    """What holds for the whole catalogue."""
    project = Project(
        name=fields.name("project"),
        epoch=fields.integer("epoch"),
        platform=fields.choice("platform", ("linux/amd64",)),
        registry=fields.text("registry", "", form=REGISTRY),
        groups=fields.lists("groups", keys=NAME, least=1),
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


def _read_pins(documents: Documents, errors: list[BuildgraphError]) -> tuple[tuple[Pin, ...], tuple[VersionPin, ...]]:
    text = documents.texts.get(PINS_FILE)
    document = _parse(PINS_FILE, text, errors) if text is not None else None
    if document is None:
        return (), ()
    return read_pins(opener(document, PINS_FILE, errors)({}))


def read_pins(fields: Fields) -> tuple[tuple[Pin, ...], tuple[VersionPin, ...]]:
    """Which image, and which parameter of an image, stands at which path of which file."""
    pins: list[Pin] = []
    for entry in fields.sequence("pins"):
        pin = Pin(
            image=entry.text("image", form=NODE),
            file=entry.text("file", form=PROJECT_PATH),
            path=entry.text("path", form=KEY_PATH),
            location=entry.location(),
        )
        entry.finish()
        pins.append(pin)
    versions: list[VersionPin] = []
    for entry in fields.sequence("versions"):
        version = VersionPin(
            image=entry.text("image", form=NODE),
            parameter=entry.text("parameter", form=PARAMETER),
            file=entry.text("file", form=PROJECT_PATH),
            path=entry.text("path", form=KEY_PATH),
            location=entry.location(),
        )
        entry.finish()
        versions.append(version)
    fields.finish()
    return tuple(pins), tuple(versions)


def _read_foreign(documents: Documents, errors: list[BuildgraphError]) -> tuple[ForeignImage, ...]:
    text = documents.texts.get(FOREIGN_FILE)
    document = _parse(FOREIGN_FILE, text, errors) if text is not None else None
    if document is None:
        return ()
    return read_foreign(opener(document, FOREIGN_FILE, errors)({}))


def read_foreign(fields: Fields) -> tuple[ForeignImage, ...]:
    """The images of others that charts may name; each name and each reference once."""
    images: list[ForeignImage] = []
    for entry in fields.sequence("images"):
        image = ForeignImage(
            name=entry.name("name"),
            reference=entry.text("reference", form=IMAGE),
            licence=entry.text("licence", form=SENTENCE),
            source=entry.text("source", form=SENTENCE),
            location=entry.location(),
        )
        entry.finish()
        for key, value in (("name", image.name), ("reference", image.reference)):
            twin = next((known for known in images if value and getattr(known, key) == value), None)
            if twin is not None:
                entry.fail(f"{value} is listed already at {twin.location}", key)
        images.append(image)
    fields.finish()
    return tuple(images)


def _read_support(documents: Documents, errors: list[BuildgraphError]) -> SupportTable:
    text = documents.texts.get(SUPPORT_FILE)
    document = _parse(SUPPORT_FILE, text, errors) if text is not None else None
    return read_support(opener(document, SUPPORT_FILE, errors)({})) if document is not None else SupportTable()


def _read_licences(documents: Documents, errors: list[BuildgraphError]) -> tuple[LicenceRule, ...]:
    text = documents.texts.get(LICENCES_FILE)
    document = _parse(LICENCES_FILE, text, errors) if text is not None else None
    if document is None:
        return ()
    return read_licences(opener(document, LICENCES_FILE, errors)({}))


def read_licences(fields: Fields) -> tuple[LicenceRule, ...]:
    """What people found out about licences; the first rule that matches an artifact counts."""
    rules: list[LicenceRule] = []
    for entry in fields.sequence("licences", least=1):
        redistributable = entry.flag("redistributable", default=True)
        rule = LicenceRule(
            match=entry.text("match", form=COORDINATE),
            licence=entry.text("licence", "", form=LINE),
            redistributable=redistributable,
            reason=entry.text("reason", form=REASON),
            terms=entry.text("terms", "" if redistributable else None, form=LINE),
            location=entry.location(),
        )
        entry.finish()
        rules.append(rule)
    fields.finish()
    return tuple(rules)
