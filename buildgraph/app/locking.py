"""The lock: resolving what it lacks, checking it, and bringing single sources up to date."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING

from buildgraph.app.settings import is_offline
from buildgraph.app.waiting import wait_for
from buildgraph.bases import find_held, find_repeats, find_without, name_of
from buildgraph.coordinate import parse_coordinate
from buildgraph.errors import BuildgraphError, Interrupted, ManifestError, NotFound, Stale, UsageError, raise_all
from buildgraph.graph import find_bases
from buildgraph.licences import find_stale, with_licences
from buildgraph.lock import NOT_FOUND, find_extra, find_unlocked, format_lock, with_entries
from buildgraph.manifest.catalogue import LICENCES_FILE
from buildgraph.model import Layer, LockEntry, LockGap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from buildgraph.app.session import Session
    from buildgraph.lock import Unlocked
    from buildgraph.model import Catalogue, Lock, Source
    from buildgraph.ports import Cancel, Resolver

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """What ``lock`` came to: how many sources were resolved, and a line for each that is known to be unlocked.

    ``is_done`` is False when one of them was missed for the first time, or named by an update.
    """

    resolved: int
    unlocked: tuple[str, ...]
    is_done: bool


def check_lock(session: Session) -> tuple[str, ...]:
    """Compare the lock with the manifests; asks nobody. A line for each source that is known to be unlocked.

    Raises:
        Stale: with one line for each source that is missing, changed or no longer asked for.
    """
    unlocked = _find_unlocked(session)
    lines = [f"- {_tell(item)}" for item in unlocked if not item.is_known]
    lines += [
        f"- {node}/{source} is asked for by no manifest" for node, source in find_extra(session.lock, session.catalogue)
    ]
    lines += [
        f"- {node}/{source} has another licence for {artifact.coordinate} than {LICENCES_FILE} gives it"
        for node, source, artifact in find_stale(session.lock, session.catalogue.licences)
    ]
    if lines:
        raise Stale("out of date", where=session.lock_file, hint="run: buildgraph lock", diff="\n".join(sorted(lines)))
    return tuple(_tell(item) for item in unlocked)


def update_lock(
    session: Session,
    resolver: Resolver,
    updates: Sequence[Update],
    *,
    output: str,
    say: Callable[[str], None],
    cancel: Cancel,
) -> Locked:
    """Resolve what the lock lacks, and what ``updates`` name, and write the lock to ``output``.

    What was resolved is written even when other sources fail. A source that the lock does not answer and that no
    repository has is written as known to be unlocked, and tried again each time.

    Raises:
        BuildgraphError: one for each source that could not be resolved for another reason, or one group.
    """
    answers: dict[tuple[str, str], LockEntry | LockGap] = {}
    errors: list[BuildgraphError] = []
    is_done = True
    lock = with_entries(session.lock, answers, session.catalogue)
    for wish in _with_dependents(session.catalogue, list(_find_wanted(session, updates))):
        if cancel.is_set():
            raise Interrupted(STOPPED)
        layer, source = wish.layer, wish.source
        say(f"resolving {layer.name}/{source.name}")
        resolve = partial(_resolve, resolver, layer, source, wish.version, lock, session.catalogue)
        try:
            answers[layer.name, source.name] = wait_for(resolve, cancel, stopped=STOPPED)
        except Interrupted:
            raise
        except NotFound as error:
            if wish.is_answered or wish.version:  # the lock keeps what it has
                errors.append(error)
                continue
            say(f"not found: {error}")
            answers[layer.name, source.name] = LockGap(request=source.request, reason=NOT_FOUND)
            is_done = is_done and wish.is_known and not wish.is_asked
        except BuildgraphError as error:
            errors.append(error)
        lock = with_entries(session.lock, answers, session.catalogue)
    text = format_lock(with_licences(lock, session.catalogue.licences))
    if text != session.workspace.read_text(output):
        session.workspace.write_text(output, text)
    raise_all(errors)
    return Locked(
        resolved=sum(isinstance(answer, LockEntry) for answer in answers.values()),
        unlocked=tuple(_tell(item) for item in find_unlocked(lock, _layers(session.catalogue))),
        is_done=is_done,
    )


def _find_unlocked(session: Session) -> list[Unlocked]:
    lacking = find_unlocked(session.lock, _layers(session.catalogue))
    return [*lacking, *find_repeats(session.lock, session.catalogue)]


def _layers(catalogue: Catalogue) -> Iterator[Layer]:
    return (node for node in catalogue.nodes.values() if isinstance(node, Layer))


def _tell(item: Unlocked) -> str:
    return f"{item.node}/{item.source.name} {item.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """A source to resolve. ``is_asked``: an update names it; ``is_answered``, ``is_known``: what the lock says."""

    layer: Layer
    source: Source
    version: str
    is_asked: bool
    is_answered: bool
    is_known: bool


def _find_wanted(session: Session, updates: Sequence[Update]) -> Iterator[_Wish]:
    lacking = {(item.node, item.source.name): item.is_known for item in _find_unlocked(session)}
    # Offline nothing new can be heard of what is known to be missing, and all the rest may still be in order.
    at_rest = any(lacking.values()) and is_offline(session.environ)
    used: set[Update] = set()
    for layer in _layers(session.catalogue):
        for source in layer.sources:
            update = next((u for u in updates if _names(u.pattern, layer, source)), None)
            if update:
                used.add(update)
            name = (layer.name, source.name)
            is_known = lacking.get(name, False)
            if update or (name in lacking and not (is_known and at_rest)):
                yield _Wish(
                    layer=layer,
                    source=source,
                    version=update.version if update else "",
                    is_asked=update is not None,
                    is_answered=name not in lacking,
                    is_known=is_known,
                )
    unused = [update.pattern for update in updates if update not in used]
    if unused:
        raise UsageError(
            f"no source is called {', '.join(unused)}", hint="name a node, a layer, a source or layer/source"
        )


def _names(pattern: str, layer: Layer, source: Source) -> bool:
    names = (layer.name, layer.layer, source.name, f"{layer.layer}/{source.name}", f"{layer.name}/{source.name}")
    return any(fnmatchcase(name, pattern) for name in names)


def _with_dependents(catalogue: Catalogue, wanted: list[_Wish]) -> list[_Wish]:
    """With each set of a python layer also the sets that hold only what it lacks; bases come first."""
    moved = {wish.layer.name for wish in wanted if wish.source.is_set}
    known = {(wish.layer.name, wish.source.name) for wish in wanted}
    dependents = [
        _Wish(layer=layer, source=source, version="", is_asked=False, is_answered=True, is_known=False)
        for layer in _layers(catalogue)
        if not moved.isdisjoint(find_bases(catalogue, layer.name))
        for source in layer.sources
        if source.is_set and (layer.name, source.name) not in known
    ]
    # Whoever stands on a layer stands on all that it stands on, and on one more.
    return sorted([*wanted, *dependents], key=lambda wish: len(find_bases(catalogue, wish.layer.name)))


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
