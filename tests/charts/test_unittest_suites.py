"""Suites for helm-unittest, where users of Helm look for a chart's tests, pass."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.charts.combinations import CHARTS
from tests.helm_unittest import ensure_unittest

if TYPE_CHECKING:
    from tests.charts.renders import Renders

SUITES = "tests/**/*_test.yaml"


@pytest.mark.timeout(1500)
def test_every_suite_of_a_chart_passes(renders: Renders) -> None:
    charts = [file.parent.name for file in CHARTS.glob("*/Chart.yaml") if list(file.parent.glob(SUITES))]
    for chart in charts:
        argv = [str(ensure_unittest()), "--strict", "--file", SUITES, str(renders.charts / chart)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
