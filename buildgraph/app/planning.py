"""Session + targets → plan: reads records and verdicts, asks no daemon and starts no process."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from buildgraph.graph import find_closure, find_targets
from buildgraph.key import compute_keys, explain_change, hide_values
from buildgraph.model import Image
from buildgraph.plan import State, compose_test_image, find_test_key, make_plan
from buildgraph.record import LATEST, RECORDS, VERDICTS, parse_key, parse_record, parse_verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from buildgraph.app.session import Session
    from buildgraph.key import Keys
    from buildgraph.plan import Plan, Wishes
    from buildgraph.record import Record

DURATIONS = "durations"
STEPS = "steps"
REASONS_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan with what it was made from."""

    plan: Plan
    keys: Keys
    records: Mapping[str, Record]


def plan_targets(session: Session, patterns: Sequence[str], *, wishes: Wishes, force: Sequence[str] = ()) -> Planned:
    """What has to be done for the targets, and why. ``force`` names nodes that are made again."""
    catalogue = session.catalogue
    targets = find_targets(catalogue, patterns)
    tested = find_closure(catalogue, targets, with_tests=False)
    nodes = find_closure(catalogue, targets, with_tests=True) if wishes.test else tested
    keys = compute_keys(catalogue, session.lock, session.trees, nodes)
    forced = set(find_targets(catalogue, force)) if force else set()
    records, misses = read_records(session, keys, forced=forced)
    wishes = replace(wishes, force=frozenset(forced))
    state = State(
        records=records,
        misses=misses,
        passed=_find_passed(session, tested, records) if wishes.test else frozenset(),
        seconds=_read_durations(session),
    )
    plan = make_plan(catalogue, session.lock, keys, state, targets=targets, nodes=nodes, tested=tested, wishes=wishes)
    return Planned(plan=plan, keys=keys, records=records)


def read_records(
    session: Session, keys: Keys, *, forced: set[str] | None = None
) -> tuple[dict[str, Record], dict[str, str]]:
    """The usable records, and for every other node of ``keys`` why it has none."""
    records: dict[str, Record] = {}
    misses: dict[str, str] = {}
    for name, node_key in keys.keys.items():
        text = session.store.read(RECORDS, node_key.key)
        record = parse_record(text) if text is not None else None
        if name in (forced or ()):
            misses[name] = "asked for by --force"
        elif record is None:
            misses[name] = _explain_miss(session, name, keys, is_unreadable=text is not None)
        elif _is_complete(session, record):
            records[name] = record
        else:
            misses[name] = f"the store has a record but not the blob {record.digest}"
    return records, misses


def save_durations(session: Session, seconds: Mapping[str, float]) -> None:
    """Remember how long steps took; the next plan orders by it."""
    merged = {**_read_durations(session), **{step: round(value, 2) for step, value in seconds.items()}}
    session.store.write(DURATIONS, STEPS, json.dumps(merged, sort_keys=True, indent=0) + "\n")


def _explain_miss(session: Session, name: str, keys: Keys, *, is_unreadable: bool) -> str:
    if is_unreadable:
        return "its record cannot be read by this version"
    latest = parse_key(session.store.read(LATEST, name))
    text = session.store.read(RECORDS, latest) if latest else None
    earlier = parse_record(text) if text else None
    if earlier is None:
        return "never built here"
    changes = explain_change(earlier.document, hide_values(keys.keys[name].document))
    more = f"; and {len(changes) - REASONS_SHOWN} more" if len(changes) > REASONS_SHOWN else ""
    return "; ".join(changes[:REASONS_SHOWN]) + more if changes else "its record is missing"


def _is_complete(session: Session, record: Record) -> bool:
    """True when what the record names is in the store. A layer's size is known, an image's documents are small."""
    if record.layer is not None:
        return session.store.has_blob(record.digest, record.size)
    return all(session.store.blob_path(digest).is_file() for digest in (record.digest, record.config_digest))


def _find_passed(session: Session, nodes: Sequence[str], records: Mapping[str, Record]) -> frozenset[str]:
    return frozenset(name for name in nodes if name in records and _has_verdict(session, name, records))


def _has_verdict(session: Session, name: str, records: Mapping[str, Record]) -> bool:
    node = session.catalogue.nodes[name]
    if isinstance(node, Image):
        image = records[name].digest
    else:
        composition = compose_test_image(session.catalogue, node, records)
        if composition is None:
            return False
        image = composition.digest
    text = session.store.read(VERDICTS, find_test_key(session.catalogue, node, image, session.facts))
    return text is not None and parse_verdict(text) is not None


def _read_durations(session: Session) -> dict[str, float]:
    text = session.store.read(DURATIONS, STEPS)
    try:
        document = json.loads(text) if text else {}
        return {str(step): float(value) for step, value in document.items()}
    except (ValueError, TypeError, AttributeError):
        return {}
