"""Session + targets → plan: reads records and verdicts, asks no daemon and starts no process."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from buildgraph.adapters.store import QUARANTINE
from buildgraph.explain import KEY_SHOWN, Change, explain_change
from buildgraph.graph import find_needs, find_targets, references_of
from buildgraph.key import compute_keys, hash_document, hide_values
from buildgraph.model import Image
from buildgraph.plan import State, compose_test_image, find_services, find_test_document, make_plan
from buildgraph.record import (
    LATEST,
    LOADED,
    RECORDS,
    VERDICTS,
    name_load,
    parse_key,
    parse_load,
    parse_record,
    parse_verdict,
)
from buildgraph.refusal import find_scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from buildgraph.app.session import Session
    from buildgraph.key import Document, Keys
    from buildgraph.model import Verdict
    from buildgraph.plan import Plan, Wishes
    from buildgraph.record import Load, Record

DURATIONS = "durations"
STEPS = "steps"
REASONS_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """Why a node has no usable record. ``since``: the key of the record that ``changes`` compare with, or empty."""

    changes: tuple[Change, ...]
    since: str = ""

    def __str__(self) -> str:
        """The first changes, in one line."""
        more = f"; and {len(self.changes) - REASONS_SHOWN} more" if len(self.changes) > REASONS_SHOWN else ""
        return "; ".join(map(str, self.changes[:REASONS_SHOWN])) + more


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan with what it was made from."""

    plan: Plan
    keys: Keys
    records: Mapping[str, Record]
    misses: Mapping[str, Miss]


def plan_targets(session: Session, patterns: Sequence[str], *, wishes: Wishes, force: Sequence[str] = ()) -> Planned:
    """What has to be done for the targets, and why. ``force`` names nodes that are made again."""
    catalogue = session.catalogue
    targets = find_targets(catalogue, patterns)
    needs = find_needs(catalogue, targets, with_tests=wishes.test)
    keys = compute_keys(catalogue, session.lock, session.trees, needs.nodes)
    scope = find_scope(catalogue, session.lock, keys, targets, needs, with_tests=wishes.test)
    forced = set(find_targets(catalogue, force)) if force else set()
    records, misses = read_records(session, keys, forced=forced)
    wishes = replace(wishes, force=frozenset(forced))
    state = State(
        records=records,
        misses={name: str(miss) for name, miss in misses.items()},
        passed=_find_passed(session, scope.tested, records) if wishes.test else frozenset(),
        seconds=_read_durations(session),
        loaded=_read_loaded(session, scope.targets, records) if wishes.load else {},
        engine=session.engine_id,
    )
    plan = make_plan(catalogue, session.lock, keys, state, scope=scope, wishes=wishes)
    return Planned(plan=plan, keys=keys, records=records, misses=misses)


def read_records(
    session: Session, keys: Keys, *, forced: set[str] | None = None
) -> tuple[dict[str, Record], dict[str, Miss]]:
    """The usable records, and for every other node of ``keys`` why it has none."""
    records: dict[str, Record] = {}
    misses: dict[str, Miss] = {}
    lost: dict[str, bool] = {}
    for name, node_key in keys.keys.items():
        text = session.store.read(RECORDS, node_key.key)
        record = parse_record(text) if text is not None else None
        if record is not None and record.key != node_key.key:
            record = None  # the record of something else, under this name
        if name in (forced or ()):
            misses[name] = _one("force", "asked for by --force")
        elif record is None:
            lost[name] = text is not None
        elif _is_complete(session, record):
            records[name] = record
        else:
            misses[name] = _explain_blob(session, record)
    # Reading puts aside what is damaged, so the folders are looked at only now.
    listing = _Listing(session)
    for name, is_unreadable in lost.items():
        misses[name] = _explain_miss(session, name, keys, listing, is_unreadable=is_unreadable)
    return records, misses


def save_durations(session: Session, seconds: Mapping[str, float]) -> None:
    """Remember how long steps took; the next plan orders by it."""
    merged = {**_read_durations(session), **{step: round(value, 2) for step, value in seconds.items()}}
    session.store.write(DURATIONS, STEPS, json.dumps(merged, sort_keys=True, indent=0) + "\n")


def _one(kind: str, text: str) -> Miss:
    return Miss(changes=(Change(kind=kind, text=text),))


class _Listing:
    """What folders of the store hold, read when it is first asked for: most nodes of a new catalogue are in none."""

    def __init__(self, session: Session) -> None:
        self._store = session.store

    @cached_property
    def built(self) -> frozenset[str]:
        """The nodes that were ever built here."""
        return frozenset(self._store.names(LATEST))

    @cached_property
    def damaged(self) -> frozenset[str]:
        """The keys and other names of documents that were put aside."""
        return frozenset(self._store.names(QUARANTINE))


def _explain_miss(session: Session, name: str, keys: Keys, listing: _Listing, *, is_unreadable: bool) -> Miss:
    key = keys.keys[name].key
    if is_unreadable:
        return _one("record", "its record cannot be read by this version")
    if key in listing.damaged:
        return _one("record", "its record was damaged and put aside")
    latest = parse_key(session.store.read(LATEST, name)) if name in listing.built else None
    if latest is None:
        return _one("record", "never built here")
    if latest == key:
        return _one("record", "its record is missing")
    earlier = find_document(session, latest)
    if earlier is None:
        return _one("record", f"its inputs changed, and the record of its last build, {latest[:KEY_SHOWN]}, is missing")
    return Miss(changes=explain_change(earlier, hide_values(keys.keys[name].document)), since=latest)


def find_document(session: Session, key: str) -> Document | None:
    """The document of a key without values, or None when the store has no record of it that can be read."""
    text = session.store.read(RECORDS, key)
    record = parse_record(text) if text else None
    if record is None:
        return None
    # A document that its key is the hash of has its values still: that is how records were kept at first.
    return hide_values(record.document) if hash_document(record.document) == key else record.document


def find_tests(session: Session, name: str, records: Mapping[str, Record]) -> Document | None:
    """What a node's test key is made of, or None while a record of an image that they run on or with is lacking."""
    node = session.catalogue.nodes[name]
    if isinstance(node, Image):
        image = records[name].digest if name in records else ""
    else:
        composition = compose_test_image(session.catalogue, node, records)
        image = composition.digest if composition else ""
    services = find_services(node, records)
    if not image or services is None:
        return None
    return find_test_document(session.catalogue, node, image, session.facts, services=services)


def read_verdict(session: Session, test_key: str) -> Verdict | None:
    """The pass that the store has for a test key, if any."""
    text = session.store.read(VERDICTS, test_key)
    return parse_verdict(text) if text is not None else None


def _explain_blob(session: Session, record: Record) -> Miss:
    if session.store.was_damaged(session.store.blob_path(record.digest).name):
        return _one("blob", f"its blob {record.digest} was damaged and put aside")
    return _one("blob", f"the store has a record but not the blob {record.digest}")


def _is_complete(session: Session, record: Record) -> bool:
    """True when what the record names is in the store. A layer's size is known, an image's documents are small."""
    if record.layer is not None:
        return session.store.has_blob(record.digest, record.size)
    return all(session.store.blob_path(digest).is_file() for digest in (record.digest, record.config_digest))


def _find_passed(session: Session, nodes: Sequence[str], records: Mapping[str, Record]) -> frozenset[str]:
    return frozenset(name for name in nodes if name in records and _has_verdict(session, name, records))


def _has_verdict(session: Session, name: str, records: Mapping[str, Record]) -> bool:
    document = find_tests(session, name, records)
    return document is not None and read_verdict(session, hash_document(document)) is not None


def _read_loaded(session: Session, targets: Sequence[str], records: Mapping[str, Record]) -> dict[str, Load]:
    """What an engine was last given of the images among the targets; those that are composed now are not asked for."""
    nodes = [session.catalogue.nodes[name] for name in targets if name in records]
    references = [reference for node in nodes if isinstance(node, Image) for reference in references_of(node)]
    found = {reference: parse_load(session.store.read(LOADED, name_load(reference))) for reference in references}
    return {reference: load for reference, load in found.items() if load}


def _read_durations(session: Session) -> dict[str, float]:
    text = session.store.read(DURATIONS, STEPS)
    try:
        document = json.loads(text) if text else {}
        return {str(step): float(value) for step, value in document.items()}
    except (ValueError, TypeError, AttributeError):
        return {}
