"""Runs as they are kept: which there are, what they were about, where the logs of their steps lie."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from buildgraph.adapters.disk import CHUNK, disk_faults
from buildgraph.adapters.store import LayoutStore
from buildgraph.app.session import find_store
from buildgraph.errors import UsageError
from buildgraph.events import Outcome
from buildgraph.history import JOURNAL, RUN_FILE, log_name, parse_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from buildgraph.history import Run
    from buildgraph.key import Document, Json

LAST = "last"
_NAME = re.compile(r"(\d{8}-\d{6})-[0-9a-f]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRun:
    """A folder of the store's runs. ``run`` is its document, None for a run that did not come to its end.

    ``steps`` and ``failed`` are counts; of a run without a document, what its journal got to say.
    """

    name: str
    folder: Path
    began: datetime
    run: Run | None
    steps: int
    failed: int

    def knows(self, node: str) -> bool:
        """True when the node was part of the run."""
        return self.run is not None and node in self.run.keys


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLog:
    """What is kept of a step: a file when ``is_file``, else only its note. ``outcome`` is empty in unfinished runs."""

    run: str
    step: str
    path: Path
    is_file: bool
    outcome: str
    note: str
    details: tuple[str, ...]


def list_runs(store: LayoutStore) -> tuple[KeptRun, ...]:
    """All runs, newest first."""
    with disk_faults(store.runs, "list the runs"):
        folders = [folder for folder in store.runs.iterdir() if folder.is_dir()] if store.runs.is_dir() else []
        runs = [kept for folder in folders if (kept := _read_run(folder))]
    return tuple(sorted(runs, key=lambda kept: (kept.began, kept.name), reverse=True))


def find_run(runs: Sequence[KeptRun], name: str) -> KeptRun:
    """The run of that id, or whose id alone begins so, or for ``last`` the first.

    Raises:
        UsageError: when there is none, or more than one.
    """
    found = [*runs[:1]] if name == LAST else [run for run in runs if run.name.startswith(name)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"no run {name!r} is kept", hint="see: buildgraph logs")
    names = ", ".join(run.name for run in found[:3])
    raise UsageError(f"{name!r} begins the ids of {len(found)} runs: {names}", hint="give more of it")


def open_runs(store: Path | None, environ: Mapping[str, str]) -> tuple[KeptRun, ...]:
    """All runs of a store, newest first, whatever state the project is in. ``store``: else as for a session."""
    return list_runs(LayoutStore(store or find_store(environ)))


def find_logs(runs: Iterable[KeptRun], node: str, actions: Iterable[str]) -> tuple[StepLog, ...]:
    """Of each step of the node (``build``, ``test``, …) the log in the first run that has one."""
    known = tuple(runs)
    logs = (next(_logs_of(known, f"{action}:{node}"), None) for action in actions)
    return tuple(log for log in logs if log)


def read_log(log: StepLog) -> Iterator[str]:
    """The text of a log in pieces, the last with an end of line; of a step without a log, how it ended."""
    last = ""
    if log.is_file:
        with (
            disk_faults(log.path.parent, f"read {log.path.name}"),
            log.path.open(encoding="utf-8", errors="replace") as file,
        ):
            while piece := file.read(CHUNK):
                last = piece
                yield piece
    else:
        last = "\n".join((log.note, *log.details))
        yield last
    if not last.endswith("\n"):
        yield "\n"


def describe_log(log: StepLog) -> Json:
    """A log as a document, with its text."""
    return {
        "run": log.run,
        "step": log.step,
        "outcome": log.outcome or None,
        "note": log.note,
        "details": list(log.details),
        "path": str(log.path) if log.is_file else None,
        "text": "".join(read_log(log)) if log.is_file else None,
    }


def describe_run(kept: KeptRun) -> Json:
    """A run as a document; what only a run that ended knows is null for others."""
    run = kept.run
    return {
        "run": kept.name,
        "began": kept.began.isoformat(),
        "state": "finished" if run else "unfinished",
        "targets": list(run.targets) if run else None,
        "steps": kept.steps,
        "failed": kept.failed,
        "seconds": run.seconds if run else None,
        "exit_code": run.exit_code if run else None,
        "folder": str(kept.folder),
    }


def format_runs(runs: Sequence[KeptRun]) -> str:
    """The runs as a table, in their order."""
    rows = [("run", "began (UTC)", "steps", "failed", "seconds", "exit", "targets"), *map(_row, runs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return "\n".join(
        "  ".join([*(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    )


def _row(kept: KeptRun) -> tuple[str, ...]:
    run = kept.run
    return (
        kept.name,
        f"{kept.began:%Y-%m-%d %H:%M:%S}",
        str(kept.steps),
        str(kept.failed),
        f"{run.seconds:.1f}" if run else "-",
        str(run.exit_code) if run else "unfinished",
        " ".join(run.targets) if run else "",
    )


def _logs_of(runs: Iterable[KeptRun], step: str) -> Iterator[StepLog]:
    for kept in runs:
        known = next((one for one in kept.run.steps if one.id == step), None) if kept.run else None
        path = kept.folder / log_name(step)
        if path.is_file() or (known and known.outcome == Outcome.FAILED.value):
            yield StepLog(
                run=kept.name,
                step=step,
                path=path,
                is_file=path.is_file(),
                outcome=known.outcome if known else "",
                note=known.note if known else "",
                details=known.details if known else (),
            )


def _read_run(folder: Path) -> KeptRun | None:
    """The run of a folder, None for a folder that is not named as those of runs are."""
    stamp, run = _parse_stamp(folder.name), parse_run(_read(folder / RUN_FILE))
    if stamp is None:
        return None
    if run is not None:
        failed = sum(step.outcome == Outcome.FAILED.value for step in run.steps)
        began = _parse_time(run.began) or stamp
        return KeptRun(name=folder.name, folder=folder, began=began, run=run, steps=len(run.steps), failed=failed)
    events = tuple(_read_journal(folder / JOURNAL))
    steps = next((event.get("steps") for event in events if event.get("event") == "RunStarted"), ())
    failed = sum(event.get("outcome") == Outcome.FAILED.value for event in events)
    count = len(steps) if isinstance(steps, list) else 0
    return KeptRun(name=folder.name, folder=folder, began=stamp, run=None, steps=count, failed=failed)


def _parse_stamp(name: str) -> datetime | None:
    found = _NAME.fullmatch(name)
    try:
        return datetime.strptime(found.group(1), "%Y%m%d-%H%M%S").replace(tzinfo=UTC) if found else None
    except ValueError:
        return None


def _parse_time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _read_journal(file: Path) -> Iterator[Document]:
    """The events that are whole; a run that was killed may have left half a line."""
    for line in _read(file).splitlines():
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict):
            yield event
