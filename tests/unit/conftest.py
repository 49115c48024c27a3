"""Fixtures that test files of commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.registry import FakeRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def no_docker_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of the machine's own Docker stay out."""
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    """A registry on loopback that keeps what it gets in memory."""
    with FakeRegistry() as server:
        yield server
