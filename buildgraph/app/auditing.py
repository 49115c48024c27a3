"""``verify``: every file of the store read, every document compared with what it speaks of."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from buildgraph.adapters import fileindex, layout
from buildgraph.adapters.inventory import Hashed, Opener, StoreFile, hash_files, open_plain
from buildgraph.adapters.store import QUARANTINE, USAGE_LOCK
from buildgraph.adapters.sums import SUMS_FILE
from buildgraph.app.stocktaking import BLOBS, DOCUMENTS, Shelf, take_stock
from buildgraph.audit import (
    BlobFact,
    Finding,
    Kind,
    Remedy,
    check_documents,
    find_lost_names,
    find_names,
    list_orphans,
)
from buildgraph.errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from buildgraph.adapters.store import LayoutStore
    from buildgraph.app.stocktaking import Stock
    from buildgraph.ports import Cancel, Progress

Known = dict[tuple[StoreFile, bool], Hashed]
"""What was read before of files that have not changed since."""

_HEX = "[0-9a-f]{64}"
_BLOB = re.compile(rf"{BLOBS}/({_HEX})")
_INDEX = re.compile(rf"files/({_HEX}){re.escape(fileindex.SUFFIX)}")
_SOURCE = re.compile(rf"sources/({_HEX})/[^./][^/]*")
_RUN_FILE = re.compile(r"runs/([^/]+)/([^/]+)")
_LAYOUT = (layout.STORE_FILE, layout.LAYOUT_FILE, layout.INDEX_FILE)
_LEFT = {"tmp": "left by a run that ended", "locks": "nobody holds this lock", "sources": "left of a download"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was found, wrong things first. ``files`` and ``size`` (bytes) are what was looked at.

    ``names`` is what ``index.json`` should name: image → manifest digest.
    """

    files: int
    size: int
    findings: tuple[Finding, ...]
    names: Mapping[str, str]

    @property
    def wrong(self) -> tuple[Finding, ...]:
        """The findings but orphans."""
        return tuple(finding for finding in self.findings if finding.kind is not Kind.ORPHAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A file that must have this sha256."""

    file: StoreFile
    sha256: str
    remedy: Remedy
    is_blob: bool = False


def audit_store(store: LayoutStore, *, progress: Progress, cancel: Cancel, opener: Opener = open_plain) -> Audit:
    """Check the whole store and change nothing. What a run that goes on is about to change is no finding."""
    with store.alone() as is_alone:
        pass
    known: Known = {}
    audit = audit_files(store, known, leftovers=is_alone, progress=progress, cancel=cancel, opener=opener)
    if is_alone or not audit.wrong:
        return audit
    again = audit_files(store, known, leftovers=False, progress=progress, cancel=cancel, opener=opener)
    lasting = set(audit.findings)
    return replace(again, findings=tuple(finding for finding in again.findings if finding in lasting))


def audit_files(
    store: LayoutStore,
    known: Known,
    *,
    leftovers: bool,
    progress: Progress,
    cancel: Cancel,
    opener: Opener = open_plain,
) -> Audit:
    """One pass. ``known`` spares reading twice and grows; ``leftovers``: nobody uses the store now."""
    root = store.root
    if not root.is_dir():
        raise EnvironmentFault("there is no store", where=str(root), hint="build something first, or name another")
    shelf = Shelf(root, opener)
    _check_layout(shelf)
    stock = take_stock(root, opener=opener)
    tasks = [*_list_tasks(stock), *_list_run_tasks(stock, shelf)]
    blobs: dict[str, BlobFact] = {}
    for task, found in _hash(tasks, stock, root, known, opener=opener, progress=progress, cancel=cancel):
        _judge(task, found, shelf, blobs)
    _check_indexes(stock, blobs, shelf)
    for name in find_lost_names(stock.holdings, blobs):
        shelf.add(Kind.MISSING, layout.INDEX_FILE, f"it names {name}, whose image is not whole", Remedy.LAYOUT)
    sizes = {file.path: file.size for file in stock.files}
    for digest in list_orphans(stock.holdings, blobs):
        path = f"{BLOBS}/{digest.removeprefix('sha256:')}"
        shelf.add(Kind.ORPHAN, path, "no document names this blob", Remedy.COLLECT, sizes[path])
    findings = [*shelf.findings, *stock.findings, *check_documents(stock.holdings, blobs, stock.diff_ids)]
    findings += _find_strays(stock, leftovers=leftovers)
    order = list(Kind)
    return Audit(
        files=len(stock.files),
        size=sum(sizes.values()),
        findings=tuple(sorted(findings, key=lambda finding: (order.index(finding.kind), finding.path))),
        names=find_names(stock.holdings, blobs),
    )


def _check_layout(shelf: Shelf) -> None:
    checks: dict[str, Callable[[bytes], bool]] = {
        layout.STORE_FILE: lambda data: data == layout.format_text(),
        layout.LAYOUT_FILE: lambda data: data == layout.LAYOUT_TEXT,
        layout.INDEX_FILE: lambda data: layout.read_index(data) is not None,
    }
    for name, is_right in checks.items():
        data = shelf.read(name)
        if name == layout.STORE_FILE and data is not None:
            layout.check_format(layout.read_format(data), shelf.root)
        if data is None and not any(finding.path == name for finding in shelf.findings):
            shelf.add(Kind.MISSING, name, "every store has it", Remedy.LAYOUT)
        elif data is not None and not is_right(data):
            shelf.add(Kind.CORRUPT, name, "it is not as this program writes it", Remedy.LAYOUT)


def _list_tasks(stock: Stock) -> Iterator[_Task]:
    """Blobs and sources: their names say what they hold."""
    for file in stock.files:
        if file.is_regular and (match := _BLOB.fullmatch(file.path)):
            yield _Task(file=file, sha256=match.group(1), remedy=Remedy.QUARANTINE, is_blob=True)
        elif file.is_regular and (match := _SOURCE.fullmatch(file.path)):
            yield _Task(file=file, sha256=match.group(1), remedy=Remedy.QUARANTINE)


def _list_run_tasks(stock: Stock, shelf: Shelf) -> Iterator[_Task]:
    """The files of runs that ended: each of these runs wrote down what they hold."""
    files = {file.path: file for file in stock.files if file.is_regular}
    for path in files:
        match = _RUN_FILE.fullmatch(path)
        if match is None or match.group(2) != SUMS_FILE:
            continue
        text = shelf.read_sealed(path, Remedy.RUN)
        for name, sha256 in json.loads(text).items() if text is not None else ():
            file = files.get(f"runs/{match.group(1)}/{name}")
            if file is None:
                shelf.add(Kind.MISSING, f"runs/{match.group(1)}/{name}", "the run wrote this file", Remedy.RUN)
            else:
                yield _Task(file=file, sha256=sha256, remedy=Remedy.RUN)


def _hash(
    tasks: list[_Task],
    stock: Stock,
    root: Path,
    known: Known,
    *,
    opener: Opener,
    progress: Progress,
    cancel: Cancel,
) -> Iterator[tuple[_Task, Hashed]]:
    layers = {record.digest for record in stock.holdings.records.values() if record.layer is not None}
    wanted = {(task.file, task.is_blob and f"sha256:{task.sha256}" in layers): task for task in tasks}
    new = [key for key in wanted if key not in known]
    for key, found in zip(new, hash_files(new, root, opener=opener, progress=progress, cancel=cancel), strict=True):
        known[key] = found
    for key, task in wanted.items():
        yield task, known[key]


def _judge(task: _Task, found: Hashed, shelf: Shelf, blobs: dict[str, BlobFact]) -> None:
    path = task.file.path
    if found.is_gone:
        return
    if found.error:
        shelf.add(Kind.UNREADABLE, path, found.error, task.remedy)
    elif found.sha256 != task.sha256:
        shelf.add(Kind.CORRUPT, path, f"it holds sha256:{found.sha256}, not sha256:{task.sha256}", task.remedy)
    elif task.is_blob:
        blobs[f"sha256:{task.sha256}"] = BlobFact(
            size=found.size, diff_id=found.diff_id, unpacked=found.unpacked, fault=found.fault
        )


def _check_indexes(stock: Stock, blobs: Mapping[str, BlobFact], shelf: Shelf) -> None:
    """File indexes: whole, beside each layer that a record names, and beside nothing else."""
    layers = {record.digest for record in stock.holdings.records.values() if record.layer is not None}
    there: set[str] = set()
    for file in stock.files:
        match = _INDEX.fullmatch(file.path)
        if match is None or not file.is_regular:
            continue
        digest = f"sha256:{match.group(1)}"
        there.add(digest)
        data = shelf.read(file.path)
        if digest not in blobs:
            shelf.add(Kind.ORPHAN, file.path, "the index of a blob that is not there", Remedy.COLLECT, file.size)
        elif data is not None and not _is_index(data):
            shelf.add(Kind.CORRUPT, file.path, "its seal does not fit what it holds", Remedy.INDEX)
    for digest in sorted((layers & blobs.keys()) - there):
        path = f"files/{digest.removeprefix('sha256:')}{fileindex.SUFFIX}"
        shelf.add(Kind.MISSING, path, "every layer has a file index", Remedy.INDEX)


def _is_index(data: bytes) -> bool:
    try:
        fileindex.decode(data)
    except ValueError:
        return False
    return True


def _find_strays(stock: Stock, *, leftovers: bool) -> Iterator[Finding]:
    """Files that no rule above knows."""
    for file in stock.files:
        folder = file.path.partition("/")[0]
        if _is_known(file.path):
            if not file.is_regular:
                yield _stray(Kind.CORRUPT, file, "it is no regular file", Remedy.QUARANTINE)
        elif folder == QUARANTINE:
            yield _stray(Kind.ORPHAN, file, "put aside when it was found damaged", Remedy.COLLECT)
        elif folder in _LEFT:
            if leftovers and file.path != USAGE_LOCK:
                yield _stray(Kind.ORPHAN, _whole(file), _LEFT[folder], Remedy.REMOVE)
        elif folder in {"files", "runs"}:
            yield _stray(Kind.ORPHAN, file, "nothing that this program keeps here", Remedy.COLLECT)
        else:
            yield _stray(Kind.ORPHAN, file, "this program does not know it", Remedy.NONE)


def _whole(file: StoreFile) -> StoreFile:
    """What is removed together with a leftover: all of a temporary directory."""
    parts = file.path.split("/")
    return replace(file, path="/".join(parts[:2])) if parts[0] == "tmp" else file


def _is_known(path: str) -> bool:
    folder, _, name = path.partition("/")
    is_document = folder in DOCUMENTS and name.endswith(".json") and "/" not in name
    return (
        path in _LAYOUT
        or is_document
        or any(pattern.fullmatch(path) for pattern in (_BLOB, _INDEX, _SOURCE, _RUN_FILE))
    )


def _stray(kind: Kind, file: StoreFile, what: str, remedy: Remedy) -> Finding:
    return Finding(kind=kind, path=file.path, what=what, remedy=remedy, size=file.size)
