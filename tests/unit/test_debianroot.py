"""A Debian root: on which machine one can be made, and what is said when it was not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters import debianroot
from buildgraph.adapters.process import Never
from buildgraph.errors import EnvironmentFault
from tests.fakes.programs import write_program

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def debian(tmp_path: Path) -> Path:
    """The file by which Debian is known."""
    file = tmp_path / "debian_version"
    file.write_text("13.1\n")
    return file


def check(folder: Path, debian: Path) -> None:
    """Check a machine that has every program."""
    for tool in debianroot.TOOLS:
        write_program(folder, tool, "exit 1")
    debianroot.check_machine({"PATH": str(folder)}, "an engine", instead="install Docker", debian=debian)


def make(root: Path) -> None:
    debianroot.make_root(
        root, ("one", "two"), whose="the engine's", log=root.parent / "log", folders=("srv",), say=print, cancel=Never()
    )


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that come first."""
    folder = tmp_path / "bin"
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.defpath}")
    return folder


def test_a_debian_with_all_programs_will_do_for_root(
    tmp_path: Path, debian: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    check(tmp_path / "bin", debian)
    (tmp_path / "bin" / "pivot_root").unlink()
    with pytest.raises(EnvironmentFault, match=r"bringing an engine up takes pivot_root; apt-get install"):
        debianroot.check_machine({"PATH": str(tmp_path / "bin")}, "an engine", instead="", debian=debian)


def test_another_system_than_debian_is_refused_with_what_to_do_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(EnvironmentFault, match=r"an engine can be brought up on Debian only; install Docker"):
        check(tmp_path / "bin", tmp_path / "none")


def test_another_user_than_root_is_refused(tmp_path: Path, debian: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(EnvironmentFault, match=r"an engine up takes root; run it as root, or install Docker"):
        check(tmp_path / "bin", debian)


def test_a_root_that_mmdebstrap_could_not_make_is_not_there(tmp_path: Path, programs: Path) -> None:
    write_program(programs, "unshare", 'echo "E: no such mirror"; exit 3')
    with pytest.raises(EnvironmentFault) as caught:
        make(tmp_path / "root")
    assert (
        caught.value.what == "the engine's root could not be made: mmdebstrap ended with exit code 3: E: no such mirror"
    )
    assert caught.value.hint == f"see {tmp_path}/log"
    assert not (tmp_path / "root").exists()


def test_a_root_is_made_once_apart_from_this_machines_mounts(tmp_path: Path, programs: Path) -> None:
    # The last word is the directory, for there are no mirrors of the user's.
    write_program(programs, "unshare", f'echo "$@" >> {tmp_path}/words; for last; do :; done; mkdir "$last"')
    for _ in range(2):
        make(tmp_path / "root")
    (words,) = (tmp_path / "words").read_text().splitlines()
    assert words.startswith("--mount --propagation private mmdebstrap --variant=minbase --include=one,two trixie ")
    assert sorted(path.name for path in (tmp_path / "root").iterdir()) == [".old", "srv"]
