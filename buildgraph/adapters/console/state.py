"""What a live view knows of a run: events in, at any moment a frame of plain values out. Has no clock of its own."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from buildgraph.events import Outcome, PlannedStep, RunStarted, StepFinished, StepProgress, StepStarted

if TYPE_CHECKING:
    from buildgraph.events import Event

WINDOW_SECONDS = 3.0
"""Speeds are those of the last seconds: an average over the whole step would hide that a download has stalled."""
FETCH = "fetch"
_LEAST_SAMPLES = 2
NEARLY = 0.99
_SAME_CHAIN = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A step that runs. ``done`` and ``total`` bytes, ``speed`` bytes a second; ``rest`` expected seconds, if known.

    ``part`` is how much of it is done, 0 to 1; None when nothing is known. ``is_critical``: the whole run waits for it.
    """

    step: str
    action: str
    elapsed: float
    done: int
    total: int | None
    speed: float
    part: float | None
    rest: float | None
    is_critical: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A run at one moment. ``rest`` expected seconds to its end; ``part`` how much of the work is done, 0 to 1.

    ``longest`` is the length of the longest name of a step, so that columns stay where they are.
    """

    run: str
    longest: int
    rows: tuple[Row, ...]
    elapsed: float
    total: int
    ended: int
    failed: int
    blocked: int
    reused: int
    ready: int
    waiting: int
    fetched: int
    speed: float
    part: float
    rest: float


class Speed:
    """Bytes a second over the last seconds, from a growing counter that is looked at now and then."""

    def __init__(self, now: float) -> None:
        """Nothing has come yet."""
        self._samples: deque[tuple[float, int]] = deque([(now, 0)])

    def look(self, now: float, count: int) -> float:
        """The speed, with ``count`` bytes having come by now."""
        self._samples.append((now, count))
        while len(self._samples) > _LEAST_SAMPLES and now - self._samples[1][0] >= WINDOW_SECONDS:
            self._samples.popleft()
        since, before = self._samples[0]
        return max(count - before, 0) / (now - since) if now > since else 0.0


@dataclass(slots=True)
class _Running:
    plan: PlannedStep
    began: float
    speed: Speed
    done: int = 0
    total: int | None = None


@dataclass(slots=True)
class RunState:
    """Takes events, gives frames. Times are seconds of any one clock; progress costs two assignments."""

    began: float
    _run: str = ""
    _longest: int = 0
    _reused: int = 0
    _slots: dict[str, int] = field(default_factory=dict)
    _steps: dict[str, PlannedStep] = field(default_factory=dict)
    _lacking: dict[str, int] = field(default_factory=dict)
    _dependents: dict[str, list[str]] = field(default_factory=dict)
    _urgent: deque[PlannedStep] = field(default_factory=deque)
    _running: dict[str, _Running] = field(default_factory=dict)
    _ended: dict[str, Outcome] = field(default_factory=dict)
    _left: dict[str, float] = field(default_factory=dict)
    _work: float = 0.0
    _ready: int = 0
    _failed: int = 0
    _blocked: int = 0
    _fetched: int = 0
    _fetching: Speed = field(init=False)

    def __post_init__(self) -> None:
        """The run begins now."""
        self._fetching = Speed(self.began)

    def is_running(self, step: str) -> bool:
        """True between the step's start and its end."""
        return step in self._running

    def take(self, event: Event, now: float) -> None:
        """Keep what the event says."""
        if isinstance(event, StepProgress):
            running = self._running.get(event.step)
            if running:
                running.done, running.total = event.done, event.total
        elif isinstance(event, StepStarted):
            self._start(event.step, now)
        elif isinstance(event, StepFinished):
            self._finish(event)
        elif isinstance(event, RunStarted):
            self._plan(event)

    def look(self, now: float) -> Frame:
        """The run as it is now."""
        critical = self._critical_rest(now)
        rows = tuple(self._row(running, now, critical) for running in self._running.values())
        fetched = self._fetched + sum(r.done for r in self._running.values() if r.plan.action == FETCH)
        rest = max([critical, *self._queues(now)])
        left = sum(self._left.values()) - sum(self._spent(running, now) for running in self._running.values())
        unready = len(self._steps) - len(self._ended) - len(self._running) - self._ready
        return Frame(
            run=self._run,
            longest=self._longest,
            rows=rows,
            elapsed=now - self.began,
            total=len(self._steps),
            ended=len(self._ended),
            failed=self._failed,
            blocked=self._blocked,
            reused=self._reused,
            ready=self._ready,
            waiting=unready,
            fetched=fetched,
            speed=self._fetching.look(now, fetched),
            part=1 - left / self._work if self._work else 0.0,
            rest=rest,
        )

    def _plan(self, event: RunStarted) -> None:
        self._run, self._reused, self._slots = event.run, event.reused, dict(event.slots)
        self._steps = {step.id: step for step in event.steps}
        for step in event.steps:
            needs = [need for need in step.needs if need in self._steps]
            self._lacking[step.id] = len(needs)
            self._ready += not needs
            self._left[step.resource] = self._left.get(step.resource, 0.0) + step.expected
            for need in needs:
                self._dependents.setdefault(need, []).append(step.id)
        self._longest = max((len(step.id) for step in event.steps), default=0)
        self._work = sum(self._left.values())
        self._urgent = deque(sorted(event.steps, key=lambda step: -step.tail))

    def _start(self, step_id: str, now: float) -> None:
        step = self._steps.get(step_id) or PlannedStep(id=step_id, action=step_id.partition(":")[0])
        self._running[step_id] = _Running(step, now, Speed(now))
        self._ready -= step_id in self._steps

    def _finish(self, event: StepFinished) -> None:
        running = self._running.pop(event.step, None)
        step = self._steps.get(event.step)
        if step is None or event.step in self._ended:
            return
        self._left[step.resource] -= step.expected
        self._ended[event.step] = event.outcome
        self._failed += event.outcome is Outcome.FAILED
        self._blocked += event.outcome is Outcome.BLOCKED
        self._fetched += event.moved if step.action == FETCH else 0
        if running is None:
            self._ready -= not self._lacking[event.step]
        if event.outcome in {Outcome.DONE, Outcome.REUSED}:
            for dependent in self._dependents.get(event.step, ()):
                self._lacking[dependent] -= 1
                self._ready += not self._lacking[dependent]

    def _critical_rest(self, now: float) -> float:
        """Expected seconds of the longest chain of what remains; the longest waiting one stands first in the queue."""
        while self._urgent and (self._urgent[0].id in self._ended or self._urgent[0].id in self._running):
            self._urgent.popleft()
        waiting = self._urgent[0].tail if self._urgent else 0.0
        return max([waiting, *(self._chain(running, now) for running in self._running.values())])

    def _chain(self, running: _Running, now: float) -> float:
        return (self._rest(running, now) or 0.0) + running.plan.tail - running.plan.expected

    def _queues(self, now: float) -> list[float]:
        """For each resource the seconds that its workers need for the work that remains, if they are never idle."""
        left = dict(self._left)
        for running in self._running.values():
            left[running.plan.resource] = left.get(running.plan.resource, 0.0) - self._spent(running, now)
        return [seconds / self._slots.get(resource, 1) for resource, seconds in left.items()]

    def _spent(self, running: _Running, now: float) -> float:
        return min(now - running.began, running.plan.expected)

    def _rest(self, running: _Running, now: float) -> float | None:
        """From the bytes where their number is known, else from earlier runs; None when it takes longer than ever."""
        elapsed = now - running.began
        if running.total and 0 < running.done <= running.total:
            return elapsed * (running.total - running.done) / running.done
        rest = running.plan.expected - elapsed
        return rest if rest > 0 else None

    def _row(self, running: _Running, now: float, critical: float) -> Row:
        elapsed, expected = now - running.began, running.plan.expected
        part = min(elapsed / expected, NEARLY) if expected else None
        if running.total:
            part = min(running.done / running.total, 1.0)
        return Row(
            step=running.plan.id,
            action=running.plan.action,
            elapsed=elapsed,
            done=running.done,
            total=running.total,
            speed=running.speed.look(now, running.done),
            part=part,
            rest=self._rest(running, now),
            is_critical=self._chain(running, now) >= critical - _SAME_CHAIN,
        )
