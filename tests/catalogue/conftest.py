"""The project's own catalogue, with an answer for every source, so that every node has a key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from buildgraph.app.session import open_session
from buildgraph.graph import sort_nodes
from buildgraph.key import compute_keys
from buildgraph.lock import find_unlocked, with_entries
from buildgraph.model import Artifact, Layer, LockEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.app.session import Session
    from buildgraph.model import Lock

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """The project, opened; sources that no repository had when it was locked are given a stand-in."""
    session = open_session(ROOT, store=tmp_path_factory.mktemp("store"), lock_file=None, environ={})
    layers = [node for node in session.catalogue.nodes.values() if isinstance(node, Layer)]
    entries = {
        (item.node, item.source.name): LockEntry(
            request=item.source.request, artifacts=(_stand_in(item.source.request),)
        )
        for item in find_unlocked(session.lock, layers)
    }
    return replace(session, lock=with_entries(session.lock, entries, session.catalogue))


def _stand_in(request: tuple[str, ...]) -> Artifact:
    return Artifact(coordinate=request[0], file="stand-in.jar", sha256="0" * 64, size=1)


def keys_of(session: Session, lock: Lock) -> Mapping[str, str]:
    """Node → key, of the whole catalogue under that lock."""
    keys = compute_keys(session.catalogue, lock, session.trees, sort_nodes(session.catalogue, session.catalogue.nodes))
    assert not keys.unlocked
    return {name: key.key for name, key in keys.keys.items()}
