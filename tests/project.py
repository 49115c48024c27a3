"""The ``buildgraph`` command in a project folder, and the real catalogue really built.

A Debian package that was locked may be gone from the archive (a security update replaced it). Then the catalogue is
proven with today's packages: Debian is locked anew into a temporary lock, loudly, and all that follows uses that one.
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

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]
DEBIAN_LAYERS = ("os", "jdk-17", "postgresql-server")
GONE = "buildgraph lock --update"
LOCK = "BUILDGRAPH_LOCK"


@dataclass(frozen=True, kw_only=True)
class Project:
    """The ``buildgraph`` command in a project folder."""

    folder: Path
    environ: Mapping[str, str]
    images: tuple[str, ...] = ()
    """What is built."""

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
        """The options of a command that name what is built."""
        return targets(*self.images)


def targets(*names: str) -> list[str]:
    return [word for name in names for word in ("--target", name)]


def find_possible(project: Project) -> tuple[str, ...]:
    """The images that nothing refuses: their sources are locked, and their parts are supported together."""
    nodes = project.json("list", "all")["nodes"]
    return tuple(node["node"] for node in nodes if not node["unlocked"] and not node["unsupported"])


def build_images(project: Project, scratch: Path, *options: str) -> Project:
    """The project with its images built, its progress passed on as it comes; ``scratch`` gets the lock of today."""
    done = _build(project, options)
    if done.returncode and GONE in done.stderr:
        lock = scratch / "today.lock"
        words = [word for layer in DEBIAN_LAYERS for word in ("--update", layer)]
        relocked = project.run("lock", *words, "--output", str(lock))
        assert relocked.returncode == 0, relocked.stderr
        print(f"\nNOTE: locked Debian packages have moved; testing with today's packages ({lock})", file=sys.stderr)
        project = replace(project, environ={**os.environ, LOCK: str(lock)})
        done = _build(project, options)
    assert done.returncode == 0, done.stderr[-6000:]
    return project


def _build(project: Project, options: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "buildgraph", "-C", str(project.folder), "build", *project.targets(), *options]
    lines: list[str] = []
    with subprocess.Popen(
        [*argv, "--progress", "plain"], env=dict(project.environ), stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stderr is not None
        for line in child.stderr:
            lines.append(line)
            sys.stderr.write(line)
    return subprocess.CompletedProcess(argv, child.returncode, "", "".join(lines))
