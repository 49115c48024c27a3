"""Which of many changes have an effect, with few trials: all at once, and halves of those that have one."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Change = TypeVar("Change")


def find_effective(changes: Sequence[Change], has_effect: Callable[[Sequence[Change]], bool]) -> list[Change]:
    """The changes that have an effect alone, and are in a group of each size that has one.

    One of ``n`` is found in ``2 log2 n`` trials. Changes that undo each other are missed, none is named that has no
    effect.
    """
    if not changes or not has_effect(changes):
        return []
    if len(changes) == 1:
        return list(changes)
    half = len(changes) // 2
    return [*find_effective(changes[:half], has_effect), *find_effective(changes[half:], has_effect)]
