"""Carrying out a plan: makes the adapters that its steps need, runs it, keeps its log."""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph import __version__
from buildgraph.adapters.disk import disk_faults, make_folder, write_file
from buildgraph.adapters.sums import write_sums
from buildgraph.app.equipment import Equipment
from buildgraph.app.planning import save_durations
from buildgraph.events import Outcome, StepProgress
from buildgraph.execute import Ports, Workbench, execute, load_image
from buildgraph.graph import references_of
from buildgraph.history import JOURNAL, RUN_FILE, format_run, log_name, make_run
from buildgraph.model import Image
from buildgraph.plan import compose_test_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from io import FileIO

    from buildgraph.app.planning import Planned
    from buildgraph.app.session import Session
    from buildgraph.events import Emit, Event
    from buildgraph.history import Result
    from buildgraph.model import Composition
    from buildgraph.ports import Cancel
    from buildgraph.record import Record

TAIL_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a plan is carried out. ``jobs``: workers beside the downloads; None: one for each processor."""

    jobs: int | None = None
    fail_fast: bool = False
    keep_sources: bool = False


def run_plan(
    session: Session,
    planned: Planned,
    options: RunOptions,
    *,
    emit: Emit,
    cancel: Cancel,
    equip: Callable[..., Equipment] = Equipment,
) -> tuple[Result, Mapping[str, Record]]:
    """Carry the plan out; the result and all records then known. Failures of steps are in the result, not raised.

    ``equip`` makes the adapters of the run.
    """
    began = datetime.fromtimestamp(time.time(), tz=UTC)
    run = f"{began:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    jobs = options.jobs or default_jobs()
    folder = session.store.runs / run
    with disk_faults(folder, "make the folder of the run's logs"):
        for place in (session.store.root, folder):  # no link may stand for either
            make_folder(place)
    equipment = equip(session, emit=emit, cancel=cancel)
    with _open_journal(folder) as journal:

        def tell(event: Event) -> None:
            if not isinstance(event, StepProgress):
                line = json.dumps({"event": type(event).__name__, **asdict(event)}) + "\n"
                with disk_faults(folder, f"write {JOURNAL}"):
                    journal.write(line.encode())
            emit(event)

        workbench = Workbench(
            session.catalogue,
            session.lock,
            planned.keys,
            planned.plan,
            session.facts,
            records=planned.records,
            ports=_make_ports(session, equipment, folder, emit=tell, cancel=cancel),
            run=run,
            keep_sources=options.keep_sources,
        )
        try:
            result = execute(
                planned.plan,
                workbench.perform,
                run=run,
                jobs=jobs,
                fail_fast=options.fail_fast,
                emit=tell,
                cancel=cancel,
                clock=time.monotonic,
                places=_find_places(session, planned),
            )
        finally:
            workbench.close()
            equipment.close()
    _publish(session, planned, workbench)
    done = {r.step.id: r.seconds for r in result.steps if r.outcome is Outcome.DONE}
    save_durations(session, done)
    kept = make_run(
        result,
        planned.plan,
        session.catalogue,
        planned.keys,
        workbench.records,
        version=__version__,
        began=began.isoformat(timespec="milliseconds"),
        jobs=jobs,
    )
    write_file(folder / RUN_FILE, format_run(kept).encode(), aside=folder)
    write_sums(folder)
    return result, workbench.records


def _open_journal(folder: Path) -> FileIO:
    """Unbuffered: what a full disk refuses is refused once, where it is written."""
    with disk_faults(folder, f"write {JOURNAL}"):
        return (folder / JOURNAL).open("wb", buffering=0)


def load_images(
    session: Session, planned: Planned, *, cancel: Cancel, equip: Callable[..., Equipment] = Equipment
) -> tuple[str, ...]:
    """Put the planned targets, all built and tested, into the engine; their references."""
    loaded: list[str] = []
    equipment = equip(session, emit=lambda _event: None, cancel=cancel)
    try:
        for name in planned.plan.targets:
            node = session.catalogue.nodes[name]
            if isinstance(node, Image):
                composition = compose_test_image(session.catalogue, node, planned.records)
                assert composition is not None
                loaded.extend(_load_image(session, equipment, node, composition, cancel=cancel))
    finally:
        equipment.close()
    return tuple(loaded)


def _load_image(
    session: Session, equipment: Equipment, image: Image, composition: Composition, *, cancel: Cancel
) -> tuple[str, ...]:
    if os.access(session.store.root, os.W_OK):
        return load_image(
            image, composition, equipment.engine, texts=session.store, guard=equipment.guard, cancel=cancel
        )
    # A store that can only be read serves as well; the next build that may write there loads the image again.
    references = references_of(image)
    equipment.engine.load(composition, references, cancel=cancel)
    return references


@contextmanager
def show_run(mode: str, color: str) -> Iterator[Emit]:
    """A view of the run on standard error; see ``adapters.console`` for the modes and colours."""
    from buildgraph.adapters.console import make_view

    view = make_view(mode, sys.stderr, os.environ, color=color)
    try:
        yield view.emit
    finally:
        view.close()


def read_tails(result: Result) -> dict[str, tuple[str, ...]]:
    """The last lines of each failed step's log."""
    from buildgraph.adapters.process import tail

    return {entry.step.id: tail(Path(entry.log), TAIL_LINES) for entry in result.failed if entry.log}


def tame(text: str, environ: Mapping[str, str]) -> str:
    """What a program wrote, fit for standard error: in a GitHub job no line of it is a command to the runner."""
    from buildgraph.adapters.console.lines import defuse, is_github

    return "\n".join(defuse(line) for line in text.splitlines()) if is_github(environ) else text


def default_jobs() -> int:
    """One worker for each processor that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _find_places(session: Session, planned: Planned) -> dict[str, str]:
    """Node → the line of the manifest where it is written."""
    places = {name: session.catalogue.nodes[name].location for name in planned.plan.nodes}
    return {name: f"{at.file}:{at.line}" for name, at in places.items()}


def _make_ports(session: Session, equipment: Equipment, folder: Path, *, emit: Emit, cancel: Cancel) -> Ports:
    return Ports(
        blobs=session.store,
        texts=session.store,
        fetcher=equipment.fetcher,
        builders=equipment.builders,
        engine=lambda: equipment.engine,
        probe=lambda: equipment.probe,
        guard=equipment.guard,
        log=lambda step: folder / log_name(step),
        emit=emit,
        cancel=cancel,
        clock=time.monotonic,
        same_files=lambda name: session.workspace.hash_layer(name)[0] == session.trees.get(name, {}),
        same_tests=lambda name: session.workspace.hash_layer(name)[1] == session.facts.trees.get(name, {}),
    )


def _publish(session: Session, planned: Planned, workbench: Workbench) -> None:
    """List the targets' images in the layout's index, for tools that read OCI layouts."""
    for name in planned.plan.targets:
        node, records = session.catalogue.nodes[name], workbench.records
        if isinstance(node, Image) and name in records and name not in planned.records:
            composition = compose_test_image(session.catalogue, node, records)
            if composition is not None:
                session.store.publish(name, composition)
