"""Chart.yaml and Chart.lock: what is read, and what is refused with its line."""

from __future__ import annotations

import re

import pytest

from buildgraph.chart import Chart, check_lock, format_lock, parse_chart
from buildgraph.errors import BuildgraphError, UsageError
from tests.fakes.charts import CHART

FILE = "charts/shop/Chart.yaml"
LOCK = "charts/shop/Chart.lock"


def parse(text: str = CHART) -> Chart:
    return parse_chart(text, FILE, folder="shop")


def change(old: str, new: str) -> str:
    assert old in CHART
    return CHART.replace(old, new)


def refusal(text: str) -> list[str]:
    with pytest.raises(BuildgraphError) as caught:
        parse(text)
    return str(caught.value).splitlines()


def test_a_chart_is_read() -> None:
    chart = parse()
    assert (chart.name, chart.version, chart.type) == ("shop", "1.2.3+build.4", "application")
    assert chart.file == "shop-1.2.3+build.4.tgz"
    (dependency,) = chart.dependencies
    assert (dependency.name, dependency.version, dependency.beside) == ("basis", "0.2.0", "basis")
    assert chart.document["sources"] == ["https://example.org/source", "https://example.org/more"]


def test_the_document_has_the_types_that_helm_reads() -> None:
    document = parse(CHART + "deprecated: true\nx: [1, 0x10, 1.5, ~, 2026-01-01, 'true', 00]\n").document
    assert document["deprecated"] is True
    assert document["x"] == [1, "0x10", "1.5", None, "2026-01-01", "true", "00"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (change("apiVersion: v2", "apiVersion: v1"), ":1 (apiVersion): 'v1' is none of v2"),
        (change("apiVersion: v2\n", ""), ":1: the key 'apiVersion' is missing"),
        (change("name: shop", "name: ../../etc"), ":2 (name): '../../etc' is not the name of a chart; "),
        (change("name: shop", "name: a/b"), ":2 (name): 'a/b' is not the name of a chart; "),
        (change("name: shop", "name: other"), ":2 (name): other stands in the folder shop; call both the same"),
        (change("name: shop", "name: 5"), ":2 (name): 5 is not a string to YAML; "),
        (change("name: shop\n", ""), ":1: the key 'name' is missing"),
        (change("1.2.3+build.4", "1.2"), ":3 (version): 1.2 is not a string to YAML"),
        (change("1.2.3+build.4", "v1.2.3"), ":3 (version): 'v1.2.3' is not a version that Helm takes"),
        (change("1.2.3+build.4", "1.02.3"), ":3 (version): '1.02.3' is not a version that Helm takes"),
        (change("1.2.3+build.4", "1.2.3/../x"), ":3 (version): '1.2.3/../x' is not a version that Helm takes"),
        (change("1.2.3+build.4", "1.2.3-" + "x" * 100), " is not a version that Helm takes"),
        (change("type: application", "type: plugin"), ":5 (type): 'plugin' is none of application, library"),
        (change('appVersion: "1"', "appVersion: 4.1"), ":6 (appVersion): 4.1 is not a string to YAML"),
        (change("license: MIT", "license: 1.0"), " is not a string to YAML"),
        (change("dependencies:\n", "dependencies: basis\nx:\n"), ": a list is wanted here"),
        (change("file://../basis", "file:///etc"), "file:///etc is not the folder beside this one"),
        (change("file://../basis", "file://../../basis"), "is not the folder beside this one that is called basis"),
        (change("file://../basis", "file://../other"), "is not the folder beside this one that is called basis"),
        (change("file://../basis", "https://charts.example"), "is not the folder beside this one"),
        (change("name: basis", "name: ../basis"), "(dependencies[0].name): '../basis' is not the name of a chart"),
        (change("version: 0.2.0", "version: ~0.2"), "(dependencies[0].version): '~0.2' is not a version that"),
        (change("version: 0.2.0", "version: 0.2.0\n    enabled: true"), "unknown key 'enabled'"),
        (change("version: 0.2.0", "version: 0.2.0\n    alias: a/b"), "'a/b' is not one word"),
        (change("A shop", "&a A shop"), ": anchors and aliases are not allowed"),
        ("- a\n", ":1: the document must be a mapping"),
        ("a: [\n", ": not valid YAML"),
        ("", ":1: the document must be a mapping"),
        (CHART + CHART, ": the key 'apiVersion' stands already in line 1"),
    ],
)
def test_what_is_no_chart_is_refused_with_its_line(text: str, message: str) -> None:
    lines = refusal(text)
    assert any(line.startswith(FILE) and message in line for line in lines), lines


def test_all_mistakes_are_told_at_once() -> None:
    assert len(refusal(change("name: shop", "name: Shop").replace("0.2.0", "latest").replace("v2", "v3"))) == 3


def test_the_lock_says_what_the_chart_says() -> None:
    text = format_lock(parse(), epoch=1767225600)
    assert re.fullmatch(
        r'dependencies:\n- name: basis\n  repository: "file://\.\./basis"\n  version: "0\.2\.0"\n'
        r'digest: sha256:[0-9a-f]{64}\ngenerated: "2026-01-01T00:00:00Z"\n',
        text,
    )
    check_lock(text, parse(), LOCK)
    check_lock(text.replace("2026", "2020"), parse(), LOCK)


@pytest.mark.parametrize(
    "changed",
    [
        change("version: 0.2.0", "version: 0.2.1"),
        change("version: 0.2.0", "version: 0.2.0\n    condition: a.b"),
        change("version: 0.2.0", "version: 0.2.0\n    alias: more"),
        change("version: 0.2.0", "version: 0.2.0\n    tags: [x]"),
        CHART + "  - {name: second, version: 1.0.0}\n",
        CHART.partition("dependencies")[0],
    ],
)
def test_a_lock_of_other_dependencies_is_refused(changed: str) -> None:
    text = format_lock(parse(), epoch=0)
    with pytest.raises(UsageError, match=r"Chart.lock: it does not say what Chart.yaml says; run: buildgraph charts"):
        check_lock(text, parse(changed), LOCK)


def test_a_lock_with_more_in_it_is_refused() -> None:
    with pytest.raises(UsageError, match="does not say"):
        check_lock(format_lock(parse(), epoch=0) + "more: x\n", parse(), LOCK)


def test_a_missing_lock_is_refused_where_there_are_dependencies() -> None:
    check_lock(None, parse(CHART.partition("dependencies")[0]), LOCK)
    with pytest.raises(UsageError, match=r"Chart.lock: the file is missing, .*; run: buildgraph charts vendor shop"):
        check_lock(None, parse(), LOCK)
