"""What happens during a run, as values: the console, logs and reports all read the same stream."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable


class Outcome(StrEnum):
    """How a step ended."""

    DONE = "done"
    REUSED = "reused"
    FAILED = "failed"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """``steps`` are the ids of all steps that will run, in plan order; ``reused`` nodes need none."""

    run: str
    steps: tuple[str, ...]
    reused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """A worker took the step; ``at`` is seconds since the run began."""

    step: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepProgress:
    """``done`` of ``total`` bytes (``None``: unknown)."""

    step: str
    done: int
    total: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished:
    """``note`` is one line: what was made, or why it failed; ``log`` a path or empty."""

    step: str
    outcome: Outcome
    seconds: float
    note: str
    log: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that the user should know and that stops nothing."""

    text: str


Event: TypeAlias = "RunStarted | StepStarted | StepProgress | StepFinished | Notice"
Emit: TypeAlias = "Callable[[Event], None]"
