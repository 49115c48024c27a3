"""Whether what an image is made of fits together: its layers' versions beside the rows of ``support.yaml``."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING

from buildgraph.coordinate import component_of, parse_coordinate
from buildgraph.model import Image, Layer, PythonSpec, Support
from buildgraph.ranges import order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from buildgraph.model import Catalogue, Lock, Source, SupportRow, SupportTable

PYTHON = "python"
"""The component that a python layer's interpreter is a version of."""
LABEL = "io.buildgraph.unsupported"
"""On images that were built though they are unsupported: why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A version of something, by the name that rows give it."""

    name: str
    version: str

    def __str__(self) -> str:
        """What people call it: the last part of its name, and the version."""
        return f"{self.name.rpartition(':')[2]} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """A component that does not fit the host beside it; ``host`` is the host's title and version."""

    component: Component
    host: str
    row: SupportRow

    def __str__(self) -> str:
        """One line: what, why, and where that is known from."""
        return f"{self.component} is unsupported with {self.host}: {self.row.reason} ({self.row.source})"


def find_row(table: SupportTable, component: Component, host: str) -> SupportRow | None:
    """The first row that says something of the component with this version of the host."""
    return next(
        (
            row
            for row in table.rows
            if component.name in row.components
            and any(versions.holds(component.version) for versions in row.versions)
            and any(hosts.holds(host) for hosts in row.hosts)
        ),
        None,
    )


def find_objections(catalogue: Catalogue, lock: Lock, names: Iterable[str]) -> Mapping[str, tuple[Objection, ...]]:
    """The images among ``names`` with something unsupported, and what that is.

    What an image holds, the version of the host too, is told by the locked coordinates of its layers; what is not
    locked by the coordinate that is asked for. An image without the host is not judged.
    """
    table = catalogue.support
    if not table.rows:
        return MappingProxyType({})
    contents = _Contents(catalogue, lock)
    found = {}
    for name in names:
        node = catalogue.nodes[name]
        objections = tuple(_judge(node, table, contents)) if isinstance(node, Image) else ()
        if objections:
            found[name] = objections
    return MappingProxyType(found)


def find_versions(catalogue: Catalogue, lock: Lock) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Component → version, the oldest first → the layers that hold it, for all that rows speak of and the host."""
    contents = _Contents(catalogue, lock)
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for node in catalogue.nodes.values():
        for component in contents.of(node.name) if isinstance(node, Layer) else ():
            found[component.name][component.version].append(node.name)
    return MappingProxyType(
        {
            name: MappingProxyType({each: tuple(layers[each]) for each in sorted(layers, key=order)})
            for name, layers in found.items()
        }
    )


def label_unsupported(catalogue: Catalogue, lock: Lock) -> Catalogue:
    """The catalogue as it is built all the same: nothing is refused, and unsupported images say so in a label.

    A label is part of an image's key, so these are other images than those without.
    """
    nodes = dict(catalogue.nodes)
    for name, objections in find_objections(catalogue, lock, catalogue.nodes).items():
        image = nodes[name]
        assert isinstance(image, Image)
        labels = {**image.config.labels, LABEL: "; ".join(map(str, objections))}
        nodes[name] = replace(image, config=replace(image.config, labels=MappingProxyType(labels)))
    return replace(catalogue, nodes=MappingProxyType(nodes), support=replace(catalogue.support, rows=()))


def _judge(image: Image, table: SupportTable, contents: _Contents) -> Iterator[Objection]:
    components = dict.fromkeys(component for layer in image.layers for component in contents.of(layer))
    hosts = [component.version for component in components if component.name == table.host]
    for component, host in product(components, hosts):
        row = find_row(table, component, host)
        if row is not None and row.verdict is Support.UNSUPPORTED:
            yield Objection(component=component, host=f"{table.title} {host}", row=row)


class _Contents:
    """The components of each layer that rows speak of; each layer is looked at once."""

    def __init__(self, catalogue: Catalogue, lock: Lock) -> None:
        self._catalogue = catalogue
        self._lock = lock
        table = catalogue.support
        self._wanted = frozenset(name for row in table.rows for name in row.components) | {table.host}
        self._ecosystems = tuple({name.partition(":")[0] + ":" for name in self._wanted if ":" in name})
        self._known: dict[str, tuple[Component, ...]] = {}

    def of(self, name: str) -> tuple[Component, ...]:
        if name not in self._known:
            self._known[name] = tuple(dict.fromkeys(self._find(name)))
        return self._known[name]

    def _find(self, name: str) -> Iterator[Component]:
        layer = self._catalogue.nodes[name]
        assert isinstance(layer, Layer)
        if isinstance(layer.spec, PythonSpec) and PYTHON in self._wanted:
            yield Component(name=PYTHON, version=layer.spec.version)
        for source in layer.sources:
            yield from self._read(self._coordinates(layer, source))

    def _coordinates(self, layer: Layer, source: Source) -> Iterable[str]:
        entry = self._lock.find(layer.name, source.name)
        if entry is not None and entry.request == source.request:
            return (artifact.coordinate for artifact in entry.artifacts)
        return source.request  # of a set these are no coordinates

    def _read(self, texts: Iterable[str]) -> Iterator[Component]:
        for text in texts:
            coordinate = parse_coordinate(text) if text.startswith(self._ecosystems) else None
            name = component_of(coordinate) if coordinate else ""
            if coordinate and name in self._wanted and coordinate.is_exact:
                yield Component(name=name, version=coordinate.version)
