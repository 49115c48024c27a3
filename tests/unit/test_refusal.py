"""What cannot be built as things are: which targets, why, and how that is told."""

from __future__ import annotations

from dataclasses import replace

from buildgraph.graph import find_needs
from buildgraph.model import Catalogue, Location, Lock, LockGap, Support, SupportRow, SupportTable
from buildgraph.plan import Plan, State, Wishes, make_plan
from buildgraph.ranges import Range
from buildgraph.refusal import Cause, Refusal, find_scope
from buildgraph.report import describe_refusals, format_plan, format_refusals
from tests.fakes.catalogues import make_catalogue, make_files_layer, make_image, make_keys, make_lock
from tests.fakes.fetcher import make_artifact


def plan(*targets: str, catalogue: Catalogue, lock: Lock, wishes: Wishes | None = None) -> Plan:
    wishes = wishes or Wishes()
    keys = make_keys(catalogue, lock)
    needs = find_needs(catalogue, targets, with_tests=wishes.test)
    scope = find_scope(catalogue, lock, keys, targets, needs, with_tests=wishes.test)
    state = State(records={}, misses={}, passed=(), seconds={}, loaded={})
    return make_plan(catalogue, lock, keys, state, scope=scope, wishes=wishes)


def make_table(host: str, component: str, hosts: str) -> SupportTable:
    """All versions of the component are unsupported with these of the host."""
    row = SupportRow(
        title="Plugin",
        components=(component,),
        versions=(Range("*"),),
        hosts=(Range(hosts),),
        verdict=Support.UNSUPPORTED,
        reason="it stops",
        source="notes",
        location=Location(file="x"),
    )
    return SupportTable(host=host, title="Engine", rows=(row,))


def ids(plan: Plan) -> list[str]:
    return [step.id for step in plan.steps]


def test_what_is_to_be_tested_on_something_unlocked_is_refused_and_so_is_what_is_made_of_it() -> None:
    lower = make_files_layer("lower", sources=("maven:a:lower:1",))
    upper = make_files_layer("upper", test_on=("lower",))
    image = make_image("image", ("upper",))
    catalogue = make_catalogue(lower, upper, image)
    done = plan("upper", "image", catalogue=catalogue, lock=Lock())
    assert {refusal.node: refusal.cause for refusal in done.refused} == dict.fromkeys(
        ("upper", "image"), Cause.UNLOCKED
    )
    assert done.refused[0].reason == "source 1 of lower is not locked (maven:a:lower:1)"
    assert ids(plan("upper", "image", catalogue=catalogue, lock=Lock(), wishes=Wishes(test=False, load=False))) == [
        "build:upper",
        "compose:image",
    ]


def test_a_gap_in_the_lock_says_why() -> None:
    layer = make_files_layer("jars", sources=("maven:a:jars:1",))
    gap = LockGap(request=("maven:a:jars:1",), reason="not found anywhere")
    done = plan("jars", catalogue=make_catalogue(layer), lock=Lock(gaps={"jars": {"1": gap}}))
    assert done.refused[0].reason == "source 1 is not locked (maven:a:jars:1, not found anywhere)"
    gap = LockGap(request=("maven:a:jars:2",), reason="not found anywhere")
    done = plan("jars", catalogue=make_catalogue(layer), lock=Lock(gaps={"jars": {"1": gap}}))
    assert done.refused[0].reason == "source 1 is not locked (maven:a:jars:1)", "that was of another request"


def test_an_unsupported_image_is_refused_before_the_unlocked_and_once() -> None:
    engine, plugin = (make_files_layer(name, sources=(f"maven:a:{name}:1",)) for name in ("engine", "plugin"))
    catalogue = make_catalogue(
        engine, plugin, make_image("plain", ("engine",)), make_image("both", ("engine", "plugin"))
    )
    catalogue = replace(catalogue, support=make_table("maven:a:engine", "maven:a:plugin", "1"))
    done = plan("plain", "both", "engine", catalogue=catalogue, lock=Lock())
    assert [(refusal.node, refusal.cause) for refusal in done.refused] == [
        ("both", Cause.UNSUPPORTED),
        ("engine", Cause.UNLOCKED),
        ("plain", Cause.UNLOCKED),
    ]
    assert str(done.refused[0]) == (
        "both: plugin 1 is unsupported with Engine 1: it stops (notes); --allow-unsupported builds it all the same"
    )


def make_services() -> Catalogue:
    """``app`` is tested with ``service``, which is tested with ``database``; ``whole`` is made of a layer like that."""
    layers = (
        make_files_layer("plain"),
        make_files_layer("part", sources=("maven:a:part:1",)),
        make_files_layer("more"),
    )
    tester = replace(make_files_layer("tester"), test_with=("service",))
    images = (
        replace(make_image("app", ("plain",)), test_with=("service",)),
        replace(make_image("service", ("more",)), test_with=("database",)),
        make_image("database", ("part", "plain")),
        make_image("whole", ("tester",)),
        make_image("apart", ("plain",)),
    )
    return make_catalogue(*layers, tester, *images)


ALL_SERVICES = ("app", "apart", "tester", "whole", "service", "database", "plain")


def test_what_is_tested_with_something_unlocked_at_any_distance_is_refused() -> None:
    done = plan(*ALL_SERVICES, catalogue=make_services(), lock=Lock())
    assert {refusal.node for refusal in done.refused} == {"app", "tester", "whole", "service", "database"}
    assert {refusal.reason for refusal in done.refused} == {"source 1 of part is not locked (maven:a:part:1)"}
    assert set(done.targets) == {"apart", "plain"}
    untested = plan(*ALL_SERVICES, catalogue=make_services(), lock=Lock(), wishes=Wishes(test=False, load=False))
    assert [refusal.node for refusal in untested.refused] == ["database"]


def test_what_is_tested_with_an_unsupported_image_is_refused_and_that_is_not_built_for_it() -> None:
    catalogue = replace(make_services(), support=make_table("maven:a:part", "maven:a:part", "1"))
    lock = make_lock(catalogue, {"maven:a:part:1": make_artifact("maven:a:part:1", b"part")})
    done = plan(*ALL_SERVICES, catalogue=catalogue, lock=lock)
    line = "part 1 is unsupported with Engine 1: it stops (notes)"
    assert {refusal.node: refusal.reason for refusal in done.refused} == {
        "database": line,
        **dict.fromkeys(("app", "tester", "whole", "service"), f"needs database: {line}"),
    }
    assert {refusal.cause for refusal in done.refused} == {Cause.UNSUPPORTED}
    assert {step.node for step in plan("app", "apart", catalogue=catalogue, lock=lock).steps} == {"plain", "apart"}


REFUSED = (
    Refusal(node="a", cause=Cause.UNSUPPORTED, reason="no", hint="do"),
    Refusal(node="b", cause=Cause.UNLOCKED, reason="not yet", hint="run"),
    Refusal(node="c", cause=Cause.UNLOCKED, reason="not yet", hint="run"),
)


def test_refusals_are_told_in_groups_a_line_each() -> None:
    assert format_refusals(REFUSED).splitlines() == [
        "refused (unsupported): 1",
        "  a: no; do",
        "unlocked: 2",
        "  b: not yet; run",
        "  c: not yet; run",
    ]
    assert format_refusals(REFUSED[1:]).splitlines()[0] == "unlocked: 2"
    assert format_refusals(()) == ""
    assert describe_refusals(REFUSED[:1]) == [{"node": "a", "cause": "unsupported", "reason": "no", "hint": "do"}]


def test_a_plan_counts_them_whether_or_not_there_is_something_to_do() -> None:
    idle = Plan(targets=(), nodes=("x", "y"), steps=(), reused=("x", "y"), refused=REFUSED)
    assert format_plan(idle) == "nothing to do: 2 nodes are built and tested; 1 refused, 2 unlocked"
    assert format_plan(replace(idle, refused=REFUSED[1:])).endswith("; 2 unlocked")
    assert format_plan(replace(idle, refused=())).endswith("tested")
    lower = make_files_layer("lower", sources=("maven:a:lower:1",))
    catalogue = make_catalogue(lower, make_files_layer("upper"))
    done = plan("lower", "upper", catalogue=catalogue, lock=Lock())
    assert format_plan(done).splitlines()[-1] == "2 steps; 0 of 1 nodes are reused; 1 unlocked"


def test_what_is_locked_is_not_refused() -> None:
    layer = make_files_layer("jars", sources=("maven:a:jars:1",))
    catalogue = make_catalogue(layer, make_image("image", ("jars",)))
    lock = make_lock(catalogue, {"maven:a:jars:1": make_artifact("maven:a:jars:1", b"jar")})
    assert plan("jars", "image", catalogue=catalogue, lock=lock).refused == ()


def test_a_line_names_three_sources_and_counts_the_rest() -> None:
    layer = make_files_layer("jars", sources=tuple(f"maven:a:jar{place}:{place}" for place in range(5)))
    (refusal,) = plan("jars", catalogue=make_catalogue(layer), lock=Lock()).refused
    assert refusal.reason.endswith("source 2 is not locked (maven:a:jar2:2); and 2 more")


def test_every_layer_to_lock_is_named_once() -> None:
    layers = [make_files_layer(name, sources=(f"maven:a:{name}:1", f"maven:b:{name}:2")) for name in ("one", "two")]
    (refusal,) = plan(
        "both", catalogue=make_catalogue(*layers, make_image("both", ("one", "two"))), lock=Lock()
    ).refused
    assert refusal.hint == "run: buildgraph lock --update one --update two"
