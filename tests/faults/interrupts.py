"""Stops builds by signals, as a person at a terminal does, and looks for what they leave behind."""

from __future__ import annotations

import shutil
import signal
import time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from buildgraph.errors import ExitCode
from tests.faults.checks import Tally, leftovers, misremembered, problems, survivors

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.programs import Program, Programs
    from tests.faults.room import Room

WITHIN = 5.0
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupts:
    """``slowest``: seconds from the signal to the end."""

    tally: Tally
    slowest: float


def interrupt_at_random(programs: Programs, room: Room, count: int, *, seed: int = 0) -> Interrupts:
    """SIGINT or SIGTERM to ``count`` builds, each in an empty store, at times spread over what a build takes.

    In each build one worker, with a child of its own, would never end by itself.
    """
    began = time.monotonic()
    programs.build(room)
    duration, random = time.monotonic() - began, Random(seed)
    nodes = room.session().catalogue.nodes
    steps = [f"test-{name}" for name in nodes] + [f"build-{name}" for name in nodes if name.startswith("joined-")]
    failures, slowest = [], 0.0
    for number in range(count):
        fresh = room.fresh("interrupted")
        fresh.hold(random.choice(steps))
        program = programs.start(fresh)
        program.ended(random.uniform(0, 2 * duration))
        sent = time.monotonic()
        program.send(random.choice(SIGNALS))
        code = program.result()
        slowest = max(slowest, time.monotonic() - sent)
        found = _after(fresh, program, code)
        failures += [f"interrupt {number}: {'; '.join(found)}"] if found else []
        shutil.rmtree(fresh.root)
    if slowest > WITHIN:
        failures.append(f"one took {slowest:.1f} s")
    return Interrupts(tally=Tally(tried=count, failures=tuple(failures)), slowest=slowest)


def _after(room: Room, program: Program, code: int) -> list[str]:
    found = [f"process {pid} still runs" for pid in survivors(room.pids())]
    found += [f"{name} is left" for name in leftovers(room)]
    found += problems(room) + misremembered(room)
    if "Traceback" in program.text:
        found.append(program.text)
    # In its very first moments SIGTERM ends the program as it ends any other.
    if code not in {ExitCode.INTERRUPTED, -signal.SIGTERM}:
        found.append(f"exit code {code}: {program.text}")
    return found


def wait_until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Look again and again; fails when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.01)
