"""A project and its store, opened: what every use case starts from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph import adapters
from buildgraph.adapters.place import find_capabilities
from buildgraph.adapters.store import LayoutStore
from buildgraph.adapters.workspace import Workspace, find_root
from buildgraph.errors import raise_all
from buildgraph.graph import check_graph
from buildgraph.lock import parse_lock
from buildgraph.manifest import Documents, parse_catalogue
from buildgraph.model import Lock
from buildgraph.plan import TestFacts
from buildgraph.support import label_unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from buildgraph.key import Tree
    from buildgraph.model import Catalogue

LOCK_FILE = "manifests/buildgraph.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """``trees``: what the folders below ``layers/`` hold, without tests; ``facts``: what test keys are made of.

    ``secret_files``: where the user said that the values of secrets stand, by name. ``engine_id``: of the engine that
    images go to, where that is known without asking one.
    """

    workspace: Workspace
    store: LayoutStore
    catalogue: Catalogue
    lock: Lock
    lock_file: str
    trees: Mapping[str, Tree]
    facts: TestFacts
    environ: Mapping[str, str]
    secret_files: Mapping[str, Path] = field(default_factory=dict)
    engine_id: str = ""


def open_session(
    start: Path,
    *,
    store: Path | None,
    lock_file: str | None,
    environ: Mapping[str, str],
    notice: Callable[[str], None] = lambda _text: None,
    engine_id: str = "",
) -> Session:
    """Read and check the whole project; nothing is written.

    ``start``: a folder in the project. ``store``: else ``BUILDGRAPH_STORE``, else the user's cache.
    ``lock_file``: another lock than the project's, relative to the project or absolute. ``notice`` hears of damage
    that the store found and put aside.
    """
    workspace = Workspace(find_root(start))
    trees, tests = workspace.hash_layers()
    catalogue = parse_catalogue(Documents(texts=workspace.read_manifests(), tests=_list_tests(tests)))
    raise_all(check_graph(catalogue))
    lock_file = lock_file or environ.get("BUILDGRAPH_LOCK") or LOCK_FILE
    text = workspace.read_text(lock_file)
    return Session(
        workspace=workspace,
        store=LayoutStore(store or find_store(environ), notice=notice),
        catalogue=catalogue,
        lock=parse_lock(text, lock_file) if text is not None else Lock(),
        lock_file=lock_file,
        trees=trees,
        facts=TestFacts(trees=tests, fixtures=_hash_fixtures(workspace), capabilities=find_capabilities()),
        environ=environ,
        engine_id=engine_id,
    )


def allow_unsupported(session: Session) -> Session:
    """The same session, in which no image is refused for what it is made of; a label on such images says so."""
    return replace(session, catalogue=label_unsupported(session.catalogue, session.lock))


def find_store(environ: Mapping[str, str]) -> Path:
    """``BUILDGRAPH_STORE``, else ``buildgraph`` in the user's cache folder."""
    chosen = environ.get("BUILDGRAPH_STORE")
    if chosen:
        return Path(chosen).absolute()
    from platformdirs import user_cache_path

    return user_cache_path("buildgraph") / "store"


def _list_tests(tests: Mapping[str, Tree]) -> dict[str, tuple[str, ...]]:
    return {
        folder: tuple(f"layers/{folder}/{path}" for path in files if "/" not in path) for folder, files in tests.items()
    }


def _hash_fixtures(workspace: Workspace) -> str:
    """The fixtures are part of every layer's tests, so a change to them runs the tests again."""
    return workspace.hash_file(Path(adapters.__path__[0]) / "fixtures.py")
