"""The lock: resolving what it lacks, checking it, and bringing single sources up to date."""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING

from buildgraph.bases import find_held, find_repeats, find_without, name_of
from buildgraph.coordinate import parse_coordinate
from buildgraph.errors import BuildgraphError, Interrupted, ManifestError, Stale, UsageError, raise_all
from buildgraph.graph import find_bases
from buildgraph.licences import find_stale, with_licences
from buildgraph.lock import find_extra, find_unlocked, format_lock, with_entries
from buildgraph.manifest.catalogue import LICENCES_FILE
from buildgraph.model import Layer, LockEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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
    wanted = _with_dependents(session.catalogue, list(_find_wanted(session, updates)))
    entries: dict[tuple[str, str], LockEntry] = {}
    errors: list[BuildgraphError] = []
    lock = session.lock
    for layer, source, version in wanted:
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
    lacking = find_unlocked(session.lock, _layers(session.catalogue))
    return [*lacking, *find_repeats(session.lock, session.catalogue)]


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


def _with_dependents(catalogue: Catalogue, wanted: list[tuple[Layer, Source, str]]) -> list[tuple[Layer, Source, str]]:
    """With each set of a python layer also the sets that hold only what it lacks; bases come first."""
    moved = {layer.name for layer, source, _ in wanted if source.is_set}
    known = {(layer.name, source.name) for layer, source, _ in wanted}
    dependents = [
        (layer, source, "")
        for layer in _layers(catalogue)
        if not moved.isdisjoint(find_bases(catalogue, layer.name))
        for source in layer.sources
        if source.is_set and (layer.name, source.name) not in known
    ]
    # Whoever stands on a layer stands on all that it stands on, and on one more.
    return sorted([*wanted, *dependents], key=lambda item: len(find_bases(catalogue, item[0].name)))


def _resolve(
    resolver: Resolver, layer: Layer, source: Source, version: str, lock: Lock, catalogue: Catalogue
) -> LockEntry:
    asked = replace(source, request=(_with_version(source, version),)) if version else source
    artifacts = resolver.resolve(layer, asked, held=find_held(layer, lock, catalogue))
    if without := find_without(layer, catalogue):
        artifacts = tuple(artifact for artifact in artifacts if name_of(artifact) not in without)
    if not artifacts:
        what = f"nothing is left of {layer.name}: other layers have all that it asks for"
        raise ManifestError(what, where=str(source.location), hint="take the layer out")
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
