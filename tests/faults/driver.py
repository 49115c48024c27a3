"""Builds a room's project as the program would: real store, fetcher, scheduler and child processes, no Docker.

``python -m tests.faults.driver`` is a server: for each line of JSON on standard input (a ``Job``) it forks a process
that carries the job out, and answers with its pid; for ``{"reap": pid}`` with its return code. Each job is a process
of its own that may be killed, without paying for a start of Python.
"""

from __future__ import annotations

import errno
import io
import json
import os
import sys
import time
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote

from buildgraph.adapters import fetch, process
from buildgraph.adapters.tarwriter import LayerWriter
from buildgraph.app.building import RunOptions, run_plan
from buildgraph.app.equipment import Equipment
from buildgraph.app.planning import plan_targets
from buildgraph.cli.context import reported_errors, say, stoppable, terminable
from buildgraph.errors import BuildFailure, ExitCode, Interrupted
from buildgraph.events import Notice
from buildgraph.model import Entry, EntryType, Kind, TestCounts
from buildgraph.plan import Wishes
from buildgraph.report import format_failures, format_summary
from tests.faults.room import HOST, Room
from tests.faults.tap import Tap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from buildgraph.app.session import Session
    from buildgraph.events import Event
    from buildgraph.model import Artifact, Composition, LayerBlob
    from buildgraph.ports import BlobStore, Cancel, LayerBuilder, LayerInputs

# Says its pid, fails where it is told to, waits where it is held, with a child that would outlive it.
WORKER = """\
echo $$ >> "$1/workers/$2"
if [ -e "$1/fails/$2" ]; then echo "it is told to fail"; exit 1; fi
if [ -e "$1/stubborn/$2" ]; then trap "" TERM INT; fi
if [ -p "$1/holds/$2" ]; then
  sleep 600 & echo $! >> "$1/workers/$2"
  read -r word < "$1/holds/$2"
fi
"""
BUG = 70
"""The exit code of a job that ended in what is none of our errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What one process does. ``output``: the file that its standard error goes to. ``clock``: seconds that it is wrong.

    ``tap``: changes of the store are recorded into ``tape``, end the process at number ``crash``, or are refused from
    number ``refuse`` on with error number ``error``.
    """

    room: str
    output: str
    targets: Sequence[str] = ("all",)
    jobs: int = 2
    environ: Mapping[str, str] = field(default_factory=dict)
    directory: str = "/"
    umask: int = 0o022
    clock: int = 0
    tap: bool = False
    tape: str = ""
    crash: int | None = None
    refuse: int | None = None
    error: int = errno.ENOSPC


class DiskEngine:
    """An ``Engine`` that several processes share: a reference is a file that holds the image's digest."""

    id = "engine-1"

    def __init__(self, room: Room, blobs: BlobStore) -> None:
        self._room = room
        self._folder = room.engine
        self._blobs = blobs

    def load(self, composition: Composition, references: Sequence[str], *, cancel: Cancel) -> None:
        if cancel.is_set():
            raise Interrupted("loading an image was stopped")
        for layer in composition.layers:
            with self._blobs.open_blob(layer.digest) as blob:
                while blob.read(1 << 20):
                    pass
        step = f"load-{references[0].partition('/')[2].partition(':')[0]}"
        if not references[0].startswith("buildgraph-test/") and (self._room.holds / step).exists():
            work(self._room, step, log=self._room.root / f"{step}.log", cancel=cancel)
        for reference in references:
            aside = self._folder / f".{os.getpid()}-{quote(reference, safe='')}"
            aside.write_text(composition.digest, encoding="utf-8")
            aside.replace(self._file(reference))

    def holds(self, composition: Composition) -> bool:
        return any(file.read_text(encoding="utf-8") == composition.digest for file in self._folder.glob("[!.]*"))

    def untag(self, reference: str) -> None:
        self._file(reference).unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing is open."""

    def _file(self, reference: str) -> Path:
        return self._folder / quote(reference, safe="")


@dataclass(frozen=True, slots=True)
class WorkerProbe:
    """A ``Probe`` whose tests are a child process that ends well."""

    room: Room

    def run(
        self,
        node: str,
        *,
        reference: str,
        services: Mapping[str, str],
        tests: Sequence[str],
        inherited: Sequence[str],
        params: Mapping[str, str],
        log: Path,
        cancel: Cancel,
    ) -> TestCounts:
        assert not services
        assert reference.startswith("buildgraph-test/")
        assert params["node"] == node
        try:
            work(self.room, f"test-{node}", log=log, cancel=cancel)
        except BuildFailure as error:
            return TestCounts(passed=0, failed=1, skipped=(), failures=(str(error),))
        return TestCounts(passed=len(tests) + len(inherited), failed=0, skipped=())


class RoomEquipment(Equipment):
    """The program's equipment with what needs Docker or another machine replaced."""

    def __init__(self, session: Session, *, room: Room, emit: object, cancel: Cancel) -> None:
        super().__init__(session, emit=emit, cancel=cancel)  # type: ignore[arg-type]
        self._room = room

    @cached_property
    def fetcher(self) -> fetch.SourceFetcher:
        return fetch.SourceFetcher(self._session.store.sources, self._locate)

    @cached_property
    def engine(self) -> DiskEngine:  # type: ignore[override]
        return DiskEngine(self._room, self._session.store)

    @cached_property
    def probe(self) -> WorkerProbe:  # type: ignore[override]
        return WorkerProbe(self._room)

    @cached_property
    def builders(self) -> Mapping[Kind, LayerBuilder]:
        return {Kind.FILES: self._noted, Kind.DOCKERFILE: self._joined}

    def _locate(self, artifact: Artifact) -> tuple[str, ...]:
        return (artifact.coordinate.replace(f"url:{HOST}", self._room.address),)

    def _noted(self, inputs: LayerInputs) -> LayerBlob:
        self._note(inputs)
        return self._build_files(inputs)

    def _joined(self, inputs: LayerInputs) -> LayerBlob:
        """A layer that says what its parents hold, after a worker process has ended."""
        self._note(inputs)
        work(self._room, f"build-{inputs.layer.name}", log=inputs.log, cancel=inputs.cancel)
        lines = []
        for parent in inputs.parents:
            with self._session.store.open_blob(parent.blob.digest) as blob:
                lines.append(f"{parent.node} {parent.blob.digest} {len(blob.read())}\n")
        text = "".join(lines).encode()
        layer = inputs.layer
        with LayerWriter(
            self._session.store, epoch=inputs.epoch, compression=layer.compression, progress=inputs.progress
        ) as writer:
            writer.add(Entry(f"opt/{layer.name}/parents", EntryType.FILE, 0o644, size=len(text)), io.BytesIO(text))
            return writer.finish()

    def _note(self, inputs: LayerInputs) -> None:
        line = f"{inputs.layer.name} {os.getpid()}\n".encode()
        journal = os.open(self._room.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(journal, line)
        os.close(journal)


def work(room: Room, step: str, *, log: Path, cancel: Cancel) -> None:
    """A child process, as the program's own tools are; ``BuildFailure`` when it does not end well."""
    process.check(["/bin/sh", "-c", WORKER, "worker", str(room.root), step], log=log, cancel=cancel)


def build(job: Job) -> None:
    """What ``buildgraph build`` does, with the room's equipment; ends in the program's exit code."""
    room = Room(Path(job.room))
    session = room.session()
    with session.store.in_use(waiting=say):
        _build(job, room, session)


def _build(job: Job, room: Room, session: Session) -> None:
    planned = plan_targets(session, job.targets, wishes=Wishes())
    if not planned.plan.steps:
        say("nothing to do")
        return

    def equip(*_args: object, emit: object, cancel: Cancel) -> Equipment:
        return RoomEquipment(session, room=room, emit=emit, cancel=cancel)

    def show(event: Event) -> None:
        if isinstance(event, Notice):
            say(event.text)

    with stoppable() as cancel:
        options = RunOptions(jobs=job.jobs)
        result, _ = run_plan(session, planned, options, emit=show, cancel=cancel, equip=equip)
    say(format_summary(result, planned.plan))
    if result.failed:
        say(format_failures(result, {}))
    sys.exit(result.exit_code)


def carry_out(job: Job) -> NoReturn:
    """Do the job in this process, which ends."""
    code = BUG
    try:
        code = _exit_code(job)
    except BaseException:  # noqa: BLE001 - what escapes the program must be seen by the test
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _exit_code(job: Job) -> int:
    try:
        _prepare(job)
        with reported_errors(), terminable():
            build(job)
    except SystemExit as end:
        return int(end.code or 0)
    except KeyboardInterrupt:  # before the run has begun: the command group ends so
        return ExitCode.INTERRUPTED
    return ExitCode.OK


def _prepare(job: Job) -> None:
    """Make this process what the job asks for."""
    sink = os.open(job.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    os.chdir(job.directory)
    os.umask(job.umask)
    os.environ.update(job.environ)
    time.tzset()
    if job.tap:
        tape = Path(job.tape) if job.tape else None
        store = Room(Path(job.room)).store
        Tap(store, tape=tape, crash=job.crash, refuse=job.refuse, error=job.error).install()
    if job.clock:
        _falsify_clock(job.clock)


def _falsify_clock(seconds: int) -> None:
    """Let the time of day jump by so much at every second look."""
    right, looks = time.time, count()
    time.time = lambda: right() + seconds * (next(looks) % 2 == 0)


def start(job: Job) -> int:
    """The pid of a new process for the job, once it hears signals: those before are lost to a fork."""
    ready, tell = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(tell, b".")
        carry_out(job)
    os.close(tell)
    os.read(ready, 1)
    os.close(ready)
    return pid


def serve() -> None:
    """Answer requests until standard input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        if "reap" in request:
            _, status = os.waitpid(request["reap"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = start(Job(**request))
        print(answer, flush=True)


if __name__ == "__main__":
    serve()
