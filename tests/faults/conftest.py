"""Rooms to do faults to, and builds to kill."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.checks import end_workers
from tests.faults.programs import Programs
from tests.faults.room import SMALL, open_room

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.room import Room


@pytest.fixture(scope="module")
def programs() -> Iterator[Programs]:
    with Programs() as programs:
        yield programs


@pytest.fixture
def room(tmp_path: Path, programs: Programs) -> Iterator[Room]:
    """Twenty nodes."""
    with open_room(tmp_path) as room:
        yield room
        clear(room, programs)


@pytest.fixture
def small_room(tmp_path: Path, programs: Programs) -> Iterator[Room]:
    """Four nodes."""
    with open_room(tmp_path, SMALL) as room:
        yield room
        clear(room, programs)


def clear(room: Room, programs: Programs) -> None:
    """End what a test that failed has left."""
    programs.end()
    end_workers(room)
