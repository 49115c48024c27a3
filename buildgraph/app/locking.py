"""The lock: resolving what it lacks, checking it, and bringing single sources up to date."""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from buildgraph.coordinate import parse_coordinate
from buildgraph.errors import BuildgraphError, Interrupted, Stale, UsageError, raise_all
from buildgraph.licences import find_stale, with_licences
from buildgraph.lock import find_extra, find_unlocked, format_lock, with_entries
from buildgraph.manifest.catalogue import LICENCES_FILE
from buildgraph.model import Layer, LockEntry, PythonSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from buildgraph.app.session import Session
    from buildgraph.lock import Unlocked
    from buildgraph.model import Catalogue, Lock, Source
    from buildgraph.ports import Cancel, Resolver

POLL_SECONDS = 0.1
GRACE_SECONDS = 2.0
STOPPED = "locking was stopped; nothing is written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One ``--update``: a node, a layer, a source or ``layer/source`` (globs allowed), and a version or nothing."""

    pattern: str
    version: str = ""


def parse_update(text: str) -> Update:
    """``NAME`` or ``NAME=VERSION``."""
    pattern, _, version = text.partition("=")
    return Update(pattern=pattern, version=version)


def check_lock(session: Session) -> None:
    """Compare the lock with the manifests; asks nobody.

    Raises:
        Stale: with one line for each source that is missing, changed or no longer asked for.
    """
    lines = [f"- {item.node}/{item.source.name} {item.reason}" for item in _find_unlocked(session)]
    lines += [
        f"- {node}/{source} is asked for by no manifest" for node, source in find_extra(session.lock, session.catalogue)
    ]
    lines += [
        f"- {node}/{source} has another licence for {artifact.coordinate} than {LICENCES_FILE} gives it"
        for node, source, artifact in find_stale(session.lock, session.catalogue.licences)
    ]
    if lines:
        raise Stale("out of date", where=session.lock_file, hint="run: buildgraph lock", diff="\n".join(sorted(lines)))


def update_lock(
    session: Session,
    resolver: Resolver,
    updates: Sequence[Update],
    *,
    output: str,
    say: Callable[[str], None],
    cancel: Cancel,
) -> int:
    """Resolve what the lock lacks, and what ``updates`` name, and write the lock to ``output``; how many were resolved.

    What was resolved is written even when other sources fail: those stay unlocked.

    Raises:
        BuildgraphError: one for each source that could not be resolved, or one group.
    """
    wanted = list(_find_wanted(session, updates))
    entries: dict[tuple[str, str], LockEntry] = {}
    errors: list[BuildgraphError] = []
    lock = session.lock
    for layer, source, version in _bases_first(session.catalogue, wanted):
        if cancel.is_set():
            raise Interrupted(STOPPED)
        say(f"resolving {layer.name}/{source.name}")
        resolve = partial(_resolve, resolver, layer, source, version, lock, session.catalogue)
        try:
            entries[layer.name, source.name] = _await(resolve, cancel)
        except Interrupted:
            raise
        except BuildgraphError as error:
            errors.append(error)
        lock = with_entries(session.lock, entries, session.catalogue)
    whole = with_entries(session.lock, entries, session.catalogue)
    text = format_lock(with_licences(whole, session.catalogue.licences))
    if text != session.workspace.read_text(output):
        session.workspace.write_text(output, text)
    raise_all(errors)
    return len(entries)


def _await(work: Callable[[], LockEntry], cancel: Cancel) -> LockEntry:
    """What ``work`` gives or raises; ``Interrupted`` soon after the user asks, even while a server says nothing."""
    future: Future[LockEntry] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
            future.set_exception(error)

    # A daemon: waiting for a server's first byte must not hold up the exit.
    threading.Thread(target=run, daemon=True).start()
    while not cancel.is_set() and not future.done():
        wait([future], POLL_SECONDS)
    wait([future], GRACE_SECONDS)
    if future.done():
        return future.result()
    raise Interrupted(STOPPED)


def _find_unlocked(session: Session) -> list[Unlocked]:
    return list(find_unlocked(session.lock, _layers(session.catalogue)))


def _layers(catalogue: Catalogue) -> Iterator[Layer]:
    return (node for node in catalogue.nodes.values() if isinstance(node, Layer))


def _find_wanted(session: Session, updates: Sequence[Update]) -> Iterator[tuple[Layer, Source, str]]:
    lacking = {(item.node, item.source.name) for item in _find_unlocked(session)}
    used: set[Update] = set()
    for layer in _layers(session.catalogue):
        for source in layer.sources:
            update = next((u for u in updates if _names(u.pattern, layer, source)), None)
            if update:
                used.add(update)
            if update or (layer.name, source.name) in lacking:
                yield layer, source, update.version if update else ""
    unused = [update.pattern for update in updates if update not in used]
    if unused:
        raise UsageError(
            f"no source is called {', '.join(unused)}", hint="name a node, a layer, a source or layer/source"
        )


def _names(pattern: str, layer: Layer, source: Source) -> bool:
    names = (layer.name, layer.layer, source.name, f"{layer.layer}/{source.name}", f"{layer.name}/{source.name}")
    return any(fnmatchcase(name, pattern) for name in names)


def _bases_first(catalogue: Catalogue, wanted: Iterable[tuple[Layer, Source, str]]) -> list[tuple[Layer, Source, str]]:
    """A python layer is resolved against the versions of its base, so the base comes first."""

    def depth(layer: Layer) -> int:
        base = _base_of(catalogue, layer)
        return 1 + depth(base) if base else 0

    return sorted(wanted, key=lambda item: depth(item[0]))


def _base_of(catalogue: Catalogue, layer: Layer) -> Layer | None:
    if not isinstance(layer.spec, PythonSpec) or not layer.spec.base:
        return None
    base = catalogue.nodes[layer.spec.base]
    assert isinstance(base, Layer)
    return base


def _resolve(
    resolver: Resolver, layer: Layer, source: Source, version: str, lock: Lock, catalogue: Catalogue
) -> LockEntry:
    asked = replace(source, request=(_with_version(source, version),)) if version else source
    artifacts = resolver.resolve(layer, asked, held=_find_held(layer, lock, catalogue))
    return LockEntry(request=source.request, artifacts=artifacts)


def _with_version(source: Source, version: str) -> str:
    """The request narrowed to one version, which must be one that the manifest allows."""
    if source.is_set:
        raise UsageError(f"{source.name} is a set", where=str(source.location), hint="say the version in its manifest")
    coordinate = parse_coordinate(source.request[0])
    if not fnmatchcase(version, coordinate.version or "*"):
        what = f"{version} is not among the versions that the manifest allows ({coordinate.version})"
        raise UsageError(what, where=str(source.location), hint="change the manifest first")
    return str(replace(coordinate, version=version))


def _find_held(layer: Layer, lock: Lock, catalogue: Catalogue) -> dict[str, str]:
    """Canonical name → version of every distribution in the layer's bases."""
    held: dict[str, str] = {}
    base = _base_of(catalogue, layer)
    while base is not None:
        for entry in lock.entries.get(base.name, {}).values():
            for artifact in entry.artifacts:
                coordinate = parse_coordinate(artifact.coordinate)
                held[canonicalize_name(coordinate.name)] = coordinate.version
        base = _base_of(catalogue, base)
    return held
