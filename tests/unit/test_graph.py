"""The graph: what targets mean, what they need, in which order; and that size and depth are no obstacle."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from buildgraph.errors import UsageError
from buildgraph.graph import (
    MAX_SUGGESTED,
    check_graph,
    find_closure,
    find_dependents,
    find_needs,
    find_targets,
    sort_nodes,
    sort_tests,
    to_networkx,
)
from buildgraph.model import DockerfileSpec, Location, Pin, PythonSpec
from tests.samples import NOWHERE, make_catalogue, make_image, make_layer, make_world

if TYPE_CHECKING:
    from buildgraph.model import Node

CATALOGUE = make_world().catalogue
STEP = DockerfileSpec()


SERVED = (
    make_layer("os"),
    replace(make_layer("drivers", test_on=("os",)), test_with=("database",)),
    replace(make_layer("engine", test_on=("base",)), test_with=("time",)),
    make_layer("base", test_on=("os",)),
    make_layer("clock"),
    make_image("database", ("engine",)),
    make_image("time", ("clock",)),
    make_image("app", ("drivers",)),
)
"""The drivers are tested with a database, whose engine is tested with a server of the time."""


class TestTargets:
    @pytest.mark.parametrize(
        ("patterns", "expected"),
        [
            (["jdk"], ("jdk",)),
            (["shop-latest"], ("shop",)),
            (["images"], ("shop", "small")),
            (["*"], tuple(CATALOGUE.nodes)),
            (["s*"], ("shop", "small")),
            (["[jt]*"], ("jdk", "tools")),
            (["?s"], ("os",)),
            (["tools", "images", "small", "shop-latest", "s*"], ("tools", "shop", "small")),
            ([], ()),
        ],
    )
    def test_names_aliases_groups_and_globs_are_found_once_in_the_order_written(
        self, patterns: list[str], expected: tuple[str, ...]
    ) -> None:
        assert find_targets(CATALOGUE, patterns) == expected

    def test_a_group_may_hold_globs_and_aliases(self) -> None:
        catalogue = make_catalogue(CATALOGUE.nodes.values(), aliases={"latest": "shop"}, groups={"g": ("t*", "latest")})
        assert find_targets(catalogue, ["g"]) == ("tools", "shop")

    def test_a_node_goes_before_a_glob_that_it_looks_like(self) -> None:
        assert find_targets(make_catalogue([make_layer("a.b"), make_layer("axb")]), ["a.b"]) == ("a.b",)

    @pytest.mark.parametrize(
        ("pattern", "line"),
        [
            ("shp", "no target is called 'shp'; did you mean shop?"),
            ("smal", "no target is called 'smal'; did you mean small?"),
            ("image", "no target is called 'image'; did you mean images?"),
            ("zzz*", "no target is called 'zzz*'; see: buildgraph list"),
            ("", "no target is called ''; see: buildgraph list"),
            ("Shop", "no target is called 'Shop'; did you mean shop"),
        ],
    )
    def test_what_matches_nothing_is_an_error_with_a_suggestion(self, pattern: str, line: str) -> None:
        with pytest.raises(UsageError, match=f"^{re.escape(line)}"):
            find_targets(CATALOGUE, ["jdk", pattern])


class TestClosure:
    def test_it_holds_all_that_is_read_parents_first(self) -> None:
        assert find_closure(CATALOGUE, ["app"], with_tests=False) == ("os", "python", "jdk", "app")

    def test_with_tests_it_holds_what_the_tests_run_on(self) -> None:
        catalogue = make_catalogue(
            [make_layer("jars", test_on=("os", "jdk")), make_layer("os"), make_layer("jdk", test_on=("os",))]
        )
        assert find_closure(catalogue, ["jars"], with_tests=False) == ("jars",)
        assert set(find_closure(catalogue, ["jars"], with_tests=True)) == {"jars", "os", "jdk"}

    def test_tests_that_need_each_others_layers_are_no_circle(self) -> None:
        catalogue = make_catalogue([make_layer("a", test_on=("b",)), make_layer("b", test_on=("a",))])
        assert check_graph(catalogue) == []
        assert find_closure(catalogue, ["a"], with_tests=True) == ("a", "b")

    def test_with_tests_it_holds_the_images_that_they_run_with_and_what_these_need(self) -> None:
        catalogue = make_catalogue(SERVED)
        assert find_closure(catalogue, ["app"], with_tests=False) == ("drivers", "app")
        assert find_closure(catalogue, ["app"], with_tests=True) == (
            *("os", "drivers", "engine", "base", "clock", "database", "time", "app"),
        )

    def test_what_the_services_of_tests_are_made_of_must_pass_but_not_what_tests_run_on(self) -> None:
        assert set(find_needs(make_catalogue(SERVED), ["app"], with_tests=True).tested) == {
            *("app", "drivers", "database", "engine", "clock", "time"),
        }

    def test_without_tests_nothing_must_pass(self) -> None:
        assert find_needs(make_catalogue(SERVED), ["app"], with_tests=False).tested == ()

    def test_what_must_pass_comes_parents_first(self) -> None:
        needs = find_needs(CATALOGUE, ["app"], with_tests=True)
        assert needs.tested == tuple(name for name in needs.nodes if name in needs.tested)
        assert needs.tested[-1] == "app"

    def test_what_is_only_run_on_brings_no_services(self) -> None:
        nodes = (make_layer("top", test_on=("drivers",)), *SERVED)
        assert find_closure(make_catalogue(nodes), ["top"], with_tests=True) == ("top", "drivers")

    def test_nothing_is_in_it_twice(self) -> None:
        closure = find_closure(CATALOGUE, ["shop", "app", "small"], with_tests=True)
        assert len(closure) == len(set(closure))


class TestOrder:
    def test_parents_come_first_and_equals_in_the_order_of_the_catalogue(self) -> None:
        catalogue = make_catalogue(
            [
                make_image("image", ("z", "y")),
                make_layer("z", STEP, parents=("a",)),
                make_layer("y", STEP, parents=("b",)),
                make_layer("b"),
                make_layer("a"),
            ]
        )
        assert sort_nodes(catalogue, catalogue.nodes) == ("b", "a", "z", "y", "image")

    def test_the_order_of_the_names_does_not_count(self) -> None:
        names = list(CATALOGUE.nodes)
        assert sort_nodes(CATALOGUE, names) == sort_nodes(CATALOGUE, reversed(names)) == sort_nodes(CATALOGUE, {*names})

    def test_parents_that_are_not_wanted_are_left_out(self) -> None:
        assert sort_nodes(CATALOGUE, ["shop", "jdk"]) == ("jdk", "shop")

    def test_tests_come_after_those_of_what_they_run_with(self) -> None:
        catalogue = make_catalogue(SERVED)
        assert sort_tests(catalogue, tuple(catalogue.nodes)) == (
            *("os", "base", "clock", "time", "engine", "database", "drivers", "app"),
        )

    def test_tests_without_services_are_in_the_order_given_layers_first(self) -> None:
        assert sort_tests(CATALOGUE, ("shop", "jdk", "os", "app")) == ("jdk", "os", "app", "shop")


class TestDependents:
    def test_they_are_found_at_any_distance(self) -> None:
        assert find_dependents(CATALOGUE, "python") == {"libraries", "app", "shop", "small"}
        assert find_dependents(CATALOGUE, "shop") == frozenset()

    def test_edges_point_from_what_is_read_to_what_reads_it(self) -> None:
        assert sorted(to_networkx(CATALOGUE, CATALOGUE.nodes).successors("jdk")) == ["app", "shop"]


class TestSize:
    def test_ten_thousand_nodes_in_a_hundred_ranks(self) -> None:
        ranks = [[f"n{rank}-{place}" for place in range(100)] for rank in range(100)]
        nodes = [
            make_layer(name, STEP, parents=(ranks[rank - 1][place], ranks[rank - 1][(place + 1) % 100]) if rank else ())
            for rank, names in enumerate(ranks)
            for place, name in enumerate(names)
        ]
        catalogue = make_catalogue(reversed(nodes))
        assert check_graph(catalogue) == []
        places = {name: place for place, name in enumerate(sort_nodes(catalogue, catalogue.nodes))}
        assert len(places) == 10_000
        assert all(places[parent] < places[node.name] for node in nodes for parent in node.parents)
        assert len(find_closure(catalogue, ["n99-0"], with_tests=True)) == sum(
            min(100, rank + 1) for rank in range(100)
        )

    def test_a_chain_of_five_hundred(self) -> None:
        nodes = [make_layer(f"n{rank}", STEP, parents=(f"n{rank - 1}",) if rank else ()) for rank in range(500)]
        catalogue = make_catalogue(reversed(nodes))
        assert check_graph(catalogue) == []
        assert find_closure(catalogue, ["n499"], with_tests=True) == tuple(f"n{rank}" for rank in range(500))
        assert len(find_dependents(catalogue, "n0")) == 499

    def test_a_circle_of_five_hundred_is_told_as_a_path(self) -> None:
        nodes = [make_layer(f"n{rank}", STEP, parents=(f"n{(rank + 1) % 500}",)) for rank in range(500)]
        (error,) = check_graph(make_catalogue(nodes))
        assert error.hint == "take one of these steps out"
        steps = error.what.removeprefix("nodes need each other in a circle: ").split(" -> ")
        assert len(steps) == 501
        assert steps[0] == steps[-1]
        assert all(int(two[1:]) == (int(one[1:]) + 1) % 500 for one, two in pairwise(steps))

    def test_diamonds_on_diamonds_are_walked_once(self) -> None:
        nodes = [make_layer("top-0")]
        for rank in range(1, 200):
            below = f"top-{rank - 1}"
            nodes += [make_layer(f"{side}-{rank}", STEP, parents=(below,)) for side in ("left", "right")]
            nodes.append(make_layer(f"top-{rank}", STEP, parents=(f"left-{rank}", f"right-{rank}")))
        catalogue = make_catalogue(nodes)
        assert check_graph(catalogue) == []
        assert len(find_closure(catalogue, ["top-199"], with_tests=True)) == len(nodes)
        assert len(find_dependents(catalogue, "top-0")) == len(nodes) - 1


class TestCheck:
    def test_a_base_counts_for_circles(self) -> None:
        def library(name: str, base: str) -> PythonSpec:
            return PythonSpec(prefix=f"/opt/{name}", version="3.10", platform="any", bases=(base,))

        catalogue = make_catalogue(
            [
                make_layer("python"),
                make_layer("one", library("one", "two"), parents=("python",)),
                make_layer("two", library("two", "one"), parents=("python",)),
            ]
        )
        (error,) = check_graph(catalogue)
        assert error.what == "nodes need each other in a circle: one -> two -> one"

    def test_an_unknown_name_hides_no_circle(self) -> None:
        catalogue = make_catalogue(
            [make_layer("a", STEP, parents=("b",)), make_layer("b", STEP, parents=("a", "nowhere", "b"))]
        )
        assert [error.what for error in check_graph(catalogue)] == [
            "b: parents names nowhere, which is no node",
            "b names itself under parents",
            "nodes need each other in a circle: a -> b -> a",
        ]

    def test_fault_30_every_set_of_nodes_in_circles_is_told_by_a_shortest_one(self) -> None:
        wanted = {"a": "b", "b": "c", "c": "d a", "d": "a", "e": "f", "f": "e a", "g": "a e", "h": "h"}
        nodes = [make_layer(name, STEP, parents=tuple(parents.split())) for name, parents in wanted.items()]
        assert [error.what for error in check_graph(make_catalogue(nodes))] == [
            "h names itself under parents",
            "nodes need each other in a circle: a -> b -> c -> a",
            "nodes need each other in a circle: e -> f -> e",
        ]

    def test_fault_30_a_circle_of_ten_thousand_is_found(self) -> None:
        nodes = [make_layer(f"n{rank}", STEP, parents=(f"n{(rank + 1) % 10_000}",)) for rank in range(10_000)]
        (error,) = check_graph(make_catalogue(nodes))
        assert error.what.count(" -> ") == 10_000

    def test_thousands_of_unknown_names_are_told_without_a_search_for_each(self) -> None:
        nodes = [make_layer(f"n{rank}", STEP, parents=(f"gone-{rank}",)) for rank in range(5_000)]
        errors = check_graph(make_catalogue(nodes))
        assert len(errors) == 5_000
        assert sum("did you mean" in error.hint for error in errors) <= MAX_SUGGESTED

    def test_two_images_of_one_name_are_a_mistake(self) -> None:
        images = [replace(make_image(name, ("a",)), repository="sample/shop", tags=("1", "2")) for name in ("x", "y")]
        catalogue = make_catalogue([make_layer("a"), *images, replace(make_image("z", ("a",)), tags=("1", "1"))])
        assert [error.what for error in check_graph(catalogue)] == [
            "y: sample/shop:1 is the name of x, too",
            "y: sample/shop:2 is the name of x, too",
            "z lists a tag twice",
        ]

    def test_two_pins_of_one_place_are_a_mistake(self) -> None:
        pins = [
            Pin(image=image, file="values.yaml", path="image", location=Location(file="manifests/pins.yaml", line=line))
            for line, image in enumerate(("shop", "small"), start=2)
        ]
        catalogue = make_catalogue(CATALOGUE.nodes.values(), pins=tuple(pins))
        assert [str(error) for error in check_graph(catalogue)] == [
            "manifests/pins.yaml:3: image of values.yaml is pinned already at manifests/pins.yaml:2"
        ]

    def test_tests_that_wait_for_each_other_are_told_as_a_path(self) -> None:
        nodes: list[Node] = [
            replace(make_layer("drivers"), test_with=("database",)),
            make_layer("engine"),
            replace(make_image("database", ("engine", "drivers")), test_with=("database",)),
        ]
        circle = "tests wait for each other in a circle: drivers -> database -> drivers"
        assert [str(error) for error in check_graph(make_catalogue(nodes))] == [
            "manifests/layers/sample.yaml:1: database names itself under test_with",
            f"manifests/layers/sample.yaml:1: {circle}; take a name out of test_with",
        ]

    def test_two_images_that_are_tested_with_each_other_are_a_circle(self) -> None:
        nodes = [make_layer("os")]
        images = [replace(make_image(name, ("os",)), test_with=(other,)) for name, other in ("ab", "ba")]
        (error,) = check_graph(make_catalogue([*nodes, *images]))
        assert error.what == "tests wait for each other in a circle: a -> b -> a"

    def test_a_layer_may_be_tested_with_an_image_that_is_built_from_it(self) -> None:
        nodes: list[Node] = [
            replace(make_layer("os"), test_with=("database",)),
            make_layer("engine", STEP, parents=("os",)),
            make_image("database", ("engine",)),
        ]
        assert check_graph(make_catalogue(nodes)) == []

    def test_every_mistake_is_told(self) -> None:
        catalogue = make_catalogue(
            [make_layer("a", STEP, parents=("x", "y")), make_image("i", ("a", "a", "z"))],
            groups={"a": ("q*",)},
            pins=(Pin(image="nothing", file="values.yaml", path="image", location=NOWHERE),),
        )
        assert len(check_graph(catalogue)) == 7

    def test_a_pin_may_name_an_alias(self) -> None:
        location = Location(file="manifests/pins.yaml", line=2)
        pin = Pin(image="shop-latest", file="values.yaml", path="image", location=location)
        catalogue = make_catalogue(CATALOGUE.nodes.values(), aliases=CATALOGUE.aliases, pins=(pin,))
        assert check_graph(catalogue) == []
