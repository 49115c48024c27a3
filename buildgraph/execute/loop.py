"""Drives the schedule with worker threads. The only place in the program where things happen side by side."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from buildgraph.errors import BuildFailure, BuildgraphError, EnvironmentFault, ExitCode, Interrupted
from buildgraph.events import Outcome, PlannedStep, RunStarted, StepFinished, StepStarted
from buildgraph.history import Result, StepResult
from buildgraph.schedule import Resource, Schedule, find_priorities, resource_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from buildgraph.events import Emit
    from buildgraph.model import TestCounts
    from buildgraph.plan import Plan, Step
    from buildgraph.ports import Cancel, Clock

NET_SLOTS = 3
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a step says of itself: one line, the bytes that it fetched, wrote or loaded, the tests that it ran."""

    note: str
    moved: int = 0
    counts: TestCounts | None = None
    outcome: Outcome = Outcome.DONE


class StepFailure(BuildFailure):
    """A step failed in several ways (tests): ``details`` holds a line for each."""

    def __init__(self, what: str, *, details: Sequence[str], log: str, counts: TestCounts | None = None) -> None:
        """``what`` sums the details up; ``counts`` are of tests that ran."""
        super().__init__(what, log=log)
        self.counts = counts
        self.details = tuple(details)


def execute(
    plan: Plan,
    perform: Callable[[Step], Done],
    *,
    run: str,
    jobs: int,
    fail_fast: bool,
    emit: Emit,
    cancel: Cancel,
    clock: Clock,
    places: Mapping[str, str] | None = None,
) -> Result:
    """Run the plan's steps with at most ``jobs`` workers beside the downloads.

    A failed step blocks only what needs it. ``perform`` raises ``BuildgraphError`` for failures, or lets an ``OSError``
    pass, which is the machine's; anything else is a bug and is raised here after the running steps have ended.
    ``places`` says where a node is written (``file:line``).
    """
    limits = {Resource.NET: NET_SLOTS, Resource.WORK: jobs}
    loop = _Loop(plan, perform, emit=emit, clock=clock, limits=limits)
    slots = tuple((resource.value, limit) for resource, limit in limits.items())
    emit(RunStarted(run=run, steps=_foresee(plan.steps, places or {}), reused=len(plan.reused), slots=slots))
    loop.drive(cancel, fail_fast=fail_fast)
    steps = tuple(loop.results[step.id] for step in plan.steps)
    return Result(run=run, steps=steps, seconds=loop.elapsed(), refused=plan.refused)


def _foresee(steps: Sequence[Step], places: Mapping[str, str]) -> tuple[PlannedStep, ...]:
    tails = find_priorities(steps)
    return tuple(
        PlannedStep(
            id=step.id,
            action=step.action.value,
            needs=step.needs,
            expected=step.seconds,
            tail=tails[step.id],
            resource=resource_of(step).value,
            where=places.get(step.node, ""),
        )
        for step in steps
    )


def _machine_fault(error: OSError) -> EnvironmentFault:
    """What the operating system refused, in one line."""
    what = error.strerror or str(error) or type(error).__name__
    return EnvironmentFault(what, where=str(error.filename or ""), hint="cure it and run again; nothing is half done")


class _Loop:
    def __init__(
        self,
        plan: Plan,
        perform: Callable[[Step], Done],
        *,
        emit: Emit,
        clock: Clock,
        limits: Mapping[Resource, int],
    ) -> None:
        self._perform = perform
        self._emit = emit
        self._clock = clock
        self._began = clock()
        self._workers = sum(limits.values())
        self._schedule = Schedule(plan.steps, limits)
        self._started: dict[str, float] = {}
        self.results: dict[str, StepResult] = {}

    def elapsed(self) -> float:
        return self._clock() - self._began

    def drive(self, cancel: Cancel, *, fail_fast: bool) -> None:
        futures: dict[Future[Done], Step] = {}
        is_stopping = False
        with ThreadPoolExecutor(max_workers=self._workers) as pool:
            while not self._schedule.is_finished:
                if not is_stopping and (cancel.is_set() or (fail_fast and self._has_failure())):
                    is_stopping = True
                    outcome = Outcome.CANCELLED if cancel.is_set() else Outcome.BLOCKED
                    self._close(self._schedule.stop(), outcome, "not started")
                for step in self._schedule.start_ready():
                    self._started[step.id] = self.elapsed()
                    self._emit(StepStarted(step=step.id, at=self._started[step.id]))
                    futures[pool.submit(self._perform, step)] = step
                ended, _ = wait(futures, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
                for future in ended:
                    self._settle(futures.pop(future), future)

    def _has_failure(self) -> bool:
        return any(result.outcome is Outcome.FAILED for result in self.results.values())

    def _settle(self, step: Step, future: Future[Done]) -> None:
        try:
            done = future.result()
        except Interrupted as error:
            self._finish(step, Outcome.CANCELLED, str(error))
            self._close(self._schedule.fail(step.id), Outcome.CANCELLED, "not started")
        except (BuildgraphError, OSError) as error:
            failure = error if isinstance(error, BuildgraphError) else _machine_fault(error)
            self._finish(step, Outcome.FAILED, str(failure), error=failure)
            self._close(self._schedule.fail(step.id), Outcome.BLOCKED, f"needs {step.id}")
        else:
            self._finish(step, done.outcome, done.note, done=done)
            self._schedule.finish(step.id)

    def _close(self, steps: Sequence[Step], outcome: Outcome, note: str) -> None:
        for step in steps:
            self._started[step.id] = self.elapsed()
            self._finish(step, outcome, note)

    def _finish(
        self,
        step: Step,
        outcome: Outcome,
        note: str,
        *,
        done: Done | None = None,
        error: BuildgraphError | None = None,
    ) -> None:
        started = self._started[step.id]
        seconds = self.elapsed() - started
        failure = error if isinstance(error, StepFailure) else None
        result = StepResult(
            step=step,
            outcome=outcome,
            seconds=seconds,
            started=started,
            note=note,
            details=failure.details if failure else (),
            log=error.log if isinstance(error, BuildFailure) else "",
            moved=done.moved if done else 0,
            counts=done.counts if done else failure.counts if failure else None,
            exit_code=error.exit_code if error else ExitCode.OK,
        )
        self.results[step.id] = result
        self._emit(
            StepFinished(step=step.id, outcome=outcome, seconds=seconds, note=note, log=result.log, moved=result.moved)
        )
