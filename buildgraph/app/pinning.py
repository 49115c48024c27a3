"""Digests → ledger → values files. Only what is built and tested gets in; checking needs no store and no engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from buildgraph.app.documenting import make_all_texts
from buildgraph.app.planning import plan_targets
from buildgraph.errors import BuildFailure, LockError, Stale, UsageError
from buildgraph.graph import find_closure, find_targets
from buildgraph.key import compute_keys
from buildgraph.ledger import Ledger, LedgerEntry, format_ledger, parse_ledger
from buildgraph.lock import find_unlocked
from buildgraph.model import Image, Layer
from buildgraph.pin import PinValues, diff, splice, splice_images, splice_scalar
from buildgraph.plan import Action, Wishes
from buildgraph.support import find_objections

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from buildgraph.app.session import Session
    from buildgraph.key import Keys
    from buildgraph.model import Pin, VersionPin
    from buildgraph.record import Record

LEDGER_FILE = "manifests/ledger.json"
CHART_FILE = "Chart.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A file of the project and the texts before and after."""

    file: str
    old: str
    new: str


def find_pin_changes(session: Session, patterns: Sequence[str] = ()) -> tuple[Change, ...]:
    """What ``pin`` would write, for nodes that are built and tested or unchanged since they were pinned.

    With patterns only the images that they name move; another whose key has moved stays pinned to what it was, and is
    stale until it is built.

    Raises:
        BuildFailure: naming the nodes that are neither.
        UsageError: for a pattern that names no image that is pinned.
    """
    keys = _compute_keys(session, _pinned_images(session))
    images = _buildable_images(session, keys)
    chosen = _choose(session, images, patterns) if patterns else images
    old = read_ledger(session)
    moved = [name for name in images if not _is_current(name, keys, old)]
    left = [name for name in moved if name not in chosen and name in old.entries]
    moved = [name for name in moved if name not in left]
    kept = [name for name in images if name not in moved and name not in left]
    records = _find_tested(session, moved) if moved else {}
    # What is here and tested is the truth; what is not here stays as it was pinned with the same key.
    records.update(_find_tested_quietly(session, kept))
    entries = {
        name: old.entries[name]
        for name in find_closure(session.catalogue, left, with_tests=False)
        if name in old.entries
    }
    for name in find_closure(session.catalogue, [*moved, *kept], with_tests=False):
        entries[name] = _make_entry(session, name, keys, records, old)
    return _make_changes(session, keys, Ledger(entries=entries))


def _choose(session: Session, images: Sequence[str], patterns: Sequence[str]) -> frozenset[str]:
    """The images among those that can be pinned that patterns name."""
    for pattern in patterns:
        if not set(find_targets(session.catalogue, (pattern,))) & set(images):
            raise UsageError(f"{pattern} names no image that is pinned", hint="see: manifests/pins.yaml")
    return frozenset(find_targets(session.catalogue, patterns))


def check_pins(session: Session) -> None:
    """Compare ledger and values files with the manifests, by key; builds nothing, reads no store.

    Raises:
        Stale: with the nodes whose key moved, or the diff of the files that do not say what the ledger says.
    """
    keys = _compute_keys(session, _pinned_images(session))
    images = _buildable_images(session, keys)
    ledger = read_ledger(session)
    stale = [name for name in images if not _is_current(name, keys, ledger)]
    if stale:
        lines = "\n".join(f"- {name}: pinned with another key than its manifests now give" for name in stale)
        raise Stale("out of date", where=LEDGER_FILE, hint="run: buildgraph build, then buildgraph pin", diff=lines)
    changes = _make_changes(session, keys, ledger)
    if changes:
        text = "".join(diff(change.old, change.new, change.file) for change in changes)
        raise Stale("out of date", where=changes[0].file, hint="run: buildgraph pin", diff=text)


def describe_unlocked(session: Session) -> tuple[str, ...]:
    """One line for each image that is pinned without a digest, because its sources cannot be had."""
    images = _pinned_images(session)
    keys = _compute_keys(session, images)
    return tuple(
        f"{name} is not locked ({'; '.join(keys.unlocked[name])}): its pins hold no digest"
        for name in images
        if name in keys.unlocked
    )


def write_changes(session: Session, changes: Iterable[Change]) -> None:
    """Write each file atomically; the ledger goes last."""
    for change in sorted(changes, key=lambda change: change.file == LEDGER_FILE):
        session.workspace.write_text(change.file, change.new)


def _pinned_images(session: Session) -> tuple[str, ...]:
    aliases = session.catalogue.aliases
    return tuple(dict.fromkeys(aliases.get(pin.image, pin.image) for pin in session.catalogue.pins))


def _buildable_images(session: Session, keys: Keys) -> tuple[str, ...]:
    return tuple(name for name in _pinned_images(session) if name not in keys.unlocked)


def _compute_keys(session: Session, images: tuple[str, ...]) -> Keys:
    """Of the images and all that they are made of. What the lock knows that it cannot have may have none.

    Raises:
        LockError: for an image that only has not been locked yet.
    """
    _check_support(session, images)
    nodes = find_closure(session.catalogue, images, with_tests=False)
    keys = compute_keys(session.catalogue, session.lock, session.trees, nodes)
    layers = (session.catalogue.nodes[name] for name in nodes)
    unlocked = find_unlocked(session.lock, (layer for layer in layers if isinstance(layer, Layer)))
    forgotten = {f"{one.node}: {one.source.name}" for one in unlocked if not one.is_known}
    for name in images:
        lacking = [source for source in keys.unlocked.get(name, ()) if source in forgotten]
        if lacking:
            raise LockError(f"{name} is not locked: {'; '.join(lacking)}", hint="run: buildgraph lock")
    return keys


def _check_support(session: Session, images: Iterable[str]) -> None:
    """An image that is unsupported is never pinned, however it was built."""
    for name, objections in find_objections(session.catalogue, session.lock, images).items():
        aliases = session.catalogue.aliases
        pin = next(pin for pin in session.catalogue.pins if aliases.get(pin.image, pin.image) == name)
        what = f"{name} cannot be pinned: {'; '.join(map(str, objections))}"
        raise BuildFailure(what, where=str(pin.location), hint="pin another image")


def _is_current(name: str, keys: Keys, ledger: Ledger) -> bool:
    entry = ledger.entries.get(name)
    return entry is not None and entry.key == keys.keys[name].key


def read_ledger(session: Session) -> Ledger:
    """What was pinned last; nothing before the first time."""
    text = session.workspace.read_text(LEDGER_FILE)
    return parse_ledger(text, LEDGER_FILE) if text is not None else Ledger(entries={})


def _find_tested(session: Session, images: Iterable[str]) -> dict[str, Record]:
    """Records of the images and all that they are made of; refuses when anything is not built or not tested."""
    planned = plan_targets(session, tuple(images), wishes=Wishes(load=False))
    if planned.plan.refused:
        raise BuildFailure(f"nothing is pinned: {'; '.join(map(str, planned.plan.refused))}")
    if planned.plan.steps:
        lacking = dict.fromkeys(
            f"{step.node} is not {'tested' if step.action is Action.TEST else 'built'}"
            for step in planned.plan.steps
            if step.action is not Action.FETCH
        )
        targets = " ".join(f"--target {name}" for name in images)
        raise BuildFailure(f"nothing is pinned: {'; '.join(lacking)}", hint=f"run: buildgraph build {targets}")
    return dict(planned.records)


def _find_tested_quietly(session: Session, images: Iterable[str]) -> dict[str, Record]:
    records: dict[str, Record] = {}
    for name in images:
        planned = plan_targets(session, (name,), wishes=Wishes(load=False))
        if not planned.plan.steps and not planned.plan.refused:
            records.update(planned.records)
    return records


def _make_entry(session: Session, name: str, keys: Keys, records: Mapping[str, Record], old: Ledger) -> LedgerEntry:
    known = records.get(name) or old.entries.get(name)
    if known is None:
        raise UsageError(f"{name} has no entry", where=LEDGER_FILE, hint="remove the file, then build and pin again")
    node = session.catalogue.nodes[name]
    tags = node.tags if isinstance(node, Image) else ()
    return LedgerEntry(key=keys.keys[name].key, digest=known.digest, tags=tags)


def _make_changes(session: Session, keys: Keys, ledger: Ledger) -> tuple[Change, ...]:
    texts: dict[str, str] = {}
    references: dict[str, dict[str, str]] = {}
    for pin in session.catalogue.pins:
        values = _make_values(session, pin, keys, ledger)
        texts[pin.file] = splice(_read(session, texts, pin), pin.path, values, file=pin.file)
        digest = f"@{values.digest}" if values.digest else ""
        reference = f"{values.registry}/{values.repository}:{values.tag}{digest}"
        chart = str(PurePosixPath(pin.file).with_name(CHART_FILE))
        references.setdefault(chart, {})[pin.image] = reference
    for version in session.catalogue.versions:
        value = _find_image(session, version.image).params[version.parameter]
        texts[version.file] = splice_scalar(_read(session, texts, version), version.path, value, file=version.file)
    for chart, images in references.items():
        metadata = texts.get(chart) or session.workspace.read_text(chart)
        if metadata is not None:
            texts[chart] = splice_images(metadata, images, file=chart)
    texts.update(make_all_texts(session.workspace, texts))
    texts[LEDGER_FILE] = format_ledger(ledger)
    changes = (Change(file=file, old=session.workspace.read_text(file) or "", new=new) for file, new in texts.items())
    return tuple(change for change in changes if change.old != change.new)


def _find_image(session: Session, name: str) -> Image:
    image = session.catalogue.nodes[session.catalogue.aliases.get(name, name)]
    assert isinstance(image, Image)
    return image


def _make_values(session: Session, pin: Pin, keys: Keys, ledger: Ledger) -> PinValues:
    image = _find_image(session, pin.image)
    return PinValues(
        registry=session.catalogue.project.registry,
        repository=image.repository,
        tag=image.tags[0],
        digest="" if image.name in keys.unlocked else ledger.entries[image.name].digest,
    )


def _read(session: Session, texts: Mapping[str, str], pin: Pin | VersionPin) -> str:
    """The file as the pins so far leave it."""
    text = texts.get(pin.file) or session.workspace.read_text(pin.file)
    if text is None:
        where, hint = str(pin.location), "correct the pin, or add the chart"
        raise UsageError(f"there is no file {pin.file}", where=where, hint=hint)
    return text
