"""The values that everything else speaks in. All frozen; what the user said never gains run-time fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.ranges import Range

EMPTY: Mapping[str, str] = MappingProxyType({})


def _no_strings() -> Mapping[str, str]:
    return EMPTY


MEDIA_TAR = "application/vnd.oci.image.layer.v1.tar"
MEDIA_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
MEDIA_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
MEDIA_CONFIG = "application/vnd.oci.image.config.v1+json"
MEDIA_INDEX = "application/vnd.oci.image.index.v1+json"
MEDIA_CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
MEDIA_CHART_CONFIG = "application/vnd.cncf.helm.config.v1+json"


class Kind(StrEnum):
    """How a layer is made."""

    ROOTFS = "rootfs"
    FILES = "files"
    PYTHON = "python"
    DOCKERFILE = "dockerfile"


class Stage(StrEnum):
    """Where a node stands in ``list``. Helpers exist only while other layers are built, services only for tests."""

    OS = "os"
    HELPER = "helper"
    BASE = "base"
    INTERMEDIATE = "intermediate"
    FINAL = "final"
    SERVICE = "service"


class Compression(StrEnum):
    """How a layer's blob is stored: ``none`` for content that does not shrink."""

    ZSTD = "zstd"
    NONE = "none"

    @property
    def media_type(self) -> str:
        """The OCI media type of such a layer."""
        return MEDIA_ZSTD if self is Compression.ZSTD else MEDIA_TAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where something was written: a file relative to the project, a line (1-based), a key path."""

    file: str
    line: int = 0
    key: str = ""

    def __str__(self) -> str:
        """``file:line`` and the key path, as compilers print it."""
        text = f"{self.file}:{self.line}" if self.line else self.file
        return f"{text} ({self.key})" if self.key else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One thing, or one resolved set of things, fetched from outside.

    ``request`` is what is asked for: one coordinate (``maven:g:a:1.*``), or for a set the sorted
    requirements (Debian packages, Python requirements). ``name`` is unique within its layer.
    """

    name: str
    request: tuple[str, ...]
    is_set: bool = False
    location: Location


class FileAction(StrEnum):
    """What one entry of ``files:`` does."""

    UNPACK = "unpack"
    PLACE = "place"
    COPY = "copy"
    WRITE = "write"
    LINK = "link"
    DIRECTORY = "directory"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeRule:
    """Members whose path matches ``glob`` get ``mode``; archives without modes need this."""

    glob: str
    mode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOp:
    """One operation of a ``files`` layer, in the order written.

    ``subject``: a source (unpack, place), a path below the layer's ``files/`` (copy), else unused.
    ``to``: absolute path in the image; for unpack and place with a trailing slash, the directory.
    ``strip``: unpack drops this prefix and skips members outside it. ``gunzip``: members that end in
    ``.gz`` are stored decompressed, without the ending. ``link``: a stable name beside what ``place`` put.
    """

    action: FileAction
    subject: str = ""
    to: str
    strip: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    gunzip: bool = False
    text: str = ""
    target: str = ""
    link: str = ""
    mode: int | None = None
    modes: tuple[ModeRule, ...] = ()
    uid: int = 0
    gid: int = 0
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class RootfsSpec:
    """A Debian root: the locked packages of ``suite``; hooks are scripts below the layer's folder."""

    suite: str
    hooks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesSpec:
    """A deterministic tar of verified sources and local files."""

    operations: tuple[FileOp, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonSpec:
    """A hash-locked set of distributions, installed under ``prefix`` for the image's interpreter.

    ``bases`` names other python layers whose versions constrain this one and whose distributions
    are left out of it, as are those of what they stand on. ``without`` names distributions that other layers of the
    image bring, in whatever way; it holds for all that stands on this layer, too.
    """

    prefix: str
    version: str
    platform: str
    bases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerfileSpec:
    """``layers/<layer>/Dockerfile``; ``network`` is the reason why its steps may use the network, or empty.

    ``secrets``: the names of the secrets that steps may mount → why. Their values are nobody's but the steps'.
    """

    args: Mapping[str, str] = field(default_factory=_no_strings)
    network: str = ""
    secrets: Mapping[str, str] = field(default_factory=_no_strings)


Spec: TypeAlias = "RootfsSpec | FilesSpec | PythonSpec | DockerfileSpec"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A node that yields exactly one filesystem layer."""

    name: str
    layer: str
    variant: str
    stage: Stage
    kind: Kind
    description: str
    params: Mapping[str, str]
    parents: tuple[str, ...]
    contexts: tuple[str, ...]
    sources: tuple[Source, ...]
    spec: Spec
    env: Mapping[str, str]
    prepend: Mapping[str, tuple[str, ...]]
    test_on: tuple[str, ...]
    tests: tuple[str, ...]
    compression: Compression
    budget: int | None
    location: Location
    test_with: tuple[str, ...] = ()

    @property
    def reads(self) -> tuple[str, ...]:
        """The layers whose content this one is built from, each once."""
        return tuple(dict.fromkeys((*self.parents, *self.contexts)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """The runtime part of an image config; ``user`` is numeric ``uid:gid``."""

    user: str = ""
    workdir: str = ""
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=_no_strings)
    labels: Mapping[str, str] = field(default_factory=_no_strings)
    ports: tuple[int, ...] = ()
    stop_signal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A node that composes layers and a config; ``overrides`` maps a path to the reason why it may conflict."""

    name: str
    image: str
    variant: str
    stage: Stage
    description: str
    params: Mapping[str, str]
    layers: tuple[str, ...]
    config: ImageConfig
    repository: str
    tags: tuple[str, ...]
    overrides: Mapping[str, str]
    tests: tuple[str, ...]
    budget: int | None
    location: Location
    test_with: tuple[str, ...] = ()

    @property
    def reads(self) -> tuple[str, ...]:
        """The layers it is composed of."""
        return self.layers


Node: TypeAlias = "Layer | Image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What holds for the whole catalogue. ``epoch`` (seconds) is the one time stamp of every file."""

    name: str
    epoch: int
    platform: str
    registry: str
    groups: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A binding: the image (node or alias) whose reference stands at ``path`` of the values file ``file``."""

    image: str
    file: str
    path: str
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPin:
    """A binding: the parameter of an image (node or alias) whose value stands at ``path`` of ``file``."""

    image: str
    parameter: str
    file: str
    path: str
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignImage:
    """An image that charts name and that others build: its whole reference, its licence, where its source is."""

    name: str
    reference: str
    licence: str
    source: str
    location: Location


class Support(StrEnum):
    """What is known of a component beside a version of the host."""

    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportRow:
    """What is known of ``versions`` of ``components`` (coordinates without a version) with versions of the host.

    ``source`` is where it is known from.
    """

    title: str
    components: tuple[str, ...]
    versions: tuple[Range, ...]
    hosts: tuple[Range, ...]
    verdict: Support
    reason: str
    source: str
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportTable:
    """What fits together: ``host`` is the component beside which others are judged; the first row that fits counts."""

    host: str = ""
    title: str = ""
    rows: tuple[SupportRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceRule:
    """What people found out about the artifacts whose coordinates match the glob ``match``.

    ``licence`` stands in for what the registry says, unless it is empty. Where ``redistributable`` is false, ``reason``
    says why, and ``terms`` where one reads under which terms they may be passed on all the same.
    """

    match: str
    licence: str = ""
    redistributable: bool = True
    reason: str = ""
    terms: str = ""
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Everything the manifests say, parsed and validated. Nodes by name, in the order written."""

    project: Project
    nodes: Mapping[str, Node]
    aliases: Mapping[str, str]
    groups: Mapping[str, tuple[str, ...]]
    pins: tuple[Pin, ...]
    versions: tuple[VersionPin, ...] = ()
    foreign: tuple[ForeignImage, ...] = ()
    support: SupportTable = SupportTable()
    licences: tuple[LicenceRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One file, by exact coordinate, as locked.

    ``coordinate``: ``pypi:numpy==2.2.6``, ``maven:g:a:v[:classifier][@ext]``, ``deb:bash=5.2.15-2+b7``,
    ``go:module@version`` or ``url:https://…``. ``file`` is its file name; ``path`` is the place in the
    archive where the ecosystem needs one (Debian: ``<suite> pool/…/x.deb``); ``size`` in bytes. What is not
    ``redistributable`` may be passed on only under terms that somebody has to accept.
    """

    coordinate: str
    file: str
    sha256: str
    size: int
    licence: str = ""
    path: str = ""
    redistributable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LockEntry:
    """What the lock holds for one source of one node: the request it answers and its artifacts."""

    request: tuple[str, ...]
    artifacts: tuple[Artifact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockGap:
    """A source that could not be had where the lock was made: the request, and why nothing answers it."""

    request: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """node name → source name → entry; ``gaps``: the same for what is known to have none."""

    entries: Mapping[str, Mapping[str, LockEntry]] = field(default_factory=dict)
    gaps: Mapping[str, Mapping[str, LockGap]] = field(default_factory=dict)

    def find(self, node: str, source: str) -> LockEntry | None:
        """The entry of a source, or None while it is unlocked."""
        return self.entries.get(node, {}).get(source)

    def find_gap(self, node: str, source: str) -> LockGap | None:
        """Why a source has no entry, where that is known."""
        return self.gaps.get(node, {}).get(source)


class EntryType(StrEnum):
    """The types a layer may hold. Devices, fifos and sockets are refused."""

    FILE = "f"
    DIRECTORY = "d"
    SYMLINK = "l"
    HARDLINK = "h"


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a layer: relative, no ``.`` or ``..``, no leading or trailing slash.

    ``target`` is a link's target as written (hard links: a path of the same layer); ``sha256`` and
    ``size`` (bytes) are a file's.
    """

    path: str
    type: EntryType
    mode: int
    uid: int = 0
    gid: int = 0
    size: int = 0
    target: str = ""
    sha256: str = ""


FileIndex: TypeAlias = "tuple[Entry, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerBlob:
    """A layer in the store. ``digest`` names the blob, ``diff_id`` its uncompressed tar; sizes in bytes."""

    digest: str
    diff_id: str
    media_type: str
    size: int
    unpacked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedLayer:
    """A built layer with what it adds to an image's environment."""

    node: str
    blob: LayerBlob
    env: Mapping[str, str] = field(default_factory=_no_strings)
    prepend: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """An image, or a chart, as bytes: OCI manifest, config, and the layers they name. ``digest`` is the manifest's."""

    digest: str
    manifest: bytes
    config_digest: str
    config: bytes
    layers: tuple[LayerBlob, ...]

    @property
    def size(self) -> int:
        """Bytes of all layers as stored."""
        return sum(layer.size for layer in self.layers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """A test that did not run, and why."""

    test: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCounts:
    """What a test run executed. ``failures`` holds one line for each failed test."""

    passed: int
    failed: int
    skipped: tuple[Skip, ...]
    failures: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A pass, kept by its test key. Failures are never stored."""

    node: str
    test_key: str
    image: str
    passed: int
    skipped: tuple[Skip, ...]
    seconds: float
