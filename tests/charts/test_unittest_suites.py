"""Suites for helm-unittest, where users of Helm look for tests: every chart has some, and all of them pass."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.charts.combinations import CHARTS, application_charts, load
from tests.helm_unittest import ensure_unittest

if TYPE_CHECKING:
    from tests.charts.renders import Renders

SUITES = "tests/**/*_test.yaml"
OLD, NEW = "spark-3.5", "spark-4.1"


def read_suites(chart: str) -> dict[str, str]:
    """The suites of a chart of Spark by file, with names for the facts of its line."""
    facts = load(CHARTS / chart / "facts.yaml")
    line = facts["line"]
    names = {version: f"<version {place}>" for place, version in enumerate(facts["versions"])}
    names |= {facts["celebornClient"]: "<client>", line: "<line>", line.replace(".", "-"): "<line>"}
    names |= {f"spark{dash}{line.replace('.', '')}": "<line>" for dash in ("", "-")}
    suites = {}
    for file in (CHARTS / chart).glob(SUITES):
        # In patterns, dots are escaped.
        text = file.read_text(encoding="utf-8").replace("\\", "")
        for fact, name in names.items():
            text = text.replace(fact, name)
        suites[file.name] = text
    return suites


def test_every_chart_has_suites() -> None:
    charts = sorted(file.parent for file in CHARTS.glob("*/Chart.yaml"))
    assert tuple(chart.name for chart in charts if any(chart.glob(SUITES))) == application_charts()


def test_suites_of_both_lines_of_spark_differ_in_facts_only() -> None:
    assert read_suites(OLD) == read_suites(NEW)


@pytest.mark.timeout(700)
@pytest.mark.parametrize("chart", application_charts())
def test_every_suite_of_a_chart_passes(renders: Renders, chart: str) -> None:
    argv = [str(ensure_unittest()), "--strict", "--file", SUITES, str(renders.charts / chart)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
