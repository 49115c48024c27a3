"""What of a node is recorded, found again, and taken away: its record, its processes, its root."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.cluster import daemons, node, record, root
from buildgraph.adapters.cluster.record import Before, Process, Record
from buildgraph.adapters.process import Never
from buildgraph.adapters.proctable import start_time
from buildgraph.adapters.settings import Settings
from buildgraph.errors import EnvironmentFault

if TYPE_CHECKING:
    from pathlib import Path

    from buildgraph.adapters.cluster.places import Places


def test_a_record_comes_back_as_it_was_written(places: Places) -> None:
    before = Before(
        settings={"kernel/panic": "1"},
        chains={"iptables-save": ("nat CNI-1",)},
        tables=("ip kube-proxy",),
        sets=("KUBE-SRC-1",),
    )
    written = Record(
        boot="b",
        root="/root",
        programs="/programs",
        before=before,
        processes={"etcd": Process(pid=7, started=9)},
        ready=True,
    )
    places.state.mkdir()
    assert record.write_record(places, written) == written
    assert record.read_record(places) == written


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 2}', '{"format": 1, "root": ""}'])
def test_what_is_no_record_is_none(text: str) -> None:
    assert record.parse_record(text) is None


def test_a_node_runs_while_all_of_its_programs_do(places: Places, sleeper: Process) -> None:
    places.state.mkdir()
    assert node.find_running(places) is None
    running = Record(boot="b", root="", programs="", before=Before(), processes={"holder": sleeper}, ready=True)
    record.write_record(places, running)
    assert node.find_running(places) == running
    record.write_record(places, replace(running, ready=False))
    assert node.find_running(places) is None
    gone = replace(sleeper, started=sleeper.started - 1)  # another process has the number now
    record.write_record(places, replace(running, processes={"holder": sleeper, "etcd": gone}))
    assert node.find_running(places) is None


def test_a_program_is_found_as_soon_as_it_was_started(tmp_path: Path) -> None:
    found = []
    for _ in range(20):  # the kernel is late with one in some fifty
        started = daemons.start(["sleep", "600"], log=tmp_path / "log", environ={"PATH": os.defpath}, state=tmp_path)
        found.append(started.pid in daemons.find_marked(tmp_path))
        os.kill(started.pid, signal.SIGKILL)
        os.waitpid(started.pid, 0)
    assert all(found)


def test_processes_are_found_by_their_mark_and_ended_with_their_children(tmp_path: Path) -> None:
    log = tmp_path / "log"
    argv = ["sh", "-c", "env -i sleep 600 & echo $!; trap '' TERM; wait"]
    parent = daemons.start(argv, log=log, environ={"PATH": os.defpath}, state=tmp_path)
    while not (text := log.read_text().strip()):
        assert parent.alive
    child = int(text)
    deadline = time.monotonic() + 30
    while daemons.find_marked(tmp_path) != {parent.pid}:  # until the child is what it is to be
        assert time.monotonic() < deadline
    assert daemons.find_marked(tmp_path.parent) == frozenset()
    assert daemons.end_all(tmp_path, gently=[parent], pods=False)
    assert not parent.alive
    assert start_time(child) is None
    assert not daemons.end_all(tmp_path, gently=[parent], pods=False)


def test_processes_that_do_not_end_are_named(tmp_path: Path, sleeper: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    kill = os.kill
    unheard: list[int] = []

    def kill_later(pid: int, number: int) -> None:
        if number == signal.SIGKILL and not unheard:
            unheard.append(pid)
        else:
            kill(pid, number)

    monkeypatch.setattr("os.kill", kill_later)
    with pytest.raises(EnvironmentFault, match=rf"the node's processes \[{sleeper.pid}\] do not end"):
        daemons.end_all(tmp_path, gently=[], pods=False, seconds=0)
    assert sleeper.alive
    assert daemons.end_all(tmp_path, gently=[], pods=False)
    assert not sleeper.alive


def test_taking_down_what_never_was_up_says_so(places: Places) -> None:
    said: list[str] = []
    assert not node.down(places, say=said.append)
    assert said == ["no node was brought up here"]
    assert not places.state.exists()


def test_what_an_earlier_start_of_the_machine_had_is_forgotten(places: Places, sleeper: Process) -> None:
    places.state.mkdir()
    earlier = Record(boot="earlier", root="/gone", programs="", before=Before(), processes={"etcd": sleeper})
    record.write_record(places, earlier)
    assert not node.down(places, say=print)
    assert not places.record.exists()
    assert sleeper.alive


def test_without_its_root_nothing_is_ended_and_that_is_said(places: Places, sleeper: Process) -> None:
    places.state.mkdir()
    held = {"etcd": sleeper}
    now = record.find_boot()
    record.write_record(places, Record(boot=now, root="/gone", programs="", before=Before(), processes=held))
    with pytest.raises(EnvironmentFault, match=r"the node's root is gone.*buildgraph cluster up, and then down"):
        node.down(places, say=print)
    assert places.record.exists()
    assert sleeper.alive


def test_nothing_can_be_given_to_a_node_that_does_not_run(places: Places) -> None:
    with (
        pytest.raises(EnvironmentFault, match="no node runs here; bring one up with: buildgraph cluster up"),
        node.hold(places),
    ):
        pytest.fail("it was held")


def test_the_root_is_named_by_what_is_in_it(tmp_path: Path) -> None:
    assert root.root_path(tmp_path).parent == tmp_path
    assert root.root_path(tmp_path, (*root.PACKAGES, "more")) != root.root_path(tmp_path)


def test_offline_a_root_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="offline, and the node's root is to be made from Debian trixie"):
        root.ensure_root(tmp_path, say=print, cancel=Never(), settings=Settings(offline=True))
