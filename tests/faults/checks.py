"""What must hold of a room whatever was done to it, found without asking the program's own checks."""

from __future__ import annotations

import hashlib
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from buildgraph.adapters import fileindex
from buildgraph.adapters.disk import unseal
from buildgraph.app.planning import plan_targets
from buildgraph.graph import references_of
from buildgraph.model import Image
from buildgraph.plan import Wishes
from buildgraph.record import (
    CONTENTS,
    LATEST,
    LOADED,
    RECORDS,
    VERDICTS,
    Record,
    name_load,
    parse_load,
    parse_record,
    parse_verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from buildgraph.model import Verdict
    from tests.faults.room import Room


def problems(room: Room) -> list[str]:
    """One line for each thing that is half done, damaged or claimed without proof."""
    return [*_in_blobs(room.store), *_in_documents(room.store), *_in_records(room.store), *_in_claims(room)]


def digests(room: Room) -> dict[str, str]:
    """Node → digest of all that the store has for the project as it is."""
    planned = plan_targets(room.session(), ["all"], wishes=Wishes())
    return {node: record.digest for node, record in planned.records.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How often something was done to a room, and a line for each time that it was not survived."""

    tried: int
    failures: tuple[str, ...]

    @property
    def survived(self) -> int:
        return self.tried - len(self.failures)


def survivors(pids: list[int]) -> list[int]:
    """Those of the processes that still run; one that has ended and waits to be reaped does not."""
    return [pid for pid in pids if _state(pid) not in {"", "Z", "X"}]


def end_workers(room: Room) -> None:
    """End the workers of a build that was killed; nobody else is left to do so."""
    for pid in survivors(room.pids()):
        os.kill(pid, signal.SIGKILL)


def leftovers(room: Room) -> list[str]:
    """What a run that ended must have cleared away: unfinished files, and names of its own in the engine."""
    unfinished = [f"tmp/{file.name}" for file in _files(room.store / "tmp")]
    return unfinished + [name for name in references(room) if name.startswith("buildgraph-test/")]


def unloaded(room: Room) -> list[str]:
    """The images as they are that the engine does not hold under their names: none after a build that ended well."""
    nodes, held = room.session().catalogue.nodes, references(room)
    return [
        f"the engine does not hold {node} as {reference}"
        for node, digest in digests(room).items()
        for reference in references_of(nodes[node])
        if held.get(reference) != digest
    ]


def misremembered(room: Room) -> list[str]:
    """What the store says that the engine was given last and that is not there."""
    nodes, held = room.session().catalogue.nodes, references(room)
    given = {file.stem: parse_load(_document(file)) for file in _files(room.store / LOADED)}
    known = {name_load(reference): reference for node in nodes.values() for reference in references_of(node)}
    return [
        f"the store says that the engine was given {load} as {known[name]}"
        for name, load in given.items()
        if load is None or held.get(known[name]) != load.digest
    ]


def references(room: Room) -> dict[str, str]:
    """What the engine holds: reference → digest."""
    return {unquote(file.name): file.read_text(encoding="utf-8") for file in sorted(room.engine.glob("[!.]*"))}


def _in_blobs(store: Path) -> Iterator[str]:
    for file in _files(store / "blobs/sha256"):
        if hashlib.sha256(file.read_bytes()).hexdigest() != file.name:
            yield f"blob {file.name} holds other bytes"
    for file in _files(store / "files"):
        try:
            fileindex.decode(file.read_bytes())
        except ValueError as error:
            yield f"file index {file.name}: {error}"


def _in_documents(store: Path) -> Iterator[str]:
    for folder in (RECORDS, VERDICTS, CONTENTS, LATEST, LOADED):
        for file in _files(store / folder):
            if _document(file) is None:
                yield f"{folder}/{file.name} is damaged"


def _in_records(store: Path) -> Iterator[str]:
    for record in records(store):
        wanted = [record.digest] if record.layer else [record.digest, record.config_digest]
        missing = [digest for digest in wanted if not _blob(store, digest).is_file()]
        yield from (f"the record of {record.node} names {digest}, which is not there" for digest in missing)
        if record.layer and not missing and _blob(store, record.digest).stat().st_size != record.size:
            yield f"the record of {record.node} has another size than its blob"
        if record.layer and not (store / "files" / f"{record.digest.partition(':')[2]}{fileindex.SUFFIX}").is_file():
            yield f"{record.node} has a record and no file index"


def _in_claims(room: Room) -> Iterator[str]:
    """Nothing is called done, or given its final name, without a verdict of its tests."""
    passed = verdicts(room.store)
    tested = {verdict.image for verdict in passed}
    for reference, digest in references(room).items():
        if not reference.startswith("buildgraph-test/") and digest not in tested:
            yield f"the engine has {reference}, whose tests have no verdict"
    planned = plan_targets(room.session(), ["all"], wishes=Wishes())
    nodes = room.session().catalogue.nodes
    for name in planned.plan.reused:
        images = {verdict.image for verdict in passed if verdict.node == name}
        if not images or (isinstance(nodes[name], Image) and planned.records[name].digest not in images):
            yield f"{name} is called done, and its tests have no verdict"


def records(store: Path) -> list[Record]:
    """All that can be read."""
    texts = (_document(file) for file in _files(store / RECORDS))
    return [record for text in texts if text and (record := parse_record(text))]


def verdicts(store: Path) -> list[Verdict]:
    """All that can be read."""
    texts = (_document(file) for file in _files(store / VERDICTS))
    return [verdict for text in texts if text and (verdict := parse_verdict(text))]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _document(file: Path) -> str | None:
    data = unseal(file.read_bytes()) if file.is_file() else None
    return None if data is None else data.decode()


def _blob(store: Path, digest: str) -> Path:
    return store / "blobs/sha256" / digest.partition(":")[2]


def _state(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:  # noqa: PTH123 - gone between two looks is fine
            return file.read().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""
