"""Several builds at once on one store."""

from __future__ import annotations

import shutil
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

from tests.faults.checks import Tally, digests, leftovers, misremembered, problems, unloaded

if TYPE_CHECKING:
    from tests.faults.programs import Programs
    from tests.faults.room import Room

ONCE = ("build:", "compose:", "test:")
DEADLOCK = 120.0


def crowd(programs: Programs, room: Room, *, processes: int, rounds: int, seed: int = 0) -> Tally:
    """In each round ``processes`` builds of overlapping targets start at once in one empty store."""
    programs.build(room)
    wanted, random = digests(room), Random(seed)
    images = sorted(name for name in wanted if name.startswith("image-"))
    failures = []
    for number in range(rounds):
        shared = room.fresh("shared")
        # Everything is somebody's target, and everybody has some of it.
        choices = [["all"], *(random.sample(images, 3) for _ in range(processes - 1))]
        running = [programs.start(shared, targets=targets) for targets in choices]
        codes = [program.result(DEADLOCK) for program in running]
        found = [f"exit code {code}: {program.text}" for program, code in zip(running, codes, strict=True) if code]
        found += problems(shared) + leftovers(shared) + twice(shared) + unloaded(shared) + misremembered(shared)
        found += [] if digests(shared) == wanted else ["other digests than alone"]
        failures += [f"round {number}: {'; '.join(found)}"] if found else []
        shutil.rmtree(shared.root)
    return Tally(tried=rounds, failures=tuple(failures))


def twice(room: Room) -> list[str]:
    """What was made, composed or tested by more than one of the runs on a store, by the logs of the runs."""
    done: Counter[str] = Counter()
    for event in room.events():
        if event.get("outcome") == "done" and str(event["step"]).startswith(ONCE):
            done[str(event["step"])] += 1
    made = Counter(room.made())
    return [f"{name} was done {count} times" for name, count in (done + made).items() if count > 1]
