"""The programs of a node: the compiler that is chosen for them, what they are kept by, and how they are compiled."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.cluster import programs
from buildgraph.adapters.process import Never
from buildgraph.adapters.settings import Credential, Settings
from buildgraph.errors import EnvironmentFault
from tests.fakes.programs import write_program

if TYPE_CHECKING:
    from pathlib import Path

    from buildgraph.adapters.cluster.places import Places

NEW = "go1.999.0"
WRITE = 'while [ "$1" != -o ]; do shift; done; echo "$PWD" > "$2"'
"""What is compiled holds where that was done."""


def _ensure(places: Places, said: list[str]) -> programs.Programs:
    return programs.ensure_programs(places.cache, os.environ, say=said.append, cancel=Never(), settings=Settings())


def test_the_key_of_a_program_is_that_of_its_sources_and_its_compiler(tmp_path: Path) -> None:
    (tmp_path / "main.go").write_text("package main")
    key = programs.compute_key(tmp_path, "go1.26.8 linux amd64")
    assert programs.compute_key(tmp_path, "go1.26.8 linux amd64") == key
    assert programs.compute_key(tmp_path, "go1.26.9 linux amd64") != key
    os.utime(tmp_path / "main.go", (1, 1))
    assert programs.compute_key(tmp_path, "go1.26.8 linux amd64") == key
    (tmp_path / "main.go").write_text("package  main")
    assert programs.compute_key(tmp_path, "go1.26.8 linux amd64") != key


def _make_go(folder: Path, version: str, *, build: str = "exit 1") -> str:
    """A go that says its version, and compiles as ``build`` says; PATH with it in front."""
    tell = f"printf '%s\\n' {version} linux amd64"
    write_program(folder, "go", f"case $1 in env) {tell} ;; *) {build} ;; esac")
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize(("on_path", "beside", "chosen"), [("go1.19.8", "go1.27.3", 1), ("go1.26.8", "go1.27.3", 0)])
def test_a_compiler_that_is_too_old_is_passed_over(
    on_path: str, beside: str, chosen: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = (tmp_path / "path", tmp_path / "python")
    for folder, version in zip(folders, (on_path, beside), strict=True):
        _make_go(folder, version)
    monkeypatch.setenv("PATH", f"{folders[0]}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("sys.executable", str(folders[1] / "python"))
    found = programs.find_compiler(os.environ, cancel=Never())
    assert found == (str(folders[chosen] / "go"), f"{(on_path, beside)[chosen]} linux amd64")


def test_no_compiler_that_is_new_enough_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", _make_go(tmp_path / "path", "go1.19.8"))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(EnvironmentFault, match=r"Go 1\.25 or newer is needed; .*/path/go is go1\.19\.8"):
        programs.find_compiler(os.environ, cancel=Never())


def test_kubernetes_and_all_that_it_keeps_beside_itself_are_of_one_release() -> None:
    text = (programs.SOURCES / "kubernetes/go.mod").read_text()
    version = programs.kubernetes_version()
    assert programs.read_version(text, "k8s.io/kubernetes") == version
    staged = [line.split()[-1] for line in text.splitlines() if " => " in line]
    assert set(staged) == {version.replace("v1.", "v0.", 1)}
    assert f"-X k8s.io/component-base/version.gitVersion={version}" in programs.linker_flags("kubernetes")


@pytest.mark.parametrize("name", ["coredns", "policies"])
def test_what_asks_the_api_is_built_with_the_same_release_of_the_client(name: str) -> None:
    text = (programs.SOURCES / name / "go.mod").read_text()
    assert programs.read_version(text, "k8s.io/client-go") == programs.kubernetes_version().replace("v1.", "v0.", 1)


@pytest.mark.parametrize("name", ["kubernetes", "coredns", "pause", "policies"])
def test_all_sources_are_committed_with_their_sums(name: str) -> None:
    folder = programs.SOURCES / name
    needs_sums = "require" in (folder / "go.mod").read_text()
    assert {path.name for path in folder.iterdir()} == {"go.mod", "main.go"} | ({"go.sum"} if needs_sums else set())


def test_modules_come_from_the_users_proxies_and_from_nowhere_when_offline() -> None:
    credential = Credential(place="proxy.example", username="ada", password="secret")
    settings = Settings(go=("https://proxy.example/go", "https://other.example"), credentials=(credential,))
    environ = programs.make_environment({"GOPROXY": "direct"}, settings)
    assert environ["GOPROXY"] == "https://ada:secret@proxy.example/go|https://other.example"
    assert environ["CGO_ENABLED"] == "0"
    assert programs.make_environment({}, replace(settings, offline=True))["GOPROXY"] == "off"
    assert programs.make_environment({"GOPROXY": "direct"}, Settings())["GOPROXY"] == "direct"


def test_a_compiler_that_does_not_tell_its_version_is_a_fault_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_program(tmp_path / "path", "go", "echo 'go: no GOROOT' >&2; exit 2")
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(EnvironmentFault, match="go ended with exit code 2: go: no GOROOT"):
        programs.find_compiler(os.environ, cancel=Never())


def test_programs_are_compiled_once_each_in_the_folder_of_its_sources(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", _make_go(tmp_path / "path", NEW, build=WRITE))
    said: list[str] = []
    made = _ensure(places, said)
    for program, name in (
        (made.pause, "pause"),
        (made.coredns, "coredns"),
        (made.kubectl, "kubernetes"),
        (made.policies, "policies"),
    ):
        assert program.read_text() == f"{programs.SOURCES / name}\n"
    assert {path.name for path in made.kubernetes.iterdir()} == {"kubernetes", *programs.COMPONENTS}
    assert [line.split()[:2] for line in said] == [
        ["compiling", name] for name in ("pause", "Kubernetes", "coredns", "policies")
    ]
    assert _ensure(places, said) == made
    assert len(said) == 4


def test_a_program_that_cannot_be_compiled_is_named_with_the_reason_and_not_kept(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = f"{WRITE}; echo 'main.go:3: no such package' >&2; exit 1"
    monkeypatch.setenv("PATH", _make_go(tmp_path / "path", NEW, build=build))
    told = r"pause could not be compiled: go ended with exit code 1: main\.go:3: no such package; see .*/pause\.log"
    with pytest.raises(EnvironmentFault, match=told):
        _ensure(places, [])
    assert {path.name for path in places.cache.iterdir()} <= {"pause.log", "pause.lock"}
