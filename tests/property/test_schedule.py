from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from buildgraph.plan import Action, Step
from buildgraph.schedule import Resource, Schedule, find_priorities, resource_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ACTIONS = st.sampled_from([Action.FETCH, Action.BUILD, Action.COMPOSE, Action.TEST, Action.LOAD])
LIMITS = st.fixed_dictionaries({Resource.NET: st.integers(1, 3), Resource.WORK: st.integers(1, 4)})


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Step, ...]:
    """Steps in topological order, each needing some of those before it."""
    steps: list[Step] = []
    for number in range(draw(st.integers(0, 14))):
        needs = draw(st.lists(st.sampled_from([step.id for step in steps]), unique=True, max_size=3)) if steps else []
        steps.append(make_step(f"s{number}", *needs, action=draw(ACTIONS), seconds=draw(st.integers(0, 9))))
    return tuple(steps)


def make_step(name: str, *needs: str, action: Action = Action.BUILD, seconds: float = 1.0) -> Step:
    return Step(id=name, action=action, node=name, reason="", needs=needs, seconds=seconds)


class Driven:
    """Drives a schedule as the loop does, in an order that the test chooses, and checks it at every turn."""

    def __init__(self, steps: Sequence[Step], limits: Mapping[Resource, int]) -> None:
        self.steps = {step.id: step for step in steps}
        self.limits = limits
        self.schedule = Schedule(steps, limits)
        self.finished: list[str] = []
        self.failed: list[str] = []
        self.blocked: list[str] = []
        self.stopped: list[str] = []
        self.started: list[str] = []

    def start(self) -> None:
        for step in self.schedule.start_ready():
            assert set(step.needs) <= set(self.finished), f"{step.id} started before its needs"
            self.started.append(step.id)
        for resource, limit in self.limits.items():
            running = [name for name in self.schedule.running if resource_of(self.steps[name]) is resource]
            assert len(running) <= limit

    def end(self, name: str, *, well: bool) -> None:
        if well:
            self.schedule.finish(name)
            self.finished.append(name)
        else:
            self.failed.append(name)
            self.blocked.extend(step.id for step in self.schedule.fail(name))

    def stop(self) -> None:
        self.stopped.extend(step.id for step in self.schedule.stop())


@given(graphs(), LIMITS, st.data())
def test_every_step_ends_exactly_once_whatever_the_order_of_ends(
    steps: tuple[Step, ...], limits: Mapping[Resource, int], data: st.DataObject
) -> None:
    driven = Driven(steps, limits)
    stop_after = data.draw(st.integers(0, len(steps) + 3))
    driven.start()
    while running := sorted(driven.schedule.running):
        driven.end(data.draw(st.sampled_from(running)), well=data.draw(st.booleans()))
        if len(driven.finished) + len(driven.failed) == stop_after:
            driven.stop()
        driven.start()

    assert driven.schedule.is_finished
    ended = [*driven.finished, *driven.failed, *driven.blocked, *driven.stopped]
    assert sorted(ended) == sorted(driven.steps)
    assert sorted(driven.started) == sorted([*driven.finished, *driven.failed])
    assert not driven.schedule.running


@given(graphs(), LIMITS, st.data())
def test_a_failure_blocks_its_descendants_and_nothing_else(
    steps: tuple[Step, ...], limits: Mapping[Resource, int], data: st.DataObject
) -> None:
    driven = Driven(steps, limits)
    bad = set(data.draw(st.lists(st.sampled_from(sorted(driven.steps)), unique=True))) if steps else set()
    while not driven.schedule.is_finished:
        driven.start()
        name = data.draw(st.sampled_from(sorted(driven.schedule.running)))
        driven.end(name, well=name not in bad)

    doomed: set[str] = set()
    for step in steps:
        if doomed.union(bad).intersection(step.needs):
            doomed.add(step.id)
    assert set(driven.blocked) == doomed
    assert set(driven.failed) == bad - doomed
    assert set(driven.finished) == set(driven.steps) - bad - doomed


@given(graphs(), LIMITS, st.data())
def test_stop_returns_what_was_not_started_and_nothing_starts_after_it(
    steps: tuple[Step, ...], limits: Mapping[Resource, int], data: st.DataObject
) -> None:
    driven = Driven(steps, limits)
    driven.start()
    for name in data.draw(st.permutations(sorted(driven.schedule.running))):
        driven.end(name, well=data.draw(st.booleans()))
    driven.start()
    running = driven.schedule.running
    driven.stop()
    assert set(driven.stopped) == set(driven.steps) - set(driven.started) - set(driven.blocked)
    assert [name for name in driven.steps if name in driven.stopped] == driven.stopped, "in plan order"
    for name in sorted(running):
        driven.end(name, well=True)
        assert driven.schedule.start_ready() == ()
    assert driven.schedule.is_finished


@given(graphs(), LIMITS)
def test_free_slots_are_never_left_empty_while_a_step_is_ready(
    steps: tuple[Step, ...], limits: Mapping[Resource, int]
) -> None:
    driven = Driven(steps, limits)
    while not driven.schedule.is_finished:
        driven.start()
        for resource, limit in limits.items():
            running = [name for name in driven.schedule.running if resource_of(driven.steps[name]) is resource]
            waiting = [
                step
                for step in steps
                if step.id not in driven.started
                and resource_of(step) is resource
                and set(step.needs) <= set(driven.finished)
            ]
            assert len(running) == limit or not waiting
        driven.end(min(driven.schedule.running), well=True)


@given(graphs(), LIMITS)
def test_the_longest_chain_goes_first(steps: tuple[Step, ...], limits: Mapping[Resource, int]) -> None:
    priorities = find_priorities(steps)
    started = Schedule(steps, limits).start_ready()
    names = {step.id for step in started}
    for step in started:
        rivals = [
            other
            for other in steps
            if not other.needs and other.id not in names and resource_of(other) is resource_of(step)
        ]
        assert all(priorities[rival.id] <= priorities[step.id] for rival in rivals)


@given(graphs())
def test_a_priority_is_the_longest_chain_from_the_start_of_the_step(steps: tuple[Step, ...]) -> None:
    priorities = find_priorities(steps)
    for step in steps:
        after = [priorities[other.id] for other in steps if step.id in other.needs]
        assert priorities[step.id] == step.seconds + max(after, default=0)
