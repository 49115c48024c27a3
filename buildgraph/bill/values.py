"""The values of a bill: components, and the layers that they are in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.model import Artifact, FileIndex, NamedLayer


class Sort(StrEnum):
    """What a component is, in the words of CycloneDX."""

    LIBRARY = "library"
    APPLICATION = "application"
    SYSTEM = "operating-system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One thing in a layer.

    ``licences`` all hold, each in SPDX's words where they are known. ``coordinate`` is the lock's, where it comes from
    there. ``sha256`` and ``size`` (bytes) are those of the file as published: a package, a wheel, a jar. ``path`` is
    where it is in the image, ``text`` where its licence can be read (``x.jar!y``: inside). ``parts`` are other
    components packed into it.
    """

    name: str
    version: str
    purl: str
    group: str = ""
    sort: Sort = Sort.LIBRARY
    licences: tuple[str, ...] = ()
    text: str = ""
    redistributable: bool = True
    reason: str = ""
    terms: str = ""
    coordinate: str = ""
    sha256: str = ""
    size: int = 0
    path: str = ""
    cpe: str = ""
    parts: tuple[Component, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerContents:
    """What is known of one built layer.

    ``sources``: source name → locked artifacts, those of the layer and of helpers whose files it holds. ``texts``: what
    was read from the blob (see ``contents``), by path, ``jar!member`` or ``file!pattern``.
    """

    layer: NamedLayer
    index: FileIndex
    sources: Mapping[str, tuple[Artifact, ...]]
    texts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    is_rootfs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A node with all that is in it. ``digest`` is an image manifest's, or a layer blob's.

    ``repository`` and ``tags`` are an image's; ``layers`` are the lowest first, each with its components, sorted.
    """

    node: str
    digest: str
    description: str
    repository: str = ""
    registry: str = ""
    tags: tuple[str, ...] = ()
    licence: str = ""
    layers: tuple[tuple[NamedLayer, tuple[Component, ...]], ...]

    @property
    def components(self) -> tuple[Component, ...]:
        """Those of all layers."""
        return tuple(component for _, components in self.layers for component in components)
