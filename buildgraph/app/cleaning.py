"""``gc``: what no catalogue, ledger, newest record or index needs is listed, then removed.

Every run shares the store's lock; only who has it alone removes records, blobs, sources and leftovers. While a run goes
on, just what no run ever reads goes: old runs that ended, and what was put aside long ago.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from buildgraph.adapters import fileindex
from buildgraph.adapters.disk import disk_faults
from buildgraph.adapters.inventory import remove
from buildgraph.adapters.store import QUARANTINE, USAGE_LOCK
from buildgraph.adapters.sums import SUMS_FILE
from buildgraph.app.pinning import LEDGER_FILE
from buildgraph.app.stocktaking import BLOBS, take_stock
from buildgraph.audit import path_of
from buildgraph.errors import EnvironmentFault
from buildgraph.graph import find_closure
from buildgraph.keep import Roots, find_live
from buildgraph.key import compute_keys
from buildgraph.ledger import parse_ledger
from buildgraph.model import Layer
from buildgraph.plan import compose_test_image, find_services, find_test_key
from buildgraph.record import CONTENTS, LATEST, LOADED, RECORDS, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from buildgraph.app.session import Session
    from buildgraph.app.stocktaking import Stock
    from buildgraph.keep import Live
    from buildgraph.record import Record

QUARANTINE_SECONDS = 30 * 24 * 3600
_BLOB = re.compile(rf"{BLOBS}/([0-9a-f]{{64}})")
_INDEX = re.compile(rf"files/([0-9a-f]{{64}}){re.escape(fileindex.SUFFIX)}")
_SCRATCH = (".locks", "scratch")


class Sort(StrEnum):
    """What can be removed, in the order of removal: what leads to something goes before it."""

    POINTER = "pointers"
    RECORD = "records"
    VERDICT = "verdicts"
    INDEX = "file indexes"
    BLOB = "blobs"
    SOURCE = "sources"
    LEFTOVER = "leftovers"
    RUN = "runs"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """A file or folder of the store that may go. ``size`` in bytes; ``is_safe``: even while a run goes on."""

    sort: Sort
    path: str
    size: int
    why: str
    is_safe: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearing:
    """What may go now. ``is_alone``: nobody uses the store; else most of it has to wait. ``kept`` is what stays."""

    garbage: tuple[Garbage, ...]
    is_alone: bool
    kept: int

    @property
    def size(self) -> int:
        """Bytes that may go."""
        return sum(item.size for item in self.garbage)


def plan_clearing(session: Session, *, keep_runs: int, now: float) -> Clearing:
    """What ``clear`` would remove; removes nothing. ``now`` in seconds of the epoch."""
    with session.store.alone() as is_alone:
        return _plan(session, keep_runs=keep_runs, now=now, is_alone=is_alone)


def clear(
    session: Session,
    planned: Clearing,
    *,
    keep_runs: int,
    now: float,
    access: Callable[[Path, int], bool] = os.access,
) -> Clearing:
    """Remove what was planned and still may go; what was removed. ``access`` as ``os.access``, which root passes."""
    root = session.store.root
    if root.is_dir() and not access(root, os.W_OK):
        raise EnvironmentFault("the store cannot be written, so nothing is removed", where=str(root))
    with session.store.alone() as is_alone:
        current = _plan(session, keep_runs=keep_runs, now=now, is_alone=is_alone)
        agreed = {item.path for item in planned.garbage}
        garbage = tuple(item for item in current.garbage if item.path in agreed)
        for item in garbage:
            with disk_faults(root, f"remove {item.path}"):
                remove(root, item.path)
    return Clearing(garbage=garbage, is_alone=is_alone, kept=current.kept)


def _plan(session: Session, *, keep_runs: int, now: float, is_alone: bool) -> Clearing:
    if not session.store.root.is_dir():
        return Clearing(garbage=(), is_alone=is_alone, kept=0)
    stock = take_stock(session.store.root)
    live = find_live(stock.holdings, _find_roots(session, stock))
    found = [
        *_list_documents(stock, live),
        *_list_blobs(stock, live),
        *_list_sources(stock, _find_needed_sources(session, stock)),
        *_list_leftovers(stock),
        *_list_runs(stock, keep_runs),
        *_list_quarantine(stock, now),
    ]
    order = list(Sort)
    garbage = tuple(
        sorted(
            (item for item in found if is_alone or item.is_safe), key=lambda item: (order.index(item.sort), item.path)
        )
    )
    total = sum(file.size for file in stock.files)
    return Clearing(garbage=garbage, is_alone=is_alone, kept=total - sum(item.size for item in garbage))


def _find_roots(session: Session, stock: Stock) -> Roots:
    records = _find_records(session, stock)
    text = session.workspace.read_text(LEDGER_FILE)
    ledger = parse_ledger(text, LEDGER_FILE).entries.values() if text is not None else ()
    test_keys = set()
    for name in records:
        node = session.catalogue.nodes[name]
        composition = compose_test_image(session.catalogue, node, records)
        services = find_services(node, records)
        if composition is not None and services is not None:
            key = find_test_key(session.catalogue, node, composition.digest, session.facts, services=services)
            test_keys.add(key)
    return Roots(
        keys=frozenset({record.key for record in records.values()} | {entry.key for entry in ledger}),
        digests=frozenset(entry.digest for entry in ledger),
        test_keys=frozenset(test_keys),
    )


def _find_records(session: Session, stock: Stock) -> dict[str, Record]:
    """The records of the catalogue as it is, by node."""
    catalogue = session.catalogue
    nodes = find_closure(catalogue, tuple(catalogue.nodes), with_tests=True)
    keys = compute_keys(catalogue, session.lock, session.trees, nodes).keys
    held = stock.holdings.records
    return {name: held[key.key] for name, key in keys.items() if key.key in held}


def _find_needed_sources(session: Session, stock: Stock) -> frozenset[str]:
    """sha256 of the locked files of layers that are not built: their next run need not fetch them again."""
    records = _find_records(session, stock)
    return frozenset(
        artifact.sha256
        for name, node in session.catalogue.nodes.items()
        if isinstance(node, Layer) and name not in records
        for entry in session.lock.entries.get(name, {}).values()
        for artifact in entry.artifacts
    )


def _list_documents(stock: Stock, live: Live) -> Iterator[Garbage]:
    sizes = {file.path: file.size for file in stock.files}
    held = stock.holdings
    groups: tuple[tuple[Sort, str, Iterable[str], frozenset[str], str], ...] = (
        (Sort.POINTER, CONTENTS, held.contents, live.contents, "it leads to a record that is not needed"),
        (Sort.POINTER, LATEST, held.latest, live.latest, "it leads to a record that is not there"),
        (Sort.POINTER, LOADED, held.loaded, live.loaded, "it names an image that is not needed"),
        (Sort.RECORD, RECORDS, held.records, live.records, "of an earlier state of the node, or of another catalogue"),
        (Sort.VERDICT, VERDICTS, held.verdicts, live.verdicts, "of an image that is not needed"),
    )
    for sort, folder, names, kept, why in groups:
        for name in names:
            if name not in kept:
                path = path_of(folder, name)
                yield Garbage(sort=sort, path=path, size=sizes[path], why=_name_node(held.records, name, why))


def _name_node(records: Mapping[str, Record], name: str, why: str) -> str:
    return f"{records[name].node}: {why}" if name in records else why


def _list_blobs(stock: Stock, live: Live) -> Iterator[Garbage]:
    nodes = {record.digest: record.node for record in stock.holdings.records.values()}
    for file in stock.files:
        blob, index = _BLOB.fullmatch(file.path), _INDEX.fullmatch(file.path)
        match = blob or index
        digest = f"sha256:{match.group(1)}" if match else ""
        if digest in live.blobs:
            continue
        if blob:
            why = f"{nodes[digest]}, no longer needed" if digest in nodes else "nothing that is needed names it"
            yield Garbage(sort=Sort.BLOB, path=file.path, size=file.size, why=why)
        elif file.path.startswith("files/"):
            yield Garbage(sort=Sort.INDEX, path=file.path, size=file.size, why="its blob is not needed")


def _list_sources(stock: Stock, needed: frozenset[str]) -> Iterator[Garbage]:
    for folder, size in _sum_folders(stock, "sources").items():
        if folder not in needed and folder not in _SCRATCH:
            why = "the layers that read it are built, or nothing asks for it"
            yield Garbage(sort=Sort.SOURCE, path=f"sources/{folder}", size=size, why=why)


def _list_leftovers(stock: Stock) -> Iterator[Garbage]:
    for parent in ("tmp", "locks"):
        for name, size in _sum_folders(stock, parent).items():
            if f"{parent}/{name}" != USAGE_LOCK:
                why = "left by a run that ended"
                yield Garbage(sort=Sort.LEFTOVER, path=f"{parent}/{name}", size=size, why=why)
    for name, size in _sum_folders(stock, "sources").items():
        if name in _SCRATCH:
            yield Garbage(sort=Sort.LEFTOVER, path=f"sources/{name}", size=size, why="left by downloads")


def _list_runs(stock: Stock, keep_runs: int) -> Iterator[Garbage]:
    """All runs but the newest; their names begin with the time."""
    ended = {file.path.split("/")[1] for file in stock.files if file.path.endswith(f"/{SUMS_FILE}")}
    sizes = _sum_folders(stock, "runs")
    for name in sorted(sizes, reverse=True)[keep_runs:]:
        why = f"the newest {keep_runs} runs are kept"
        yield Garbage(sort=Sort.RUN, path=f"runs/{name}", size=sizes[name], why=why, is_safe=name in ended)


def _list_quarantine(stock: Stock, now: float) -> Iterator[Garbage]:
    for file in stock.files:
        if file.path.startswith(f"{QUARANTINE}/") and now - file.changed > QUARANTINE_SECONDS:
            why = "put aside more than 30 days ago"
            yield Garbage(sort=Sort.QUARANTINE, path=file.path, size=file.size, why=why, is_safe=True)


def _sum_folders(stock: Stock, parent: str) -> dict[str, int]:
    """What lies directly below a folder → bytes."""
    sizes: dict[str, int] = {}
    for file in stock.files:
        folder, _, rest = file.path.partition("/")
        if folder == parent:
            name = rest.split("/")[0]
            sizes[name] = sizes.get(name, 0) + file.size
    return sizes
