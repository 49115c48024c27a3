"""Python layers that stand on others: what they may not hold, and which versions they have to live with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from buildgraph.coordinate import parse_coordinate
from buildgraph.errors import LockError
from buildgraph.graph import find_bases
from buildgraph.lock import Unlocked, find_unlocked
from buildgraph.model import Layer, PythonSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from buildgraph.model import Artifact, Catalogue, Lock


def name_of(artifact: Artifact) -> str:
    """The canonical name of a distribution."""
    return canonicalize_name(parse_coordinate(artifact.coordinate).name)


def find_held(layer: Layer, lock: Lock, catalogue: Catalogue) -> dict[str, str]:
    """Canonical name → version of every distribution in the layers that this one stands on.

    Raises:
        LockError: when one of them is not locked, or two hold the same distribution in different versions.
    """
    held: dict[str, str] = {}
    holders: dict[str, str] = {}
    bases = find_bases(catalogue, layer.name)
    unlocked = dict.fromkeys(item.node for item in find_unlocked(lock, (_layer(catalogue, base) for base in bases)))
    if unlocked:
        what = f"{layer.name} stands on what is not locked: {', '.join(unlocked)}"
        raise LockError(what, where=str(layer.location), hint="run: buildgraph lock")
    for base in bases:
        for artifact in _artifacts(lock, base):
            name, version = name_of(artifact), parse_coordinate(artifact.coordinate).version
            holder = holders.setdefault(name, base)
            if held.setdefault(name, version) != version:
                what = f"{layer.name} stands on {name} {held[name]} of {holder} and on {version} of {base}"
                raise LockError(what, where=str(layer.location), hint="make one of them a base of the other")
    return held


def find_without(layer: Layer, catalogue: Catalogue) -> frozenset[str]:
    """Canonical names of what this layer, and those that it stands on, leave to other layers of the image."""
    names = (layer.name, *find_bases(catalogue, layer.name))
    specs = [spec for name in names if isinstance(spec := _layer(catalogue, name).spec, PythonSpec)]
    return frozenset(canonicalize_name(name) for spec in specs for name in spec.without)


def find_repeats(lock: Lock, catalogue: Catalogue) -> Iterator[Unlocked]:
    """The locked sets that hold a distribution which another layer is there for."""
    for layer in catalogue.nodes.values():
        if not isinstance(layer, Layer) or not isinstance(layer.spec, PythonSpec):
            continue
        others = dict.fromkeys(find_without(layer, catalogue), "another layer")
        for base in find_bases(catalogue, layer.name):
            others.update(dict.fromkeys(map(name_of, _artifacts(lock, base)), base))
        for source in layer.sources:
            entry = lock.find(layer.name, source.name)
            if entry is None or entry.request != source.request:
                continue
            repeated = [name for artifact in entry.artifacts if (name := name_of(artifact)) in others]
            if source.is_set and repeated:
                reason = f"holds {repeated[0]}, which {others[repeated[0]]} has"
                yield Unlocked(node=layer.name, source=source, reason=reason)


def _artifacts(lock: Lock, node: str) -> Iterator[Artifact]:
    """Every distribution of a python layer."""
    for entry in lock.entries.get(node, {}).values():
        yield from entry.artifacts


def _layer(catalogue: Catalogue, name: str) -> Layer:
    node = catalogue.nodes[name]
    assert isinstance(node, Layer)
    return node
