"""Whoever stops a build waits no longer than 5 s, keeps what is finished, and finds nothing left running."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.store import LayoutStore
from buildgraph.errors import ExitCode
from tests.fakes.webserver import Reply, WebServer
from tests.faults.checks import digests, leftovers, misremembered, problems, references, survivors, unloaded
from tests.faults.interrupts import SIGNALS, WITHIN, interrupt_at_random, wait_until

if TYPE_CHECKING:
    from tests.fakes.sample import Sample
    from tests.faults.programs import Programs
    from tests.faults.room import Room

PATIENCE = 60.0


@pytest.mark.parametrize("number", SIGNALS)
def test_fault_03_a_stopped_build_ends_its_children_and_keeps_what_is_finished(
    programs: Programs, room: Room, number: signal.Signals
) -> None:
    room.hold("build-joined-1")
    program = programs.start(room)
    wait_until(lambda: len(room.pids("build-joined-1")) == 2 and room.ended("build:files-8", "done"))
    finished = {name for name in room.made() if room.ended(f"build:{name}", "done")}
    program.send(number)
    assert program.ended(WITHIN), "it must stop within 5 s"
    assert program.result() == ExitCode.INTERRUPTED
    assert f"stopping ({number.name})" in program.text
    assert "Traceback" not in program.text
    assert survivors(room.pids()) == []
    assert leftovers(room) == []
    assert problems(room) == []
    assert finished <= set(digests(room))
    room.release("build-joined-1")
    before = room.made()
    programs.build(room)
    again = room.made()[len(before) :]
    assert finished.isdisjoint(again), "what was finished is kept"


def test_fault_03_the_second_signal_ends_the_build_and_its_children_at_once(programs: Programs, room: Room) -> None:
    room.stubborn("build-joined-1")
    program = programs.start(room)
    wait_until(lambda: len(room.pids("build-joined-1")) == 2)
    program.send(signal.SIGINT)
    wait_until(lambda: "stopping (SIGINT)" in program.text)
    program.send(signal.SIGINT)
    assert program.ended(WITHIN)
    assert program.result() == ExitCode.INTERRUPTED
    wait_until(lambda: not survivors(room.pids()), WITHIN)


def test_fault_03_a_child_that_ignores_the_first_request_is_ended_all_the_same(programs: Programs, room: Room) -> None:
    room.stubborn("build-joined-1")
    program = programs.start(room)
    wait_until(lambda: len(room.pids("build-joined-1")) == 2)
    program.send(signal.SIGTERM)
    assert program.ended(WITHIN)
    assert program.result() == ExitCode.INTERRUPTED
    assert survivors(room.pids()) == []


def test_fault_03_an_interrupt_counts_for_more_than_a_failure_before_it(programs: Programs, room: Room) -> None:
    room.fail("build-joined-0")
    room.hold("test-files-3")
    program = programs.start(room)
    wait_until(lambda: room.pids("test-files-3") and room.pids("build-joined-0"))
    wait_until(lambda: room.ended("build:joined-0", "failed"))
    program.send(signal.SIGINT)
    assert program.result() == ExitCode.INTERRUPTED
    assert "FAILED build:joined-0" in program.text


def test_fault_03_interrupts_at_any_time_leave_no_process_and_no_file(programs: Programs, room: Room) -> None:
    interrupts = interrupt_at_random(programs, room, 10)
    assert interrupts.tally.tried == 10
    assert interrupts.tally.failures == ()


def test_fault_03_a_finished_image_keeps_its_name_when_another_is_stopped(programs: Programs, room: Room) -> None:
    room.hold("test-image-5")
    program = programs.start(room)
    wait_until(lambda: len([name for name in references(room) if name.startswith("faults/")]) == 5)
    program.send(signal.SIGINT)
    assert program.result() == ExitCode.INTERRUPTED
    assert [name for name in references(room) if name.startswith("buildgraph-test/")] == []
    assert "faults/image-5:1" not in references(room)
    assert len(references(room)) == 5


@pytest.mark.parametrize("number", SIGNALS)
def test_fault_03_a_build_that_is_stopped_while_it_loads_is_completed_by_the_next(
    programs: Programs, small_room: Room, number: signal.Signals
) -> None:
    programs.build(small_room)
    text = small_room.project / "layers/files-1/files/data"
    text.write_bytes(b"other")
    small_room.hold("load-image-0")
    program = programs.start(small_room)
    # joined-0 is no part of the image: its tests may still run when the image is loaded.
    wait_until(lambda: small_room.pids("load-image-0") and small_room.endings("test:joined-0", "done") == 2)
    program.send(number)
    assert program.result() == ExitCode.INTERRUPTED
    assert small_room.ended("test:image-0", "done")
    assert unloaded(small_room), "the engine holds the image as it was"
    assert misremembered(small_room) == problems(small_room) == leftovers(small_room) == []
    small_room.release("load-image-0")
    assert programs.build(small_room).startswith("1 loaded; 3 nodes reused")
    assert unloaded(small_room) == misremembered(small_room) == []


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("command", ["build", "test"])
def test_fault_03_a_signal_before_anything_is_built_ends_in_one_line(
    sample: Sample, command: str, number: signal.Signals
) -> None:
    sample.build("base")
    with LayoutStore(sample.store).alone() as is_alone, sample.spawn(command, "all") as child:
        assert is_alone
        assert child.stderr is not None
        assert "waiting for" in child.stderr.readline()
        child.send_signal(number)
        out, err = child.communicate(timeout=PATIENCE)
    assert (child.returncode, out) == (ExitCode.INTERRUPTED, "")
    (line,) = err.splitlines()
    assert line.startswith(("interrupted", "stopped while waiting"))


def test_fault_03_ctrl_c_while_sources_are_looked_up_ends_in_one_line(sample: Sample) -> None:
    with WebServer() as server:
        url = server.serve("/file.bin", Reply(stall=True))
        sample.edit("manifests/layers/tool.yaml", "files:\n", f"sources: {{file: 'url:{url}'}}\nfiles:\n")
        with sample.spawn("lock") as child:
            wait_until(lambda: server.asked)
            child.send_signal(signal.SIGINT)
            began = time.monotonic()
            out, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == ExitCode.INTERRUPTED, err
    assert time.monotonic() - began < WITHIN
    assert out == ""
    assert "Traceback" not in err
    assert not (sample.folder / "manifests/buildgraph.lock").exists()
