"""Waiting with a deadline, and the memory that scenarios share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.budget import Budget, fits
from tests.cluster.waits import Clock, DeadlineError, NotYetError, require, wait_for

if TYPE_CHECKING:
    from pathlib import Path


class Hand:
    """A clock whose hand moves when someone sleeps."""

    def __init__(self) -> None:
        self.time = 0.0
        self.clock = Clock(now=lambda: self.time, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def test_the_answer_is_had_as_soon_as_it_is_there() -> None:
    hand = Hand()

    def ask() -> str:
        require(hand.time >= 3, "early")
        return "there"

    assert wait_for("it", ask, seconds=10, clock=hand.clock) == "there"
    assert hand.time == 3


def test_the_deadline_is_said_with_the_last_reason() -> None:
    hand = Hand()

    def ask() -> None:
        raise NotYetError(f"at {hand.time:.0f}")

    with pytest.raises(DeadlineError, match=r"^it: not within 5 s: at 5$"):
        wait_for("it", ask, seconds=5, pause=2, clock=hand.clock)


def test_other_errors_end_the_wait() -> None:
    def ask() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        wait_for("it", ask, seconds=5, clock=Hand().clock)


@pytest.mark.parametrize(
    ("taken", "wanted", "is_room"),
    [({}, 4, True), ({}, 99, True), ({"a": 4}, 6, True), ({"a": 4}, 7, False), ({"a": 4, "b": 4}, 3, False)],
)
def test_a_scenario_runs_beside_others_as_long_as_all_fit(taken: dict[str, int], wanted: int, *, is_room: bool) -> None:
    assert fits(10, taken, wanted) is is_room


def test_memory_is_free_again_when_a_scenario_ends(tmp_path: Path) -> None:
    budget = Budget(folder=tmp_path, total=10)
    with budget.take("a", 6, seconds=1):
        with pytest.raises(DeadlineError, match="used by a"), budget.take("b", 6, seconds=0):
            pass
        with budget.take("c", 4, seconds=1):
            pass
    with budget.take("b", 6, seconds=1):
        pass
