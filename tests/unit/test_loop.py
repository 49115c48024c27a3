from __future__ import annotations

import errno
import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from buildgraph.errors import BuildFailure, EnvironmentFault, ExitCode, Interrupted
from buildgraph.events import Outcome, RunStarted, StepFinished, StepStarted
from buildgraph.execute.loop import NET_SLOTS, Done, StepFailure, execute
from buildgraph.plan import Action, Plan, Step
from tests.fakes.clock import TickingClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from buildgraph.events import Event
    from buildgraph.history import Result

PATIENCE = 10.0


def step(name: str, *needs: str, action: Action = Action.BUILD) -> Step:
    return Step(id=name, action=action, node=name, reason="", needs=needs, seconds=1)


def run(
    perform: Callable[[Step], Done],
    *steps: Step,
    jobs: int = 1,
    fail_fast: bool = False,
    cancel: threading.Event | None = None,
    events: list[Event] | None = None,
) -> Result:
    names = tuple(each.id for each in steps)
    return execute(
        Plan(targets=(), nodes=names, steps=steps, reused=("other",)),
        perform,
        run="the-run",
        jobs=jobs,
        fail_fast=fail_fast,
        emit=(events if events is not None else []).append,
        cancel=cancel or threading.Event(),
        clock=TickingClock(),
    )


def outcomes(result: Result) -> dict[str, Outcome]:
    return {entry.step.id: entry.outcome for entry in result.steps}


def succeed(step: Step) -> Done:
    return Done(note=f"made {step.id}")


def fail_at(*bad: str) -> Callable[[Step], Done]:
    def perform(step: Step) -> Done:
        if step.id in bad:
            raise BuildFailure(f"{step.id} is broken", log=f"/logs/{step.id}")
        return succeed(step)

    return perform


def test_results_come_in_plan_order_whatever_ends_first() -> None:
    second_ended = threading.Event()

    def perform(step: Step) -> Done:
        if step.id == "a":
            assert second_ended.wait(PATIENCE)
        else:
            second_ended.set()
        return succeed(step)

    result = run(perform, step("a"), step("b"), jobs=2)
    assert [entry.step.id for entry in result.steps] == ["a", "b"]
    assert [entry.note for entry in result.steps] == ["made a", "made b"]
    assert result.exit_code is ExitCode.OK


def test_an_empty_plan_runs_nothing() -> None:
    result = run(fail_at())
    assert result.steps == ()
    assert result.exit_code is ExitCode.OK


def test_a_failure_blocks_only_its_descendants_and_siblings_finish() -> None:
    result = run(fail_at("bad"), step("bad"), step("child", "bad"), step("grandchild", "child"), step("sibling"))
    assert outcomes(result) == {
        "bad": Outcome.FAILED,
        "child": Outcome.BLOCKED,
        "grandchild": Outcome.BLOCKED,
        "sibling": Outcome.DONE,
    }
    failed = result.failed[0]
    assert (failed.note, failed.log) == ("bad is broken", "/logs/bad")
    assert result.steps[1].note == "needs bad"
    assert result.exit_code is ExitCode.FAILED


def test_the_details_of_a_failure_are_kept() -> None:
    def perform(_: Step) -> Done:
        raise StepFailure("2 failed, 1 passed", details=["test_a: no", "test_b: no"], log="/logs/x")

    assert run(perform, step("a")).failed[0].details == ("test_a: no", "test_b: no")


def test_what_the_machine_lacks_ends_in_its_own_exit_code() -> None:
    def perform(step: Step) -> Done:
        if step.id == "a":
            raise EnvironmentFault("no engine answers")
        raise BuildFailure("broken")

    assert run(perform, step("a"), step("b")).exit_code is ExitCode.ENVIRONMENT
    assert run(perform, step("b")).exit_code is ExitCode.FAILED


def test_a_step_that_had_nothing_to_do_says_so() -> None:
    result = run(lambda _: Done(note="was here", outcome=Outcome.REUSED), step("a"), step("b", "a"))
    assert set(outcomes(result).values()) == {Outcome.REUSED}


def test_fail_fast_starts_nothing_more_and_lets_running_steps_end() -> None:
    failing = threading.Event()

    def perform(step: Step) -> Done:
        if step.id == "bad":
            failing.set()
            raise BuildFailure("broken")
        assert failing.wait(PATIENCE)
        return succeed(step)

    steps = [step("bad"), step("running"), step("later"), step("after", "running")]
    assert outcomes(run(perform, *steps, jobs=2, fail_fast=True)) == {
        "bad": Outcome.FAILED,
        "running": Outcome.DONE,
        "later": Outcome.BLOCKED,
        "after": Outcome.BLOCKED,
    }


def test_without_fail_fast_everything_else_is_done() -> None:
    result = run(fail_at("a"), step("a"), step("b"), step("c"))
    assert list(outcomes(result).values()) == [Outcome.FAILED, Outcome.DONE, Outcome.DONE]


def test_a_cancelled_run_reports_running_and_waiting_steps_and_keeps_what_is_done() -> None:
    cancel = threading.Event()

    def perform(step: Step) -> Done:
        if step.id == "first":
            return succeed(step)
        cancel.set()
        raise Interrupted("mmdebstrap was stopped")

    steps = [step("first"), step("running", "first"), step("waiting", "running"), step("free", "first")]
    result = run(perform, *steps, cancel=cancel)
    assert outcomes(result) == {
        "first": Outcome.DONE,
        "running": Outcome.CANCELLED,
        "waiting": Outcome.CANCELLED,
        "free": Outcome.CANCELLED,
    }
    assert result.steps[1].note == "mmdebstrap was stopped"
    assert result.steps[3].note == "not started"
    assert result.is_interrupted
    assert result.exit_code is ExitCode.INTERRUPTED


def test_a_run_that_is_cancelled_before_it_begins_starts_nothing() -> None:
    cancel = threading.Event()
    cancel.set()
    events: list[Event] = []
    result = run(succeed, step("a"), step("b"), cancel=cancel, events=events)
    assert set(outcomes(result).values()) == {Outcome.CANCELLED}
    assert not [event for event in events if isinstance(event, StepStarted)]


def test_a_bug_is_raised_after_the_running_steps_have_ended() -> None:
    bug_raised, ended = threading.Event(), threading.Event()

    def perform(step: Step) -> Done:
        if step.id == "bug":
            bug_raised.set()
            raise ZeroDivisionError
        assert bug_raised.wait(PATIENCE)
        ended.set()
        return succeed(step)

    with pytest.raises(ZeroDivisionError):
        run(perform, step("bug"), step("other"), jobs=2)
    assert ended.is_set()


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_as_many_steps_run_side_by_side_as_there_are_jobs_and_never_more(jobs: int) -> None:
    all_there = threading.Barrier(jobs)
    mutex = threading.Lock()
    running = most = 0

    def perform(step: Step) -> Done:
        nonlocal running, most
        with mutex:
            running += 1
            most = max(most, running)
        all_there.wait(PATIENCE)
        with mutex:
            running -= 1
        return succeed(step)

    result = run(perform, *(step(str(number)) for number in range(jobs * 3)), jobs=jobs)
    assert set(outcomes(result).values()) == {Outcome.DONE}
    assert most <= jobs


def test_downloads_run_beside_the_jobs() -> None:
    all_there = threading.Barrier(1 + NET_SLOTS)

    def perform(step: Step) -> Done:
        all_there.wait(PATIENCE)
        return succeed(step)

    fetches = [step(f"fetch-{number}", action=Action.FETCH) for number in range(NET_SLOTS)]
    result = run(perform, step("work"), *fetches, jobs=1)
    assert set(outcomes(result).values()) == {Outcome.DONE}


def test_the_story_of_a_run_is_told_in_events() -> None:
    events: list[Event] = []
    result = run(fail_at("a"), step("a"), step("b", "a"), step("c"), events=events)
    begun = events[0]
    assert isinstance(begun, RunStarted)
    assert (begun.run, begun.reused, begun.slots) == ("the-run", 1, (("net", NET_SLOTS), ("work", 1)))
    assert [(each.id, each.needs, each.expected, each.tail, each.resource) for each in begun.steps] == [
        ("a", (), 1, 2, "work"),
        ("b", ("a",), 1, 1, "work"),
        ("c", (), 1, 1, "work"),
    ]
    assert [event.step for event in events if isinstance(event, StepStarted)] == ["a", "c"]
    finished = {event.step: event for event in events if isinstance(event, StepFinished)}
    assert Counter(event.outcome for event in finished.values()) == Counter(
        [Outcome.FAILED, Outcome.BLOCKED, Outcome.DONE]
    )
    assert finished["a"].log == "/logs/a"
    assert {entry.step.id: entry.seconds for entry in result.steps} == {
        name: event.seconds for name, event in finished.items()
    }


def test_durations_are_those_of_the_clock() -> None:
    result = run(succeed, step("a"))
    entry = result.steps[0]
    assert (entry.started, entry.seconds, result.seconds) == (1.0, 1.0, 3.0)


def test_fault_11_12_what_the_operating_system_refuses_fails_the_step_in_one_line() -> None:
    def perform(_: Step) -> Done:
        raise OSError(errno.ENOSPC, "No space left on device", "/store/log")

    result = run(perform, step("a"), step("b", "a"))
    assert outcomes(result) == {"a": Outcome.FAILED, "b": Outcome.BLOCKED}
    assert result.failed[0].note.startswith("/store/log: No space left on device; ")
    assert result.exit_code is ExitCode.ENVIRONMENT
