"""What is in a built node: its layers read, its lock looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buildgraph.app.queries import query_nodes
from buildgraph.bill import MEMBERS, PATTERNS, LayerContents, is_archive, is_wanted, make_bill
from buildgraph.bill.assemble import find_distro
from buildgraph.errors import BuildFailure, LockError, UsageError
from buildgraph.graph import find_closure, find_targets
from buildgraph.model import EntryType, Image, Kind, Layer, NamedLayer, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from buildgraph.app.session import Session
    from buildgraph.bill import Bill
    from buildgraph.model import Artifact, FileIndex
    from buildgraph.record import Record

LEAST_PART = 0.01


def read_bill(session: Session, target: str) -> Bill:
    """The bill of one node, which must be built.

    Raises:
        UsageError: the target is not one node. BuildFailure: something of it is not in the store.
    """
    names = find_targets(session.catalogue, (target,))
    if len(names) > 1:
        raise UsageError(f"{target} is {len(names)} nodes", hint="name one")
    node = session.catalogue.nodes[names[0]]
    records = _find_records(session, node.name)
    layers = node.layers if isinstance(node, Image) else (node.name,)
    # A layer alone may not say on which system it stands; those that it is built on do.
    below = [name for name in find_closure(session.catalogue, layers, with_tests=False) if name not in layers]
    contents = {
        name: _read_layer(session, name, records)
        for name in (*below, *layers)
        if name in layers or _is_root(session, name)
    }
    return make_bill(
        node,
        records[node.name].digest,
        [contents[name] for name in layers],
        session.catalogue.licences,
        registry=session.catalogue.project.registry,
        distro=find_distro(tuple(contents.values())),
    )


def _find_records(session: Session, name: str) -> Mapping[str, Record]:
    found = query_nodes(session, (name,), with_needs=True)
    if unlocked := found.keys.unlocked.get(name):
        raise LockError(f"{name} is not locked: {'; '.join(unlocked)}", hint="run: buildgraph lock")
    if lacking := [needed for needed in found.names if needed not in found.records]:
        raise BuildFailure(f"not built: {', '.join(lacking)}", hint=f"run: buildgraph build {name}")
    return found.records


def _is_root(session: Session, name: str) -> bool:
    node = session.catalogue.nodes[name]
    return isinstance(node, Layer) and node.kind is Kind.ROOTFS


def _read_layer(session: Session, name: str, records: Mapping[str, Record]) -> LayerContents:
    from buildgraph.adapters.contents import Interest, read_contents

    layer = session.catalogue.nodes[name]
    assert isinstance(layer, Layer)
    index = _load_index(session, name, records)
    interest = Interest(texts=is_wanted, archives=is_archive, members=MEMBERS, patterns=PATTERNS)
    blob = records[name].layer
    assert blob is not None
    texts: dict[str, str] = {}
    if any(entry.type is EntryType.FILE and interest.covers(entry.path, entry.size) for entry in index):
        with session.store.open_blob(blob.digest) as opened:
            texts = read_contents(opened, interest)
    return LayerContents(
        layer=NamedLayer(node=name, blob=blob),
        index=index,
        sources=dict(_find_sources(session, layer, index, records)),
        texts=texts,
        is_rootfs=layer.kind is Kind.ROOTFS,
    )


def _find_sources(
    session: Session, layer: Layer, index: FileIndex, records: Mapping[str, Record]
) -> Iterator[tuple[str, tuple[Artifact, ...]]]:
    """The layer's own sources, and those of helpers that it holds a part of."""
    held = {entry.sha256 for entry in index if entry.size}
    for name in (layer.name, *find_closure(session.catalogue, layer.reads, with_tests=False)):
        node = session.catalogue.nodes[name]
        assert isinstance(node, Layer)
        is_own = name == layer.name
        if is_own or (node.stage is Stage.HELPER and _is_part(_load_index(session, name, records), held)):
            for source in node.sources:
                entry = session.lock.find(name, source.name)
                assert entry is not None
                yield (source.name if is_own else f"{name}/{source.name}"), entry.artifacts


def _is_part(helper: FileIndex, held: set[str]) -> bool:
    """True when a layer holds more of a helper than some text or empty module that both happen to have."""
    whole = sum(entry.size for entry in helper)
    return sum(entry.size for entry in helper if entry.sha256 in held) > whole * LEAST_PART


def _load_index(session: Session, name: str, records: Mapping[str, Record]) -> FileIndex:
    index = session.store.load_files(records[name].digest)
    assert index is not None, "a usable record is one of a layer that is there"
    return index
