from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from buildgraph.graph import find_needs, references_of
from buildgraph.model import Image, Lock
from buildgraph.plan import Action, State, Wishes, find_test_key, make_plan
from buildgraph.plan import TestFacts as Facts  # pytest would take the name for a class of tests
from buildgraph.record import Load
from buildgraph.refusal import find_scope
from buildgraph.report import format_plan
from tests.fakes.catalogues import (
    make_catalogue,
    make_files_layer,
    make_image,
    make_keys,
    make_lock,
    make_reading_layer,
    make_record,
)
from tests.fakes.fetcher import make_artifact
from tests.golden_files import check_golden

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from buildgraph.model import Catalogue
    from buildgraph.plan import Plan, Step

OS = make_files_layer("os", text="root")
JDK = make_reading_layer("jdk", parents=("os",), sources=("deb:openjdk",))
CORE = make_files_layer("core", sources=("maven:org.example:core:1", "maven:org.example:more:2"), test_on=("os", "jdk"))
DRIVERS = make_files_layer("drivers", test_on=("os",))
HELPER = make_files_layer("helper", test_on=("os",))
LONE = make_files_layer("lone", test_on=("helper",))
APP = make_image("app", ("os", "jdk", "core", "drivers"))
TOOL = make_image("tool", ("os", "drivers"))
CATALOGUE = make_catalogue(OS, JDK, CORE, DRIVERS, HELPER, LONE, APP, TOOL)
COORDINATES = ("deb:openjdk", "maven:org.example:core:1", "maven:org.example:more:2")
LOCK = make_lock(CATALOGUE, {name: make_artifact(name, name.encode() * 100_000) for name in COORDINATES})
EVERYTHING = frozenset(CATALOGUE.nodes)
REFERENCES = {image.name: references_of(image)[0] for image in (APP, TOOL)}
OTHER = f"sha256:{'e' * 64}"


def plan(
    *targets: str,
    made: Collection[str] = (),
    passed: Collection[str] = (),
    misses: Mapping[str, str] | None = None,
    seconds: Mapping[str, float] | None = None,
    loaded: Mapping[str, str] | None = None,
    given_to: str = "",
    engine: str = "",
    lock: Lock = LOCK,
    catalogue: Catalogue = CATALOGUE,
    wishes: Wishes | None = None,
) -> Plan:
    wishes = wishes or Wishes()
    keys = make_keys(catalogue, lock)
    records = {name: make_record(catalogue.nodes[name], keys) for name in made}
    # Unless something else is said the engine was given all images that are made.
    images = [node for node in catalogue.nodes.values() if isinstance(node, Image) and node.name in records]
    given = {reference: records[image.name].digest for image in images for reference in references_of(image)}
    state = State(
        records=records,
        misses=misses or {},
        passed=passed,
        seconds=seconds or {},
        loaded={name: Load(digest, given_to) for name, digest in (given if loaded is None else loaded).items()},
        engine=engine,
    )
    needs = find_needs(catalogue, targets, with_tests=wishes.test)
    scope = find_scope(catalogue, lock, keys, targets, needs, with_tests=wishes.test)
    return make_plan(catalogue, lock, keys, state, scope=scope, wishes=wishes)


def given(*images: str) -> dict[str, str]:
    """What an engine holds that was given these images as they are."""
    keys = make_keys(CATALOGUE, LOCK)
    return {REFERENCES[name]: make_record(CATALOGUE.nodes[name], keys).digest for name in images}


def find(plan: Plan, step_id: str) -> Step:
    return next(step for step in plan.steps if step.id == step_id)


def ids(plan: Plan, *actions: Action) -> list[str]:
    return [step.id for step in plan.steps if not actions or step.action in actions]


def test_nothing_is_to_do_when_everything_has_a_record_and_a_verdict() -> None:
    done = plan("app", made=EVERYTHING, passed=EVERYTHING)
    assert done.steps == ()
    assert set(done.reused) == {"os", "jdk", "core", "drivers", "app"}
    assert format_plan(done) == "nothing to do: 5 nodes are built and tested"


def test_without_tests_nothing_is_said_about_tests() -> None:
    done = plan("app", made=EVERYTHING, wishes=Wishes(test=False))
    assert done.steps == ()
    assert format_plan(done) == "nothing to do: 5 nodes are built"


def test_a_missing_record_gives_a_build_with_the_reason_that_was_found() -> None:
    done = plan("app", made=EVERYTHING - {"drivers"}, misses={"drivers": "file drivers.conf changed"})
    assert find(done, "build:drivers").reason == "file drivers.conf changed"


def test_a_changed_layer_is_planned_again_with_its_descendants_and_nothing_else() -> None:
    lacking = {"drivers", "app", "tool"}
    done = plan("app", "tool", made=EVERYTHING - lacking, passed=EVERYTHING - lacking)
    assert {step.node for step in done.steps} == lacking
    assert ids(done) == [
        "build:drivers",
        "test:drivers",
        "compose:tool",
        "test:tool",
        "load:tool",
        "compose:app",
        "test:app",
        "load:app",
    ]
    assert set(done.reused) == {"os", "jdk", "core"}


def test_fetches_are_steps_of_their_own_that_need_nothing() -> None:
    done = plan("app")
    fetches = [step for step in done.steps if step.action is Action.FETCH]
    assert [step.id for step in fetches] == ["fetch:core/1", "fetch:core/2", "fetch:jdk/openjdk"]
    assert all(step.needs == () for step in fetches)
    assert find(done, "build:core").needs == ("fetch:core/1", "fetch:core/2")
    assert find(done, "build:jdk").needs == ("fetch:jdk/openjdk", "build:os")


def test_a_files_layer_waits_for_no_other_layer() -> None:
    assert find(plan("app"), "build:drivers").needs == ()


def test_the_test_of_a_layer_needs_the_builds_of_what_it_runs_on() -> None:
    assert find(plan("app"), "test:core").needs == ("build:core", "build:os", "build:jdk")


def test_an_image_is_composed_when_its_layers_are_built_and_tested() -> None:
    layers = ("os", "jdk", "core", "drivers")
    assert find(plan("app"), "compose:app").needs == (
        *(f"build:{name}" for name in layers),
        *(f"test:{name}" for name in layers),
    )


def test_an_image_that_is_composed_already_waits_for_the_tests_of_its_layers() -> None:
    done = plan("app", made=EVERYTHING, passed=EVERYTHING - {"core", "app"})
    assert ids(done) == ["test:core", "test:app", "load:app"]
    assert find(done, "test:app").needs == ("test:core",)


def test_only_targets_are_loaded() -> None:
    assert ids(plan("app"), Action.LOAD) == ["load:app"]
    assert ids(plan("drivers"), Action.LOAD) == []
    assert find(plan("app"), "load:app").needs == ("test:app",)


def test_without_load_nothing_is_loaded() -> None:
    assert ids(plan("app", wishes=Wishes(load=False)), Action.LOAD) == []
    assert plan("app", made=EVERYTHING, passed=EVERYTHING, loaded={}, wishes=Wishes(load=False)).steps == ()


def test_an_image_that_is_done_and_was_not_loaded_is_loaded_and_nothing_else() -> None:
    done = plan("app", "tool", made=EVERYTHING, passed=EVERYTHING, loaded=given("tool"))
    assert ids(done) == ["load:app"]
    assert find(done, "load:app").reason == f"no load of {REFERENCES['app']} is recorded"
    assert find(done, "load:app").needs == ()
    assert "app" not in done.reused
    assert format_plan(done) == "load:app  no load of sample/app:1 is recorded\n1 steps; 5 of 6 nodes are reused"


def test_an_engine_that_was_given_another_digest_is_given_the_image() -> None:
    done = plan("app", made=EVERYTHING, passed=EVERYTHING, loaded={REFERENCES["app"]: OTHER})
    assert {step.id: step.reason for step in done.steps} == {
        "load:app": f"an engine was last given another digest as sample/app:1, {OTHER}"
    }


def test_an_image_whose_tags_have_changed_is_given_to_the_engine_under_the_new_ones() -> None:
    tagged = make_catalogue(
        *(replace(node, tags=("1", "latest")) if node is APP else node for node in CATALOGUE.nodes.values())
    )
    done = plan("app", made=EVERYTHING, passed=EVERYTHING, catalogue=tagged, loaded=given("app"))
    assert {step.id: step.reason for step in done.steps} == {"load:app": "no load of sample/app:latest is recorded"}


@pytest.mark.parametrize("given_to", ["", "engine-2"])
def test_what_another_engine_was_given_is_loaded_again(given_to: str) -> None:
    done = plan("app", made=EVERYTHING, passed=EVERYTHING, given_to=given_to, engine="engine-1")
    assert [step.id for step in done.steps] == ["load:app"]
    assert done.steps[0].reason == f"no load of {REFERENCES['app']} into this engine is recorded"


@pytest.mark.parametrize("engine", ["", "engine-1"])
def test_what_this_engine_was_given_and_what_may_be_this_one_is_not_loaded_again(engine: str) -> None:
    assert plan("app", made=EVERYTHING, passed=EVERYTHING, given_to="engine-1", engine=engine).steps == ()


def test_what_was_loaded_of_other_images_says_nothing_of_a_target() -> None:
    done = plan("app", made=EVERYTHING, passed=EVERYTHING, loaded={REFERENCES["tool"]: OTHER, "drivers": OTHER})
    assert ids(done) == ["load:app"]


def test_images_that_are_no_target_and_layers_are_not_loaded_whatever_is_remembered() -> None:
    assert plan("drivers", "jdk", made=EVERYTHING, passed=EVERYTHING, loaded={}).steps == ()


@pytest.mark.parametrize("loaded", [None, {}, {"sample/app:1": "sha256:" + "e" * 64}])
def test_an_image_that_is_composed_now_is_new_to_the_engine_whatever_it_was_given(
    loaded: dict[str, str] | None,
) -> None:
    done = plan("app", made=EVERYTHING - {"app"}, passed=EVERYTHING, loaded=loaded)
    assert find(done, "load:app").reason == "the image is new to the engine"


def test_an_image_whose_tests_run_is_loaded_after_them() -> None:
    done = plan("app", made=EVERYTHING, passed=EVERYTHING - {"app"})
    assert {step.id: (step.reason, step.needs) for step in done.steps} == {
        "test:app": ("no pass is recorded for these tests on this image", ()),
        "load:app": ("its tests run now", ("test:app",)),
    }
    again = plan("app", made=EVERYTHING, passed=EVERYTHING - {"app"}, loaded={})
    assert find(again, "load:app").reason == f"no load of {REFERENCES['app']} is recorded"


@pytest.mark.parametrize("test", [True, False])
def test_an_image_of_which_a_layer_is_lost_is_loaded_when_the_layer_is_made(*, test: bool) -> None:
    done = plan(
        "tool", made=EVERYTHING - {"drivers"}, passed=EVERYTHING - {"drivers"}, loaded={}, wishes=Wishes(test=test)
    )
    before = {*find(done, "load:tool").needs}
    assert before == ({"test:drivers"} if test else {"build:drivers"})


def test_a_layer_that_is_made_again_does_not_let_an_image_be_loaded_again_that_is_loaded() -> None:
    done = plan("tool", made=EVERYTHING - {"drivers"}, wishes=Wishes(test=False))
    assert ids(done) == ["build:drivers"]


def test_without_tests_images_are_composed_from_what_is_built() -> None:
    done = plan("app", wishes=Wishes(test=False))
    assert ids(done, Action.TEST) == []
    assert find(done, "compose:app").needs == ("build:os", "build:jdk", "build:core", "build:drivers")
    assert find(done, "load:app").needs == ("compose:app",)


def test_a_new_run_of_passed_tests_can_be_asked_for() -> None:
    done = plan("tool", made=EVERYTHING, passed=EVERYTHING, wishes=Wishes(retest=True, load=False))
    assert ids(done) == ["test:os", "test:drivers", "test:tool"]
    assert all(step.again for step in done.steps)
    assert find(done, "test:os").reason == "a new run was asked for"


def test_a_node_whose_making_is_forced_does_not_count_what_the_store_knows() -> None:
    done = plan("tool", made=EVERYTHING - {"drivers"}, wishes=Wishes(force=frozenset({"drivers"})))
    assert find(done, "build:drivers").again
    assert not find(done, "test:drivers").again


def test_what_tests_run_on_is_built_but_not_tested_when_no_target_is_made_of_it() -> None:
    done = plan("lone")
    assert ids(done) == ["build:helper", "build:lone", "test:lone"]
    assert find(done, "test:lone").needs == ("build:lone", "build:helper")


def test_what_tests_run_on_is_not_needed_without_tests() -> None:
    assert ids(plan("lone", wishes=Wishes(test=False))) == ["build:lone"]


def test_an_unlocked_node_is_refused_and_blocks_only_what_needs_it() -> None:
    unlocked = make_lock(CATALOGUE, {"deb:openjdk": make_artifact("deb:openjdk", b"jdk")})
    done = plan("app", "core", "tool", "jdk", lock=unlocked)
    assert "\n".join(map(str, done.refused)) == (
        "core: source 1 is not locked (maven:org.example:core:1); source 2 is not locked (maven:org.example:more:2);"
        " run: buildgraph lock --update core\n"
        "app: source 1 of core is not locked (maven:org.example:core:1);"
        " source 2 of core is not locked (maven:org.example:more:2); run: buildgraph lock --update core"
    )
    assert done.targets == ("tool", "jdk")
    assert {step.node for step in done.steps} == {"os", "drivers", "tool", "jdk"}
    assert ids(done, Action.FETCH) == ["fetch:jdk/openjdk"]


def test_what_only_refused_targets_need_is_not_built() -> None:
    done = plan("app", lock=Lock())
    assert (done.targets, done.nodes, done.steps, done.reused) == ((), (), (), ())
    assert [refusal.node for refusal in done.refused] == ["app"]


def test_steps_come_after_what_they_need() -> None:
    seen: set[str] = set()
    for step in plan("app", "tool", "lone").steps:
        assert set(step.needs) <= seen
        seen.add(step.id)


def test_expected_durations_are_those_of_earlier_runs() -> None:
    done = plan("tool", seconds={"build:os": 321.0})
    assert find(done, "build:os").seconds == 321.0
    assert find(done, "build:drivers").seconds > 0


def test_a_plan_reads_as_written_in_the_golden_file() -> None:
    done = plan("app", made={"os"}, passed={"os"}, misses={"jdk": "source openjdk: deb:openjdk=1 -> deb:openjdk=2"})
    lines = [f"{step.id} <- {', '.join(step.needs) or '-'}" for step in done.steps]
    text = "\n".join([format_plan(done), "", *lines, ""])
    check_golden("plan.txt", text)


class TestServices:
    """``jobs`` is tested with the image ``database``."""

    JOBS = replace(make_files_layer("jobs", test_on=("os",)), test_with=("database",))
    ENGINE = make_files_layer("engine", test_on=("os",))
    DATABASE = make_image("database", ("os", "engine"))
    SHOP = replace(make_image("shop", ("os",)), test_with=("database",))
    CATALOGUE = make_catalogue(OS, JOBS, ENGINE, DATABASE, SHOP)
    ALL = frozenset(CATALOGUE.nodes)

    def plan(self, *targets: str, made: Collection[str] = (), passed: Collection[str] = ()) -> Plan:
        return plan(*targets, made=made, passed=passed, catalogue=self.CATALOGUE, lock=Lock())

    def test_a_test_comes_after_the_tests_of_the_images_that_it_runs_with(self) -> None:
        done = self.plan("jobs")
        assert ids(done) == [
            *("build:os", "build:jobs", "build:engine", "test:os", "test:engine"),
            *("compose:database", "test:database", "test:jobs"),
        ]
        assert find(done, "test:jobs").needs == (
            *("build:jobs", "build:os", "compose:database", "test:database", "test:os", "test:engine"),
        )

    def test_an_image_may_be_tested_with_another(self) -> None:
        assert "test:database" in find(self.plan("shop"), "test:shop").needs
        assert ids(self.plan("shop"), Action.LOAD) == ["load:shop"]

    def test_the_test_of_a_layer_of_a_service_comes_first_even_if_the_service_has_passed(self) -> None:
        done = self.plan("jobs", made=self.ALL, passed=self.ALL - {"engine", "jobs"})
        assert find(done, "test:jobs").needs == ("test:engine",)

    def test_a_new_service_makes_the_tests_run_again(self) -> None:
        done = self.plan("jobs", made=self.ALL - {"database"}, passed=self.ALL - {"database"})
        assert ids(done) == ["compose:database", "test:database", "test:jobs"]
        assert find(done, "test:jobs").reason == "an image that they run with is new"

    def test_without_tests_there_are_no_services(self) -> None:
        done = plan("jobs", catalogue=self.CATALOGUE, lock=Lock(), wishes=Wishes(test=False))
        assert ids(done) == ["build:jobs"]

    @pytest.mark.parametrize("target", CATALOGUE.nodes)
    def test_steps_come_after_what_they_need(self, target: str) -> None:
        seen: set[str] = set()
        for step in self.plan(target).steps:
            assert seen.issuperset(step.needs), step.id
            seen.add(step.id)

    def test_nothing_is_to_do_when_all_has_passed(self) -> None:
        done = self.plan("jobs", "shop", made=self.ALL, passed=self.ALL)
        assert done.steps == ()
        assert set(done.nodes) == self.ALL


@pytest.mark.parametrize("target", ["app", "tool", "lone", "core"])
def test_every_node_is_either_reused_or_has_a_step(target: str) -> None:
    done = plan(target, made={"os", "drivers"}, passed={"os"})
    assert set(done.reused) | {step.node for step in done.steps} == set(done.nodes)
    assert set(done.reused).isdisjoint(step.node for step in done.steps)


def test_files_of_the_same_name_in_two_folders_both_count() -> None:
    trees = {"os": {"testdata/a": "-:1"}, "drivers": {"testdata/a": "-:2"}}
    keys = {
        find_test_key(CATALOGUE, TOOL, "sha256:0", Facts(trees=tree, fixtures="", capabilities=()), services={})
        for tree in (trees, {**trees, "os": {"testdata/a": "-:3"}}, {**trees, "drivers": {"testdata/a": "-:3"}})
    }
    assert len(keys) == 3


def test_a_test_file_that_is_for_other_variants_does_not_count() -> None:
    tool = replace(TOOL, tests=("layers/tool/test_a.py",))
    catalogue = replace(CATALOGUE, nodes={**CATALOGUE.nodes, "tool": tool})
    tree = {"test_a.py": "-:1", "test_b.py": "-:2", "testdata/c": "-:3"}
    keys = [
        find_test_key(
            catalogue, tool, "sha256:0", Facts(trees={"tool": each}, fixtures="", capabilities=()), services={}
        )
        for each in (tree, {**tree, "test_b.py": "-:4"}, {**tree, "test_a.py": "-:4"}, {**tree, "testdata/c": "-:4"})
    ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3
