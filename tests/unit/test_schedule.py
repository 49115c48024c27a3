from __future__ import annotations

from buildgraph.plan import Action, Step
from buildgraph.schedule import Resource, Schedule, find_priorities, resource_of

MANY = 20_000


def step(name: str, *needs: str, seconds: float = 1.0, action: Action = Action.BUILD) -> Step:
    return Step(id=name, action=action, node=name, reason="", needs=needs, seconds=seconds)


def names(steps: tuple[Step, ...]) -> list[str]:
    return [each.id for each in steps]


def limits(work: int, net: int = 1) -> dict[Resource, int]:
    return {Resource.WORK: work, Resource.NET: net}


def test_an_empty_plan_is_finished() -> None:
    schedule = Schedule([], limits(1))
    assert schedule.is_finished
    assert schedule.start_ready() == ()


def test_the_longest_chain_goes_first() -> None:
    steps = [step("short", seconds=5), step("a", seconds=1), step("b", "a", seconds=9)]
    assert find_priorities(steps) == {"short": 5, "a": 10, "b": 9}
    assert names(Schedule(steps, limits(1)).start_ready()) == ["a"]


def test_among_equals_the_order_of_the_plan_decides() -> None:
    schedule = Schedule([step("b"), step("a"), step("c")], limits(2))
    assert names(schedule.start_ready()) == ["b", "a"]


def test_no_level_waits_for_another() -> None:
    steps = [step("slow", seconds=9), step("quick"), step("after-quick", "quick"), step("last", "after-quick")]
    schedule = Schedule(steps, limits(2))
    schedule.start_ready()
    schedule.finish("quick")
    assert names(schedule.start_ready()) == ["after-quick"]
    schedule.finish("after-quick")
    assert names(schedule.start_ready()) == ["last"]
    assert schedule.running == {"slow", "last"}


def test_downloads_do_not_take_the_place_of_work() -> None:
    steps = [step(f"fetch-{n}", action=Action.FETCH) for n in range(3)] + [step("work-1"), step("work-2")]
    assert resource_of(steps[0]) is Resource.NET
    assert names(Schedule(steps, limits(1, net=2)).start_ready()) == ["fetch-0", "fetch-1", "work-1"]


def test_needs_outside_the_plan_are_there_already() -> None:
    assert names(Schedule([step("a", "build:os")], limits(1)).start_ready()) == ["a"]


def test_what_a_failure_blocks_is_returned_once_and_in_plan_order() -> None:
    steps = [step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"), step("other")]
    schedule = Schedule(steps, limits(2))
    schedule.start_ready()
    assert names(schedule.fail("a")) == ["b", "c", "d"]
    schedule.finish("other")
    assert schedule.is_finished


def test_a_step_that_two_failures_block_is_blocked_by_the_first() -> None:
    schedule = Schedule([step("a"), step("b"), step("c", "a", "b")], limits(2))
    schedule.start_ready()
    assert names(schedule.fail("b")) == ["c"]
    assert schedule.fail("a") == ()
    assert schedule.is_finished


def test_a_failure_at_the_root_of_a_long_chain_blocks_all_of_it_without_recursion() -> None:
    steps = [step("0"), *(step(str(number), str(number - 1)) for number in range(1, MANY))]
    schedule = Schedule(steps, limits(1))
    schedule.start_ready()
    assert len(schedule.fail("0")) == MANY - 1
    assert schedule.is_finished
