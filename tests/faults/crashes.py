"""Ends builds at the worst moments and looks at what the next build makes of it."""

from __future__ import annotations

import json
import shutil
import signal
import time
from random import Random
from typing import TYPE_CHECKING

from buildgraph.adapters.process import Never
from buildgraph.adapters.store import LayoutStore
from buildgraph.app.auditing import audit_store
from tests.faults.checks import Tally, digests, misremembered, problems, unloaded
from tests.faults.power import Files, States
from tests.faults.tap import CRASHED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from buildgraph.audit import Finding
    from tests.faults.programs import Programs
    from tests.faults.room import Room


def kill_at_random(programs: Programs, room: Room, count: int, *, seed: int = 0) -> Tally:
    """SIGKILL to ``count`` builds, each in an empty store, at times spread over what a build takes."""
    began = time.monotonic()
    programs.build(room)
    duration, random = time.monotonic() - began, Random(seed)

    def kill(fresh: Room) -> None:
        program = programs.start(fresh)
        program.ended(random.uniform(0, duration))
        program.send(signal.SIGKILL)
        program.result()

    return _survive(programs, room, [kill] * count, label="kill")


def crash_at_changes(programs: Programs, room: Room, *, stride: int = 1) -> Tally:
    """End a build at every ``stride``-th change that it would make to its store, a write by half."""
    total = len(record(programs, room))

    def crash_at(number: int) -> Callable[[Room], None]:
        def crash(fresh: Room) -> None:
            code = programs.start(fresh, jobs=1, tap=True, crash=number).result()
            # Threads differ a little from run to run, so the last numbers may not be reached.
            assert code == CRASHED or (code == 0 and number > total * 0.9), code

        return crash

    return _survive(programs, room, [crash_at(number) for number in range(0, total, stride)], label="change")


def lose_power(programs: Programs, room: Room, *, stride: int = 1) -> Tally:
    """Power fails before every ``stride``-th change: what was not flushed is gone, by two models (see ``power``)."""
    tape = record(programs, room)

    def lose(files: Files) -> Callable[[Room], None]:
        return lambda fresh: restore(fresh, files)

    # The engine is on another disk in all these states, and nobody knows which images it held then.
    return _survive(programs, room, [lose(files) for files in _states(tape, stride)], label="state", with_engine=False)


def restore(room: Room, files: Files) -> None:
    """Make a store of what is left of one."""
    for path, data in files.items():
        place = room.store / path
        folder = place if data is None else place.parent
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if data is not None:
            place.write_bytes(data)


def record(programs: Programs, room: Room) -> list[dict[str, str]]:
    """Every change that an undisturbed build in an empty store makes there; the room's store is built, too."""
    if not room.store.exists():
        programs.build(room)
    fresh = room.fresh("recorded")
    tape = fresh.root / "tape"
    programs.build(fresh, jobs=1, tap=True, tape=str(tape))
    lines = tape.read_text(encoding="utf-8").splitlines()
    shutil.rmtree(fresh.root)
    return [json.loads(line) for line in lines]


def _states(tape: list[dict[str, str]], stride: int) -> Iterable[Files]:
    """What the disk may hold after each prefix of the tape, each state once."""
    seen, states = set(), States()
    for number, change in enumerate(tape):
        states.apply(change)
        for files in states.after_power_loss() if number % stride == 0 else ():
            mark = tuple(sorted(files.items(), key=lambda item: item[0]))
            if mark not in seen:
                seen.add(mark)
                yield files


def _survive(
    programs: Programs,
    room: Room,
    disturbances: Iterable[Callable[[Room], None]],
    *,
    label: str,
    with_engine: bool = True,
) -> Tally:
    """Disturb an empty store in each way; then a build must complete it to the digests of the room's own store.

    ``with_engine``: and load all images.
    """
    wanted = digests(room)
    tried, failures = 0, []
    for disturb in disturbances:
        tried += 1
        fresh = room.fresh("disturbed")
        disturb(fresh)
        found = [f"after it: {line}" for line in problems(fresh) + (misremembered(fresh) if with_engine else [])]
        program = programs.start(fresh)
        code = program.result()
        found += [f"the next build ended in {code}: {program.text}"] if code else []
        found += [f"at the end: {line}" for line in problems(fresh) + (unloaded(fresh) if with_engine else [])]
        found += [f"verify: {finding}" for finding in verify(fresh)]
        found += [] if code or digests(fresh) == wanted else ["other digests than undisturbed"]
        failures += [f"{label} {tried}: {'; '.join(found)}"] if found else []
        shutil.rmtree(fresh.root)
    return Tally(tried=tried, failures=tuple(failures))


def verify(room: Room) -> tuple[Finding, ...]:
    """What the program's own check finds wrong."""
    return audit_store(LayoutStore(room.store), progress=lambda _done, _total: None, cancel=Never()).wrong
