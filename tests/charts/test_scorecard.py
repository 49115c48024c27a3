"""The scorecard counts our charts, and has a cell for each column of every row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.charts.combinations import Combination, application_charts
from tests.charts.renders import Recipe
from tests.charts.scorecard import COLUMNS, ours, peers, render_table

if TYPE_CHECKING:
    from tests.charts.renders import Renders

pytestmark = pytest.mark.timeout(1200)


def test_every_chart_has_a_row_and_breaks_no_standard(renders: Renders) -> None:
    for chart in application_charts():
        objects = renders.objects(Recipe(combination=Combination(chart=chart, name="defaults")))
        row = dict(zip(COLUMNS, ours(chart, objects), strict=True))
        assert row["pods that break PSS restricted"].startswith("0 of ")
        assert row["values.schema"].startswith("yes, ")
        assert row["generated docs"] == "from schema"
        assert row["kubeVersion / artifacthub"].endswith("-0 / yes")


def test_rows_of_others_have_all_columns() -> None:
    assert {len(row) for row in peers()} == {len(COLUMNS)}
    assert len(render_table(peers()).splitlines()) == len(peers()) + 2
