"""Questions that change nothing: which nodes there are and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from buildgraph.app.planning import read_records
from buildgraph.graph import find_closure, find_targets
from buildgraph.key import compute_keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from buildgraph.app.session import Session
    from buildgraph.key import Keys
    from buildgraph.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Nodes, parents first, with the keys of all that they need and the usable records."""

    names: tuple[str, ...]
    keys: Keys
    records: Mapping[str, Record]


def query_nodes(session: Session, patterns: Sequence[str], *, with_needs: bool) -> Found:
    """The nodes that match; ``with_needs``: and all that they are made of."""
    targets = find_targets(session.catalogue, patterns)
    closure = find_closure(session.catalogue, targets, with_tests=False)
    keys = compute_keys(session.catalogue, session.lock, session.trees, closure)
    records, _ = read_records(session, keys)
    wanted = frozenset(closure if with_needs else targets)
    names = tuple(name for name in closure if name in wanted)
    return Found(names=names, keys=keys, records=records)


def find_refusals(found: Found) -> Mapping[str, str]:
    """The nodes that cannot be built as things stand, and why, in few words."""
    return {name: f"unlocked: {found.keys.unlocked[name][0]}" for name in found.names if name in found.keys.unlocked}
