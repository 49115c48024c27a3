"""What is drawn of a node, and how each stage looks."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from buildgraph.graph import kind_of, references_of
from buildgraph.model import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from buildgraph.key import Keys
    from buildgraph.model import Catalogue, Node
    from buildgraph.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagramNode:
    """A box: name, below it ``note``; ``details`` are lines shown on demand. ``stage`` is the value of a ``Stage``."""

    name: str
    kind: str
    stage: str
    note: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Colours of a stage, as ``#rrggbb``: they are told apart by people who see no red or no green, too."""

    fill: str
    line: str


_PLAIN = Look(fill="#f1f3f5", line="#868e96")
LOOKS: Mapping[str, Look] = MappingProxyType(
    {
        Stage.OS.value: Look(fill="#e9ecef", line="#495057"),
        Stage.HELPER.value: Look(fill="#fff9db", line="#b08900"),
        Stage.BASE.value: Look(fill="#e7f5ff", line="#1c7ed6"),
        Stage.INTERMEDIATE.value: Look(fill="#e6fcf5", line="#099268"),
        Stage.FINAL.value: Look(fill="#f8f0fc", line="#9c36b5"),
        Stage.SERVICE.value: Look(fill="#fff4e6", line="#d9480f"),
    }
)


def look_of(stage: str) -> Look:
    """The colours of a stage; those of no stage for an unknown one."""
    return LOOKS.get(stage, _PLAIN)


def make_diagram(
    catalogue: Catalogue, names: Sequence[str], keys: Keys, records: Mapping[str, Record]
) -> tuple[tuple[DiagramNode, ...], tuple[tuple[str, str], ...]]:
    """The nodes of that name, parents first, and the edges between them: from what is read to what reads it."""
    wanted = frozenset(names)
    nodes = tuple(_make_node(catalogue.nodes[name], keys, records.get(name)) for name in names)
    edges = tuple((parent, name) for name in names for parent in catalogue.nodes[name].reads if parent in wanted)
    return nodes, edges


def _make_node(node: Node, keys: Keys, record: Record | None) -> DiagramNode:
    kind = kind_of(node)
    size = f"{record.size / 1e6:.1f} MB" if record else ""
    return DiagramNode(
        name=node.name,
        kind=kind,
        stage=node.stage.value,
        note=f"{kind} · {size}" if size else kind,
        details=tuple(_describe(node, keys, record)),
    )


def _describe(node: Node, keys: Keys, record: Record | None) -> Iterator[str]:
    if node.description:
        yield node.description
    yield from references_of(node)
    if record:
        yield f"{record.size} bytes"
        yield record.digest
    else:
        yield "not locked" if node.name in keys.unlocked else "not built"
