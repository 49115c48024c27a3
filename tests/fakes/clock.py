"""A clock that moves by itself, so that durations in tests are exact."""

from __future__ import annotations

from itertools import count


class TickingClock:
    """A ``Clock``: each look is one second later than the one before."""

    def __init__(self) -> None:
        self._ticks = count()

    def __call__(self) -> float:
        return float(next(self._ticks))
