"""The ready/finish state machine of a run. Knows no thread and no clock; ``execute`` drives it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from buildgraph.plan import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from buildgraph.plan import Step


class Resource(StrEnum):
    """What a step occupies while it runs. Downloads wait for others, so they have slots of their own."""

    NET = "net"
    WORK = "work"


_RESOURCES = {Action.FETCH: Resource.NET}


def resource_of(step: Step) -> Resource:
    """The resource that the step occupies."""
    return _RESOURCES.get(step.action, Resource.WORK)


def find_priorities(steps: Sequence[Step]) -> Mapping[str, float]:
    """For each step the expected seconds from its start to the end of the longest chain after it.

    ``steps`` come in topological order.
    """
    tail: dict[str, float] = {}
    for step in reversed(steps):
        length = tail[step.id] = tail.get(step.id, 0.0) + step.seconds
        for need in step.needs:
            tail[need] = max(tail.get(need, 0.0), length)
    return tail


class Schedule:
    """Which steps may start now. Steps with the longest chain behind them go first; no level waits for another."""

    def __init__(self, steps: Sequence[Step], limits: Mapping[Resource, int]) -> None:
        """``steps`` in topological order; ``limits`` is how many may run at once for each resource."""
        self._steps = {step.id: step for step in steps}
        self._limits = dict(limits)
        self._priorities = find_priorities(steps)
        self._dependents: dict[str, list[str]] = {step.id: [] for step in steps}
        self._waiting_for: dict[str, set[str]] = {}
        for step in steps:
            needs = {need for need in step.needs if need in self._steps}
            self._waiting_for[step.id] = needs
            for need in needs:
                self._dependents[need].append(step.id)
        self._ready = [step.id for step in steps if not self._waiting_for[step.id]]
        self._running: set[str] = set()
        self._ended: set[str] = set()

    @property
    def is_finished(self) -> bool:
        """True when every step has ended or is blocked."""
        return len(self._ended) == len(self._steps)

    @property
    def running(self) -> frozenset[str]:
        """Ids of the steps that were started and have not ended."""
        return frozenset(self._running)

    def start_ready(self) -> tuple[Step, ...]:
        """Mark as running, and return, the steps that may start now, the most urgent first."""
        free = {
            resource: limit - sum(resource_of(self._steps[run]) is resource for run in self._running)
            for resource, limit in self._limits.items()
        }
        started = []
        for step_id in sorted(self._ready, key=lambda ready: -self._priorities[ready]):
            resource = resource_of(self._steps[step_id])
            if free[resource] > 0:
                free[resource] -= 1
                started.append(step_id)
        self._running.update(started)
        self._ready = [step_id for step_id in self._ready if step_id not in self._running]
        return tuple(self._steps[step_id] for step_id in started)

    def finish(self, step_id: str) -> None:
        """The step succeeded; whatever waited only for it becomes ready."""
        self._running.remove(step_id)
        self._ended.add(step_id)
        for dependent in self._dependents[step_id]:
            self._waiting_for[dependent].discard(step_id)
            if not self._waiting_for[dependent] and dependent not in self._ended:
                self._ready.append(dependent)

    def fail(self, step_id: str) -> tuple[Step, ...]:
        """The step failed; all that need it, at any distance, are blocked and returned."""
        self._running.discard(step_id)
        self._ended.add(step_id)
        return self._block(self._dependents[step_id])

    def stop(self) -> tuple[Step, ...]:
        """Start nothing more; the steps that were not started are returned."""
        rest = [step_id for step_id in self._steps if step_id not in self._ended and step_id not in self._running]
        self._ended.update(rest)
        self._ready = []
        return tuple(self._steps[step_id] for step_id in rest)

    def _block(self, first: Iterable[str]) -> tuple[Step, ...]:
        pending, blocked = list(first), set()
        while pending:
            step_id = pending.pop()
            if step_id not in self._ended:
                self._ended.add(step_id)
                blocked.add(step_id)
                pending.extend(self._dependents[step_id])
        self._ready = [step_id for step_id in self._ready if step_id not in self._ended]
        return tuple(step for step_id, step in self._steps.items() if step_id in blocked)
