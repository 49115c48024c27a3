"""What was started and what was changed on the machine: written before each step, so that ``down`` can undo it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph.adapters.disk import write_file
from buildgraph.adapters.proctable import start_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.adapters.cluster.places import Places

FORMAT = 1
BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A program that was started; ``started`` (clock ticks since boot) tells it from a later one of that number."""

    pid: int
    started: int

    @property
    def alive(self) -> bool:
        """True while exactly this process runs."""
        return start_time(self.pid) == self.started


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """How the machine was: settings of the kernel; chains (by the program that saves them) and tables of the filter.

    ``sets``: of addresses, which rules of the filter name.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    chains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tables: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """``boot``: of which start of the machine all this is. ``root``: the Debian root. ``programs``: Kubernetes' folder.

    ``ready``: all came up.
    """

    boot: str
    root: str
    programs: str
    before: Before
    processes: Mapping[str, Process] = field(default_factory=dict)
    ready: bool = False


def find_boot() -> str:
    """A name of this start of the machine."""
    return BOOT.read_text("ascii").strip()


def format_record(record: Record) -> str:
    """The document of a record."""
    return json.dumps({"format": FORMAT, **asdict(record)}, indent=1)


def parse_record(text: str) -> Record | None:
    """The record in a document, or None when it is not one that this program wrote."""
    try:
        document = json.loads(text)
        if document.pop("format") != FORMAT:
            return None
        before = document.pop("before")
        chains = {name: tuple(chains) for name, chains in before.pop("chains").items()}
        tables, sets = tuple(before.pop("tables")), tuple(before.pop("sets", ()))
        processes = {name: Process(**process) for name, process in document.pop("processes").items()}
        return Record(**document, processes=processes, before=Before(**before, chains=chains, tables=tables, sets=sets))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def read_record(places: Places) -> Record | None:
    """The record of the last start, or None."""
    try:
        return parse_record(places.record.read_text("utf-8"))
    except FileNotFoundError:
        return None


def write_record(places: Places, record: Record) -> Record:
    """Replace the record; the record itself."""
    write_file(places.record, format_record(record).encode(), aside=places.state)
    return record
