"""Releases that share a namespace keep out of each other's way, whatever they are called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.charts.combinations import application_charts
from tests.charts.gates import identity, selectors
from tests.charts.neighbours import covering, install
from tests.charts.problems import expect_none
from tests.golden_files import check_golden

if TYPE_CHECKING:
    from tests.charts.renders import Renders

pytestmark = pytest.mark.timeout(1200)
CHARTS = application_charts()
LIKE_THEIR_CHARTS = {chart: (chart, f"one-{number}", f"two-{number}") for number, chart in enumerate(CHARTS)}
LIKE_OTHER_CHARTS = {chart: (CHARTS[number - 1], f"{chart.replace('.', '-')}-x") for number, chart in enumerate(CHARTS)}


@pytest.mark.parametrize("names", [LIKE_THEIR_CHARTS, LIKE_OTHER_CHARTS], ids=["like-their-charts", "like-others"])
def test_releases_of_all_charts_share_a_namespace(renders: Renders, names: dict[str, tuple[str, ...]]) -> None:
    covers = {chart: covering(chart, renders) for chart in CHARTS}
    for number in range(max(map(len, covers.values()))):
        releases = {
            release: install(covers[chart][number % len(covers[chart])], release, renders)
            for chart in CHARTS
            for release in names[chart]
        }
        expect_none([*selectors.find_strangers(releases), *selectors.find_twins(releases)])


@pytest.mark.parametrize("release", ["z" * 53, "x" + "-y" * 26, "with.dots", "x"])
@pytest.mark.parametrize("chart", CHARTS)
def test_names_and_labels_are_valid_whatever_the_release_is_called(renders: Renders, chart: str, release: str) -> None:
    for combination in covering(chart, renders):
        objects = install(combination, release, renders)
        expect_none([*identity.find_bad_names(objects), *identity.find_bad_labels(objects)], str(combination))
        expect_none(selectors.find_strangers({release: objects}), str(combination))
        expect_none(selectors.find_twins({release: objects}), str(combination))


@pytest.mark.parametrize("chart", CHARTS)
def test_selectors_are_those_that_users_have(renders: Renders, chart: str) -> None:
    found = {
        f"{selector.where}: {dict(sorted(selector.labels.items()))}"
        for combination in covering(chart, renders)
        for selector in selectors.find_selectors(install(combination, "demo", renders))
    }
    check_golden(f"selectors/{re.sub(r'[^a-z0-9]+', '-', chart)}.txt", "".join(f"{line}\n" for line in sorted(found)))
