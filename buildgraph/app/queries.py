"""Questions that change nothing: which nodes there are and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from buildgraph.app.planning import read_records
from buildgraph.graph import find_closure, find_targets
from buildgraph.key import compute_keys
from buildgraph.support import find_objections

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from buildgraph.app.session import Session
    from buildgraph.key import Keys
    from buildgraph.record import Record
    from buildgraph.support import Objection


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Nodes, parents first, with the keys of all that they need, the usable records, and unsupported images."""

    names: tuple[str, ...]
    keys: Keys
    records: Mapping[str, Record]
    objections: Mapping[str, tuple[Objection, ...]]


def query_nodes(session: Session, patterns: Sequence[str], *, with_needs: bool) -> Found:
    """The nodes that match; ``with_needs``: and all that they are made of."""
    targets = find_targets(session.catalogue, patterns)
    closure = find_closure(session.catalogue, targets, with_tests=False)
    keys = compute_keys(session.catalogue, session.lock, session.trees, closure)
    records, _ = read_records(session, keys)
    wanted = frozenset(closure if with_needs else targets)
    names = tuple(name for name in closure if name in wanted)
    objections = find_objections(session.catalogue, session.lock, names)
    return Found(names=names, keys=keys, records=records, objections=objections)
