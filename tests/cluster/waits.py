"""Waiting with a deadline: nothing sleeps for a fixed time, and nothing waits for ever."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")


class NotYetError(Exception):
    """What is waited for is not there yet; why."""


class DeadlineError(AssertionError):
    """What was waited for did not come in time."""


class HopelessError(AssertionError):
    """What is waited for will never come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The time, which tests replace."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def wait_for(
    what: str, ask: Callable[[], Answer], *, seconds: float, pause: float = 1.0, clock: Clock | None = None
) -> Answer:
    """What ``ask`` answers as soon as it raises ``NotYetError`` no more; it is asked once at least.

    Raises ``DeadlineError`` with the last reason.
    """
    clock = clock or Clock()
    end = clock.now() + seconds
    while True:
        try:
            return ask()
        except NotYetError as reason:
            left = end - clock.now()
            if left <= 0:
                raise DeadlineError(f"{what}: not within {seconds:.0f} s: {reason}") from reason
        clock.sleep(min(pause, left))


def require(condition: object, reason: str) -> None:
    """``NotYetError`` unless the condition holds."""
    if not condition:
        raise NotYetError(reason)
