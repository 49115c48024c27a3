"""Figures of state and concurrency: builds that are killed, starved, stopped, and that meet each other."""

from __future__ import annotations

import errno
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults import crashes
from tests.faults.crowds import crowd
from tests.faults.interrupts import WITHIN, interrupt_at_random
from tests.faults.programs import Programs
from tests.faults.room import SMALL, TWENTY, open_room
from tests.faults.space import fill_up, refuse_at_changes
from tests.figures.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.checks import Tally
    from tests.faults.room import Room, Shape

KILLS = 100
FLIPS = 1000
INTERRUPTS = 200
PROCESSES = 8
ROUNDS = 50
STEPS = 20
SEED = 4


def kill() -> Figure:
    """SIGKILL at random times."""
    with _opened(TWENTY) as (programs, room):
        tally = crashes.kill_at_random(programs, room, KILLS, seed=SEED)
    how = f"SIGKILL at {KILLS} random times of a build of {TWENTY.nodes} nodes; store checked, built again, compared"
    return _survived("kill -9", how, tally, KILLS)


def write_path() -> Figure:
    """The process ends at each change of the disk."""
    with _opened(SMALL) as (programs, room):
        tally = crashes.crash_at_changes(programs, room)
    how = f"a build of {SMALL.nodes} nodes ends at each change that it makes to its store (writes by half)"
    return _survived("crash at every step of the write path", how, tally, 100)


def power() -> Figure:
    """Power fails at each change of the disk."""
    with _opened(SMALL) as (programs, room):
        tally = crashes.lose_power(programs, room)
    how = "what was not flushed is lost at each change, names kept or lost; each state of the disk once"
    return _survived("power loss at every step of the write path", how, tally, 100)


def bit_rot() -> Figure:
    """Random bits flip."""
    from tests.faults import bitrot

    counts = bitrot.run(FLIPS, SEED)
    missed = f" (missed: {', '.join(counts.missed[:3])})" if counts.missed else ""
    return Figure(
        name="bit rot",
        how=f"one random bit of a random file of a store is flipped, {FLIPS:,} times; verify, then build",
        target=f"{FLIPS:,} found, 0 wrong images",
        result=f"{counts.detected:,} of {counts.rounds:,} found, {counts.wrong} wrong images{missed}",
        ok=counts.detected == counts.rounds == FLIPS and counts.wrong == 0,
    )


def together() -> Figure:
    """Many builds on one store."""
    with _opened(TWENTY) as (programs, room):
        tally = crowd(programs, room, processes=PROCESSES, rounds=ROUNDS, seed=SEED)
    how = f"{PROCESSES} builds of overlapping targets at once on one store, {ROUNDS} rounds"
    return Figure(
        name="concurrent builds",
        how=how,
        target="nothing done twice, 0 corrupt, 0 deadlocks, one digest a node",
        result=_result(tally, "rounds as they should be"),
        ok=tally.survived == tally.tried == ROUNDS,
    )


def full_disk() -> Figure:
    """Too little space."""
    with _opened(TWENTY) as (programs, room):
        tally = fill_up(programs, room, STEPS)
    how = f"a small disk with 0 to 100 % of the space that a build needs, {STEPS} steps; then the space is given"
    return _survived("full disk", how, tally, STEPS)


def refusing_disk() -> Figure:
    """Every step of the write path meets a full disk."""
    with _opened(SMALL) as (programs, room):
        tally = refuse_at_changes(programs, room, errno.ENOSPC)
    return _survived(
        "full disk at every step of the write path", "no space from each change on; then space", tally, 100
    )


def interrupts() -> Figure:
    """Signals at random times."""
    with _opened(TWENTY) as (programs, room):
        found = interrupt_at_random(programs, room, INTERRUPTS, seed=SEED)
    return Figure(
        name="orphans",
        how=f"SIGINT or SIGTERM at {INTERRUPTS} random times of a build with a child that never ends by itself",
        target=f"0 processes, names in the engine or unfinished files left; each within {WITHIN:.0f} s",
        result=f"{_result(found.tally, 'left nothing')}; slowest {found.slowest:.2f} s",
        ok=found.tally.survived == found.tally.tried == INTERRUPTS,
    )


@contextmanager
def _opened(shape: Shape) -> Iterator[tuple[Programs, Room]]:
    with (
        tempfile.TemporaryDirectory(prefix="buildgraph-figures-") as folder,
        Programs() as programs,
        open_room(Path(folder), shape) as room,
    ):
        yield programs, room


def _survived(name: str, how: str, tally: Tally, least: int) -> Figure:
    return Figure(
        name=name,
        how=how,
        target="100 % recover, 0 corrupt, 0 manual steps",
        result=_result(tally, "recovered"),
        ok=tally.survived == tally.tried >= least,
    )


def _result(tally: Tally, what: str) -> str:
    first = f" (first: {' '.join(tally.failures[0].split())[:200]})".replace("|", "/") if tally.failures else ""
    return f"{tally.survived} of {tally.tried} {what}{first}"
