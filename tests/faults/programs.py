"""Builds as processes that tests can kill: the other end of ``driver``."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.faults.driver import Job

if TYPE_CHECKING:
    from types import TracebackType

    from tests.faults.room import Room

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 120.0


@dataclass(kw_only=True)
class Program:
    """One build that was started."""

    pid: int
    descriptor: int
    output: Path
    programs: Programs

    def ended(self, seconds: float) -> bool:
        """Whether it ends within so many seconds."""
        readable, _, _ = select.select([self.descriptor], [], [], seconds)
        return bool(readable)

    def send(self, number: signal.Signals) -> None:
        """A signal; not an error when it has ended."""
        signal.pidfd_send_signal(self.descriptor, number)

    def result(self, seconds: float = PATIENCE) -> int:
        """Its exit code, or minus the signal that ended it; fails when it does not end in time."""
        in_time = self.ended(seconds)
        if not in_time:
            self.send(signal.SIGKILL)
        code = self.programs.reap(self)
        assert in_time, f"it did not end within {seconds:.0f} s: {self.text}"
        return code

    @property
    def text(self) -> str:
        """What it said so far."""
        return self.output.read_text(encoding="utf-8") if self.output.exists() else ""


class Programs:
    """Starts builds while its context is open."""

    def __enter__(self) -> Self:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.driver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            start_new_session=True,
        )
        self._count = 0
        self._running: list[Program] = []
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        self._server.communicate()

    def end(self) -> None:
        """SIGKILL to all builds that nobody asked the result of."""
        for program in tuple(self._running):
            program.send(signal.SIGKILL)
            self.reap(program)

    def reap(self, program: Program) -> int:
        """Wait for its end; what it ended with."""
        code = self.ask({"reap": program.pid})
        os.close(program.descriptor)
        self._running.remove(program)
        return code

    def ask(self, request: dict[str, object]) -> int:
        """One request to the server, one answer."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())

    def start(self, room: Room, **options: object) -> Program:
        """Begin a build of the room's project; ``options`` are those of ``driver.Job``."""
        self._count += 1
        output = room.root / f"output-{self._count}"
        job = Job(room=str(room.root), output=str(output), **options)  # type: ignore[arg-type]
        pid = self.ask(asdict(job))
        program = Program(pid=pid, descriptor=os.pidfd_open(pid), output=output, programs=self)
        self._running.append(program)
        return program

    def build(self, room: Room, **options: object) -> str:
        """A build that must succeed; what it said."""
        program = self.start(room, **options)
        code = program.result()
        assert code == 0, f"exit code {code}: {program.text}"
        return program.text
