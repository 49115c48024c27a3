"""The real catalogue, really built: one build for the whole session, in the user's own store and engine.

A Debian package that was locked may be gone from the archive (a security update replaced it). Then the catalogue is
proven with today's packages: Debian is locked anew into a temporary lock, loudly, and everything here uses that one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.registry import run_registry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.e2e.registry import Server

ROOT = Path(__file__).parents[2]
# What charts are pinned to.
PINNED = ("spark-4.1-gpu", "spark-4.1")
# Every flavour and every version of Spark, once at least.
SOME = (
    *PINNED,
    "spark-4.1-gpu-iceberg",
    "spark-4.1.0-iceberg",
    "spark-3.5",
    "spark-3.5.7-iceberg",
    # Each needs the Spark image of its own version and flavour, which is one of these.
    "jupyter-4.1-gpu",
    "jupyter-4.1.0-iceberg",
    "jupyter-3.5",
)
DEBIAN_LAYERS = ("os", "jdk-17")
GONE = "buildgraph lock --update"


@dataclass(frozen=True, kw_only=True)
class Project:
    """The ``buildgraph`` command in a project folder."""

    folder: Path
    environ: Mapping[str, str]
    images: tuple[str, ...] = SOME
    """What the session has built."""

    def run(self, *args: str, prefix: tuple[str, ...] = (), **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the command; output captured, any exit code."""
        return subprocess.run(
            [*prefix, sys.executable, "-m", "buildgraph", "-C", str(self.folder), *args],
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
        )

    def json(self, *args: str) -> dict[str, list[dict[str, str]]]:
        """The document that the command prints; it must end well."""
        done = self.run(*args, "--json")
        assert done.returncode == 0, done.stderr
        document: dict[str, list[dict[str, str]]] = json.loads(done.stdout)
        return document

    def copy(self, folder: Path) -> Project:
        """The same project elsewhere, to be changed at will, with the same store."""
        for name in ("manifests", "layers", "charts"):
            shutil.copytree(self.folder / name, folder / name, symlinks=True)
        return replace(self, folder=folder)

    def targets(self) -> list[str]:
        """The options of a command that name what the session has built."""
        return targets(*self.images)


def targets(*names: str) -> list[str]:
    return [word for name in names for word in ("--target", name)]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--images", choices=("some", "all"), default="some", help="which images are built; default: some")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Project:
    """The project with its images built, tested and loaded; its progress is seen, for it takes minutes."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        return _build_all(tmp_path_factory, pytestconfig.getoption("--images") == "all")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An empty registry for a module's tests."""
    folder = tmp_path_factory.mktemp("registry")
    with run_registry(folder) as running:
        yield running
    shutil.rmtree(folder)


def _build_all(tmp_path_factory: pytest.TempPathFactory, everything: bool) -> Project:
    project = Project(folder=ROOT, environ=dict(os.environ))
    if everything:
        project = replace(project, images=find_possible(project))
    done = _build(project)
    if done.returncode and GONE in done.stderr:
        lock = tmp_path_factory.mktemp("lock") / "today.lock"
        words = [word for layer in DEBIAN_LAYERS for word in ("--update", layer)]
        relocked = project.run("lock", *words, "--output", str(lock))
        assert relocked.returncode == 0, relocked.stderr
        print(f"\nNOTE: locked Debian packages have moved; testing with today's packages ({lock})", file=sys.stderr)
        project = replace(project, environ={**os.environ, "BUILDGRAPH_LOCK": str(lock)})
        done = _build(project)
    assert done.returncode == 0, done.stderr[-6000:]
    return project


def find_possible(project: Project) -> tuple[str, ...]:
    """The images that nothing refuses: their sources are locked, and their parts are supported together."""
    nodes = project.json("list", "all")["nodes"]
    return tuple(node["node"] for node in nodes if not node["unlocked"] and not node["unsupported"])


def _build(project: Project) -> subprocess.CompletedProcess[str]:
    """Build, its lines passed on as they come."""
    argv = [
        sys.executable,
        "-m",
        "buildgraph",
        "-C",
        str(project.folder),
        "build",
        *project.targets(),
        "--progress",
        "plain",
    ]
    lines: list[str] = []
    with subprocess.Popen(argv, env=dict(project.environ), stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        for line in child.stderr:
            lines.append(line)
            sys.stderr.write(line)
    return subprocess.CompletedProcess(argv, child.returncode, "", "".join(lines))
