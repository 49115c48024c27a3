"""Fixtures that test files of commands share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.cluster import daemons
from buildgraph.adapters.cluster.places import Places
from tests.fakes.programs import ENTER, write_program
from tests.fakes.registry import FakeRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from buildgraph.adapters.cluster.record import Process


@pytest.fixture
def no_docker_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of the machine's own Docker stay out."""
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    """A registry on loopback that keeps what it gets in memory."""
    with FakeRegistry() as server:
        yield server


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """Where a node's files would lie."""
    return Places(cache=tmp_path / "cache", state=tmp_path / "state")


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Process]:
    """A program of a node whose state directory is ``tmp_path``."""
    started = daemons.start(["sleep", "600"], log=tmp_path / "log", environ={"PATH": os.defpath}, state=tmp_path)
    yield started
    daemons.end_all(tmp_path, gently=[], pods=False)


@pytest.fixture
def inner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that a node's namespace has; to enter it takes neither root nor a node."""
    folder = tmp_path / "inner"
    write_program(folder, "nsenter", ENTER)
    monkeypatch.setattr("buildgraph.adapters.cluster.inside.PATH", f"{folder}{os.pathsep}{os.defpath}")
    return folder
