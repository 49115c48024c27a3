"""The daemon of one's own: what is said when it does not come up, or does not go."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters import dockerd
from buildgraph.adapters.process import Never
from buildgraph.errors import EnvironmentFault
from tests.fakes.programs import write_program

if TYPE_CHECKING:
    from pathlib import Path

ABSENT = 4_194_305
"""No process can have this number."""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory with as much of a root as is written to."""
    root = dockerd.root_path(tmp_path)
    for folder in ("etc/docker", "etc/ssl/certs"):
        (root / folder).mkdir(parents=True)
    return tmp_path


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that the daemon's shell finds first."""
    monkeypatch.setattr("buildgraph.adapters.dockerd.PATH", f"{tmp_path}/programs{os.pathsep}{os.defpath}")
    return tmp_path / "programs"


def start(state: Path) -> None:
    def ping() -> None:
        pytest.fail("there is nobody to ask")

    dockerd.start(state, {}, ping=ping, cancel=Never())


def test_a_daemon_that_could_not_even_be_launched_is_told_by_the_launchers_words(state: Path, programs: Path) -> None:
    write_program(programs, "setsid", 'echo "no session" >&2; exit 7')
    said = "dockerd could not be started: the launcher ended with exit code 7: no session"
    with pytest.raises(EnvironmentFault, match=said):
        start(state)


def test_a_daemon_that_does_not_come_up_is_told_by_its_last_words(state: Path, programs: Path) -> None:
    write_program(programs, "setsid", 'shift; "$@" || :')
    write_program(programs, "unshare", 'echo "no mounts" >&2; echo "good bye" >&2; exit 1')
    with pytest.raises(EnvironmentFault) as caught:
        start(state)
    assert caught.value.what == "dockerd did not come up: no mounts | good bye"
    assert caught.value.hint == f"see {dockerd.log_path(state)}"


def test_processes_that_never_end_are_named_and_stay_on_record(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = state / "proc" / str(ABSENT)
    process.mkdir(parents=True)
    (process / "root").symlink_to(dockerd.root_path(state))
    (process / "stat").write_text(f"{ABSENT} (containerd) S 1 {'0 ' * 20}")
    monkeypatch.setattr("buildgraph.adapters.proctable.PROC", state / "proc")
    record = state / "engine.json"
    record.write_text("{}")
    with pytest.raises(EnvironmentFault, match=rf"the engine's processes \[{ABSENT}\] do not end; see "):
        dockerd.stop(state, seconds=0)
    assert record.exists()
