"""Disks that are full, and clocks and times that lie."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from buildgraph.errors import ExitCode
from tests.faults.checks import digests, problems
from tests.faults.space import NoDisk, fill_up, refuse_at_changes

if TYPE_CHECKING:
    from tests.faults.programs import Programs
    from tests.faults.room import Room

YEAR_2040 = 2208988800
YESTERDAY = -24 * 3600


def test_fault_11_a_build_on_a_full_disk_ends_cleanly_and_the_next_one_needs_only_space(
    programs: Programs, room: Room
) -> None:
    try:
        tally = fill_up(programs, room, 6)
    except NoDisk as error:
        pytest.skip(f"no small disk can be mounted here: {error}")
    assert tally.tried == 6
    assert tally.failures == ()


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT])
def test_fault_11_a_disk_that_is_full_at_any_change_is_said_in_one_line(
    programs: Programs, small_room: Room, error: int
) -> None:
    tally = refuse_at_changes(programs, small_room, error, stride=29)
    assert tally.tried > 8
    assert tally.failures == ()


@pytest.mark.parametrize("error", [errno.EROFS, errno.EACCES, errno.EMFILE, errno.EIO])
def test_fault_12_a_disk_that_refuses_at_any_change_is_said_in_one_line(
    programs: Programs, small_room: Room, error: int
) -> None:
    tally = refuse_at_changes(programs, small_room, error, stride=41)
    assert tally.tried > 5
    assert tally.failures == ()


def test_fault_11_the_line_names_the_folder_and_the_bytes(programs: Programs, small_room: Room) -> None:
    program = programs.start(small_room, jobs=1, tap=True, refuse=60)
    assert program.result() == ExitCode.ENVIRONMENT
    (line,) = {line for line in program.text.splitlines() if line.startswith("FAILED build:") or "cannot write" in line}
    assert str(small_room.store) in line
    assert "No space left on device" in line


@pytest.mark.parametrize("time", [0, YEAR_2040])
def test_fault_13_times_of_files_mean_nothing(programs: Programs, small_room: Room, time: int) -> None:
    programs.build(small_room)
    before = digests(small_room)
    for folder in (small_room.project, small_room.store):
        for file in folder.rglob("*"):
            os.utime(file, (time, time), follow_symlinks=False)
    assert "nothing to do" in programs.build(small_room)
    data = small_room.project / "layers/files-1/files/data"
    status = data.stat()
    data.write_bytes(bytes(byte ^ 1 for byte in data.read_bytes()))
    os.utime(data, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert data.stat().st_size == status.st_size
    programs.build(small_room)
    after = digests(small_room)
    assert {name for name in after if after[name] != before[name]} == {"files-1", "joined-0", "image-0"}
    assert problems(small_room) == []


@pytest.mark.parametrize("jump", [YESTERDAY, YEAR_2040])
def test_fault_13_a_clock_that_jumps_changes_no_result(programs: Programs, small_room: Room, jump: int) -> None:
    programs.build(small_room)
    elsewhere = small_room.fresh("elsewhere")
    programs.build(elsewhere, clock=jump)
    (run,) = (elsewhere.store / "runs").iterdir()
    assert not run.name.startswith(f"{datetime.now(tz=UTC):%Y%m%d}"), "the clock was wrong"
    assert digests(elsewhere) == digests(small_room)
    assert "nothing to do" in programs.build(small_room, clock=jump)
    assert problems(elsewhere) == []
