"""Who uses a store: many together, one alone, and nobody longer than he lives."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters import usage
from buildgraph.adapters.store import LayoutStore
from buildgraph.errors import EnvironmentFault

if TYPE_CHECKING:
    from pathlib import Path


def silent(text: str) -> None:
    pytest.fail(f"nobody has to wait: {text}")


def test_many_share_and_nobody_is_alone_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "in-use"
    with usage.shared(path, waiting=silent), usage.shared(path, waiting=silent), usage.alone(path) as is_alone:
        assert not is_alone
    with usage.alone(path) as is_alone:
        assert is_alone


def test_whoever_comes_while_one_is_alone_waits_with_a_line_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "in-use"
    told, entered = threading.Event(), threading.Event()

    def share() -> None:
        with usage.shared(path, waiting=lambda _text: told.set()):
            entered.set()

    with usage.alone(path) as is_alone:
        assert is_alone
        waiter = threading.Thread(target=share)
        waiter.start()
        assert told.wait(10)
        assert not entered.is_set()
    assert entered.wait(10)
    waiter.join()


def test_nothing_is_made_where_there_is_no_store(tmp_path: Path) -> None:
    with LayoutStore(tmp_path / "store").alone() as is_alone:
        assert is_alone
    assert not (tmp_path / "store").exists()


def test_a_symlink_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "in-use").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EnvironmentFault, match="symlink"), usage.alone(tmp_path / "in-use"):
        pass
    assert not (tmp_path / "elsewhere").exists()
