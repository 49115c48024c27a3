"""A folder of tests and the real probe on it; only the Docker CLI is a script that notes its calls."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from buildgraph.adapters.probe import PytestProbe
from buildgraph.adapters.process import Never
from buildgraph.model import EMPTY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from buildgraph.model import TestCounts
    from buildgraph.ports import Cancel

_NAPS = count()
DOCKER = """#!/bin/sh
echo "$@" >> "$HOME/docker-calls"
if [ "$1" = ps ]; then echo c0ffee; fi
"""


@dataclass(frozen=True)
class Project:
    """A directory with test files, and a probe on it."""

    root: Path
    probe: PytestProbe

    def write(self, name: str, text: str) -> str:
        path = self.root / "layers" / "demo" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path.relative_to(self.root))

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def docker_calls(self) -> list[str]:
        """The words of each call of the Docker CLI."""
        return (self.root / "docker-calls").read_text().splitlines()

    def run(self, *tests: str, inherited: tuple[str, ...] = (), cancel: Cancel | None = None) -> TestCounts:
        return self.probe.run(
            "demo-1",
            reference="demo:1",
            services={"helper": "helper:1"},
            tests=tests,
            inherited=inherited,
            params={"version": "1=1"},
            log=self.log,
            cancel=cancel or Never(),
        )


def make_project(
    root: Path, *, timeout: float = 60, log_bytes: int = 1_000_000, environ: Mapping[str, str] = EMPTY
) -> Project:
    """A project in ``root``; ``environ`` is in the caller's environment, beside what every caller has."""
    docker = root / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    given = {**environ, "HOME": str(root), "PATH": os.environ["PATH"], "DOCKER_HOST": "unix:///nowhere"}
    probe = PytestProbe(project=root, environ=given, docker=str(docker), timeout=timeout, log_bytes=log_bytes)
    return Project(root, probe)


def make_nap() -> tuple[str, str]:
    """The words of a command that takes a day; no other process of this machine has them, whatever runs beside us."""
    return "sleep", f"98765.{os.getpid()}{next(_NAPS):06}"


def has_ended(*words: str, seconds: float = 10) -> bool:
    """Whether no process with exactly this command line is left, at last: the kernel takes its time."""
    deadline = time.monotonic() + seconds
    while words in _running_commands():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _running_commands() -> set[tuple[str, ...]]:
    """The words of the command lines of all processes."""
    commands = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            commands.add(tuple(path.read_text(errors="replace").removesuffix("\0").split("\0")))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
    return commands
