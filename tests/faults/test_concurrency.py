"""Several builds on one store: each thing is done once, nobody waits for the dead, everybody gets the same."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from buildgraph.adapters.claims import Claims
from buildgraph.errors import ExitCode
from tests.faults.checks import digests, end_workers, leftovers, problems, references
from tests.faults.crowds import crowd, twice
from tests.faults.interrupts import WITHIN, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.programs import Programs
    from tests.faults.room import Room

NAME = "ab" * 32
OTHER = "cd" * 32
CLAIMER = """
import sys
from pathlib import Path
from buildgraph.adapters.claims import Claims
claims = Claims(Path(sys.argv[1]))
claims.share(sys.argv[2])
print("claimed", flush=True)
sys.stdin.read()
"""


def test_fault_16_two_builds_of_one_project_make_each_node_once(programs: Programs, room: Room) -> None:
    room.hold("build-joined-0")
    first = programs.start(room)
    wait_until(lambda: room.pids("build-joined-0"))
    second = programs.start(room)
    wait_until(lambda: "is locked by another run; waiting" in second.text)
    room.let_go("build-joined-0")
    assert (first.result(), second.result()) == (0, 0)
    assert twice(room) == []
    assert len(room.made()) == len(set(room.made())) == 14
    assert problems(room) == []
    alone = room.fresh("alone")
    programs.build(alone)
    assert digests(room) == digests(alone)


def test_fault_17_eight_builds_of_overlapping_targets_do_each_thing_once(programs: Programs, room: Room) -> None:
    tally = crowd(programs, room, processes=8, rounds=3)
    assert tally.tried == 3
    assert tally.failures == ()


def test_fault_17_a_download_is_removed_by_its_last_user_only(tmp_path: Path) -> None:
    path = tmp_path / "locks/claims"
    with subprocess.Popen(
        [sys.executable, "-c", CLAIMER, str(path), NAME], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "claimed\n"
        claims = Claims(path)
        claims.share(NAME)
        with claims.removing(NAME) as is_last:
            assert not is_last
        claims.share(OTHER)
        with claims.removing(OTHER) as is_last:
            assert is_last
        other.kill()
    claims.share(NAME)
    with claims.removing(NAME) as is_last:
        assert is_last, "the dead have no claims"


def test_fault_18_the_lock_of_a_build_that_was_killed_is_taken_at_once(programs: Programs, room: Room) -> None:
    room.hold("build-joined-0")
    killed = programs.start(room)
    wait_until(lambda: room.pids("build-joined-0"))
    waiting = programs.start(room)
    wait_until(lambda: "is locked by another run; waiting" in waiting.text)
    room.release("build-joined-0")
    killed.send(signal.SIGKILL)
    assert killed.result() == -signal.SIGKILL
    assert waiting.result() == 0
    end_workers(room)
    assert problems(room) == []
    assert len(digests(room)) == 20


def test_fault_18_who_waits_for_a_build_that_lives_says_so_and_can_be_stopped(programs: Programs, room: Room) -> None:
    room.hold("build-joined-0")
    holder = programs.start(room)
    wait_until(lambda: room.pids("build-joined-0"))
    waiting = programs.start(room)
    wait_until(lambda: "is locked by another run; waiting" in waiting.text)
    waiting.send(signal.SIGINT)
    assert waiting.ended(WITHIN)
    assert waiting.result() == ExitCode.INTERRUPTED
    assert not holder.ended(0), "the other one goes on"
    holder.send(signal.SIGINT)
    assert holder.result() == ExitCode.INTERRUPTED


def test_fault_19_runs_use_names_of_their_own_in_the_engine_and_remove_them(programs: Programs, room: Room) -> None:
    steps = ("test-files-0", "test-files-1")
    for step in steps:
        room.hold(step)
    running = [programs.start(room, targets=[step.removeprefix("test-")]) for step in steps]
    wait_until(lambda: all(room.pids(step) for step in steps))
    used = [name for name in references(room) if name.startswith("buildgraph-test/")]
    assert len({name.rpartition(":")[2] for name in used}) == 2, "each run has its own"
    for step in steps:
        room.let_go(step)
    assert [program.result() for program in running] == [0, 0]
    assert references(room) == {}
    programs.build(room)
    assert leftovers(room) == []
    records = digests(room)
    assert references(room) == {f"faults/image-{number}:1": records[f"image-{number}"] for number in range(6)}


def test_fault_20_a_file_that_is_edited_while_its_layer_is_built_spoils_no_record(
    programs: Programs, room: Room
) -> None:
    room.hold("build-joined-0")
    program = programs.start(room)
    wait_until(lambda: room.pids("build-joined-0"))
    (room.project / "layers/joined-0/Dockerfile").write_text("FROM scratch\n# edited\n", encoding="utf-8")
    room.let_go("build-joined-0")
    assert program.result() == ExitCode.FAILED
    assert "layers/joined-0 changed while it was built; run again" in program.text
    assert "joined-0" not in digests(room)
    programs.build(room)
    assert problems(room) == []


def test_fault_20_tests_that_are_edited_while_they_run_give_no_verdict(programs: Programs, room: Room) -> None:
    room.hold("test-files-1")
    program = programs.start(room, targets=["files-1"])
    wait_until(lambda: room.pids("test-files-1"))
    tests = room.project / "layers/files-1/test_files_1.py"
    original = tests.read_text(encoding="utf-8")
    tests.write_text("def test_other(): ...\n", encoding="utf-8")
    room.let_go("test-files-1")
    assert program.result() == ExitCode.FAILED
    assert "layers/files-1 changed while they ran; run again" in program.text
    tests.write_text(original, encoding="utf-8")
    assert "1 tested" in programs.build(room, targets=["files-1"]), "the old tests did not pass either"
