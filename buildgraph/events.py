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
class PlannedStep:
    """A step that will run. ``action`` is its verb, ``resource`` what it occupies, ``where`` its manifest's line.

    ``expected`` is seconds for the step itself, ``tail`` seconds from its start to the end of the longest chain of
    steps that begins with it; both are estimates, from earlier runs where there were any.
    """

    id: str
    action: str
    needs: tuple[str, ...] = ()
    expected: float = 0.0
    tail: float = 0.0
    resource: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """``steps`` are all that will run, in plan order; ``reused`` nodes need none.

    ``slots`` says how many steps may occupy each resource at once.
    """

    run: str
    steps: tuple[PlannedStep, ...]
    reused: int
    slots: tuple[tuple[str, int], ...] = ()


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
    """``note`` is one line: what was made, or why it failed; ``log`` a path or empty; ``moved`` bytes."""

    step: str
    outcome: Outcome
    seconds: float
    note: str
    log: str = ""
    moved: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that the user should know and that stops nothing."""

    text: str


Event: TypeAlias = "RunStarted | StepStarted | StepProgress | StepFinished | Notice"
Emit: TypeAlias = "Callable[[Event], None]"
