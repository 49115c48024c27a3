"""Few trials find what has an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.charts.gates.halves import find_effective

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.mark.parametrize("effective", [[], [0], [99], [0, 99], [41, 42, 43], list(range(100))])
def test_each_change_with_an_effect_is_found_and_no_other(effective: list[int]) -> None:
    assert find_effective(range(100), lambda changes: bool(set(changes) & set(effective))) == effective


def test_many_changes_without_an_effect_are_one_trial() -> None:
    trials: list[Sequence[int]] = []

    def has_effect(changes: Sequence[int]) -> bool:
        trials.append(changes)
        return 7 in changes

    assert find_effective([], has_effect) == []
    assert find_effective(range(100, 200), has_effect) == []
    assert len(trials) == 1
    assert find_effective(range(64), has_effect) == [7]
    assert len(trials) == 1 + 1 + 2 * 6


def test_what_has_an_effect_only_with_another_is_not_named() -> None:
    assert find_effective([1, 2], lambda changes: len(changes) > 1) == []
