"""Whatever ends a build and whenever: the next one completes it, and nothing is called done that is not."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from buildgraph.errors import ExitCode
from tests.faults import crashes
from tests.faults.checks import (
    digests,
    end_workers,
    leftovers,
    misremembered,
    problems,
    references,
    survivors,
    unloaded,
)
from tests.faults.interrupts import wait_until
from tests.faults.power import States
from tests.faults.room import TWENTY

if TYPE_CHECKING:
    from tests.faults.programs import Programs
    from tests.faults.room import Room


def test_an_undisturbed_build_makes_all_nodes_and_leaves_nothing_behind(programs: Programs, room: Room) -> None:
    programs.build(room)
    assert len(digests(room)) == TWENTY.nodes == 20
    assert problems(room) == []
    assert leftovers(room) == []
    assert len(references(room)) == TWENTY.images
    assert "nothing to do" in programs.build(room)


def test_fault_01_a_build_that_is_killed_is_completed_by_the_next(programs: Programs, room: Room) -> None:
    tally = crashes.kill_at_random(programs, room, 10)
    assert tally.tried == 10
    assert tally.failures == ()


def test_fault_01_an_image_whose_tests_did_not_end_is_not_called_done(programs: Programs, small_room: Room) -> None:
    small_room.hold("test-image-0")
    program = programs.start(small_room, targets=["image-0"])
    wait_until(lambda: small_room.pids("test-image-0"))
    program.send(signal.SIGKILL)
    assert program.result() == -signal.SIGKILL
    assert "image-0" in digests(small_room), "it was composed"
    assert "faults/image-0:1" not in references(small_room)
    assert problems(small_room) == []
    small_room.release("test-image-0")
    assert "1 tested" in programs.build(small_room, targets=["image-0"])
    assert "faults/image-0:1" in references(small_room)
    end_workers(small_room)


def test_fault_01_an_image_that_has_passed_and_was_not_loaded_is_loaded_by_the_next_build(
    programs: Programs, small_room: Room
) -> None:
    small_room.hold("load-image-0")
    program = programs.start(small_room, targets=["image-0"])
    wait_until(lambda: small_room.pids("load-image-0"))
    program.send(signal.SIGKILL)
    assert program.result() == -signal.SIGKILL
    assert small_room.ended("test:image-0", "done")
    assert unloaded(small_room)
    assert misremembered(small_room) == problems(small_room) == []
    small_room.release("load-image-0")
    assert programs.build(small_room, targets=["image-0"]).startswith("1 loaded; 2 nodes reused")
    assert unloaded(small_room) == misremembered(small_room) == []
    assert programs.build(small_room, targets=["image-0"]) == "nothing to do\n"
    end_workers(small_room)


def test_fault_02_a_worker_that_is_killed_fails_its_node_and_blocks_what_needs_it(
    programs: Programs, room: Room
) -> None:
    room.hold("build-joined-2")
    program = programs.start(room)
    wait_until(lambda: len(room.pids("build-joined-2")) == 2)
    worker, _ = room.pids("build-joined-2")
    os.kill(worker, signal.SIGKILL)
    assert program.result() == ExitCode.FAILED
    assert "FAILED build:joined-2: sh died (signal 9)" in program.text
    wait_until(lambda: not survivors(room.pids()))
    blocked = {"joined-2", "joined-3", "joined-4", "image-3", "image-4", "image-5"}
    assert set(digests(room)) == set(room.session().catalogue.nodes) - blocked, "the others are done"
    assert set(references(room)) == {"faults/image-0:1", "faults/image-1:1", "faults/image-2:1"}
    assert all(room.ended(f"compose:{name}", "blocked") for name in blocked if name.startswith("image-"))
    assert problems(room) == []
    room.release("build-joined-2")
    assert "is locked" not in programs.build(room), "its lock was let go"
    assert len(digests(room)) == TWENTY.nodes


def test_fault_04_a_build_that_ends_at_any_change_of_the_disk_is_completed_by_the_next(
    programs: Programs, small_room: Room
) -> None:
    tally = crashes.crash_at_changes(programs, small_room, stride=17)
    assert tally.tried > 10
    assert tally.failures == ()


def test_fault_04_what_was_not_flushed_may_be_lost_at_any_change(programs: Programs, small_room: Room) -> None:
    tally = crashes.lose_power(programs, small_room, stride=17)
    assert tally.tried > 10
    assert tally.failures == ()


def test_fault_04_what_a_finished_build_made_is_there_after_a_power_loss(programs: Programs, small_room: Room) -> None:
    tape = crashes.record(programs, small_room)
    after = small_room.fresh("after")
    crashes.restore(after, next(replayed(tape).after_power_loss()))
    assert digests(after) == digests(small_room)
    assert problems(after) == []
    assert crashes.verify(after) == ()
    programs.build(after)
    assert after.made() == [], "nothing had to be made again"


def test_the_model_of_power_loss_notices_a_file_that_is_not_flushed(programs: Programs, small_room: Room) -> None:
    tape = [change for change in crashes.record(programs, small_room) if change["do"] != "fsync"]
    _, lazy = replayed(tape).after_power_loss()
    after = small_room.fresh("after")
    crashes.restore(after, lazy)
    assert any("holds other bytes" in line for line in problems(after))


def test_the_model_of_power_loss_notices_a_folder_that_is_not_flushed(programs: Programs, small_room: Room) -> None:
    tape = [change for change in crashes.record(programs, small_room) if change["do"] != "fsync-folder"]
    strict, _ = replayed(tape).after_power_loss()
    assert strict == {}


def replayed(tape: list[dict[str, str]]) -> States:
    states = States()
    for change in tape:
        states.apply(change)
    return states
