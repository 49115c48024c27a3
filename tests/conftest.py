"""Fixtures that several folders of tests share."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.fakes.sample import Sample, make_sample

if TYPE_CHECKING:
    from pathlib import Path


def pytest_configure() -> None:
    """A shell ignores SIGINT for what it starts in the background, and so would all programs that tests interrupt."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sample:
    """A tiny project on disk that builds without network and engine."""
    return make_sample(tmp_path, monkeypatch)
