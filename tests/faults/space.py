"""Builds on disks that are full, or that refuse; and once they do not any more."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from buildgraph.errors import ExitCode
from tests.faults.checks import Tally, digests, problems
from tests.faults.crashes import record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.programs import Programs
    from tests.faults.room import Room

SPARE = 1.25
BLOCK = 4096


class NoDisk(Exception):
    """This user may not mount a disk in memory."""


@contextmanager
def small_disk(place: Path, size: int) -> Iterator[Path]:
    """A disk of ``size`` bytes at a new folder."""
    place.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    done = subprocess.run(mount, check=False, capture_output=True, text=True)
    if done.returncode:
        raise NoDisk(done.stderr.strip())
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def fill_up(programs: Programs, room: Room, steps: int) -> Tally:
    """Builds with 0 % to 100 % of the space that a build needs, in so many steps; then the space is given."""
    programs.build(room)
    wanted = digests(room)
    needed = _used(programs, room)
    failures = []
    for step in range(steps):
        free = round(needed * step / (steps - 1))
        fresh = room.fresh("filled")
        with small_disk(fresh.store, round(needed * SPARE)):
            _leave(fresh.store, free)
            program = programs.start(fresh)
            found = _complaints(fresh, program.result(), program.text)
            (fresh.store / "filler").unlink(missing_ok=True)
            found += _recovers(programs, fresh, wanted)
        failures += [f"{free} of {needed} bytes: {'; '.join(found)}"] if found else []
        shutil.rmtree(fresh.root)
    return Tally(tried=steps, failures=tuple(failures))


def refuse_at_changes(programs: Programs, room: Room, error: int, *, stride: int = 1) -> Tally:
    """A disk that refuses from every ``stride``-th change of a build on; then it does not any more."""
    total = len(record(programs, room))
    wanted, failures = digests(room), []
    numbers = range(0, total, stride)
    for number in numbers:
        fresh = room.fresh("refused")
        program = programs.start(fresh, jobs=1, tap=True, refuse=number, error=error)
        found = _complaints(fresh, program.result(), program.text) + _recovers(programs, fresh, wanted)
        failures += [f"{errno.errorcode[error]} from change {number}: {'; '.join(found)}"] if found else []
        shutil.rmtree(fresh.root)
    return Tally(tried=len(numbers), failures=tuple(failures))


def _complaints(room: Room, code: int, text: str) -> list[str]:
    """What is wrong with the end of a build whose disk refused something; nothing is half done in any case."""
    found = problems(room)
    if "Traceback" in text:
        found.append(f"a traceback: {text}")
    if code not in {ExitCode.OK, ExitCode.ENVIRONMENT}:
        found.append(f"exit code {code}: {text}")
    if code and str(room.store) not in text:
        found.append(f"no line names the folder: {text}")
    return found


def _recovers(programs: Programs, room: Room, wanted: dict[str, str]) -> list[str]:
    program = programs.start(room)
    code = program.result()
    if code:
        return [f"afterwards a build ends in {code}: {program.text}"]
    return problems(room) + ([] if digests(room) == wanted else ["other digests than undisturbed"])


def _used(programs: Programs, room: Room) -> int:
    """Bytes of a disk that holds a whole build, its downloads and unfinished files among them."""
    fresh = room.fresh("measured")
    with small_disk(fresh.store, 1 << 30):
        before = os.statvfs(fresh.store)
        programs.build(fresh)
        after = os.statvfs(fresh.store)
    shutil.rmtree(fresh.root)
    return (before.f_bavail - after.f_bavail) * before.f_frsize


def _leave(store: Path, free: int) -> None:
    """Fill the disk but for so many bytes."""
    status = os.statvfs(store)
    rest = status.f_bavail * status.f_frsize - free // BLOCK * BLOCK
    with (store / "filler").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, rest)
