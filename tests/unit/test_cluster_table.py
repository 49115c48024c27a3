"""The table of scenarios, and the tests that it promises."""

from __future__ import annotations

import ast
from itertools import groupby
from pathlib import Path

import pytest

from tests.cluster.table import TableError, is_in, load_table, merge, parse_quantity, parse_table

TESTS = Path(__file__).parents[1] / "cluster"
ROW = {
    "id": "a",
    "title": "A",
    "set": "core",
    "memory": "1Gi",
    "releases": [{"name": "spark", "chart": "spark-{line}", "presets": ["version/{previous}"]}],
    "checks": {"one": "One."},
}
LINES = {"3.5": {"current": "3.5.8", "previous": "3.5.7"}, "4.1": {"current": "4.1.1", "previous": "4.1.0"}}


def names_of_tests(module: Path) -> set[str]:
    """The tests of a module: functions, and those that it takes over from others by assignment."""
    names = set()
    for each in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(each, ast.FunctionDef):
            names.add(each.name)
        elif isinstance(each, ast.Assign):
            names |= {target.id for target in each.targets if isinstance(target, ast.Name)}
    return {name.removeprefix("test_") for name in names if name.startswith("test_")}


def test_a_row_is_a_scenario_for_each_of_its_lines() -> None:
    table = parse_table({"lines": LINES, "small": {}, "scenarios": [{**ROW, "lines": ["3.5", "4.1"]}]})
    assert [each.id for each in table.scenarios] == ["a-3.5", "a-4.1"]
    assert table.scenarios[1].releases[0].chart == "spark-4.1"
    assert table.scenarios[1].releases[0].presets == ("version/4.1.0",)
    assert table.scenarios[0].namespace == "bg-a-3-5"
    assert table.scenarios[0].check_id("two_words") == "a-3.5/two-words"


def test_all_that_is_wrong_with_the_table_is_said_at_once() -> None:
    rows = [{**ROW, "releases": []}, {**ROW, "set": "other", "checks": {}, "releases": []}]
    with pytest.raises(TableError, match=r"a is there 2 times; a: other is no set; a checks nothing"):
        parse_table({"lines": LINES, "small": {}, "scenarios": rows})


def test_no_check_has_the_id_of_another() -> None:
    ids = [each.check_id(check) for each in load_table().scenarios for check in each.checks]
    assert len(ids) == len(set(ids))


def test_each_check_has_a_test_and_each_test_is_a_check() -> None:
    scenarios = sorted(load_table().scenarios, key=lambda each: each.name)
    for name, rows in groupby(scenarios, key=lambda each: each.name):
        module = TESTS / f"test_{name.replace('-', '_')}.py"
        assert {frozenset(row.checks) for row in rows} == {frozenset(names_of_tests(module))}, name


def test_each_module_of_scenarios_is_in_the_table() -> None:
    names = {each.name.replace("-", "_") for each in load_table().scenarios}
    having = {path for path in TESTS.glob("test_*.py") if "SCENARIO = " in path.read_text(encoding="utf-8")}
    assert {path.stem.removeprefix("test_") for path in having} == names


def test_the_short_run_has_connect_with_both_backends_on_both_lines() -> None:
    chosen = {each.id for each in load_table().scenarios if is_in(each, "connect")}
    assert chosen == {f"connect-{backend}-{line}" for backend in ("k8s", "standalone") for line in ("3.5", "4.1")}
    assert all(is_in(each, "core") and is_in(each, "all") for each in load_table().scenarios if each.set == "connect")


def test_namespaces_are_no_longer_than_kubernetes_takes() -> None:
    assert max(len(each.namespace) for each in load_table().scenarios) <= 63


def test_values_are_merged_as_helm_does() -> None:
    assert merge({"a": {"b": 1, "c": [1]}, "d": 1}, {"a": {"c": [2]}}, {"d": {"e": 2}}) == {
        "a": {"b": 1, "c": [2]},
        "d": {"e": 2},
    }


@pytest.mark.parametrize(
    ("text", "size"), [("5", 5), ("512Mi", 512 << 20), ("3Gi", 3 << 30), ("24661504Ki", 24661504 << 10)]
)
def test_quantities_are_bytes(text: str, size: int) -> None:
    assert parse_quantity(text) == size
